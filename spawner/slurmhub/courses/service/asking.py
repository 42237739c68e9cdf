"""What pages and REST have in common: who asks, and what they ask the courses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from jupyterhub.services.auth import HubOAuth, HubOAuthenticated, UserNotAllowed
from tornado import web

from slurmhub.courses.errors import NotAllowed
from slurmhub.courses.rights import Person
from slurmhub.courses.roster.codes import CodeKey
from slurmhub.courses.service.cluster import CourseCluster
from slurmhub.courses.service.course_folders import CourseFolders
from slurmhub.courses.service.identity import HubAway, person_of
from slurmhub.courses.service.place import Place
from slurmhub.courses.store import Courses

P = ParamSpec("P")
T = TypeVar("T")

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Asking(HubOAuthenticated, web.RequestHandler):  # type: ignore[misc]
    """A request by somebody: `person` is who it is, once `prepare` is over.

    A cookie counts for a request that changes something only together with the XSRF token of its
    page (JupyterHub's own check, which `HubOAuth` makes before it looks at the cookie).
    """

    person: Person

    @property
    def hub_auth(self) -> HubOAuth:
        """The service's client at the hub."""
        return self.settings["hub_auth"]

    @property
    def courses(self) -> Courses:
        """All courses: the one door."""
        found: Courses = self.settings["courses"]
        return found

    @property
    def place(self) -> Place:
        """Where the service and the hub are."""
        found: Place = self.settings["place"]
        return found

    @property
    def code_key(self) -> CodeKey:
        """Makes of join codes what the database has of them."""
        found: CodeKey = self.settings["code_key"]
        return found

    @property
    def cluster(self) -> CourseCluster | None:
        """The cluster of the courses, where there is one."""
        found: CourseCluster | None = self.settings["cluster"]
        return found

    @property
    def folders(self) -> CourseFolders | None:
        """The folders of the courses, where they have some."""
        found: CourseFolders | None = self.settings["folders"]
        return found

    @property
    def reading(self) -> bool:
        """Whether the request changes nothing."""
        return self.request.method in _READING

    async def ask(self, question: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
        """What this answers, which waits for the database; the other requests go on meanwhile."""
        return await asyncio.to_thread(question, *arguments, **named)

    async def owner(self) -> dict[str, Any] | None:
        """What the hub says of the token or cookie that came; None where there is none.

        Raises HubAway.
        """
        try:
            found: dict[str, Any] | None = await self.hub_auth.get_user(self, sync=False)
        except web.HTTPError as error:
            # JupyterHub's words name addresses that are nobody's business.
            raise HubAway from error
        return found

    async def identify(self) -> Person | None:
        """Whoever asks; None where nothing says who. Raises NotAllowed, HubAway."""
        model = await self.owner()
        if model is None:
            return None
        try:
            self.check_hub_user(model)
        except UserNotAllowed as error:
            raise NotAllowed(
                "You may not use courses with this.",
                remedy="Ask for a token with access to this service, or sign in.",
            ) from error
        person = person_of(model)
        self._hub_auth_user_cache = model
        return person

    def check_xsrf_cookie(self) -> None:
        """Tornado asks before it is known who asks, and how; `HubOAuth` asks again then."""
        if hasattr(self, "_cached_hub_user"):
            super().check_xsrf_cookie()

    def get_current_user(self) -> Any:
        """What `identify` found: tornado's own way would wait for the hub in the event loop."""
        return getattr(self, "_hub_auth_user_cache", None)
