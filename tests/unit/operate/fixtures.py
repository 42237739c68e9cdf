"""A site of the small playbooks beside, whose hosts are all this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from slurmhub_deploy.operate import down_command, plan_command, up_command
from slurmhub_deploy.operate.running.layers import Playbooks
from slurmhub_deploy.operate.site_file import OpenSite, open_site
from tests.unit.site.command import slurmhub
from tests.unit.site.fixtures import RIGHT

SMALL = Playbooks(Path(__file__).parent / "small" / "playbooks")
PASSWORD = "the password of the vault"


@dataclass(frozen=True)
class SmallSite:
    """A folder with a site file and the password of its vault."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "site.yml"

    @property
    def out(self) -> Path:
        """What the playbooks write."""
        return self.folder / "out"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SLURMHUB_SITE": str(self.file),
            "SLURMHUB_VAULT_PASSWORD_FILE": str(self.folder / "password"),
        }

    def opened(self) -> OpenSite:
        return open_site(self.file)

    def goes_wrong(self, **hosts: str) -> None:
        """What is to go wrong on which host."""
        (self.folder / "wrong.json").write_text(json.dumps(hosts))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command with the small playbooks, in this process."""
        with (
            patch.object(up_command, "shipped", lambda: SMALL),
            patch.object(plan_command, "shipped", lambda: SMALL),
            patch.object(down_command, "shipped", lambda: SMALL),
        ):
            return slurmhub(*arguments, environment=self.environment)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """The command in a process of its own, which can be signalled."""
        program = (
            "import sys; from tests.unit.operate.fixtures import SmallSite; from pathlib import"
            " Path; ran = SmallSite(Path(sys.argv[1])).run(*sys.argv[2:]);"
            " print(ran.stdout, ran.stderr); sys.exit(ran.returncode)"
        )
        return subprocess.Popen(
            [sys.executable, "-c", program, str(self.folder), *arguments],
            # What a killed one leaves there goes with the test.
            env={**_path(os.environ), "XDG_RUNTIME_DIR": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def small_site(folder: Path, text: str = RIGHT) -> SmallSite:
    """A new one in this folder."""
    made = SmallSite(folder)
    made.file.write_text(text)
    (folder / "password").write_text(f"{PASSWORD}\n")
    made.goes_wrong()
    return made


def _path(environment: Mapping[str, str]) -> dict[str, str]:
    return {**environment, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
