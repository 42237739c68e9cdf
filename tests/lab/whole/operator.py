"""The operator of a site: `slurmhub` of this checkout, run in the folder with the site file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lab.whole.institution import Institution
from tests.rig.checkout import PROJECT

_MAIN = "from slurmhub_deploy.main import main; main()"
# Six hosts share one machine with whatever else it does.
_SECONDS = 3600


class Operator:
    """Runs `slurmhub` as an operator does at a terminal, without one."""

    def __init__(self, institution: Institution) -> None:
        self._institution = institution

    def command(self, *argv: str) -> list[str]:
        """The words that run it where the names lead to the hosts."""
        return self._institution.within(sys.executable, "-c", _MAIN, *argv)

    @property
    def environment(self) -> Mapping[str, str]:
        """What it is run with."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        code = f"{PROJECT / 'spawner'}:{PROJECT / 'deploy'}"
        return {
            **kept,
            "LANG": "C.UTF-8",
            "PYTHONPATH": code,
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, *argv: str, status: int = 0, site: str = "site.yml") -> str:
        """Run it, and return all that it said; `status` is the exit status that is right."""
        done = subprocess.run(
            self.command(*argv),
            cwd=self._institution.folder,
            env={**self.environment, "SLURMHUB_SITE": site},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        said = f"slurmhub {' '.join(argv)}: {done.returncode}\n{done.stdout}"
        assert done.returncode == status, said
        return done.stdout

    def json(self, *argv: str, status: int = 0, site: str = "site.yml") -> Any:
        """The same for a verb with --json."""
        said = self.run(*argv, "--json", status=status, site=site)
        return json.loads(said[said.index("{") :])

    def changed_site(self, changes: Mapping[str, str]) -> str:
        """A second site file beside the first, with texts replaced; its name."""
        text = (self._institution.folder / "site.yml").read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = Path(self._institution.folder, "changed.yml")
        path.write_text(text)
        return path.name
