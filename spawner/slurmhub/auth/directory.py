"""Accounts and groups as this host knows them, from wherever nsswitch.conf(5) says."""

from __future__ import annotations

import grp
import pwd
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One account."""

    name: str
    uid: int
    home: str = ""


class Directory:
    """Looks accounts up; may wait as long as a directory service takes: call it in a thread."""

    def find(self, name: str) -> Entry | None:
        """The account of exactly this name. None also where the service does not answer."""
        try:
            entry = pwd.getpwnam(name)
        except (KeyError, ValueError):
            return None
        # Some services find names in any case, and Slurm and sudo would not.
        return Entry(entry.pw_name, entry.pw_uid, entry.pw_dir) if entry.pw_name == name else None

    def is_used(self, name: str) -> bool:
        """Whether an account or a group has this name, in any case."""
        for look_up in (pwd.getpwnam, grp.getgrnam):
            try:
                look_up(name)
            except (KeyError, ValueError):
                continue
            return True
        return False
