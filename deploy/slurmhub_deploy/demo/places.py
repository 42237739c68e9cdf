"""Where the demo keeps its environments (for the next time) and its state (until it ends)."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from slurmhub_deploy.errors import DeployError

SHARED_CACHE = Path("/var/cache/slurmhub")


@dataclass(frozen=True)
class Places:
    """The folders of one account's demo.

    Root's are under /var, where other accounts may read environments and pass to their homes.
    An ordinary account's cache is its own; its state is short-lived and near, under /tmp, because
    a home may be on a network file system, where sockets do not work.
    """

    cache: Path
    state: Path
    root: bool

    @property
    def lock(self) -> Path:
        """Locked as long as a demo runs."""
        return self.state / "lock"

    @property
    def record(self) -> Path:
        """What was started, so that another run can end it."""
        return self.state / "demo.json"

    @property
    def cluster(self) -> Path:
        return self.state / "cluster"

    @property
    def hub(self) -> Path:
        return self.state / "hub"

    @property
    def front(self) -> Path:
        """Apache, Shibboleth and the test identity provider, with --shibboleth."""
        return self.state / "front"

    @property
    def homes(self) -> Path:
        return self.state / "homes"

    @property
    def log(self) -> Path:
        """What the demo itself says once nobody looks."""
        return self.state / "demo.log"


def own_places() -> Places:
    """The places of the account that runs this process."""
    uid = os.geteuid()
    if uid == 0:
        return Places(SHARED_CACHE, Path("/var/lib/slurmhub-demo"), root=True)
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    state = Path(f"/tmp/slurmhub-demo-{uid}")  # noqa: S108 - checked in make_state
    return Places(Path(home) / "slurmhub", state, root=False)


def make_state(places: Places) -> None:
    """Make the state folder, or see that it is ours alone; raises DeployError if it is not."""
    mode = 0o711 if places.root else 0o700
    places.state.mkdir(mode=mode, parents=places.root, exist_ok=True)
    found = places.state.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise DeployError(
            f"{places.state} is there already, and is not this account's folder.",
            remedy="Ask its owner, or root, to remove it.",
        )
    places.state.chmod(mode)
    if os.statvfs(places.state).f_flag & os.ST_NOEXEC:
        raise DeployError(
            f"No program may be run from {places.state}: its file system is mounted noexec.",
            remedy="Run the demo as root, whose state is in /var/lib.",
        )
