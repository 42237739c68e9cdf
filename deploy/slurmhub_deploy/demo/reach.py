"""Whether other accounts can run a program: every folder on the way must let them through.

script/demo runs this before anything is installed: `python -m slurmhub_deploy.demo.reach PYTHON`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from slurmhub_deploy.errors import DeployError

# nobody and nogroup: what they can run, every account can.
_NOBODY = 65534


def check_others_can_run(program: Path, *, uid: int = _NOBODY, gid: int = _NOBODY) -> None:
    """Raise DeployError, naming the obstacle, unless this account can execute the program.

    Only root can ask for another account. Links are followed as the kernel does.
    """
    obstacle = next((path for path in _way_to(program) if not _passes(path, uid, gid)), None)
    if obstacle is not None:
        raise DeployError(
            f"The accounts of the demo cannot run {program}: {obstacle} does not let them.",
            remedy="Use the distribution's own Python (apt-get install python3), and unset"
            " SLURMHUB_PYTHON.",
        )


def _way_to(program: Path) -> list[Path]:
    """Every folder on the way to a program and to whatever it is a link to, then the program."""
    way: list[Path] = []
    place = program
    for _ in range(40):  # the kernel follows no more links than that
        way += reversed(place.parents)
        if not place.is_symlink():
            break
        place = place.parent / place.readlink()
    resolved = program.resolve()
    return [*way, *reversed(resolved.parents), resolved]


def _passes(path: Path, uid: int, gid: int) -> bool:
    done = subprocess.run(
        ["/usr/bin/test", "-x", str(path)],
        user=uid,
        group=gid,
        extra_groups=[],
        env={},
        check=False,
        start_new_session=True,  # Ctrl-C is for the demo
    )
    return done.returncode == 0


if __name__ == "__main__":
    try:
        check_others_can_run(Path(sys.argv[1]))
    except DeployError as error:
        print(f"script/demo: {error.what}\nWhat to do: {error.remedy}", file=sys.stderr)
        sys.exit(1)
