"""The class as staff see it: who waits comes first, who has nothing to do with it is not there."""

from __future__ import annotations

from typing import Any

from slurmhub.courses.model import Role
from slurmhub.courses.people import Member, Source
from slurmhub.courses.service.hub import Server
from slurmhub.courses.service.seats import seats_of


def member(username: str | None, **known: Any) -> Member:
    values = {"course": "phys101", "role": Role.STUDENT, "source": Source.ROSTER, "since": 0.0}
    return Member(**{**values, "username": username, **known})


def server(user: str, step: str, **known: Any) -> Server:
    return Server(user, step, "", open=step not in ("ended", "none", "stopping"), **known)


def test_those_who_wait_or_failed_come_before_those_who_run() -> None:
    members = [
        member("a"),
        member("b"),
        member("c"),
        member("d"),
        member("e"),
        member(None, name="Not yet"),
        member("stopped"),
    ]
    servers = [
        server("a", "ready"),
        server("b", "queued"),
        server("c", "ended", kind="failed"),
        server("e", "starting"),
        server("stopped", "ended", kind="stopped-by-other"),
    ]
    seats = [(one.member.called, one.state) for one in seats_of(members, servers)]
    assert seats == [
        ("b", "queued"),
        ("e", "starting"),
        ("c", "ended"),
        ("a", "ready"),
        ("d", "none"),
        # Whose server was stopped is as one who has not started it.
        ("stopped", "none"),
        ("Not yet", "awaited"),
    ]


def test_staff_and_those_who_left_are_shown_while_they_have_a_server() -> None:
    members = [
        member("teacher", role=Role.OWNER),
        member("helper", role=Role.ASSISTANT),
        member("left", dropped=1.0),
        member("gone", dropped=1.0),
    ]
    servers = [server("helper", "ready"), server("left", "ready"), server("stranger", "ready")]
    assert {one.member.username for one in seats_of(members, servers)} == {"helper", "left"}


def test_a_server_is_read_from_what_the_hub_says() -> None:
    said = {
        "user": "a",
        "step": "ready",
        "message": "The server is ready.",
        "node": None,
        "before": None,
        "seconds_left": 90.0,
        "left": "1 minute",
        "use": ["50 % of 2 CPUs"],
        "open": True,
        "more": "of a later hub",
    }
    found = Server.read(said)
    assert (found.node, found.before, found.seconds_left) == ("", None, 90)
    assert (found.use, found.open) == (("50 % of 2 CPUs",), True)
