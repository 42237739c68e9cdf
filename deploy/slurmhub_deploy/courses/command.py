"""`slurmhub course`: courses from a terminal, with a token, as their pages have them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from slurmhub.courses.course_file import course_text
from slurmhub.courses.service.api.models import (
    Checked,
    CourseList,
    CourseView,
    Record,
    RequestList,
    SavedView,
)
from slurmhub_deploy.courses import changing
from slurmhub_deploy.courses.class_command import message, server
from slurmhub_deploy.courses.client import CourseClient, course_path
from slurmhub_deploy.courses.people_command import (
    Drop,
    DropMany,
    bring,
    code,
    people,
    roster,
)
from slurmhub_deploy.courses.place import HubUrl, TokenFile, open_hub
from slurmhub_deploy.courses.rosters import open_roster
from slurmhub_deploy.courses.telling import (
    course_lines,
    list_lines,
    record_lines,
    request_lines,
    saved_lines,
)
from slurmhub_deploy.courses.writing import AsJson, Key, Yes, agreed, show, write
from slurmhub_deploy.operate.errors import REFUSED, OperateError

course = typer.Typer(
    help="Courses at a hub: made, changed, copied and ended, as their pages do it.",
    no_args_is_help=True,
)
course.add_typer(roster, name="roster")
course.add_typer(code, name="code")
course.add_typer(people, name="people")
course.add_typer(server, name="server")
course.add_typer(message, name="message")

CourseFilePath = Annotated[Path, typer.Argument(help="The course file.", metavar="FILE")]
Note = Annotated[str, typer.Option(help="For who decides, where it needs approval.")]


@course.command(name="list")
def list_(hub: HubUrl = None, token_file: TokenFile = None, as_json: AsJson = False) -> None:
    """List the courses that you may see."""
    found = open_hub(hub, token_file).get("courses", CourseList)
    show(found, list_lines(found), as_json=as_json)


@course.command(name="show")
def show_(
    key: Key, hub: HubUrl = None, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """Show a course: its term, classes, servers, what it is at."""
    found = open_hub(hub, token_file).get(course_path(key), CourseView)
    show(found, course_lines(found), as_json=as_json)


@course.command()
def check(
    file: CourseFilePath,
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a course could be as its file has it; makes nothing.

    Exit status: 0 if it can, though it may need approval; 1 if not; 2 if the file is wrong.
    """
    wanted = changing.read_file(file)
    client = open_hub(hub, token_file)
    body = {"course": wanted.course.model_dump(mode="json")}
    found = client.post("check", Checked, body)
    show(found, _checked_lines(wanted.key, found), as_json=as_json)
    raise typer.Exit(1 if found.problems or found.capacity else 0)


@course.command()
def create(
    file: CourseFilePath,
    owner: Annotated[
        str | None, typer.Option(help="Who owns it, if you are an administrator; you if absent.")
    ] = None,
    note: Note = "",
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Make the course of a file, with its staff. It is open at once, or waits for approval.

    Its roster is brought in by `slurmhub course roster apply`, or with all else by `apply`.
    """
    wanted = changing.read_file(file)
    saved = changing.create(open_hub(hub, token_file), wanted, owner=owner, note=note)
    show(saved, saved_lines(saved), as_json=as_json)


@course.command()
def apply(
    file: CourseFilePath,
    note: Note = "",
    drop: Drop = False,
    drop_many: DropMany = False,
    remove_staff: Annotated[
        bool, typer.Option("--remove-staff", help="Take out staff whom the file does not name.")
    ] = False,
    hub: HubUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Have a course be what its file says: made or changed, with its staff and its roster.

    A second time it changes nothing. Exit status: 0; 1 if the hub refused; 2 if the file is
    wrong; 3 if students would be dropped and that was not confirmed.
    """
    wanted = changing.read_file(file)
    client = open_hub(hub, token_file)
    view = changing.find(client, wanted.key)
    if view is None:
        write(saved_lines(changing.create(client, wanted, owner=None, note=note)))
    elif changing.details_of(view).course == wanted.course:
        write([f"{wanted.key}: as the file has it"])
    else:
        new = wanted.course.model_dump(mode="json")
        write(saved_lines(changing.change(client, view, new, note)))
    if "staff" in wanted.model_fields_set:
        write(changing.settle_staff(client, wanted, remove=remove_staff))
    if wanted.roster is not None:
        listed = open_roster(file.parent / wanted.roster, None, [])
        bring(client, wanted.key, listed, drop=drop, drop_many=drop_many)


@course.command()
def change(
    key: Key,
    settings: Annotated[
        list[str],
        typer.Option("--set", help="PATH=VALUE, such as seats=60 or profile.hours=3; repeatable."),
    ],
    note: Note = "",
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Change single settings of a course; if somebody else was faster, nothing."""
    client = open_hub(hub, token_file)
    view = client.get(course_path(key), CourseView)
    document = changing.details_of(view).course.model_dump(mode="json")
    new = changing.with_settings(document, settings)
    saved = changing.change(client, view, new, note)
    show(saved, saved_lines(saved), as_json=as_json)


@course.command()
def export(key: Key, hub: HubUrl = None, token_file: TokenFile = None) -> None:
    """Print a course as a course file, with its staff; students are not in it."""
    client = open_hub(hub, token_file)
    view = client.get(course_path(key), CourseView)
    found = changing.details_of(view).course
    sys.stdout.write(course_text(found, staff=changing.staff_in(client, key)))


@course.command()
def copy(
    key: Key,
    new_key: Annotated[str, typer.Argument(help="The key of the new course.")],
    term: Annotated[str, typer.Option(help="What the new term is called.")],
    first: Annotated[str, typer.Option(help="Its first day, such as 2031-09-02.")],
    last: Annotated[str, typer.Option(help="Its last day.")],
    title: Annotated[str | None, typer.Option(help="Another title; the same if absent.")] = None,
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Make the same course in another term, with the same staff and without students."""
    body = {
        "key": new_key,
        "term": {"name": term, "first": first, "last": last},
        "title": title,
    }
    saved = open_hub(hub, token_file).post(course_path(key, "copy"), SavedView, body)
    show(saved, saved_lines(saved), as_json=as_json)


@course.command()
def freeze(
    key: Key, hub: HubUrl = None, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """Freeze a course: its files can be read, and nothing starts."""
    _step(open_hub(hub, token_file), key, "freeze", as_json=as_json)


@course.command()
def thaw(
    key: Key, hub: HubUrl = None, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """Open again a course that is frozen."""
    _step(open_hub(hub, token_file), key, "thaw", as_json=as_json)


@course.command()
def end(
    key: Key,
    yes: Yes = False,
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """End a course: account, limits, classes and folders are taken away. Export files before."""
    client = open_hub(hub, token_file)
    if not yes:
        view = client.get(course_path(key), CourseView)
        write(course_lines(view))
        if not agreed(f"End {key} for ever, with its folders?", "slurmhub course end --yes"):
            raise OperateError(
                f"{key} was not ended.", remedy="Say yes if it is to be.", status=REFUSED
            )
    _step(client, key, "end", as_json=as_json)


@course.command()
def give(
    key: Key,
    username: Annotated[str, typer.Argument(help="An instructor of the course.")],
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a course to another of its instructors, who owns it then."""
    body = {"username": username}
    found = open_hub(hub, token_file).put(course_path(key, "owner"), CourseView, body)
    show(found, course_lines(found), as_json=as_json)


@course.command()
def record(
    key: Key,
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many lines.")] = 50,
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Show who did what in a course, the newest last."""
    path = f"{course_path(key, 'record')}?most={most}"
    found = open_hub(hub, token_file).get(path, Record)
    show(found, record_lines(found.entries), as_json=as_json)


@course.command()
def requests(hub: HubUrl = None, token_file: TokenFile = None, as_json: AsJson = False) -> None:
    """List what waits for your approval."""
    found = open_hub(hub, token_file).get("requests", RequestList)
    lines = list(request_lines(found.requests)) or ["Nothing waits for you."]
    show(found, lines, as_json=as_json)


@course.command()
def decide(
    number: Annotated[int, typer.Argument(help="The request's number.")],
    approve: Annotated[bool, typer.Option("--approve/--refuse", help="Which of the two.")],
    words: Annotated[str, typer.Option(help="For who asked.")] = "",
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Approve or refuse what somebody asked for."""
    client = open_hub(hub, token_file)
    waiting = client.get("requests", RequestList).requests
    mine = next((one for one in waiting if one.number == number), None)
    if mine is None:
        raise OperateError(f"No request {number} waits for you.", remedy="slurmhub course requests")
    view = client.get(course_path(mine.course), CourseView)
    body = {"version": changing.details_of(view).version, "approve": approve, "words": words}
    saved = client.post(f"requests/{number}/decision", SavedView, body)
    show(saved, saved_lines(saved), as_json=as_json)


def _step(client: CourseClient, key: str, step: str, *, as_json: bool) -> None:
    found = client.post(course_path(key, step), CourseView)
    show(found, [f"{key}: {found.state.value}"], as_json=as_json)


def _checked_lines(key: str, found: Checked) -> Iterable[str]:
    for one in found.problems:
        yield f"{one.field} ({one.value}): {one.message}"
    yield from found.capacity or ()
    for one in found.approval:
        yield f"needs approval: {one.field} ({one.value}): {one.message}"
    if not found.problems and not found.capacity:
        yield f"{key} can be made{' once it is approved' if found.approval else ''}."
