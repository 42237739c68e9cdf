"""What the service does that nobody asks for: Slurm is kept as courses say, and terms end.

Each loop outlives whatever fails in it: a database or a Slurm that is away delays, and nothing is
kept between rounds that would be lost with the process.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from slurmhub.courses.model import State
from slurmhub.courses.retention import Due, Step
from slurmhub.courses.service import measures
from slurmhub.courses.service.cluster import CourseCluster, Result
from slurmhub.courses.store import Courses
from slurmhub.errors import SlurmhubError

_log = logging.getLogger("slurmhub.courses")

WATCHED = 2.0
"""Seconds between looks whether anything of any course was changed."""
STAGES = 60.0
"""Seconds between looks for what the time has brought."""
LONGEST_PAUSE = 300.0
"""Seconds between tries while something fails; from the loop's own interval, doubled each time."""


async def repeat(
    name: str, once: Callable[[], Awaitable[None]], interval: float, *, longest: float
) -> None:
    """Do this again and again, until cancelled; less often while it fails."""
    pause = interval
    while True:
        try:
            await once()
        except SlurmhubError as error:
            measures.FAILURES.labels(name).inc()
            pause = min(2 * pause, longest)
            _log.warning("%s: %s Tried again in %d s.", name, error, pause)
        except Exception:
            # A mistake of ours in one course must not end what is done for all others.
            measures.FAILURES.labels(name).inc()
            pause = min(2 * pause, longest)
            _log.exception("%s: tried again in %d s.", name, pause)
        else:
            pause = interval
            measures.LAST.labels(name).set_to_current_time()
        await asyncio.sleep(pause)


class Loops:
    """The loops of one service; `cluster` is None where courses are kept only."""

    def __init__(self, courses: Courses, cluster: CourseCluster | None) -> None:
        self._courses, self._cluster = courses, cluster
        self._changed = asyncio.Event()
        self._revision = -1
        self._told: dict[str, Result] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; `stop` ends them."""
        loops = {
            "watch": repeat("watch", self._watch, WATCHED, longest=30.0),
            "stages": repeat("stages", self._stages, STAGES, longest=LONGEST_PAUSE),
        }
        if self._cluster is not None:
            loops["slurm"] = self._cluster.reconciler.run(self._changed)
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
        revision = await asyncio.to_thread(self._courses.revision)
        if revision != self._revision:
            self._revision = revision
            self._changed.set()
        await self._tell()

    async def _tell(self) -> None:
        """Each course says what Slurm still lacks of it."""
        found = dict(self._cluster.results) if self._cluster is not None else {}
        for key, result in found.items():
            if self._told.get(key) != result:
                reasons = " ".join(result[0].reasons)
                await asyncio.to_thread(self._courses.realised, key, reasons)
        self._told = found

    async def _stages(self) -> None:
        """Remind, freeze, end and forget, as the institution says."""
        for due in await asyncio.to_thread(self._courses.stages.due):
            if await asyncio.to_thread(self._courses.stages.do, due):
                measures.STAGES.labels(due.step.value).inc()
                _log.info("%s", _told(due))
        if self._cluster is None:
            await asyncio.to_thread(self._nothing_in_slurm)

    def _nothing_in_slurm(self) -> None:
        """Where there is no cluster, what has ended has nothing there."""
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
