"""A registrar's file and a course: what it would change, and doing just that."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from slurmhub_deploy.courses.client import CourseClient, course_path
from slurmhub_deploy.courses.telling import plain
from slurmhub_deploy.operate.errors import REFUSED, UNUSABLE, OperateError

LARGEST = 5_000_000
"""Bytes of a file that are looked at; the service takes about as many."""

_OTHERWISE = ("wait", "leave-out")
_SILENT = frozenset({"unchanged", "kept", "staff"})


class RosterLine(BaseModel):
    """What is done to one person."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    change: str
    name: str
    username: str | None = None
    identifiers: dict[str, str] = {}
    lines: tuple[int, ...] = ()
    key: str | None = None
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


class RosterRemark(BaseModel):
    """Something odd in the file."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    message: str
    line: int | None = None
    value: str = ""


class RosterPreview(BaseModel):
    """All that a file would change; what is applied has the same fingerprint."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    fingerprint: str
    counts: dict[str, int]
    asks_again: bool
    warnings: tuple[str, ...] = ()
    lines: tuple[RosterLine, ...] = ()
    remarks: tuple[RosterRemark, ...] = ()
    more_remarks: int = 0

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


@dataclass(frozen=True)
class RosterFile:
    """A registrar's file, its encoding if somebody knows it, and who is who of the doubtful."""

    content: bytes
    encoding: str | None = None
    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """As the API takes it."""
        more = {} if self.encoding is None else {"encoding": self.encoding}
        file = base64.b64encode(self.content).decode("ascii")
        return {"file": file, "chosen": dict(self.chosen), **more}


def open_roster(file: Path, encoding: str | None, chosen: list[str]) -> RosterFile:
    """The file, with what was chosen as KEY=WHO; raises OperateError."""
    choices = {}
    for one in chosen:
        key, equals, who = one.partition("=")
        if not key or not equals or not (who in _OTHERWISE or who.startswith("is:")):
            raise OperateError(
                f"{one!r} says of nobody who it is.",
                remedy="Write KEY=is:USERNAME, KEY=wait or KEY=leave-out; a preview has the keys.",
                status=UNUSABLE,
            )
        choices[key] = who
    return RosterFile(read_roster(file), encoding, choices)


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


def preview_roster(client: CourseClient, key: str, file: RosterFile) -> RosterPreview:
    """What the file would change now; changes nothing."""
    return client.post(course_path(key, "roster", "preview"), RosterPreview, file.body)


def apply_roster(
    client: CourseClient,
    key: str,
    file: RosterFile,
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
        **file.body,
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
        if line.change == "doubtful" and line.key:
            choices = [*(f"is:{plain(name)}" for name in line.choices), *_OTHERWISE]
            yield f"          --choose {plain(line.key)}=WHO, one of: {', '.join(choices)}"
    said = ", ".join(f"{count} {change}" for change, count in seen.counts.items() if count)
    yield said or "The file changes nothing."
    for remark in seen.remarks:
        where = "" if remark.line is None else f"line {remark.line}: "
        value = f" ({plain(remark.value)})" if remark.value else ""
        yield f"In the file: {where}{plain(remark.message)}{value}"
    if seen.more_remarks:
        yield f"In the file: {seen.more_remarks} more."
    yield from (f"Warning: {plain(words)}" for words in seen.warnings)


def done_line(key: str, done: RosterDone) -> str:
    """What was done, in a line."""
    return (
        f"{key}: {done.added} added, {done.back} back, {done.changed} changed,"
        f" {done.dropped} dropped"
    )
