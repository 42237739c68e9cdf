"""Several whole hosts on one machine, in namespaces of their own (namespaces(7))."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from tests.lab import control_groups
from tests.lab.fleet.access import Access
from tests.lab.fleet.disks import Disk
from tests.lab.fleet.host import FleetHost
from tests.lab.fleet.limits import Limits
from tests.lab.fleet.network import Network
from tests.lab.tree import TREES

FLEETS = TREES.parent / "fleets"
GIBIBYTE = 1024**3
_FIRST_PLACE = 11
# Process 1 of the namespaces. It ends when the pipe to it is closed, by us or by our own end, and
# with it the kernel ends all that runs there, with its mounts, its network and its disks.
_KEEPER = "mount -t tmpfs -o mode=755 fleet /run/systemd && echo up && cat >/dev/null"


class Fleet:
    """Hosts by name on a network of their own. Several fleets can be up side by side."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hosts: dict[str, FleetHost] = {}
        self._disks: dict[str, Disk] = {}
        self._number, self._lock = _take_number()
        self.folder = FLEETS / str(self._number)
        (self.folder / "name").write_text(name)
        (self.folder / "hosts").mkdir()
        self._keeper, self._process = _start_keeper()
        self._network = Network(self._process, self._number)
        self.access = Access(self.folder / "access", self._process)
        self._places = iter(range(_FIRST_PLACE, 255))

    @property
    def within(self) -> list[str]:
        """The words that run a program of this machine in the fleet's network, as a browser."""
        return ["nsenter", f"--target={self._process}", "--net", "--"]

    def up(self) -> None:
        """Bring up the network."""
        Limits(FLEETS).raise_them()
        self._network.up()

    def disk(self, name: str, size: int = 2 * GIBIBYTE) -> str:
        """Make an empty disk for hosts that are added later; several can have the same."""
        if name not in self._disks:
            self._disks[name] = Disk(self.folder / f"disk-{name}", size)
        return name

    def add(
        self, *names: str, disks: Sequence[str] = (), online: bool = True, wait: bool = True
    ) -> None:
        """Make and start hosts, side by side; `online` is whether they reach package mirrors."""
        for name in names:
            self._make(name, disks, online=online).power_on()
        if wait:
            self.wait_started()

    def wait_started(self) -> None:
        """Return when every host that is on has started."""
        for host in self.hosts.values():
            if host.is_on:
                host.wait_started()

    def remove(self, name: str) -> None:
        """Power a host off and forget it."""
        self.hosts.pop(name).remove()
        self.access.forget(name)

    def down(self) -> None:
        """End everything and leave nothing but the packages that were fetched."""
        with contextlib.ExitStack() as rest:
            rest.callback(_put_limits_back)
            rest.callback(self._lock.close)
            rest.callback(_remove_remains, self._number)
            rest.callback(self._end_keeper)
            for disk in self._disks.values():
                rest.callback(disk.close)
            rest.callback(self._network.down)
            for host in self.hosts.values():
                host.keep_packages()

    def _make(self, name: str, disks: Sequence[str], *, online: bool) -> FleetHost:
        assert name not in self.hosts, f"there is a host {name} in this fleet"
        address = self._network.address(next(self._places))
        host = FleetHost(
            self.folder / "hosts" / name,
            name,
            group=f"{_groups(self._number)}-{name}",
            address=address,
            network=self._network,
            within=[
                *("nsenter", f"--target={self._process}", "--mount", "--net", "--pid", "--wd=/"),
                "--",
            ],
            disks=[self._disks[disk] for disk in disks],
        )
        host.make()
        host.let_in(self.access)
        self.hosts[name] = host
        if not online:
            self._network.shut_out(address)
        return host

    def _end_keeper(self) -> None:
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait(20)


@contextlib.contextmanager
def fleet(name: str) -> Iterator[Fleet]:
    """A fleet that is up, without hosts yet; it is taken down at the end."""
    made = Fleet(name)
    try:
        made.up()
        yield made
    finally:
        made.down()


def names() -> dict[str, Path]:
    """The fleets that are up now, with their folders; what others have left is removed."""
    found = {}
    FLEETS.mkdir(parents=True, exist_ok=True)
    for folder in sorted(FLEETS.iterdir()):
        if not folder.name.isdigit():
            continue
        lock = _lock(int(folder.name))
        if lock is not None:
            _remove_remains(int(folder.name))
            lock.close()
        elif (folder / "name").exists():
            found[(folder / "name").read_text()] = folder
    if not found:
        _put_limits_back()
    return found


def _take_number() -> tuple[int, IO[str]]:
    """The first number that nobody has; it is ours as long as the file is open."""
    names()
    for number in range(1, 255):
        lock = _lock(number)
        if lock is not None:
            (FLEETS / str(number)).mkdir(mode=0o711)
            return number, lock
    raise AssertionError("254 fleets are up on this machine")


def _lock(number: int) -> IO[str] | None:
    file = (FLEETS / f"{number}.lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _remove_remains(number: int) -> None:
    """What a fleet leaves when its keeper has ended."""
    control_groups.remove(f"{_groups(number)}-*")
    name = FLEETS / str(number) / "name"
    if name.exists():
        (FLEETS / f"{name.read_text()}.log").unlink(missing_ok=True)
    # Several hundred thousand files, of which rm(1) makes shorter work than we.
    subprocess.run(["rm", "-rf", FLEETS / str(number)], check=False)


def _put_limits_back() -> None:
    """The last fleet has ended, or was killed."""
    Limits(FLEETS).put_back(in_use=lambda: any(map(_is_held, FLEETS.glob("*.lock"))))


def _is_held(path: Path) -> bool:
    if not path.stem.isdigit():
        return False
    lock = _lock(int(path.stem))
    if lock is not None:
        lock.close()
    return lock is None


def _groups(number: int) -> str:
    return f"slurmhub-fleet-{number}"


def _start_keeper() -> tuple[subprocess.Popen[str], int]:
    Path("/run/systemd").mkdir(exist_ok=True)
    keeper = subprocess.Popen(
        [
            *("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("sh", "-c", _KEEPER),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        start_new_session=True,
    )
    assert keeper.stdout is not None
    assert keeper.stdout.readline() == "up\n", f"unshare ended with {keeper.wait(10)}"
    children = Path(f"/proc/{keeper.pid}/task/{keeper.pid}/children").read_text()
    return keeper, int(children.split()[0])
