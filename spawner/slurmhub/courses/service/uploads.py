"""A registrar's file as pages and REST bring it: what it would change, and changing it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from slurmhub.courses.model import Course
from slurmhub.courses.rights import Action, Person
from slurmhub.courses.roster.applying import Changes, Consent
from slurmhub.courses.roster.matching import Choice, Match, Otherwise, match
from slurmhub.courses.roster.preview import OnRoster, Preview, preview
from slurmhub.courses.roster.reading import Reading, read_roster
from slurmhub.courses.rostering import apply_preview, on_roster
from slurmhub.courses.store import Courses

_PERSON = "is:"


@dataclass(frozen=True)
class Seen:
    """A file that was read, who its students are, and what it changes as things are now."""

    reading: Reading
    matches: tuple[Match, ...]
    preview: Preview


@dataclass(frozen=True)
class Upload:
    """A file, its encoding if somebody knows it, and what was chosen for who is doubtful in it.

    All of it waits for the database: call it in threads.
    """

    data: bytes = field(repr=False)
    encoding: str | None = None
    chosen: Mapping[str, Choice] = field(default_factory=dict)

    def preview(
        self, courses: Courses, by: Person, key: str, running: Collection[str] = ()
    ) -> Seen:
        """What the file would change; `running` are who has a server of the course now.

        Raises RosterUnreadable, ChoiceUnknown, CourseUnknown, NotAllowed, NotNow.
        """
        stored = courses.get(by, key, Action.CHANGE_ROSTER)
        reading, matches = self._read(courses)
        made = _Preview(stored.course, reading, matches, frozenset(running))
        return Seen(reading, matches, made(on_roster(courses.members.of(by, key))))

    def apply(
        self,
        courses: Courses,
        by: Person,
        key: str,
        fingerprint: str,
        consent: Consent,
        running: Collection[str] = (),
    ) -> Changes:
        """Do what the preview with this fingerprint showed.

        Raises as `preview`, PreviewChanged, DropsUnconfirmed, CourseFull.
        """
        stored = courses.get(by, key, Action.CHANGE_ROSTER)
        reading, matches = self._read(courses)
        again = _Preview(stored.course, reading, matches, frozenset(running))
        return apply_preview(courses.members, by, key, fingerprint, again, consent)

    def _read(self, courses: Courses) -> tuple[Reading, tuple[Match, ...]]:
        reading = read_roster(self.data, encoding=self.encoding)
        return reading, match(reading.rows, courses.people, chosen=self.chosen)


@dataclass(frozen=True)
class _Preview:
    """Makes the preview of one file, of whoever is in the course at the moment."""

    course: Course
    reading: Reading
    matches: tuple[Match, ...]
    running: frozenset[str]

    def __call__(self, members: Sequence[OnRoster]) -> Preview:
        return preview(
            self.course.key,
            members,
            self.matches,
            # Nobody ends the server of who is dropped: it lasts as long as each does.
            grace_hours=math.ceil(self.course.profile.hours),
            running=self.running,
            unread=self.reading.unread,
            seats=self.course.seats,
        )


def read_choice(text: str) -> Choice | None:
    """A choice as text: is:USERNAME, wait, leave-out; None for anything else."""
    if text.startswith(_PERSON):
        return text.removeprefix(_PERSON) or None
    return next((one for one in Otherwise if one.value == text), None)


def written_choice(choice: Choice | None) -> str:
    """A choice as `read_choice` reads it; empty for none."""
    if choice is None:
        return ""
    return choice.value if isinstance(choice, Otherwise) else f"{_PERSON}{choice}"
