"""Control groups of a whole host's own, so that several hosts do not meet in one (cgroups(7)).

systemd-nspawn(1) puts a host below the group it was started in, in every hierarchy. Where systemd
is not the machine's own init nobody else makes or removes these groups.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.rig.hub import until

_ROOT = Path("/sys/fs/cgroup")

# sh -c ENTER NAME COMMAND...: join the groups of that name, then be the command.
ENTER = """
for group in /sys/fs/cgroup/"$0" /sys/fs/cgroup/*/"$0"; do
    if [ -e "$group/cgroup.procs" ]; then echo 0 >"$group/cgroup.procs"; fi
done
exec "$@"
"""


def make(name: str) -> None:
    """Make groups of this name in every hierarchy."""
    for hierarchy in _hierarchies():
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        # A cpuset takes no process before it has processors and memory (cpuset(7)).
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (group / file).exists() and not (group / file).read_text().strip():
                (group / file).write_text((hierarchy / file).read_text())
        if (group / "cgroup.clone_children").exists():
            (group / "cgroup.clone_children").write_text("1")


def remove(pattern: str) -> None:
    """Remove the groups whose name matches, which have no processes left."""
    left = [group for hierarchy in _hierarchies() for group in hierarchy.glob(pattern)]

    def gone() -> bool:
        # The kernel lets go of a group a moment after its last process has ended.
        for group in left:
            for folder in sorted((group, *group.rglob("*/")), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()
        return not any(group.exists() for group in left)

    until(gone, what=f"the end of the control groups {pattern}")


def _hierarchies() -> list[Path]:
    if (_ROOT / "cgroup.procs").exists():
        return [_ROOT]
    return [folder for folder in _ROOT.iterdir() if folder.is_dir() and not folder.is_symlink()]
