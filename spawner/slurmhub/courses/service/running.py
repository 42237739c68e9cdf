"""What the service does that nobody asks for: Slurm is kept as courses say, and terms end.

Each loop outlives whatever fails in it: a database or a Slurm that is away delays, and nothing is
kept between rounds that would be lost with the process.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, Protocol

from slurmhub.courses.errors import CoursesAway
from slurmhub.courses.model import State
from slurmhub.courses.retention import Due, Step
from slurmhub.courses.rights import SYSTEM
from slurmhub.courses.service import measures
from slurmhub.courses.service.cluster import Result
from slurmhub.courses.service.figures import figures, tell
from slurmhub.courses.service.mailing import Mailer
from slurmhub.courses.store import Courses
from slurmhub.errors import SlurmhubError

_log = logging.getLogger("slurmhub.courses")

WATCHED = 2.0
"""Seconds between looks whether anything of any course was changed."""
STAGES = 60.0
"""Seconds between looks for what the time has brought."""
MAIL = 60.0
"""Seconds between looks for reminders that are to be mailed."""
FIGURES = 60.0
"""Seconds between counts of what there is, for Prometheus."""
LONGEST_PAUSE = 300.0
"""Seconds between tries while something fails; from the loop's own interval, doubled each time."""


Told = tuple[State, str]
"""What a course was at, and why it has not all of what it should; empty: it has."""


def joint(results: Sequence[Mapping[str, Result]]) -> dict[str, Told]:
    """What all sides say of each course of which all have said something at the same stage."""
    found: dict[str, Told] = {}
    for key in set.intersection(*(set(one) for one in results)) if results else ():
        states = {one[key][1] for one in results}
        if len(states) == 1:
            reasons = [reason for one in results for reason in one[key][0].reasons]
            found[key] = (states.pop(), " ".join(reasons))
    return found


async def repeat(
    name: str, once: Callable[[], Awaitable[None]], interval: float, *, longest: float
) -> None:
    """Do this again and again, until cancelled; less often while it fails."""
    pause = interval
    while True:
        try:
            await once()
        except SlurmhubError as error:
            measures.failed(name)
            pause = min(2 * pause, longest)
            _log.warning("%s: %s Tried again in %d s.", name, error, pause)
        except Exception:
            # A mistake of ours in one course must not end what is done for all others.
            measures.failed(name)
            pause = min(2 * pause, longest)
            _log.exception("%s: tried again in %d s.", name, pause)
        else:
            pause = interval
            measures.succeeded(name)
        await asyncio.sleep(pause)


class Side(Protocol):
    """What has something made of courses: Slurm, the folders."""

    @property
    def results(self) -> Mapping[str, Result]:
        """What became of each course in the last round."""
        ...

    async def run(self, changed: asyncio.Event) -> None:
        """Round after round, at once when `changed` is set."""
        ...


class Loops:
    """The loops of one service; `sides` by their names, none where courses are kept only.

    `mailer` sends reminders, None where they are on pages only.
    """

    def __init__(
        self, courses: Courses, sides: Mapping[str, Side], mailer: Mailer | None = None
    ) -> None:
        self._courses, self._sides, self._mailer = courses, dict(sides), mailer
        courses.stages.by_mail = mailer is not None
        self._changed = {name: asyncio.Event() for name in sides}
        self._revision = -1
        self._told: dict[str, Told] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; `stop` ends them."""
        loops: dict[str, Coroutine[Any, Any, None]] = {
            "watch": repeat("watch", self._watch, WATCHED, longest=30.0),
            "stages": repeat("stages", self._stages, STAGES, longest=LONGEST_PAUSE),
            "figures": repeat("figures", self._figures, FIGURES, longest=LONGEST_PAUSE),
        }
        if self._mailer is not None:
            loops["mail"] = repeat("mail", self._mail, MAIL, longest=LONGEST_PAUSE)
        for name, side in self._sides.items():
            loops[name] = side.run(self._changed[name])
        for name in loops:
            measures.begin(name)
        self._tasks = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
        for task in self._tasks:
            task.add_done_callback(_say_if_it_ended)

    async def stop(self) -> None:
        """End them; a step that is under way in Slurm is seen by the next service."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        """Wake the reconciler when anything was changed, and write down what it found."""
        try:
            revision = await asyncio.to_thread(self._courses.revision)
        except CoursesAway:
            measures.DATABASE_UP.set(0)
            raise
        measures.DATABASE_UP.set(1)
        if revision != self._revision:
            self._revision = revision
            for event in self._changed.values():
                event.set()
        await self._tell()

    async def _tell(self) -> None:
        """Each course says what Slurm still lacks of it."""
        found = joint([side.results for side in self._sides.values()])
        for key, (state, waiting) in found.items():
            if self._told.get(key) != (state, waiting):
                await asyncio.to_thread(self._courses.realised, key, waiting)
                self._told[key] = (state, waiting)

    async def _stages(self) -> None:
        """Remind, freeze, end and forget, as the institution says."""
        for due in await asyncio.to_thread(self._courses.stages.due):
            if await asyncio.to_thread(self._courses.stages.do, due):
                measures.STAGES.labels(due.step.value).inc()
                _log.info("%s", _told(due))
        if not self._sides:
            await asyncio.to_thread(self._nothing_made)

    async def _mail(self) -> None:
        """Send the reminders that are due."""
        if self._mailer is not None:
            await asyncio.to_thread(self._mailer.round)

    async def _figures(self) -> None:
        """What there is, for Prometheus."""
        snapshot = await asyncio.to_thread(self._courses.snapshot)
        waiting = await asyncio.to_thread(self._courses.approvals.waiting, SYSTEM)
        tell(figures(snapshot, datetime.now(timezone.utc)), len(waiting))

    def _nothing_made(self) -> None:
        """Where nothing is made of courses, nothing is to be taken away of those that ended."""
        for one in self._courses.snapshot().courses:
            if one.state is State.ENDED and one.realised is None:
                self._courses.realised(one.key)


def _told(due: Due) -> str:
    if due.step is Step.REMIND:
        return f"Course {due.key} ends in {due.days} days; its staff are told on its page."
    return f"Course {due.key}: its time has come to {due.step.value}."


def _say_if_it_ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.critical("The loop %s ended.", task.get_name(), exc_info=task.exception())
