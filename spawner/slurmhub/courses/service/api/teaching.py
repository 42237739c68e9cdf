"""Operations on a class: its servers, messages to it, and help at a student's server."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import AwareDatetime, Field

from slurmhub.courses.helping import LONGEST as LONGEST_HELP
from slurmhub.courses.helping import HelpUnknown
from slurmhub.courses.kinds import Username
from slurmhub.courses.messages import LONGEST as LONGEST_MESSAGE
from slurmhub.courses.model import CourseModel
from slurmhub.courses.record import What
from slurmhub.courses.rights import Action
from slurmhub.courses.service.api.class_models import (
    HelpList,
    HelpView,
    MessageList,
    MessageView,
    SeatList,
    SeatView,
    Steered,
)
from slurmhub.courses.service.api.operations import Asked, Nothing, Operation
from slurmhub.courses.service.seats import ClassOf


class Whose(CourseModel):
    """Whose server; null for all of the class."""

    username: Username | None = None


class NewMessage(CourseModel):
    """What the class is to be shown, and until when: 14 days at most."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_MESSAGE)]
    until: AwareDatetime


class NewHelp(CourseModel):
    """Whom to ask to be let in at their server, for how long."""

    username: Username
    minutes: Annotated[int, Field(ge=1, le=LONGEST_HELP)]


def _class(asked: Asked) -> ClassOf:
    assert asked.hub is not None  # noqa: S101 - every request has it
    return ClassOf(asked.person, asked.key, asked.courses, asked.hub)


async def _servers(asked: Asked) -> SeatList:
    return SeatList(seats=tuple(SeatView.of(one) for one in await _class(asked).seats()))


async def _steer(asked: Asked, what: What) -> Steered:
    # Whoever may not is told so, whatever they name.
    await asyncio.to_thread(asked.courses.get, asked.person, asked.key, Action.STEER)
    body: Whose = asked.body
    if body.username is None:
        return Steered(usernames=await _class(asked).steer_all(what))
    await _class(asked).steer(what, body.username)
    return Steered(usernames=(body.username,))


async def _stop(asked: Asked) -> Steered:
    return await _steer(asked, What.STOPPED)


async def _extend(asked: Asked) -> Steered:
    return await _steer(asked, What.EXTENDED)


def _messages(asked: Asked) -> MessageList:
    found = asked.courses.messages.of(asked.person, asked.key)
    return MessageList(messages=tuple(MessageView.of(one) for one in found))


def _send(asked: Asked) -> MessageView:
    body: NewMessage = asked.body
    send, until = asked.courses.messages.send, body.until.timestamp()
    return MessageView.of(send(asked.person, asked.key, body.text, until=until))


def _withdraw(asked: Asked) -> Nothing:
    asked.courses.messages.withdraw(asked.person, asked.key, asked.number)
    return Nothing()


def _helps(asked: Asked) -> HelpList:
    found = asked.courses.helps.of(asked.person, asked.key)
    return HelpList(helps=tuple(HelpView.of(one) for one in found))


def _ask(asked: Asked) -> HelpView:
    body: NewHelp = asked.body
    ask = asked.courses.helps.ask
    return HelpView.of(ask(asked.person, asked.key, body.username, body.minutes))


def _end(asked: Asked) -> HelpView:
    of_course = asked.courses.helps.of(asked.person, asked.key)
    if asked.number not in {one.number for one in of_course}:
        raise HelpUnknown()
    return HelpView.of(asked.courses.helps.end(asked.person, asked.number))


_CHANGES = (403, 404, 409)

OPERATIONS = (
    Operation(
        *("listServers", "GET", "courses/{key}/servers", "The class and its servers now"),
        answer=SeatList,
        wait=_servers,
        errors=(403, 404, 409),
    ),
    Operation(
        *("stopServers", "POST", "courses/{key}/servers/stop", "Stop a server, or all"),
        answer=Steered,
        wait=_stop,
        body=Whose,
        errors=_CHANGES,
        about="What is not saved in them is lost.",
    ),
    Operation(
        *("extendServers", "POST", "courses/{key}/servers/extend", "Give more time to one or all"),
        answer=Steered,
        wait=_extend,
        body=Whose,
        errors=_CHANGES,
        about="As much as the site gives at once.",
    ),
    Operation(
        *("listMessages", "GET", "courses/{key}/messages", "What the class is shown now"),
        answer=MessageList,
        call=_messages,
        errors=(404,),
    ),
    Operation(
        *("sendMessage", "POST", "courses/{key}/messages", "Show something to the class"),
        answer=MessageView,
        call=_send,
        body=NewMessage,
        status=201,
        errors=_CHANGES,
    ),
    Operation(
        *("withdrawMessage", "DELETE", "courses/{key}/messages/{number}", "Show it no more"),
        answer=Nothing,
        call=_withdraw,
        errors=_CHANGES,
    ),
    Operation(
        *("listHelps", "GET", "courses/{key}/helps", "Who asks to be let in, and who is"),
        answer=HelpList,
        call=_helps,
        errors=(403, 404),
    ),
    Operation(
        *("askToHelp", "POST", "courses/{key}/helps", "Ask a student to be let in"),
        answer=HelpView,
        call=_ask,
        body=NewHelp,
        status=201,
        errors=_CHANGES,
        about="The student answers on the hub's Home; what this helper asked before is over.",
    ),
    Operation(
        *("endHelp", "DELETE", "courses/{key}/helps/{number}", "Be let in no more"),
        answer=HelpView,
        call=_end,
        errors=_CHANGES,
        about="Whoever asked ends it; a student does so on the hub's Home.",
    ),
)
