"""Run a command, and fail if it leaves behind what was not there before.

Usage: without_a_trace.py COMMAND ARGUMENT...

Left behind means: a process that it, or something it started, began and did not end; a mount; an
account or group; a folder or file of ours where such things lie. What leaks is named, and ended
or left for inspection. The exit status is the command's, or 1 when it left a trace.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# prctl(2): from now on, orphans among our descendants become our children.
_PR_SET_CHILD_SUBREAPER = 36
_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/var/lib", "/etc", "/home")  # noqa: S108
_OURS = ("slurmhub", "shub", "slurm", "munge", "jupyter", "pytest", "playwright", "mmdebstrap")
# What is just ending when the command ends gets this long, in seconds.
_PATIENCE = 5.0


def main(argv: list[str]) -> int:
    """Run the command between two looks at the machine."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    before = traces()
    folder = Path(tempfile.mkdtemp(prefix="slurmhub-test-"))
    folder.chmod(0o711)
    # The command answers to a terminal's Ctrl-C itself; we wait for it to clean up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        status = run(argv, folder)
        leaked = end_descendants()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    leaked += sorted(traces() - before)
    for trace in leaked:
        print(f"Left behind: {trace}", file=sys.stderr)
    return 1 if leaked else status


def run(argv: list[str], folder: Path) -> int:
    """Run the command to its end, reaping whatever else ends meanwhile."""
    process = subprocess.Popen(
        argv,
        env={**os.environ, "TMPDIR": str(folder)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == process.pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode if process.returncode >= 0 else 128 - process.returncode


def end_descendants() -> list[str]:
    """What still runs after a little patience, named; it is killed."""
    limit = time.monotonic() + _PATIENCE
    while reap() and time.monotonic() < limit:
        time.sleep(0.1)  # there is no event for "the last of them has ended" with a time limit
    leaked = []
    for pid in descendants():
        words = Path("/proc", str(pid), "cmdline").read_bytes().replace(b"\0", b" ")
        leaked.append(f"process {pid}: {words.decode(errors='replace')[:200]}")
        os.kill(pid, signal.SIGKILL)
    return leaked


def reap() -> bool:
    """Collect children that have ended; whether any are left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def descendants() -> list[int]:
    """Every living process below this one."""
    parents = dict(_processes())
    mine = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return sorted(mine - {os.getpid()})


def traces() -> set[str]:
    """What of ours lies on this machine now."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    found = {f"mount {line.split()[1]}" for line in mounts}
    for table in ("passwd", "group", "subuid", "subgid"):
        path = Path("/etc", table)
        lines = path.read_text().splitlines() if path.exists() else []
        found |= {f"{table} entry {line.partition(':')[0]}" for line in lines}
    for place in _PLACES:
        if Path(place).is_dir():
            names = (entry.name for entry in os.scandir(place))
            found |= {f"{place}/{name}" for name in names if name.lstrip(".").startswith(_OURS)}
    return found


def _processes() -> Iterator[tuple[int, int]]:
    """Each living process and its parent."""
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            text = Path(entry.path, "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, parent = text.rpartition(")")[2].split()[:2]
        if state not in "ZX":
            yield int(entry.name), int(parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
