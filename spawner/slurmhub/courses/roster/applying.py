"""A preview is carried out as it was seen, within one transaction, or not at all."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from slurmhub.courses.roster.preview import Change, Line, OnRoster, Preview
from slurmhub.errors import SlurmhubError


@dataclass(frozen=True)
class Consent:
    """What the person who saw the preview said yes to, beside adding and changing.

    Without `drop` nobody is dropped; `drop_many` is the second yes that many ask for.
    """

    drop: bool = False
    drop_many: bool = False


@dataclass(frozen=True)
class Changes:
    """What is written; each line has its member but those of `added`."""

    added: tuple[Line, ...] = ()
    back: tuple[Line, ...] = ()
    changed: tuple[Line, ...] = ()
    dropped: tuple[Line, ...] = ()

    def __bool__(self) -> bool:
        return any((self.added, self.back, self.changed, self.dropped))


class Roster(Protocol):
    """The members of one course within one transaction, which nobody else changes until its end."""

    def members(self) -> Sequence[OnRoster]:
        """Everybody who is or was in the course."""
        ...

    def write(self, changes: Changes) -> None:
        """Write all of it. Nothing is removed: who is dropped keeps their row."""
        ...


class PreviewChanged(SlurmhubError):
    """What would be done is not what was seen; `now` is what would be done."""

    def __init__(self, now: Preview) -> None:
        super().__init__(
            "Something else changed since you looked: the roster, or who has signed in. "
            "Nothing was done.",
            remedy="Look at it again, as it is now, and say yes to that.",
        )
        self.now = now


class DropsUnconfirmed(SlurmhubError):
    """So many would be dropped that one yes is not enough."""


def apply(
    roster: Roster,
    seen: str,
    again: Callable[[Sequence[OnRoster]], Preview],
    consent: Consent,
) -> Changes:
    """Do what the preview with the fingerprint `seen` shows.

    `again` makes the preview anew from the members as they are now. Who is doubtful stays as they
    are. Raises PreviewChanged and DropsUnconfirmed; then nothing was written.
    """
    now = again(roster.members())
    if not hmac.compare_digest(now.fingerprint.encode(), seen.encode(errors="replace")):
        raise PreviewChanged(now)
    if now.asks_again and consent.drop and not consent.drop_many:
        count = len(now.of(Change.DROPPED))
        raise DropsUnconfirmed(
            f"This would drop {count} students, more than a third. Nothing was done.",
            remedy="Say yes to that as well, or leave them in the course and only add.",
        )
    changes = Changes(
        now.of(Change.ADDED),
        now.of(Change.BACK),
        now.of(Change.CHANGED),
        now.of(Change.DROPPED) if consent.drop else (),
    )
    if changes:
        roster.write(changes)
    return changes
