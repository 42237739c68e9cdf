"""What the REST API says of a class: its people with their servers, messages, and help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime

from slurmhub.courses.helping import Help
from slurmhub.courses.messages import Message
from slurmhub.courses.model import CourseModel, Role
from slurmhub.courses.service.api.models import moment, perhaps

if TYPE_CHECKING:
    # Programs that only read answers need none of the service.
    from slurmhub.courses.service.seats import Seat

SeatState = Literal[
    "queued", "asking", "starting", "ended", "paused", "stopping", "ready", "none", "awaited"
]


class SeatView(CourseModel):
    """Somebody of a class and their server; `username` is null for who has not signed in yet.

    `left` says that they are in the course no more, `open` that there is a server to be stopped.
    `before` is how many jobs come first; `use` are sentences.
    """

    username: str | None
    name: str
    role: Role
    left: bool
    state: SeatState
    open: bool
    message: str
    remedy: str
    node: str
    seconds_left: int | None
    before: int | None
    use: tuple[str, ...]

    @classmethod
    def of(cls, seat: Seat) -> SeatView:
        """What staff see of one seat."""
        member, server = seat.member, seat.server
        return cls(
            username=member.username,
            name=member.name,
            role=member.role,
            left=not member.active,
            state=seat.state,
            open=seat.open,
            message=server.message if server else "",
            remedy=server.remedy if server else "",
            node=server.node if server else "",
            seconds_left=server.seconds_left if server else None,
            before=server.before if server else None,
            use=server.use if server else (),
        )


class SeatList(CourseModel):
    """A class: those who wait come first."""

    seats: tuple[SeatView, ...]


class Steered(CourseModel):
    """Whose servers did it; the hub said no to the others."""

    usernames: tuple[str, ...]


class MessageView(CourseModel):
    """What the class is shown."""

    number: int
    author: str
    text: str
    sent: AwareDatetime
    until: AwareDatetime

    @classmethod
    def of(cls, one: Message) -> MessageView:
        """What everybody in the course sees of it."""
        return cls(
            number=one.number,
            author=one.author,
            text=one.text,
            sent=moment(one.sent),
            until=moment(one.until),
        )


class MessageList(CourseModel):
    """Messages, the oldest first."""

    messages: tuple[MessageView, ...]


class HelpView(CourseModel):
    """Who asked whom; `allowed` is null until the student lets them in, on the hub's Home."""

    number: int
    student: str
    helper: str
    minutes: int
    asked: AwareDatetime
    allowed: AwareDatetime | None
    until: AwareDatetime

    @classmethod
    def of(cls, one: Help) -> HelpView:
        """What staff see of it."""
        return cls(
            number=one.number,
            student=one.student,
            helper=one.helper,
            minutes=one.minutes,
            asked=moment(one.asked),
            allowed=perhaps(one.allowed),
            until=moment(one.until),
        )


class HelpList(CourseModel):
    """What is asked and allowed now."""

    helps: tuple[HelpView, ...]
