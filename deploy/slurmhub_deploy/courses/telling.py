"""What the service answered, in lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slurmhub.courses.model import ClassHours, Course
from slurmhub.courses.service.api.models import (
    CodeView,
    CourseList,
    CourseView,
    Details,
    EntryView,
    MemberView,
    RequestView,
    SavedView,
)

_DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_WIDE = 16


def plain(text: str) -> str:
    """Without what a terminal would take for a command: others wrote it."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def list_lines(found: CourseList) -> Iterator[str]:
    """A line for each course."""
    for one in found.courses:
        role = f", you: {one.role.value}" if one.role else ""
        about = f"{plain(one.title)} ({plain(one.term.name)}{role})"
        yield f"{one.key:<{_WIDE}} {one.state.value:<8} {about}"
    if not found.courses:
        yield "No course that you may see."


def course_lines(view: CourseView) -> Iterator[str]:
    """All of one course that whoever asks may see."""
    yield f"{view.key}: {plain(view.title)} ({view.state.value})"
    term = view.term
    yield _line("term", f"{plain(term.name)}: {term.first} to {term.last}, {view.timezone}")
    for hours in view.class_hours:
        yield _line("class", _hours(hours))
    repository = view.materials.repository
    if repository is not None:
        yield _line("materials", f"{repository.url}, branch {repository.branch}")
    if view.role is not None:
        yield _line("you", view.role.value)
    if view.details is not None:
        yield from _detail_lines(view.details, view.timezone)


def saved_lines(saved: SavedView) -> Iterator[str]:
    """What became of a course that was made or changed."""
    version = saved.course.details.version if saved.course.details else None
    about = f", version {version}" if version else ""
    yield f"{saved.course.key}: {saved.course.state.value}{about}"
    yield from (plain(sentence) for sentence in saved.lacks)
    if saved.request is not None:
        yield f"Waits for approval (request {saved.request.number}):"
        yield from _reasons(saved.request)


def request_lines(requests: Iterable[RequestView]) -> Iterator[str]:
    """What waits, and what was decided."""
    for one in requests:
        decision = f"{one.decision} by {one.decided_by}" if one.decision else "waits"
        yield f"{one.number:>5}  {one.course:<{_WIDE}} asked by {plain(one.asked_by)}: {decision}"
        yield from _reasons(one)
        for words in (one.note, one.words):
            if words:
                yield f"         {plain(words)}"


def member_lines(members: Iterable[MemberView]) -> Iterator[str]:
    """A line for each person, the staff first."""
    order = ("owner", "instructor", "assistant", "student")
    for one in sorted(members, key=lambda each: (order.index(each.role.value), each.name)):
        known = one.username or "not signed in yet"
        told = ", ".join(f"{kind} {plain(value)}" for kind, value in one.identifiers.items())
        left = f", out since {one.dropped:%Y-%m-%d}" if one.dropped else ""
        about = "; ".join(part for part in (plain(known), told) if part)
        name = plain(one.name or known)
        yield f"{one.number:>5}  {one.role.value:<10} {name} ({about}){left}"


def code_lines(codes: Iterable[CodeView]) -> Iterator[str]:
    """A line for each join code; the code itself where it is there."""
    for one in codes:
        state = "revoked" if one.revoked else f"until {one.expires:%Y-%m-%d %H:%M} UTC"
        used = f"{one.used} of {one.seats} used"
        yield f"{one.number:>5}  {used}, {state}, made by {plain(one.made_by)}"
        if one.code:
            yield f"The code, which is shown this once: {one.code}"


def record_lines(entries: Iterable[EntryView]) -> Iterator[str]:
    """Who did what, the oldest first."""
    for one in entries:
        yield f"{one.at:%Y-%m-%d %H:%M} UTC  {plain(one.sentence)}"


def _detail_lines(details: Details, zone: str) -> Iterator[str]:
    course = details.course
    yield _line("owner", plain(details.owner))
    yield _line("seats", f"{course.seats}, {course.most_running} servers at once")
    yield _line("each server", _server(course))
    if course.storage.folders:
        yield _line("folders", ", ".join(course.storage.folders))
    if course.joining.group:
        yield _line("group", plain(course.joining.group))
    yield _line("version", f"{details.version}, changed {_moment(details.changed, zone)}")
    for word, at in (("frozen", details.frozen), ("ended", details.ended)):
        if at is not None:
            yield _line(word, _moment(at, zone))
    if details.waiting:
        yield _line("Slurm", f"not all yet: {plain(details.waiting)}")
    elif details.realised is not None:
        yield _line("Slurm", "has all of it")


def _server(course: Course) -> str:
    profile = course.profile
    kind = f" {profile.gpu_type}" if profile.gpu_type else ""
    gpus = f", {profile.gpus}{kind} GPU{'s' if profile.gpus > 1 else ''}" if profile.gpus else ""
    environment = f", {profile.environment}" if profile.environment else ""
    return (
        f"{profile.cpus} CPU{'s' if profile.cpus > 1 else ''}, {profile.memory}{gpus},"
        f" {profile.hours:g} hours, partition {profile.partition}{environment}"
    )


def _hours(hours: ClassHours) -> str:
    seats = f", {hours.seats} seats" if hours.seats else ""
    without = f", not on {', '.join(str(day) for day in hours.without)}" if hours.without else ""
    return f"{_DAYS[hours.weekday]} {hours.start:%H:%M} to {hours.end:%H:%M}{seats}{without}"


def _reasons(request: RequestView) -> Iterator[str]:
    for one in request.reasons:
        yield f"         {one.field} ({one.value}): {one.message}"


def _line(name: str, text: str) -> str:
    return f"  {name:<{_WIDE - 2}} {text}"


def _moment(at: datetime, zone: str) -> str:
    try:
        return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
    except (ZoneInfoNotFoundError, ValueError):
        return f"{at:%Y-%m-%d %H:%M} UTC"
