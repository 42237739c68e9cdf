"""What a file would change of a course's roster, shown before it is done and done as it was shown.

Nobody's files are ever removed here. Who is dropped keeps their member row, and a server that runs
keeps running for the hours of grace that the preview names.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from slurmhub.courses.model import Role
from slurmhub.courses.roster.facts import CALLED, Identifiers, Kind
from slurmhub.courses.roster.matching import Match, Outcome
from slurmhub.options.words import counted

# More than one of so many dropped at once is asked for again.
_PART = 3


@dataclass(frozen=True)
class OnRoster:
    """Somebody who is or was in the course.

    `member` is their row; `username` is None for who has not signed in yet. `by_roster` says that a
    file brought them: files drop nobody who came in otherwise.
    """

    member: str
    name: str
    identifiers: Identifiers
    username: str | None = None
    role: Role = Role.STUDENT
    by_roster: bool = True
    dropped: bool = False


class Change(Enum):
    """What a file does to one person; the order is that in which they are shown."""

    DOUBTFUL = "doubtful"
    """Staff have to say who it is; nothing is done until then."""
    DROPPED = "dropped"
    ADDED = "added"
    BACK = "back"
    """Was dropped before."""
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    STAFF = "staff"
    """Is staff of the course and stays so."""
    KEPT = "kept"
    """Is not in the file, and came in otherwise, or may be somebody doubtful."""
    LEFT_OUT = "left-out"


@dataclass(frozen=True)
class Line:
    """What is done to one person.

    `member` is their row so far and `match` who of the file they are, each None where there is
    none. `name`, `identifiers` and `username` are as they will be. `words` say what it means, where
    that needs saying; `running` that a server of theirs runs in the course now.
    """

    change: Change
    name: str
    identifiers: Identifiers
    username: str | None = None
    member: str | None = None
    match: Match | None = None
    words: tuple[str, ...] = ()
    running: bool = False

    def as_json(self) -> dict[str, object]:
        """For REST."""
        found = self.match
        return {
            "change": self.change.value,
            "name": self.name,
            "username": self.username,
            "identifiers": self.identifiers.as_json(),
            "lines": list(found.lines) if found else [],
            "key": found.key if found else None,
            "choices": list(found.choices) if found else [],
            "words": list(self.words),
            "running": self.running,
        }


@dataclass(frozen=True)
class Preview:
    """Everything that a file would change; `warnings` are of all of it.

    `asks_again` says that it drops so many that a second yes is asked for. The fingerprint is that
    of what would be done: what is done has the same, or is not done.
    """

    course: str
    lines: tuple[Line, ...]
    warnings: tuple[str, ...]
    asks_again: bool
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        done = [
            [line.change.value, line.member, line.username, line.name, line.identifiers.as_json()]
            for line in self.lines
        ]
        text = json.dumps([self.course, sorted(done, key=json.dumps)], sort_keys=True)
        object.__setattr__(self, "fingerprint", hashlib.sha256(text.encode()).hexdigest())

    def of(self, change: Change) -> tuple[Line, ...]:
        """The lines with this change."""
        return tuple(line for line in self.lines if line.change is change)

    @property
    def counts(self) -> dict[str, int]:
        """How many of each change there are."""
        counted = Counter(line.change for line in self.lines)
        return {change.value: counted[change] for change in Change}

    def as_json(self) -> dict[str, object]:
        """For REST."""
        return {
            "course": self.course,
            "fingerprint": self.fingerprint,
            "counts": self.counts,
            "asks_again": self.asks_again,
            "warnings": list(self.warnings),
            "lines": [line.as_json() for line in self.lines],
        }


def preview(
    course: str,
    members: Sequence[OnRoster],
    matches: Sequence[Match],
    *,
    grace_hours: int,
    running: Collection[str] = (),
    unread: int = 0,
    seats: int | None = None,
) -> Preview:
    """What the students of a file change of a course.

    `running` are the usernames of those who have a server of the course; `unread` is how many lines
    of the file could not be read. `seats` is how many students the course is for.
    """
    pairing = _Pairing(members)
    lines = [pairing.line(match) for match in sorted(matches, key=_surest)]
    lines += pairing.not_in_file()
    told = tuple(_with_server(line, running, grace_hours) for line in lines)
    order = list(Change)
    dropping = sum(line.change is Change.DROPPED for line in told)
    students = sum(one.role is Role.STUDENT and not one.dropped for one in members)
    many = dropping * _PART > students
    coming = sum(line.change in (Change.ADDED, Change.BACK) for line in told)
    would = students - dropping + coming
    warnings = [*_warnings(dropping, students, unread, many=many)]
    if seats is not None and coming and would > seats:
        warnings.append(
            f"The course is for {seats} students and would have {would}. Give it more seats first."
        )
    return Preview(
        course,
        tuple(sorted(told, key=lambda line: (order.index(line.change), line.name.casefold()))),
        tuple(warnings),
        many,
    )


def _surest(match: Match) -> tuple[bool, bool, int]:
    """Who is known is paired first, and who is doubtful last."""
    return match.outcome is Outcome.DOUBTFUL, match.username is None, match.lines[0]


class _Pairing:
    """Who of the file is who of the roster; nobody of either is two of the other."""

    def __init__(self, members: Sequence[OnRoster]) -> None:
        self._members = members
        self._taken: set[str] = set()
        self._held: set[str] = set()
        self._by_username = {one.username: one for one in members if one.username}
        self._by: dict[tuple[Kind, str], list[OnRoster]] = {}
        for one in members:
            for each in one.identifiers:
                self._by.setdefault(each, []).append(one)

    def line(self, match: Match) -> Line:
        """What becomes of one student of the file."""
        member = self._member(match)
        if match.outcome is Outcome.DOUBTFUL:
            self._hold(match)
            return self._one(Change.DOUBTFUL, match, None, match.reason)
        if match.outcome is Outcome.LEFT_OUT:
            self._hold(match)
            return self._one(Change.LEFT_OUT, match, None)
        if member is None:
            return self._one(Change.ADDED, match, None, *self._pending(match))
        if member.member in self._taken:
            reason = "By what is known of them here, this is somebody who is in the file already."
            return self._one(Change.DOUBTFUL, match, None, reason)
        self._taken.add(member.member)
        if member.role.staff:
            stays = "Is staff of this course and stays so."
            return self._one(Change.STAFF, match, member, stays)
        if member.dropped:
            return self._one(Change.BACK, match, member, *self._pending(match))
        line = self._one(Change.CHANGED, match, member)
        words = tuple(_differences(member, line))
        if not words:
            return self._one(Change.UNCHANGED, match, member)
        return self._one(Change.CHANGED, match, member, *words)

    def _member(self, match: Match) -> OnRoster | None:
        if match.username is not None and match.username in self._by_username:
            return self._by_username[match.username]
        for each in match.identifiers:
            for one in self._by.get(each, ()):
                somebody_else = match.username and one.username not in (None, match.username)
                if not somebody_else and not one.identifiers.against(match.identifiers):
                    return one
        return None

    def _hold(self, match: Match) -> None:
        """Whoever this may be is not dropped because nobody said yet who it is."""
        for choice in match.choices:
            if choice in self._by_username:
                self._held.add(self._by_username[choice].member)
        for each in match.identifiers:
            self._held.update(one.member for one in self._by.get(each, ()))

    def not_in_file(self) -> list[Line]:
        """What becomes of those of the roster whom the file does not have."""
        lines = []
        for one in self._members:
            if one.member in self._taken or one.dropped or one.role.staff:
                continue
            if one.member in self._held:
                lines.append(_of_member(Change.KEPT, one, "May be one of those who are not sure."))
            elif not one.by_roster:
                lines.append(_of_member(Change.KEPT, one, "Came in otherwise than by a file."))
            else:
                lines.append(_of_member(Change.DROPPED, one, _DROPPED))
        return lines

    def _pending(self, match: Match) -> tuple[str, ...]:
        waits = "Has not signed in yet, and is in the course as soon as they do."
        return (waits,) if match.outcome is Outcome.PENDING else ()

    def _one(self, change: Change, match: Match, member: OnRoster | None, *words: str) -> Line:
        identifiers, name, username = match.identifiers, match.name, match.username
        if member is not None:
            identifiers = identifiers.filled(member.identifiers)
            name = name or member.name
            username = username or member.username
        return Line(
            change,
            name,
            identifiers,
            username,
            member.member if member else None,
            match,
            (*words, *match.notes),
        )


_DROPPED = "Is not in the file: can start no server of this course any more. All files stay."


def _of_member(change: Change, one: OnRoster, words: str) -> Line:
    return Line(change, one.name, one.identifiers, one.username, one.member, None, (words,))


def _differences(member: OnRoster, line: Line) -> Iterable[str]:
    if not member.by_roster:
        yield "Came in otherwise, and is in the file now: a later file without them drops them."
    if line.username != member.username:
        yield f"Has signed in since, as {line.username}."
    if line.name != member.name:
        yield f"Was called {member.name}." if member.name else "Had no name here."
    changed = [kind for kind, value in line.identifiers if member.identifiers.of(kind) != value]
    for kind in changed:
        before = member.identifiers.of(kind)
        yield f"Had the {CALLED[kind]} {before}." if before else f"Had no {CALLED[kind]} here."


def _with_server(line: Line, running: Collection[str], grace_hours: int) -> Line:
    if line.username is None or line.username not in running:
        return line
    words = line.words
    if line.change is Change.DROPPED:
        grace = counted(grace_hours, "hour")
        stays = f"Has a server that runs: it keeps running for at most {grace} more."
        words = (*words, stays)
    return replace(line, words=words, running=True)


def _warnings(dropping: int, students: int, unread: int, *, many: bool) -> Iterable[str]:
    if many:
        yield (
            f"This drops {dropping} of {students} students. Is it the whole list, and that of "
            "this course?"
        )
    if dropping and unread:
        yield (
            f"Lines of the file that could not be read: {unread}. Students who stand there are "
            "dropped with the others that the file has not."
        )
