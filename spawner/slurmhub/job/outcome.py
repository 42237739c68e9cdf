"""How a job ended, in words for the person it ran for."""

from __future__ import annotations

from slurmhub.ledger import Outcome
from slurmhub.slurm.advice import advice
from slurmhub.slurm.records import JobRecord
from slurmhub.slurm.states import JobState, plain_state

_START_AGAIN = "You can start it again."
_REMEDIES = {
    JobState.OUT_OF_MEMORY: "Start it again with more memory, or load less data at a time.",
    JobState.TIMEOUT: "Start it again, with more hours if the work needs them.",
    JobState.DEADLINE: "Start it again with fewer hours.",
    JobState.NODE_FAIL: "This was not your doing. You can start it again, on another node.",
    JobState.BOOT_FAIL: "This was not your doing. You can start it again, on another node.",
    JobState.PREEMPTED: "Work of higher priority needed its place. You can start it again.",
    JobState.FAILED: "Look at the end of its log; if it does not help, show it to your support.",
}
# What Slurm knows better than the launcher, which only saw its server die.
_SLURM_KNOWS_BEST = {
    JobState.OUT_OF_MEMORY,
    JobState.TIMEOUT,
    JobState.DEADLINE,
    JobState.NODE_FAIL,
    JobState.BOOT_FAIL,
    JobState.PREEMPTED,
}

STOPPED = Outcome("stopped", "This server was stopped.", _START_AGAIN)
VANISHED = Outcome(
    "vanished", "Slurm no longer knows this job; how it ended is not known.", _START_AGAIN
)
LOST = Outcome(
    "submission-lost",
    "The hub asked Slurm for this job, but Slurm never answered.",
    "You can start it again. If that job turns up after all, it ends by itself.",
)

INVISIBLE = Outcome(
    "invisible",
    "The hub submitted this job, but its account is not allowed to see it.",
    "For the operator: the cluster hides jobs (PrivateData=jobs). Let the hub's account see them: "
    "sacctmgr modify user where name=<the hub's account> set adminlevel=operator",
)
QUEUED_TOO_LONG = Outcome(
    "queue-timeout",
    "This server waited in the queue for longer than this hub allows.",
    "Ask for less, or for a partition with free room, and start it again.",
)
NEVER_LISTENED = Outcome(
    "never-listened",
    "The job started, but its server did not listen in time.",
    "Please try once more; if it fails again, show the job's log to your support.",
)


def refused(words: str) -> Outcome:
    """Slurm's refusal of a submission, with our advice beside its own words."""
    counsel = advice(words)
    return Outcome("refused", counsel.plain, counsel.remedy, detail=words.strip()[:2000])


def ended_in_slurm(record: JobRecord, before: Outcome | None) -> Outcome:
    """The outcome of a job that Slurm calls ended, given what its launcher had said before."""
    state = record.state
    # "Asked to end" is all the launcher knows; by whom or why, Slurm's state may tell.
    knows_best = state in _SLURM_KNOWS_BEST or (before is not None and before.kind == "terminated")
    if before is not None and not knows_best:
        return before
    if state is None:
        return before or VANISHED
    kind = state.value.lower().replace("_", "-")
    remedy = _REMEDIES.get(state, _START_AGAIN)
    detail = before.detail if before else ""
    return Outcome(kind, plain_state(state), remedy, detail=detail, exit_code=record.exit_code)


_WHY = {
    "server-exited": "The server in this job ended by itself",
    "never-listened": "The server in this job started, but never began to listen",
    "cannot-start": "The server in this job could not be started",
    "terminated": "The job was asked to end",
    "refused-by-hub": "The hub no longer wanted this job",
}
LAUNCHER_REASONS = frozenset(_WHY)


def told_by_launcher(why: str, exit_code: int | None, signal: int | None, tail: str) -> Outcome:
    """The outcome as the launcher in the job reported it."""
    how = ""
    if signal is not None:
        how = f" (signal {signal})"
    elif exit_code is not None:
        how = f" (exit code {exit_code})"
    remedy = {
        "cannot-start": "The environment of this server lacks its program: please tell your "
        "support, with the log below.",
        "never-listened": "Please show the log below to your support.",
        "server-exited": _REMEDIES[JobState.FAILED] if exit_code or signal else _START_AGAIN,
    }.get(why, _START_AGAIN)
    return Outcome(why, f"{_WHY[why]}{how}.", remedy, detail=tail, exit_code=exit_code)
