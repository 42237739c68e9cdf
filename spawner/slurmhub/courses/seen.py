"""Which courses somebody is in, as the hub last saw it in the database of courses.

Each person's courses are kept until the store's revision moves. Nothing here raises or waits for
long when the database is away: what was known last holds, and the log says so.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from slurmhub.courses.errors import CoursesAway
from slurmhub.courses.helping import Help
from slurmhub.courses.messages import Message
from slurmhub.courses.policy import Policy
from slurmhub.courses.rights import Person
from slurmhub.courses.roster.facts import PersonFacts
from slurmhub.courses.store import Courses, open_courses
from slurmhub.courses.stored import Enrolment
from slurmhub.metrics import COURSES_UNANSWERED

_T = TypeVar("_T")

# Seconds after a failure in which nobody waits for the database.
_PAUSE = 5.0
# So many people's courses are kept.
_MANY = 10_000
# A database that hangs holds up these, and no other thread of the hub.
_THREADS = 4


@dataclass(frozen=True)
class _Kept:
    revision: int
    enrolments: tuple[Enrolment, ...]
    messages: tuple[Message, ...]
    helps: tuple[Help, ...]


class SeenCourses:
    """What a hub knows of its courses; one for all spawners, used on the event loop only."""

    def __init__(
        self,
        url: str,
        policy: Policy,
        *,
        log: logging.Logger,
        opened: Callable[[str, Policy], Courses] = open_courses,
    ) -> None:
        self.policy = policy
        self._url, self._log, self._open = url, log, opened
        self._courses: Courses | None = None
        self._opening = threading.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="slurmhub-courses")
        self._kept: dict[str, _Kept] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._comings: set[asyncio.Task[None]] = set()
        self._away_since: float | None = None
        self._no_wait_until = 0.0

    def of(self, username: str) -> tuple[Enrolment, ...] | None:
        """What was known last, by the courses' keys; None where nothing ever was."""
        kept = self._kept.get(username)
        return None if kept is None else kept.enrolments

    def messages(self, username: str, now: float) -> tuple[Message, ...]:
        """What staff of this person's courses say to them at this moment (since the epoch)."""
        kept = self._kept.get(username)
        return () if kept is None else tuple(one for one in kept.messages if one.until > now)

    def helps(self, username: str, now: float) -> tuple[Help, ...]:
        """Who asks to be let in at this person's servers, and whom they let in, at this moment."""
        kept = self._kept.get(username)
        return () if kept is None else tuple(one for one in kept.helps if one.open(now))

    async def allow_help(self, by: Person, number: int) -> Help:
        """Somebody lets in who asked it; raises HelpUnknown, CoursesAway."""
        return await self._do(lambda courses: courses.helps.allow(by, number))

    async def end_help(self, by: Person, number: int) -> Help:
        """Somebody says no, or ends it; raises HelpUnknown, CoursesAway."""
        return await self._do(lambda courses: courses.helps.end(by, number))

    async def allowed_help(self) -> tuple[Help, ...]:
        """Who may be at whose server now; raises CoursesAway."""
        return await self._do(lambda courses: courses.helps.allowed_now())

    @property
    def away(self) -> bool:
        """Whether the database did not answer when it was last asked."""
        return self._away_since is not None

    async def within(self, username: str, seconds: float) -> tuple[Enrolment, ...] | None:
        """What is so now; what was known last if the database does not say it in `seconds`."""
        task = self._looks.get(username)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._look(username))
            self._looks[username] = task
            task.add_done_callback(lambda _: self._looks.pop(username, None))
        await self._wait(task, seconds)
        return self.of(username)

    async def came(self, facts: PersonFacts, seconds: float) -> None:
        """Somebody signed in; brings them into the courses that wait for them.

        Goes on by itself when it takes longer than `seconds`.
        """
        task = asyncio.get_running_loop().create_task(self._come(facts))
        # A task that nobody holds may vanish.
        self._comings.add(task)
        task.add_done_callback(self._comings.discard)
        await self._wait(task, seconds)

    async def close(self) -> None:
        """Give the database back."""
        for task in [*self._looks.values(), *self._comings]:
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._courses is not None:
            await asyncio.to_thread(self._courses.close)

    async def _wait(self, task: asyncio.Task[None], seconds: float) -> None:
        if time.monotonic() < self._no_wait_until:
            # Everybody would wait in vain, one page after another; a try goes on beside them.
            return
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            self._is_away(f"It does not answer within {seconds:g} seconds.")

    async def _look(self, username: str) -> None:
        kept = await self._ask(lambda courses: self._read(courses, username))
        if kept is not None:
            if len(self._kept) >= _MANY:
                self._kept.clear()
            self._kept[username] = kept

    def _read(self, courses: Courses, username: str) -> _Kept:
        # In this order: what is read after a revision is at least as new.
        revision = courses.revision()
        kept = self._kept.get(username)
        if kept is not None and kept.revision == revision:
            return kept
        found = courses.all_for(username)
        keys = [one.stored.key for one in found]
        if not keys:
            return _Kept(revision, found, (), ())
        messages, helps = courses.messages.shown(keys), courses.helps.of_student(username)
        return _Kept(revision, found, messages, helps)

    async def _come(self, facts: PersonFacts) -> None:
        found = await self._ask(lambda courses: courses.members.came(facts))
        if found is None:
            self._log.warning(
                "The courses did not hear that %s signed in; they will at the next sign-in.",
                facts.username,
            )
            return
        for one in found:
            if one.full:
                self._log.warning("Course %s is full: %s got no seat.", one.course, facts.username)

    async def _do(self, ask: Callable[[Courses], _T]) -> _T:
        """What `ask` says, in a thread; raises CourseError as it does."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: ask(self._opened()))
        except CoursesAway as error:
            self._is_away(error.reason)
            raise

    async def _ask(self, ask: Callable[[Courses], _T]) -> _T | None:
        """What `ask` says, in a thread; None when the database is away."""
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._threads, lambda: ask(self._opened()))
        except CoursesAway as error:
            self._is_away(error.reason)
            return None
        except Exception as error:
            # Whatever else is wrong with the courses, servers that are not theirs go on.
            self._log.exception("The courses could not be asked.")
            self._is_away(type(error).__name__)
            return None
        if self._away_since is not None:
            self._log.info("The database of courses answers again.")
            self._away_since = None
        self._no_wait_until = 0.0
        return answer

    def _is_away(self, why: str) -> None:
        COURSES_UNANSWERED.inc()
        self._no_wait_until = time.monotonic() + _PAUSE
        if self._away_since is None:
            self._away_since = time.monotonic()
            self._log.warning(
                "The database of courses is away; what was known of them last holds. %s", why
            )

    def _opened(self) -> Courses:
        with self._opening:
            if self._courses is None:
                self._courses = self._open(self._url, self.policy)
            return self._courses
