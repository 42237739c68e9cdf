"""Limits of the machine that many systemds need higher, for as long as a fleet is up.

Every systemd watches files and has keys, and all hosts count as one user (inotify(7), keyrings(7)).
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ENOUGH = {
    "fs/inotify/max_user_instances": 8192,
    "kernel/keys/maxkeys": 20_000,
    "kernel/keys/maxbytes": 2_000_000,
}
_SETTINGS = Path("/proc/sys")


class Limits:
    """The limits, and in `folder` what they were before the first fleet."""

    def __init__(
        self, folder: Path, enough: Mapping[str, int] = ENOUGH, settings: Path = _SETTINGS
    ) -> None:
        self._before = folder / "limits.json"
        self._enough = enough
        self._settings = settings

    def raise_them(self) -> None:
        """Have them high enough; what is high enough already stays."""
        with self._locked():
            before = self._read()
            for name, enough in self._enough.items():
                now = int((self._settings / name).read_text())
                if now < enough:
                    before.setdefault(name, now)
                    # Known before it is done, so that a killed one's is put back, too.
                    self._before.write_text(json.dumps(before))
                    (self._settings / name).write_text(str(enough))

    def put_back(self, in_use: Callable[[], bool]) -> None:
        """Have them as they were, unless a fleet is up or somebody else has changed them since."""
        with self._locked():
            if not self._before.exists() or in_use():
                return
            for name, before in self._read().items():
                if int((self._settings / name).read_text()) == self._enough.get(name):
                    (self._settings / name).write_text(str(before))
            self._before.unlink()

    def _read(self) -> dict[str, int]:
        return dict(json.loads(self._before.read_text())) if self._before.exists() else {}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._before.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
