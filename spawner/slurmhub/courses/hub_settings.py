"""The courses that a hub serves, as its spawners have them: settings, and this server's course."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from traitlets import Bool, Dict, HasTraits, TraitError, Unicode, validate

from slurmhub.courses.cards import CourseCard, HelpSaid, course_card, helps_said, shown
from slurmhub.courses.page import draw_course
from slurmhub.courses.policy import Policy
from slurmhub.courses.seen import SeenCourses
from slurmhub.courses.serving import COURSE_VARIABLE, CourseServer, CourseServerRefused, server_of
from slurmhub.courses.slurm.desired import account_of, is_courses, qos_of
from slurmhub.job.policy import ScriptPolicy
from slurmhub.options.limits import SiteLimits
from slurmhub.options.refusal import Problem, Refusal
from slurmhub.options.request import JobRequest
from slurmhub.session.card import card_of, not_started

if TYPE_CHECKING:
    from slurmhub.runtime import Runtime

# Seconds that a page waits for the courses.
_FOR_A_PAGE = 2.0

SITE_NAMES_SERVERS = "slurmhub_site_names_servers"
"""Among the hub's settings: what the site set for `allow_named_servers`."""


class CourseTraits(HasTraits):
    """Settings of a hub with courses. Mixed into the spawner, whose attributes it uses."""

    courses_url = Unicode(
        "", help="SQLAlchemy URL of the database of courses; empty for a hub without courses."
    ).tag(config=True)
    courses_policy = Dict(
        help="What the institution lets its instructors do, as the courses service has it; its "
        "environments are those of courses' servers."
    ).tag(config=True)
    courses_own_qos = Bool(
        False, help="Whether each course has a QOS of its own, as the courses service has it."
    ).tag(config=True)
    courses_shared_qos = Unicode(
        "",
        help="QOS of courses' servers where courses have none of their own; empty for the usual.",
    ).tag(config=True)
    course_folders = Unicode(
        "",
        help="The folder of all courses' folders on the nodes; empty where there are none. A "
        "course's server finds its own by a link in the person's home, courses/NAME.",
    ).tag(config=True)

    request: JobRequest | None = None

    if TYPE_CHECKING:
        user: Any
        name: str
        job: Any

        @property
        def runtime(self) -> Runtime: ...

        def account_name(self) -> str: ...

    @validate("course_folders")
    def _check_folders(self, proposal: Any) -> str:
        value = str(proposal["value"])
        if value and (not value.startswith("/") or not value.isprintable()):
            raise TraitError(
                f"c.SlurmHubSpawner.course_folders is {value!r}. Give a path such as /courses."
            )
        return value

    @validate("courses_policy")
    def _check_policy(self, proposal: Any) -> dict[str, Any]:
        try:
            Policy.model_validate(proposal["value"])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise TraitError(
                f"c.SlurmHubSpawner.courses_policy: {where} cannot be used. {first['msg']}."
            ) from error
        return dict(proposal["value"])

    def seen_courses(self, log: logging.Logger) -> SeenCourses | None:
        """The hub's courses by these settings, None where it has none."""
        if not self.courses_url:
            return None
        return SeenCourses(self.courses_url, Policy.model_validate(self.courses_policy), log=log)

    def course_limits(self, site: SiteLimits) -> SiteLimits:
        """What bounds courses' servers at the hub: the institution's policy has the rest."""
        partitions = tuple(self.courses_policy.get("partitions", ()))
        return SiteLimits(partitions=partitions or None, features=site.features)

    def course_server(self) -> CourseServer | None:
        """The course whose server this is, None: none's. Raises Refusal, see `server_of`."""
        courses = self.runtime.courses if self.courses_url and self.name else None
        if courses is None:
            return None
        return server_of(
            courses.of(self.user.name),
            self.name,
            policy=courses.policy,
            qos=qos_of(self.name, own_qos=self.courses_own_qos, shared_qos=self.courses_shared_qos),
            belonged=self._belonged(self.name),
        )

    def _belonged(self, name: str) -> bool:
        """Whether this person's server was its course's when it was last asked for."""
        accepted = self.runtime.jobs.ledger.accepted(self.user.name, name) or {}
        return accepted.get("account") == account_of(name)

    def course_left(self, name: str) -> str:
        """The course of this person's server of this name where they left it; empty: none."""
        courses = self.runtime.courses if self.courses_url and name else None
        mine = None if courses is None else courses.of(self.user.name)
        if mine is None or any(one.stored.key == name for one in mine):
            return ""
        return name if self._belonged(name) else ""

    def course_request(self) -> JobRequest | None:
        """What this server asks for if it is a course's, whoever asks with what; raises Refusal."""
        course = self.course_server()
        if course is None:
            return None
        return course.request(self.runtime.course_offers.of(None))

    def is_courses_server(self) -> bool:
        """Whether this server is a course's, also where it cannot be started now."""
        try:
            return self.course_server() is not None
        except Refusal:
            return True

    async def courses_known(self, seconds: float) -> None:
        """Look at this person's courses, at most so long."""
        if self.courses_url and self.runtime.courses is not None:
            await self.runtime.courses.within(self.user.name, seconds)

    def draw_course(self, problems: Sequence[Problem] = ()) -> str:
        """The form of a course's server."""
        try:
            found = self.course_server()
        except Refusal as refusal:
            return draw_course(None, refusal.problems)
        return draw_course(None if found is None else found.course, problems)

    def refuse_without_account(self) -> None:
        """Slurm would charge a course for any server of who has no other account. Raises Refusal.

        Not where the site names the account of every server.
        """
        if not self.courses_url or self.runtime.limits.account is not None:
            return
        if self.runtime.people.of(self.account_name()).none_left:
            raise CourseServerRefused(
                "Your account on the cluster is for your courses.",
                remedy="Start the server of your course.",
                what="This server cannot be started.",
            )

    # The home page

    async def course_cards(self) -> tuple[CourseCard, ...] | None:
        """The courses of this person, for the home page; None where they cannot be told now."""
        if not self.courses_url or self.runtime.courses is None:
            return ()
        found = await self.runtime.courses.within(self.user.name, _FOR_A_PAGE)
        if found is None:
            return None
        now = datetime.now(timezone.utc)
        said = self.runtime.courses.messages(self.user.name, now.timestamp())
        cards = []
        for one in shown(found):
            server = card_of(self, one.stored.key) or not_started(self, one.stored.key)
            retention = self.runtime.courses.policy.retention
            cards.append(course_card(one, server, now, said, retention))
        return tuple(cards)

    def course_helps(self) -> tuple[HelpSaid, ...]:
        """Who asks to be let in at this person's courses' servers, and whom they let in."""
        courses = self.runtime.courses if self.courses_url else None
        if courses is None:
            return ()
        name = self.user.name
        return helps_said(courses.helps(name, time.time()), courses.of(name) or ())

    def course_servers(self) -> frozenset[str]:
        """The names of this person's servers that are on the home page as courses."""
        if not self.courses_url or self.runtime.courses is None:
            return frozenset()
        return frozenset(
            one.stored.key for one in shown(self.runtime.courses.of(self.user.name) or ())
        )

    def may_name_servers(self, allowed: bool) -> bool:
        """Whether people may have servers with names beside those of courses, as the site says."""
        return bool(self.user.settings.get(SITE_NAMES_SERVERS, allowed))

    def script_policy(self) -> ScriptPolicy:
        """The site's policy, with what is the course's where this is its server."""
        policy: ScriptPolicy = super().script_policy()  # type: ignore[misc]
        course = self._course_asked()
        return policy if course is None else course.script(policy, self.course_folders)

    def get_env(self) -> dict[str, Any]:
        """The server's environment, with what a course's server opens."""
        environment: dict[str, Any] = super().get_env()  # type: ignore[misc]
        course = self._course_asked()
        if course is not None:
            environment[COURSE_VARIABLE] = course.course.key
            landing = course.landing()
            if landing:
                environment["JUPYTERHUB_DEFAULT_URL"] = landing
        return environment

    def course_files(self) -> Mapping[str, str]:
        """Jupyter's configuration that a course's server is given, by the names of the files."""
        course = self._course_asked()
        return {} if course is None else course.files(self.course_folders)

    def _course_asked(self) -> CourseServer | None:
        """The course by which this server was asked for, as far as it is still one."""
        if not self.courses_url or not self.name:
            return None
        asked = self.request.account if self.request is not None else self._account_of_job()
        if not is_courses(asked):
            return None
        try:
            return self.course_server()
        except Refusal:
            # Not any more: what runs goes on, and nothing new is asked for.
            return None

    def _account_of_job(self) -> object:
        return self.job.intent.request.get("account") if self.job is not None else None
