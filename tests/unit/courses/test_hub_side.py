"""A hub with courses: whose server may have which name, where people land, what sign-in tells."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tornado import web

from slurmhub.auth.people import Source
from slurmhub.courses.hub_settings import SITE_NAMES_SERVERS
from slurmhub.courses.model import Role, State
from slurmhub.courses.people import Member
from slurmhub.courses.people import Source as By
from slurmhub.courses.stored import Enrolment, Stored
from slurmhub.hub import courses as hub
from slurmhub.job.refused import not_submitted
from tests.unit.courses.world import course


class Seen:
    """Alice is in phys101, nobody else in anything."""

    def of(self, username: str) -> tuple[Enrolment, ...] | None:
        if username != "alice":
            return ()
        stored = Stored(course(), 1, State.OPEN, "mallory", 0.0, 0.0)
        member = Member("phys101", Role.STUDENT, By.NAME, 0.0, username="alice")
        return (Enrolment(stored, member),)

    async def within(self, username: str, seconds: float) -> tuple[Enrolment, ...] | None:
        return self.of(username)


@pytest.fixture(autouse=True)
def _seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "current", lambda: SimpleNamespace(courses=Seen()))


async def may(
    name: str, *, who: str = "alice", has: tuple[str, ...] = (), named: bool = True, most: Any = 0
) -> str:
    """What JupyterHub is asked, or the refusal."""
    asked: list[str] = []

    async def inherited(*arguments: Any) -> None:
        assert arguments[-1] is False, "its own limit counts courses"
        asked.append("asked")

    user = SimpleNamespace(name=who, orm_spawners={"": None, **dict.fromkeys(has)})
    handler = SimpleNamespace(
        settings={SITE_NAMES_SERVERS: named}, named_server_limit_per_user=most
    )
    try:
        await hub.check_name(inherited, handler, user, name, name)
    except web.HTTPError as error:
        return str(error.log_message)
    return "".join(asked)


async def test_a_course_needs_no_leave_and_counts_for_nothing() -> None:
    assert await may("phys101", named=False) == ""
    assert await may("phys101", has=("one", "two"), most=2) == ""
    assert await may("two", has=("one", "phys101"), most=2) == "asked"


async def test_other_servers_are_as_the_site_set_them() -> None:
    assert await may("work", named=False) == "Named servers are not enabled."
    assert await may("phys101", who="bob", named=False) == "Named servers are not enabled."
    assert await may("work") == "asked"
    assert "maximum of 2 named servers" in await may("work", has=("one", "two"), most=2)
    assert "maximum of 1 named" in await may("work", has=("one",), most=lambda handler: 1)
    assert await may("one", has=("one", "two"), most=2) == "asked"
    # One that was a course's, or that the site let be made once.
    assert await may("old", has=("old",), named=False) == "asked"


@pytest.mark.parametrize(("who", "where"), [("alice", "/hub/home"), ("bob", None)])
def test_who_has_courses_lands_where_they_are(who: str, where: str | None) -> None:
    base = SimpleNamespace(base_url="/hub/")
    handler = SimpleNamespace(current_user=SimpleNamespace(name=who), hub=base)
    assert hub.landing(handler) == where
    handler = SimpleNamespace(current_user=None, hub=base, slurmhub_signed_in=who)
    assert hub.landing(handler) == where


def test_what_a_sign_in_tells() -> None:
    user = SimpleNamespace(name="alice", groups=[SimpleNamespace(name="physics")])
    assertion: Any = SimpleNamespace(mail="Alice@example.ca", eppn="a17@example.ca")
    made = SimpleNamespace(account_source=Source.MADE.value)
    existing = SimpleNamespace(account_source=Source.EXISTING.value)
    facts = hub.facts_of(made, user, assertion)
    assert facts.identifiers.as_json() == {"eppn": "a17@example.ca", "mail": "alice@example.ca"}
    assert facts.groups == frozenset({"physics"})
    assert hub.facts_of(existing, user, assertion).login == "alice"
    assert hub.facts_of(SimpleNamespace(), user, None).identifiers.as_json() == {"login": "alice"}


def test_slurms_refusal_of_a_course_has_a_students_words() -> None:
    said = "sbatch: error: QOSGrpSubmitJobsLimit\nsbatch: error: Job violates accounting/QOS policy"
    course_words = not_submitted("refused", said, account="course-phys101")
    assert course_words.plain == "All servers that this course may have at once are in use."
    other = not_submitted("refused", said, account="physics")
    assert other.plain != course_words.plain
    assert not_submitted("refused", said).plain == other.plain
