"""A course to be as a file has it, or with a few settings another way."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from slurmhub.courses.course_file import CourseFile, CourseFileWrong, Staff, load_course, staff_of
from slurmhub.courses.model import Role
from slurmhub.courses.service.api.models import (
    CourseView,
    Details,
    MemberList,
    MemberView,
    SavedView,
)
from slurmhub.yaml_text import NotReadable, read_document
from slurmhub_deploy.courses.client import CourseClient, CourseRefusal, course_path
from slurmhub_deploy.operate.errors import UNUSABLE, OperateError

_UNKNOWN = 404
_PART = re.compile(r"([a-z_]+)((?:\[[0-9]{1,3}\])*)")


def read_file(file: Path) -> CourseFile:
    """The course in this file; what is wrong is shown by its line. Raises OperateError."""
    try:
        return load_course(file)
    except CourseFileWrong as error:
        for one in error.problems:
            typer.echo(one.line(error.file), file=sys.stderr)
        raise OperateError(error.what, remedy=error.remedy, status=UNUSABLE) from error


def create(client: CourseClient, file: CourseFile, *, owner: str | None, note: str) -> SavedView:
    """Make the course of this file, with its staff."""
    body: dict[str, Any] = {
        "course": file.course.model_dump(mode="json"),
        "staff": file.staff.model_dump(mode="json"),
        "note": note,
    }
    if owner is not None:
        body["owner"] = owner
    return client.post("courses", SavedView, body)


def find(client: CourseClient, key: str) -> CourseView | None:
    """The course, None if there is none that whoever asks may see."""
    try:
        return client.get(course_path(key), CourseView)
    except CourseRefusal as error:
        if error.code == _UNKNOWN:
            return None
        raise


def details_of(view: CourseView) -> Details:
    """All of it; raises OperateError for who sees only what students see."""
    if view.details is None:
        raise OperateError(
            f"You are not among the staff of {view.key}.",
            remedy="Ask its staff to bring you in.",
        )
    return view.details


def change(client: CourseClient, view: CourseView, new: dict[str, Any], note: str) -> SavedView:
    """The course as `new`, if it is still as it was looked at."""
    body = {"version": details_of(view).version, "course": new, "note": note}
    return client.put(course_path(view.key), SavedView, body)


def with_settings(document: dict[str, Any], settings: list[str]) -> dict[str, Any]:
    """The document with each PATH=VALUE in it; raises OperateError.

    The value is YAML, and where a text is, a text as it stands; `null` is nothing.
    """
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals:
            raise _no_setting(setting)
        document = _put(document, _steps(path, setting), value, setting)
    return document


def settle_staff(client: CourseClient, file: CourseFile, *, remove: bool) -> Iterator[str]:
    """Have the staff be those of the file; who is not in it goes only with `remove`.

    Yields what was done, and whom the file does not name.
    """
    key = file.key
    wanted = file.staff.roles
    found = client.get(course_path(key, "members"), MemberList).members
    there = {one.username: one for one in found if one.username and one.dropped is None}
    for username, role in wanted.items():
        one = there.get(username)
        if one is None:
            body = {"username": username, "role": role.value}
            client.post(course_path(key, "members"), MemberView, body)
            yield f"{username}: {role.value}"
        elif one.role not in (role, Role.OWNER):
            path = course_path(key, "members", one.number)
            client.patch(path, MemberView, {"role": role.value})
            yield f"{username}: {role.value}, was {one.role.value}"
    for username, one in there.items():
        if one.role not in (Role.INSTRUCTOR, Role.ASSISTANT) or username in wanted:
            continue
        if remove:
            client.delete(course_path(key, "members", one.number), MemberView)
            yield f"{username}: out, was {one.role.value}"
        else:
            yield f"{username}: {one.role.value} still, though the file does not name them"


def staff_in(client: CourseClient, key: str) -> Staff:
    """The staff of a course as its file has them."""
    found = client.get(course_path(key, "members"), MemberList).members
    return staff_of({one.username: one.role for one in found if one.username and not one.dropped})


def _steps(path: str, setting: str) -> list[str | int]:
    steps: list[str | int] = []
    for part in path.strip().split("."):
        found = _PART.fullmatch(part)
        if found is None:
            raise _no_setting(setting)
        steps.append(found[1])
        steps += [int(number) for number in re.findall(r"[0-9]+", found[2])]
    return steps


def _put(inside: Any, steps: list[str | int], value: str, setting: str) -> Any:
    """A copy of what is inside, with the value at these steps."""
    if not steps:
        return value if isinstance(inside, str) and value != "null" else _read(value, setting)
    first, *rest = steps
    if isinstance(first, str) and (inside is None or isinstance(inside, dict)):
        there = inside or {}
        return {**there, first: _put(there.get(first), rest, value, setting)}
    if isinstance(first, int) and isinstance(inside, list) and first <= len(inside):
        before = inside[first] if first < len(inside) else None
        return [*inside[:first], _put(before, rest, value, setting), *inside[first + 1 :]]
    raise _no_setting(setting)


def _read(value: str, setting: str) -> Any:
    try:
        return read_document(value).data
    except NotReadable as error:
        raise _no_setting(setting) from error


def _no_setting(setting: str) -> OperateError:
    return OperateError(
        f"{setting!r} is no setting of a course.",
        remedy="Write it as seats=60 or profile.hours=3 or class_hours[0].end=12:00.",
        status=UNUSABLE,
    )
