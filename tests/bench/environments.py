"""The environments that jobs run in: ours, and what pip makes of the same names by itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import batchspawner

from slurmhub.assets import asset
from slurmhub_deploy.demo.environment import (
    JupyterEnvironment,
    Workshop,
    hub_python,
    jupyter_environment,
)

_EXTRA_LOCK = Path(__file__).with_name("as_shipped.lock")
_WRAPPER = "batchspawner-singleuser"


@dataclass(frozen=True)
class Environments:
    """Commands that every account can run.

    `slurmhub` is the folder of this project as pip installs it. `ours` is our environment for jobs,
    `plain` one with all that pip installs by default. `wrapper` is batchspawner's own wrapper in
    it, `wrapper_of_ours` the same wrapper in our environment.
    """

    slurmhub: Path
    ours: JupyterEnvironment
    plain: Path
    wrapper: Path
    wrapper_of_ours: Path

    @property
    def plain_command(self) -> tuple[str, ...]:
        """JupyterHub's default command, in the plain environment."""
        return (str(self.plain / "bin" / "jupyterhub-singleuser"),)


def environments(workshop: Workshop, folder: Path) -> Environments:
    """Make what is not there yet; `folder`, which goes away, is for what takes no time to make."""
    installed = hub_python(workshop).parents[1]
    ours = jupyter_environment(workshop)
    plain = _plain_environment(workshop)
    return Environments(
        slurmhub=next(installed.glob("lib/python3*/site-packages")),
        ours=ours,
        plain=plain,
        wrapper=plain / "bin" / _WRAPPER,
        wrapper_of_ours=_wrapper_in(ours, folder / "batchspawner"),
    )


def _plain_environment(workshop: Workshop) -> Path:
    """The packages of our environment in the same versions, and all that was left out there."""
    locks = [asset("requirements/jupyter.lock"), _EXTRA_LOCK]
    interpreter = f"{workshop.python.resolve()} {sys.version}".encode()
    parts = b"".join([interpreter, *(lock.read_bytes() for lock in locks)])
    folder = workshop.cache / f"as-shipped-{hashlib.sha256(parts).hexdigest()[:16]}"
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    old_umask = os.umask(0o022)
    try:
        workshop.run(
            [str(workshop.python), "-m", "venv", "--without-pip", str(folder)],
            what="A Python environment could not be made",
            remedy="Install what makes them: apt-get install python3-venv",
        )
        workshop.run(
            [
                *(sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check"),
                *("--python", str(folder / "bin" / "python")),
                *("install", "--no-deps", "--require-hashes"),
                *(word for lock in locks for word in ("-r", str(lock))),
            ],
            what="The packages of batchspawner's arm could not be installed",
            remedy="Does pip reach its package index? Its configuration is used as it is.",
        )
        (folder / "complete").touch()
    finally:
        os.umask(old_umask)
    return folder


def _wrapper_in(ours: JupyterEnvironment, folder: Path) -> Path:
    """batchspawner's wrapper as pip would put it into our environment, which stays as it is."""
    source = Path(batchspawner.__file__).parent
    shutil.copytree(source, folder / "batchspawner")
    program = folder / _WRAPPER
    program.write_text(
        f"#!{ours.python}\n"
        "import sys\n"
        f"sys.path.append({str(folder)!r})\n"
        "from batchspawner.singleuser import main\n"
        "sys.exit(main())\n"
    )
    program.chmod(0o755)
    return program
