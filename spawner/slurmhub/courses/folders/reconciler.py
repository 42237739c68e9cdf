"""Has the folders of courses kept as the database says, in rounds that are safe to repeat.

Nothing of a round is needed by the next: the program of root's finds out itself how far it came.
What is remembered only saves asking again for what was done.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from slurmhub.courses.folders import measures
from slurmhub.courses.folders.accounts import Accounts
from slurmhub.courses.folders.desired import DesiredFolders, Folders, desired, names
from slurmhub.courses.folders.program import FoldersProgram, FoldersRefused, Kept, There
from slurmhub.courses.policy import Policy
from slurmhub.courses.slurm.reconciler import Outcome
from slurmhub.courses.stored import Snapshot
from slurmhub.errors import SlurmhubError
from slurmhub.options.words import counted, moment_plain

AGAIN = 3600.0
"""Seconds after which a course is asked for again, changed or not: drift is put right."""

INTERVAL = 60.0
"""Seconds between rounds: somebody may have got an account at sign-in, which no course tells."""

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds before the next try when the program or the database is away; doubled each time."""


@dataclass(frozen=True)
class Report:
    """What one round found; `more` says that a large tree is not done with yet."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    strays: tuple[str, ...] = ()
    more: bool = False


class FoldersReconciler:
    """Looks after the folders of one hub's courses.

    `snapshot` reads the courses, in a thread; `policy` is asked in each round. There should be one
    at a time; two would do no harm, each call has its course to itself.
    """

    def __init__(
        self,
        program: FoldersProgram,
        snapshot: Callable[[], Snapshot],
        policy: Callable[[], Policy],
        accounts: Accounts,
        *,
        log: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._program, self._snapshot, self._policy = program, snapshot, policy
        self._accounts, self._log, self._clock = accounts, log, clock
        self.outcomes: dict[str, Outcome] = {}
        self._settled: dict[str, tuple[str, float, Outcome]] = {}

    async def once(self) -> Report:
        """One round: one call for each course that needs one.

        Raises SlurmhubError when it cannot be known what there is or should be.
        """
        wanted = await asyncio.to_thread(self._wanted)
        there = await self._program.there()
        outcomes: dict[str, Outcome] = {}
        unfinished = []
        for one in wanted.courses:
            if not one.folders and one.key not in there.courses:
                outcomes[one.key] = Outcome()
                continue
            outcomes[one.key], done = await self._keep(one)
            unfinished += [] if done else [one.key]
        for key in sorted(wanted.unwanted):
            self._settled.pop(key, None)
            outcomes[key], done = await self._remove(key, there)
            unfinished += [] if done else [key]
        strays = there.courses - outcomes.keys()
        self._tell(outcomes, strays)
        return Report(outcomes, tuple(sorted(strays)), bool(unfinished))

    async def settle(self, rounds: int = 1000) -> Report:
        """Rounds until nothing is left to do, so many at most; the last one's report."""
        report = await self.once()
        while report.more and rounds > 1:
            rounds -= 1
            report = await self.once()
        return report

    async def run(self, changed: asyncio.Event) -> None:
        """Round after round, until cancelled; at once when `changed` is set."""
        pause = FIRST_PAUSE
        while True:
            changed.clear()
            try:
                report = await self.once()
            except SlurmhubError as error:
                self._log.warning("The folders of courses wait. %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            if not report.more:
                await _either(changed.wait(), INTERVAL)

    # Inside

    def _wanted(self) -> DesiredFolders:
        snapshot = self._snapshot()
        return desired(snapshot, self._policy(), self._accounts.of(names(snapshot)))

    async def _keep(self, one: Folders) -> tuple[Outcome, bool]:
        request = json.dumps(one.request(), sort_keys=True)
        before = self._settled.get(one.key)
        if before is not None and before[0] == request and self._clock() < before[1]:
            return before[2], True
        try:
            kept = await self._program.keep(one)
        except FoldersRefused as error:
            measures.CALLS.labels("ensure", "refused").inc()
            self._settled.pop(one.key, None)
            return self._refused(one.key, error), True
        measures.CALLS.labels("ensure", "done" if kept.done else "more").inc()
        outcome = _outcome(one, kept)
        if kept.done:
            self._say(one, kept)
            self._settled[one.key] = (request, self._clock() + AGAIN, outcome)
        return outcome, kept.done

    async def _remove(self, key: str, there: There) -> tuple[Outcome, bool]:
        if key not in there.courses and key not in there.going:
            return Outcome(), True
        try:
            going = await self._program.remove(key)
        except FoldersRefused as error:
            measures.CALLS.labels("remove", "refused").inc()
            return self._refused(key, error), True
        measures.CALLS.labels("remove", "done" if going.done else "more").inc()
        if going.done:
            self._log.info("The folders of course %s are gone.", key)
            return Outcome(), True
        if going.until is not None:
            until = moment_plain(datetime.fromtimestamp(going.until, timezone.utc))
            return Outcome((f"Its files are out of reach, and are kept until {until}.",)), True
        return Outcome(("Its files are being removed.",)), False

    def _refused(self, key: str, error: FoldersRefused) -> Outcome:
        self._log.warning("The folders of course %s: %s (%s)", key, error.message, error.kind)
        return Outcome((_WORDS.get(error.kind, _OTHERWISE),))

    def _say(self, one: Folders, kept: Kept) -> None:
        for name, why in sorted((kept.troubles or {}).items()):
            self._log.warning("The folders of course %s, %s: %s", one.key, name, why)
        if kept.left:
            files = counted(kept.left, "file")
            self._log.warning("The folders of course %s: %s let be.", one.key, files)
        if kept.quota is None:
            self._log.info("The folders of course %s have no limit on this disk.", one.key)

    def _tell(self, outcomes: Mapping[str, Outcome], strays: frozenset[str]) -> None:
        realised = sum(one.realised for one in outcomes.values())
        measures.COURSES.labels("realised").set(realised)
        measures.COURSES.labels("waiting").set(len(outcomes) - realised)
        measures.STRAYS.set(len(strays))
        for key, outcome in sorted(outcomes.items()):
            if self.outcomes.get(key) != outcome:
                self._log.info("The folders of course %s: %s", key, outcome)
        self.outcomes = dict(outcomes)


_WORDS = {
    "full": "The disk of its folders is full, or its lists do not hold so many people.",
    "away": "The disk of its folders is away just now.",
    "busy": "Its folders are busy just now.",
    "taken": "A folder of its name was there before; the operators of the hub must look at it.",
    "unsupported": "The disk of its folders cannot do what is needed; ask the operators.",
}
_OTHERWISE = "Its folders are not as they should be; the operators of the hub find why in the log."


def _outcome(one: Folders, kept: Kept) -> Outcome:
    reasons = list(one.unserved)
    if not kept.done:
        reasons.append("Its folders are being frozen." if one.frozen else "Its folders are made.")
    reasons += [f"No folder for {name}: {why}." for name, why in (kept.troubles or {}).items()]
    return Outcome(tuple(reasons))


async def _either(event: Awaitable[object], seconds: float) -> None:
    waiting = asyncio.ensure_future(event)
    try:
        await asyncio.wait({waiting}, timeout=seconds)
    finally:
        waiting.cancel()
