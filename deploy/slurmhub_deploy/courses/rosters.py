"""A registrar's file and a course: what it would change, and doing just that."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from slurmhub_deploy.courses.client import CourseClient, course_path
from slurmhub_deploy.courses.telling import plain
from slurmhub_deploy.operate.errors import REFUSED, UNUSABLE, OperateError

LARGEST = 5_000_000
"""Bytes of a file that are looked at; the service takes about as many."""

_SILENT = frozenset({"unchanged", "kept", "staff"})


class RosterLine(BaseModel):
    """What is done to one person."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    change: str
    name: str
    username: str | None = None
    identifiers: dict[str, str] = {}
    lines: tuple[int, ...] = ()
    words: tuple[str, ...] = ()


class RosterPreview(BaseModel):
    """All that a file would change; what is applied has the same fingerprint."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    fingerprint: str
    counts: dict[str, int]
    asks_again: bool
    warnings: tuple[str, ...] = ()
    lines: tuple[RosterLine, ...] = ()

    def count(self, change: str) -> int:
        """How many there are of one change."""
        return self.counts.get(change, 0)


class RosterDone(BaseModel):
    """What was changed: how many of each."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    added: int = 0
    back: int = 0
    changed: int = 0
    dropped: int = 0


def read_roster(file: Path) -> bytes:
    """The file's bytes, whatever is in them; raises OperateError."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise OperateError(
            f"The roster {file} cannot be read: {error.strerror}.",
            remedy="Name the registrar's file.",
            status=UNUSABLE,
        ) from error
    if len(content) > LARGEST:
        raise OperateError(
            f"{file} is larger than {LARGEST // 1_000_000} MB, which no roster is.",
            remedy="Name the registrar's file.",
            status=UNUSABLE,
        )
    return content


def preview_roster(client: CourseClient, key: str, content: bytes) -> RosterPreview:
    """What the file would change now; changes nothing."""
    return client.post(course_path(key, "roster", "preview"), RosterPreview, _file(content))


def apply_roster(
    client: CourseClient,
    key: str,
    content: bytes,
    seen: RosterPreview,
    *,
    drop: bool,
    drop_many: bool,
) -> RosterDone:
    """Do what `seen` shows, or nothing if something changed meanwhile."""
    if drop and seen.asks_again and not drop_many:
        raise OperateError(
            f"This would drop {seen.count('dropped')} students, more than a third. Nothing was"
            " done.",
            remedy="If it is the whole list of this course, say --drop-many as well; without"
            " --drop nobody is dropped.",
            status=REFUSED,
        )
    body = {
        **_file(content),
        "fingerprint": seen.fingerprint,
        "drop": drop,
        "drop_many": drop_many,
    }
    return client.post(course_path(key, "roster", "apply"), RosterDone, body)


def preview_lines(seen: RosterPreview) -> Iterator[str]:
    """Who comes, who goes, who is doubtful; of who stays only how many."""
    for line in seen.lines:
        if line.change in _SILENT:
            continue
        who = plain(line.name) or plain(line.username or "")
        told = ", ".join(plain(value) for value in line.identifiers.values())
        where = f" [line {', '.join(str(number) for number in line.lines)}]" if line.lines else ""
        yield f"{line.change:<9} {who}{f' ({told})' if told else ''}{where}"
        yield from (f"          {plain(words)}" for words in line.words)
    said = ", ".join(f"{count} {change}" for change, count in seen.counts.items() if count)
    yield said or "The file changes nothing."
    yield from (f"Warning: {plain(words)}" for words in seen.warnings)


def done_line(key: str, done: RosterDone) -> str:
    """What was done, in a line."""
    return (
        f"{key}: {done.added} added, {done.back} back, {done.changed} changed,"
        f" {done.dropped} dropped"
    )


def _file(content: bytes) -> dict[str, str]:
    return {"file": base64.b64encode(content).decode("ascii")}
