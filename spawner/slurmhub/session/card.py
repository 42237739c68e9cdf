"""One server as its owner's home page shows it, and as JupyterLab is told of it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from slurmhub.hub.status import NEVER_BEGAN, Status, asked_plain, status_of
from slurmhub.job.job import Job
from slurmhub.options.words import age_plain, time_plain
from slurmhub.session.extend import Room
from slurmhub.session.remaining import end_of, limit_minutes, seconds_left
from slurmhub.session.use import Meter, meters
from slurmhub.slurm.times import TimeLimit

# From so many seconds before its end on, the time that is left is marked.
SOON = 600
# Facts of the cluster older than this, in seconds, are asked for again: here only limits matter.
FACTS_KEPT = 300.0
# What JupyterLab says by itself; its {placeholders} are filled in there.
_TEXTS = {
    "title": "This server's job",
    "left": "{time} left",
    "ends": "This server ends in {time}.",
    "asked": "You asked for {what}.",
    "saved": "Your open documents were saved.",
    "unsaved": "These could not be saved: {names}.",
    "more": "{time} more",
    "job": "Job {job} on {node}",
    "away": "The hub does not answer. Try again in a minute.",
    "close": "Close",
    "idle": "It will be stopped in {time}, so that others can have its place.",
    "keep": "I still need it",
}


@dataclass(frozen=True)
class Card:
    """One server. Times are in seconds; `ends` is since the epoch, `limit` in minutes.

    `title` is the name as its owner wrote it. `more` says how much time an extension gives, and is
    empty where none is to be had. `left_course` is the course that it is of, where its owner is in
    it no more. `answer` is what became of the last one, and `granted` whether
    there is more time. `ago` says how long ago it ended, empty for just now or not at all.
    """

    name: str
    status: Status
    asked: str
    title: str = ""
    ago: str = ""
    meters: tuple[Meter, ...] = ()
    left: int | None = None
    ends: float | None = None
    limit: int | None = None
    more: str = ""
    answer: str = ""
    granted: bool = False
    has_job: bool = False
    left_course: str = ""

    @property
    def left_words(self) -> str:
        """1 hour 40 minutes; empty where the server has no end."""
        if self.left is None:
            return ""
        if self.left < 60:
            return "less than a minute"
        return time_plain(TimeLimit.of_minutes(self.left // 60))

    @property
    def soon(self) -> bool:
        """Whether the server ends in a few minutes."""
        return self.left is not None and self.left <= SOON

    @property
    def open(self) -> bool:
        """Whether there is a server, in any state, that can be stopped."""
        return self.status.step not in ("ended", "none", "stopping")

    def as_json(self) -> dict[str, Any]:
        """For the session's endpoint: what JupyterLab shows."""
        status = self.status
        return {
            "step": status.step,
            "message": status.message,
            "job_id": status.job_id,
            "node": status.node,
            "asked": self.asked,
            "use": [asdict(meter) for meter in self.meters],
            "seconds_left": self.left,
            "left": self.left_words,
            "limit": self.limit,
            "more": self.more,
            "answer": self.answer,
            "granted": self.granted,
            "idle": status.idle,
            "texts": _TEXTS,
        }


def card_of(settings: Any, name: str) -> Card | None:
    """The card of one server of a person; `settings` is any of this person's spawners.

    None for a server that was never started. Nothing is asked of Slurm here.
    """
    user, runtime = settings.user, settings.runtime
    title = title_of(user, name)
    job = runtime.jobs.find(user.name, name)
    last = job.intent if job else runtime.jobs.ledger.last(user.name, name)
    spawner = user.spawners.get(name)
    status = spawner.status() if spawner is not None else status_of(job, last=last)
    if last is None or status.step in ("none", "asking") or status.kind == NEVER_BEGAN:
        return None if status.step == "none" else Card(name, status, "", title)
    asked = asked_plain(last.request)
    has_job, left_course = last.job_id is not None, settings.course_left(name)
    if job is None:
        ago = _ago(last.ended)
        return Card(name, status, asked, title, ago, has_job=has_job, left_course=left_course)
    more = Room(0, 0) if left_course else _more(settings, job)
    answer, granted = runtime.extensions.answer(job) or ("", False)
    return Card(
        name=name,
        status=status,
        asked=asked,
        title=title,
        meters=meters(last, settings.usage_interval) if job.listening else (),
        left=seconds_left(job),
        ends=end_of(job),
        limit=limit_minutes(job),
        more=time_plain(TimeLimit.of_minutes(more.minutes)) if more.minutes else "",
        answer=answer,
        granted=granted,
        has_job=has_job,
        left_course=left_course,
    )


def not_started(settings: Any, name: str) -> Card:
    """The card of a server that never ran."""
    return Card(name, status_of(None), "", title_of(settings.user, name))


def title_of(user: Any, name: str) -> str:
    """A server's name as its owner wrote it; JupyterHub makes another one for addresses."""
    server = user.orm_user.orm_spawners.get(name)
    return str(server.display_name or name) if server is not None else name


def _ago(ended: float | None) -> str:
    past = 0.0 if ended is None else time.time() - ended
    return age_plain(past) if past >= 60 else ""


def _more(settings: Any, job: Job) -> Room:
    runtime = settings.runtime
    if not settings.max_extension or not job.listening:
        return Room(0, 0)
    # Asked at most every ten minutes for the whole hub; the next look at this page knows.
    runtime.extensions.begin()
    if (runtime.facts.age or 0) > FACTS_KEPT:
        runtime.facts.refresh()
    if not runtime.extensions.offered:
        return Room(0, 0)
    found: Room = runtime.extensions.room(job, settings.extension_policy())
    return found
