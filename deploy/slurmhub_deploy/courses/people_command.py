"""`slurmhub course people`, `roster` and `code`: who is in a course, and how they come in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Literal

import typer

from slurmhub.courses.service.api.models import CodeList, CodeView, MemberList, MemberView
from slurmhub_deploy.courses.client import CourseClient, course_path
from slurmhub_deploy.courses.place import HubUrl, TokenFile, open_hub
from slurmhub_deploy.courses.rosters import (
    RosterFile,
    apply_roster,
    done_line,
    open_roster,
    preview_lines,
    preview_roster,
)
from slurmhub_deploy.courses.telling import code_lines, member_lines
from slurmhub_deploy.courses.writing import AsJson, Key, show, write
from slurmhub_deploy.operate.errors import UNUSABLE, OperateError

roster = typer.Typer(
    help="The registrar's file: what it changes, and doing it.", no_args_is_help=True
)
code = typer.Typer(help="Join codes: made, listed, revoked.", no_args_is_help=True)
people = typer.Typer(help="Who is in it: listed, brought in, taken out.", no_args_is_help=True)

RosterPath = Annotated[Path, typer.Argument(help="The registrar's CSV file.", metavar="FILE")]
Encoding = Annotated[
    str | None, typer.Option(help="The file's encoding, if it is not found out right.")
]
Choose = Annotated[
    list[str] | None,
    typer.Option("--choose", help="Who somebody doubtful is: KEY=is:USERNAME; repeatable."),
]
Drop = Annotated[
    bool, typer.Option("--drop", help="Drop students of an earlier file who are not in this one.")
]
DropMany = Annotated[
    bool, typer.Option("--drop-many", help="The second yes, where that is more than a third.")
]


@roster.command()
def preview(
    key: Key,
    file: RosterPath,
    encoding: Encoding = None,
    choose: Choose = None,
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what a registrar's file would change; it changes nothing."""
    opened = open_roster(file, encoding, choose or [])
    found = preview_roster(open_hub(hub, token_file), key, opened)
    show(found, preview_lines(found), as_json=as_json)


@roster.command()
def apply(
    key: Key,
    file: RosterPath,
    drop: Drop = False,
    drop_many: DropMany = False,
    encoding: Encoding = None,
    choose: Choose = None,
    hub: HubUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show what a registrar's file changes, and do just that. Nobody is dropped without --drop.

    Exit status: 0; 1 if the hub refused, such as because the roster changed meanwhile; 3 if more
    than a third would be dropped and --drop-many was not said.
    """
    opened = open_roster(file, encoding, choose or [])
    bring(open_hub(hub, token_file), key, opened, drop=drop, drop_many=drop_many)


def bring(client: CourseClient, key: str, file: RosterFile, *, drop: bool, drop_many: bool) -> None:
    """Show what the file changes, and do it as it was shown."""
    seen = preview_roster(client, key, file)
    write(preview_lines(seen))
    done = apply_roster(client, key, file, seen, drop=drop, drop_many=drop_many)
    write([done_line(key, done)])
    if seen.count("dropped") and not drop:
        write(["Who is not in the file stays. With --drop they are dropped; their files stay."])


@people.command(name="list")
def list_people(
    key: Key, hub: HubUrl = None, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """List everybody who is or was in a course, the staff first."""
    found = open_hub(hub, token_file).get(course_path(key, "members"), MemberList)
    show(found, member_lines(found.members), as_json=as_json)


@people.command()
def add(
    key: Key,
    username: Annotated[
        str | None, typer.Argument(help="Their name at the hub, if they have one.")
    ] = None,
    role: Annotated[
        Literal["instructor", "assistant", "student"], typer.Option(help="What they are.")
    ] = "student",
    mail: Annotated[
        str | None, typer.Option(help="Their mail address, if they have not signed in yet.")
    ] = None,
    name: Annotated[str, typer.Option(help="What they are called, for the list.")] = "",
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring somebody into a course, or back, or give them another role."""
    client = open_hub(hub, token_file)
    body = {
        "username": username,
        "identifiers": {} if mail is None else {"mail": mail},
        "name": name,
        "role": role,
    }
    found = client.post(course_path(key, "members"), MemberView, body)
    if found.role.value not in (role, "owner"):
        path = course_path(key, "members", found.number)
        found = client.patch(path, MemberView, {"role": role})
    show(found, member_lines([found]), as_json=as_json)


@people.command()
def remove(
    key: Key,
    username: Annotated[str, typer.Argument(help="Their name at the hub, or number in the list.")],
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Take somebody out of a course; their files stay."""
    client = open_hub(hub, token_file)
    members = client.get(course_path(key, "members"), MemberList).members
    names = [each for each in members if not each.dropped and each.username == username]
    numbers = [each for each in members if not each.dropped and str(each.number) == username]
    if not names and not numbers:
        raise OperateError(
            f"{username} is not in {key}.", remedy=f"slurmhub course people list {key}"
        )
    path = course_path(key, "members", (names or numbers)[0].number)
    found = client.delete(path, MemberView)
    show(found, member_lines([found]), as_json=as_json)


@code.command()
def make(
    key: Key,
    seats: Annotated[int, typer.Option(min=1, help="How many students it lets in.")],
    until: Annotated[
        str | None,
        typer.Option(help="Until when, such as 2031-09-20T17:00; for two weeks if absent."),
    ] = None,
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a join code. It is shown this once: nobody can read it again."""
    expires = _moment(until) if until else datetime.now(timezone.utc) + timedelta(days=14)
    body = {"seats": seats, "expires": expires.isoformat()}
    found = open_hub(hub, token_file).post(course_path(key, "codes"), CodeView, body)
    show(found, code_lines([found]), as_json=as_json)


@code.command(name="list")
def list_(
    key: Key, hub: HubUrl = None, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """List the join codes of a course, with how often each was used."""
    found = open_hub(hub, token_file).get(course_path(key, "codes"), CodeList)
    show(found, list(code_lines(found.codes)) or ["No join codes."], as_json=as_json)


@code.command()
def revoke(
    key: Key,
    number: Annotated[int, typer.Argument(help="The code's number in the list.")],
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Let nobody in with a code any more; who is in stays."""
    client = open_hub(hub, token_file)
    found = client.delete(course_path(key, "codes", number), CodeView)
    show(found, code_lines([found]), as_json=as_json)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise OperateError(
            f"{text!r} is not a time.", remedy="Write it as 2031-09-20T17:00.", status=UNUSABLE
        ) from error
    # What has no zone is meant as this machine's clock has it.
    return found.astimezone()
