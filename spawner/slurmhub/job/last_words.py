"""What the last lines of a job's log say about why its server ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# What made a server end is among the last things it wrote.
_LINES_READ: Final = 40
_PATH = r"(?P<named>/[^\s'\":,;]{1,200})"
# How cp(1), dd(1) and their like name a file before they say what is wrong with it.
_QUOTED_FIRST = r"['\"\u2018](?P<named>/[^'\"\u2019\n]{1,300})['\"\u2019]"
_IN_QUOTES = r"['\"](?P<named>/[^'\"\n]{1,300})['\"]"


@dataclass(frozen=True)
class Finding:
    """A known trouble: a kind as `Outcome` has it, what happened, and what to do."""

    kind: str
    plain: str
    remedy: str


DELETE_FILES = (
    "Delete what you no longer need: old results, environments that you do not use, the trash "
    "(~/.local/share/Trash) and caches (~/.cache). Then start it again."
)
# Places that a computer has for itself, whoever works on it.
_OF_THE_COMPUTER = ("/tmp/", "/var/", "/dev/", "/run/")  # noqa: S108 - nothing is written there
_SHOW_SUPPORT = "This is not your doing: please show this page to your support."
_OWN_PACKAGES = (
    "If you installed packages with pip in your home, they may be in the way: rename the folder "
    "~/.local/lib and start it again. If that does not help, show this page to your support."
)


def disk_full(place: str, home: str) -> Finding:
    """No room is left; `place` is a path on that disk, or empty where none is known."""
    if place and _within(place, home):
        plain = "There is no room left in your home folder."
    elif place.startswith(_OF_THE_COMPUTER):
        return Finding(
            "disk-full",
            f"There is no room left at {place} on the computer that ran the job.",
            "That disk is not yours. Start it again, it may get another computer; if this comes "
            "back, show this page to your support.",
        )
    elif place:
        plain = f"There is no room left on the disk that holds {place}."
    else:
        plain = (
            "There is no room left on the disk that your server writes to, most likely that of "
            "your home folder."
        )
    return Finding("disk-full", plain, DELETE_FILES)


def over_quota(place: str, home: str) -> Finding:
    """The person has used up what they may keep; `place` as for `disk_full`."""
    if place and not _within(place, home):
        plain = f"You have used up the space or the number of files that you may have at {place}."
    else:
        plain = "You have used up the space or the number of files that your home may have."
    return Finding("over-quota", plain, DELETE_FILES)


def _within(place: str, home: str) -> bool:
    return bool(home) and (place == home or place.startswith(f"{home}/"))


def _out_of_memory(_: str, __: str) -> Finding:
    return Finding(
        "out-of-memory",
        "Your server ran out of memory.",
        "Start it again with more memory, or load less data at a time.",
    )


def _no_program(place: str, _: str) -> Finding:
    return Finding(
        "cannot-start",
        f"The program of this server, {place}, is not on the computer that ran the job.",
        _SHOW_SUPPORT,
    )


def _not_runnable(place: str, _: str) -> Finding:
    return Finding(
        "cannot-start",
        f"The program of this server, {place}, may not be run by you.",
        _SHOW_SUPPORT,
    )


def _module(name: str, _: str) -> Finding:
    return Finding(
        "cannot-start",
        f"The software module {name}, which this hub loads for its servers, could not be loaded.",
        _SHOW_SUPPORT,
    )


def _prologue(status: str, _: str) -> Finding:
    return Finding(
        "cannot-start",
        f"The preparations that this hub makes in every job failed with status {status}.",
        _SHOW_SUPPORT,
    )


def _no_port(_: str, __: str) -> Finding:
    return Finding(
        "cannot-start",
        "All the ports for servers are taken on the computer that ran the job.",
        "Start it again: it may get another computer. If this comes back, tell your support.",
    )


def _bad_address(_: str, __: str) -> Finding:
    return Finding(
        "cannot-start",
        "The hub told this server to listen on an address that its computer does not have.",
        _SHOW_SUPPORT,
    )


def _wrong_place(_: str, __: str) -> Finding:
    return Finding(
        "never-listened",
        "The server started, but listened where the hub cannot reach it.",
        _SHOW_SUPPORT,
    )


def _no_package(name: str, _: str) -> Finding:
    return Finding(
        "server-exited",
        f"The server ended because Python did not find the package {name}.",
        _OWN_PACKAGES,
    )


def _no_right(place: str, _: str) -> Finding:
    return Finding(
        "server-exited",
        f"The server ended because it may not use {place}.",
        "If that is yours, make it your own again: give yourself the right to read and write it. "
        "Otherwise show this page to your support.",
    )


# The first that fits wins: those that are sure come before those that only may be the reason.
_LAUNCHER_SAYS: tuple[tuple[re.Pattern[str], Callable[[str, str], Finding]], ...] = (
    (re.compile(rf"cannot start the server: .*No space left on device.*?{_IN_QUOTES}"), disk_full),
    (
        re.compile(rf"cannot start the server: .*No such file or directory: {_IN_QUOTES}"),
        _no_program,
    ),
    (re.compile(rf"cannot start the server: .*Permission denied: {_IN_QUOTES}"), _not_runnable),
    (re.compile(r"the module (?P<named>\S{1,100}) could not be loaded"), _module),
    (re.compile(r"prologue ended the job with status (?P<named>\d+)"), _prologue),
    (re.compile(r"slurmhub: .*no free port from"), _no_port),
    (re.compile(r"slurmhub: .*cannot bind to"), _bad_address),
    (re.compile(r"slurmhub: the server must listen on .*, not on \['"), _wrong_place),
)
_SERVER_SAYS: tuple[tuple[re.Pattern[str], Callable[[str, str], Finding]], ...] = (
    (re.compile(rf"No space left on device.*?{_IN_QUOTES}"), disk_full),
    (re.compile(rf"{_QUOTED_FIRST}: No space left on device"), disk_full),
    (re.compile(rf"{_PATH}: No space left on device"), disk_full),
    (re.compile(r"No space left on device|database or disk is full"), disk_full),
    (re.compile(rf"Disk quota exceeded.*?{_IN_QUOTES}"), over_quota),
    (re.compile(rf"{_QUOTED_FIRST}: Disk quota exceeded"), over_quota),
    (re.compile(rf"{_PATH}: Disk quota exceeded"), over_quota),
    (re.compile(r"Disk quota exceeded"), over_quota),
    (
        re.compile(r"^MemoryError\b|oom[-_]kill|Cannot allocate memory|Out of memory"),
        _out_of_memory,
    ),
    (re.compile(r"ModuleNotFoundError: No module named '(?P<named>[^']{1,100})'"), _no_package),
    (re.compile(rf"PermissionError: .*?{_IN_QUOTES}"), _no_right),
)


def finding(tail: str, home: str) -> Finding | None:
    """What the end of a failed server's log tells of the reason, or None.

    `home` is the person's home folder in the job, or empty where it is not known. The newest line
    that is understood counts; what the launcher says itself is believed first.
    """
    lines = tail.splitlines()[-_LINES_READ:]
    for rules in (_LAUNCHER_SAYS, _SERVER_SAYS):
        for line in reversed(lines):
            for pattern, make in rules:
                found = pattern.search(line)
                if found is not None:
                    return make(found.groupdict().get("named") or "", home)
    return None
