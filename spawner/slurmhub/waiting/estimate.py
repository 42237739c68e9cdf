"""When a job of some shape would start, as Slurm itself says: asked seldom, kept for everybody."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from slurmhub.errors import SlurmhubError
from slurmhub.job.crossing import SubmissionRefused
from slurmhub.options.request import JobRequest
from slurmhub.slurm.command import Account

# Each shape is asked for at most this often, for the whole hub, in seconds.
FRESH = 60.0
# Two questions are this far apart, in seconds, and so many times what the last one took: each is
# a job that the controller has to place.
PACE = 1.0
SHARE = 5.0
# An estimate older than this is not told any more, in seconds.
STALE = 300.0
MOST_KEPT = 512
MOST_WAITING = 64

T = TypeVar("T")
Shape = tuple[tuple[str, object], ...]
Ask = Callable[[Account, str], Awaitable[float]]


def shape_of(request: JobRequest) -> Shape:
    """What two requests have in common that Slurm treats alike."""
    return tuple(sorted((name, repr(value)) for name, value in request.stored().items()))


@dataclass(frozen=True)
class Estimate:
    """Slurm's word on one shape; times are seconds since the epoch.

    `start` is when such a job would start at the earliest, None when Slurm would not take it;
    `refused` then holds Slurm's words.
    """

    start: float | None
    refused: str
    asked: float

    @property
    def wait(self) -> float | None:
        """Seconds until it would start; 0 for now."""
        return None if self.start is None else max(0.0, self.start - time.time())


@dataclass(frozen=True)
class _Question:
    account: Account
    script: str


class Estimates:
    """The newest estimate of each shape. `ask` runs `sbatch --test-only` as a person."""

    def __init__(self, ask: Ask, *, log: logging.Logger, pace: float = PACE) -> None:
        self._ask = ask
        self._log = log
        self._pace = pace
        self._kept: OrderedDict[Shape, Estimate] = OrderedDict()
        self._asked: OrderedDict[Shape, float] = OrderedDict()
        self._waiting: OrderedDict[Shape, _Question] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def known(self, request: JobRequest) -> Estimate | None:
        """What is known of a shape, without asking."""
        estimate = self._kept.get(shape_of(request))
        if estimate is None or time.time() - estimate.asked > STALE:
            return None
        return estimate

    def of(
        self, request: JobRequest, account: Account, script: Callable[[], str]
    ) -> Estimate | None:
        """What is known of a shape; asked for in the background when that is old.

        `script` makes the script that is tried, only when it is needed.
        """
        shape = shape_of(request)
        due = time.time() - self._asked.get(shape, 0.0) >= FRESH
        if due and shape not in self._waiting and len(self._waiting) < MOST_WAITING:
            self._waiting[shape] = _Question(account, script())
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._work())
        return self.known(request)

    async def _work(self) -> None:
        while self._waiting:
            shape, question = self._waiting.popitem(last=False)
            _keep(self._asked, shape, time.time())
            try:
                start = await self._ask(question.account, question.script)
            except SubmissionRefused as refusal:
                if refusal.kind == "refused":
                    _keep(self._kept, shape, Estimate(None, refusal.message, time.time()))
            except SlurmhubError as error:
                self._log.debug("Slurm gave no estimate: %s", error)
            except Exception:
                self._log.exception("Asking for an estimate failed.")
            else:
                _keep(self._kept, shape, Estimate(start, "", time.time()))
            took = time.time() - self._asked[shape]
            await asyncio.sleep(max(self._pace, took * SHARE))


def _keep(kept: OrderedDict[Shape, T], shape: Shape, value: T) -> None:
    kept[shape] = value
    kept.move_to_end(shape)
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)
