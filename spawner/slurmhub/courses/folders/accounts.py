"""The Unix accounts of people, by their names at the hub, as this host knows them."""

from __future__ import annotations

import pwd
import time
from collections.abc import Callable, Iterable, Mapping

KNOWN, UNKNOWN = 3600.0, 60.0
"""Seconds for which an account, and that there is none, is believed."""


class Accounts:
    """Asks the host, which may ask a directory: call it in threads.

    `prefix` before a name at the hub is the account. Numbers below `lowest` are no people's.
    """

    def __init__(
        self, prefix: str = "", *, lowest: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._prefix, self._lowest, self._clock = prefix, lowest, clock
        self._known: dict[str, tuple[float, int | None]] = {}

    def of(self, names: Iterable[str]) -> Mapping[str, tuple[str, int]]:
        """Account and number of those who have one."""
        found = {}
        for name in names:
            account = f"{self._prefix}{name}"
            uid = self._number(account)
            if uid is not None:
                found[name] = (account, uid)
        return found

    def _number(self, account: str) -> int | None:
        now = self._clock()
        until, uid = self._known.get(account, (0.0, None))
        if now >= until:
            uid = _ask(account)
            if uid is not None and uid < self._lowest:
                uid = None
            self._known[account] = (now + (UNKNOWN if uid is None else KNOWN), uid)
        return uid


def _ask(account: str) -> int | None:
    try:
        return pwd.getpwnam(account).pw_uid
    except (KeyError, UnicodeEncodeError, ValueError):
        return None
