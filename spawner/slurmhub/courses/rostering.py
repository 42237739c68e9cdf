"""A roster's preview, made of the members that the store has and applied to them in one step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from slurmhub.courses.membership import Members, RosterChange
from slurmhub.courses.model import Role
from slurmhub.courses.people import Member, Source
from slurmhub.courses.rights import Person
from slurmhub.courses.roster.applying import Changes, Consent, apply
from slurmhub.courses.roster.preview import Line, OnRoster, Preview


def on_roster(members: Iterable[Member]) -> tuple[OnRoster, ...]:
    """The members of a course as a preview takes them."""
    return tuple(
        OnRoster(
            member=str(one.number),
            name=one.name,
            identifiers=one.identifiers,
            username=one.username,
            role=one.role,
            by_roster=one.source is Source.ROSTER,
            dropped=not one.active,
        )
        for one in members
    )


def apply_preview(
    members: Members,
    by: Person,
    key: str,
    seen: str,
    again: Callable[[Sequence[OnRoster]], Preview],
    consent: Consent,
) -> Changes:
    """Do what the preview with the fingerprint `seen` shows, as `roster.applying.apply` does.

    Raises as that does, and as `Members.apply`.
    """
    done = Changes()

    def decide(now: tuple[Member, ...]) -> RosterChange:
        nonlocal done
        within = _Within(key, now)
        done = apply(within, seen, again, consent)
        return within.change

    members.apply(by, key, decide, detail={"fingerprint": seen})
    return done


class _Within:
    """One course's members within a transaction: collects what is to be written."""

    def __init__(self, key: str, members: Sequence[Member]) -> None:
        self._key = key
        self._members = members
        self._by_number = {str(one.number): one for one in members}
        self.change = RosterChange()

    def members(self) -> Sequence[OnRoster]:
        """Everybody who is or was in the course."""
        return on_roster(self._members)

    def write(self, changes: Changes) -> None:
        """Keep it for the end of the transaction."""
        self.change = RosterChange(
            add=tuple(self._new(line) for line in changes.added),
            update=tuple(self._changed(line) for line in (*changes.back, *changes.changed)),
            drop=tuple(self._row(line).number for line in changes.dropped),
        )

    def _new(self, line: Line) -> Member:
        return Member(
            course=self._key,
            role=Role.STUDENT,
            source=Source.ROSTER,
            since=0.0,
            username=line.username,
            identifiers=line.identifiers,
            name=line.name,
        )

    def _changed(self, line: Line) -> Member:
        return replace(
            self._row(line),
            name=line.name,
            identifiers=line.identifiers,
            username=line.username,
            source=Source.ROSTER,
            dropped=None,
            dropped_by=None,
        )

    def _row(self, line: Line) -> Member:
        return self._by_number[str(line.member)]
