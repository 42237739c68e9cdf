"""What is said when something about a course cannot be done."""

from __future__ import annotations

from collections.abc import Iterable

from slurmhub.errors import SlurmhubError
from slurmhub.options.refusal import Problem, Refusal
from slurmhub.options.words import counted


class CourseError(SlurmhubError):
    """Something about a course cannot be done."""


class CourseUnknown(CourseError):
    """There is no such course, or it is not for this person to know of it: the words are one."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"There is no course {key} that you may see.",
            remedy="Look at your own courses, or ask its staff to bring you in.",
        )
        self.key = key


class NotAllowed(CourseError):
    """This person may see the course, and not do this."""


class NotNow(CourseError):
    """What the course is at does not allow it."""


class KeyTaken(CourseError):
    """A course has or had this key."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The name {key} is or was another course's.",
            remedy="Choose another, such as one with the term in it.",
        )
        self.key = key


class CourseRefused(Refusal, CourseError):
    """A course that cannot be as it is described, with every problem in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__(
            problems,
            what="The course cannot be made like this.",
            remedy="Change what is named here and save it again.",
        )


class RequestUnknown(CourseError):
    """There is no such request, or it is not for this person to know of it."""

    def __init__(self) -> None:
        super().__init__(
            "There is no such request that you may see.",
            remedy="Look at what waits for your approval.",
        )


class MemberUnknown(CourseError):
    """Nobody in the course is meant by this."""


class CourseFull(CourseError):
    """There would be more students than the course has seats."""

    def __init__(self, seats: int, students: int) -> None:
        super().__init__(
            f"The course is for {counted(seats, 'student')}, and would have {students}.",
            remedy="Give it more seats first.",
        )
        self.seats = seats
        self.students = students


class CoursesAway(CourseError):
    """The database of courses could not be read or written."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The hub could not read or write its courses just now, and nothing was changed.",
            remedy="Try again in a few minutes.",
        )
        self.reason = reason
        """The database's own words, for operators."""
