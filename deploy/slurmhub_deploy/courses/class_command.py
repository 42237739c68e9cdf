"""`slurmhub course server` and `message`: a class as its staff see it, from a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Annotated

import typer

from slurmhub.courses.model import CourseModel
from slurmhub.courses.service.api.class_models import (
    MessageList,
    MessageView,
    SeatList,
    SeatView,
    Steered,
)
from slurmhub_deploy.courses.client import course_path
from slurmhub_deploy.courses.place import HubUrl, TokenFile, open_hub
from slurmhub_deploy.courses.telling import plain
from slurmhub_deploy.courses.writing import AsJson, Key, show, write
from slurmhub_deploy.operate.errors import UNUSABLE, OperateError

server = typer.Typer(
    help="The class now: its servers, more time for them, their end.", no_args_is_help=True
)
message = typer.Typer(
    help="What the class is shown: sent, listed, withdrawn.", no_args_is_help=True
)

Username = Annotated[str | None, typer.Argument(help="Whose server, by their name at the hub.")]
All = Annotated[bool, typer.Option("--all", help="The servers of the whole class.")]


class _Nothing(CourseModel):
    """No content."""


@server.command(name="list")
def list_servers(
    key: Key, hub: HubUrl = None, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """List who has no server, whose waits and why, whose runs and for how long."""
    found = open_hub(hub, token_file).get(course_path(key, "servers"), SeatList)
    show(found, seat_lines(found.seats), as_json=as_json)


@server.command()
def stop(
    key: Key,
    username: Username = None,
    for_all: All = False,
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Stop a server of the class, or all. What is not saved in them is lost."""
    _steer(key, "stop", username, for_all, hub, token_file, as_json)


@server.command()
def extend(
    key: Key,
    username: Username = None,
    for_all: All = False,
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a server of the class more time, or all that run: as much as the hub gives at once."""
    _steer(key, "extend", username, for_all, hub, token_file, as_json)


@message.command()
def send(
    key: Key,
    text: Annotated[str, typer.Argument(help="What the class is to read.")],
    hours: Annotated[
        float, typer.Option(min=0.1, max=336, help="For how many hours it is shown.")
    ] = 24,
    hub: HubUrl = None,
    token_file: TokenFile = None,
    as_json: AsJson = False,
) -> None:
    """Show something to everybody in the course, on their Home."""
    # A moment less than the most that there may be: the answer takes its time.
    until = datetime.now(timezone.utc) + timedelta(hours=min(hours, 335.9))
    body = {"text": text, "until": until.isoformat()}
    found = open_hub(hub, token_file).post(course_path(key, "messages"), MessageView, body)
    show(found, message_lines([found]), as_json=as_json)


@message.command(name="list")
def list_messages(
    key: Key, hub: HubUrl = None, token_file: TokenFile = None, as_json: AsJson = False
) -> None:
    """List what the class is shown now."""
    found = open_hub(hub, token_file).get(course_path(key, "messages"), MessageList)
    show(found, list(message_lines(found.messages)) or ["No messages."], as_json=as_json)


@message.command()
def withdraw(
    key: Key,
    number: Annotated[int, typer.Argument(help="The message's number in the list.")],
    hub: HubUrl = None,
    token_file: TokenFile = None,
) -> None:
    """Show a message no more."""
    open_hub(hub, token_file).delete(course_path(key, "messages", number), _Nothing)
    write([f"{key} shows message {number} no more."])


def seat_lines(seats: Iterable[SeatView]) -> Iterator[str]:
    """A line for each of the class, those who wait first."""
    nobody = True
    for one in seats:
        nobody = False
        who = plain(one.username or one.name or "not signed in yet")
        left = "" if one.seconds_left is None else f", {one.seconds_left // 60} minutes left"
        words = f", {plain(one.message)}" if one.state not in ("ready", "none", "awaited") else ""
        gone = ", not in the course any more" if one.left else ""
        yield f"{who:<16} {one.state}{left}{words}{gone}"
    if nobody:
        yield "No students yet."


def message_lines(messages: Iterable[MessageView]) -> Iterator[str]:
    """A line for each message."""
    for one in messages:
        text = plain(" ".join(one.text.split()))
        yield f"{one.number:>5}  {plain(one.author)}, until {one.until:%Y-%m-%d %H:%M} UTC: {text}"


def _steer(
    key: str,
    what: str,
    username: str | None,
    for_all: bool,
    hub: HubUrl,
    token_file: TokenFile,
    as_json: bool,
) -> None:
    if (username is None) is not for_all:
        raise OperateError(
            "It is not said whose servers.",
            remedy=f"slurmhub course server {what} {key} USERNAME, or --all for the whole class",
            status=UNUSABLE,
        )
    path = course_path(key, "servers", what)
    found = open_hub(hub, token_file).post(path, Steered, {"username": username})
    done = ", ".join(plain(one) for one in found.usernames) or "nobody has a server that can"
    show(found, [f"{what}: {done}"], as_json=as_json)
