"""The states of a job, and what they mean for the server that runs in it.

Source: "JOB STATE CODES" in the manual of squeue (22.05, 24.11, 26.05) and Slurm's page on
job state codes, which adds the flags that squeue does not list.
"""

from __future__ import annotations

import re
from enum import Enum


class Phase(Enum):
    """What the hub makes of a job's state."""

    PENDING = "pending"
    RUNNING = "running"
    ENDING = "ending"
    GONE = "gone"
    UNKNOWN = "unknown"


class JobState(str, Enum):
    """Every state and flag that Slurm may print for a job, by its long name."""

    BOOT_FAIL = "BOOT_FAIL"
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"
    COMPLETING = "COMPLETING"
    CONFIGURING = "CONFIGURING"
    DEADLINE = "DEADLINE"
    EXPEDITING = "EXPEDITING"
    FAILED = "FAILED"
    LAUNCH_FAILED = "LAUNCH_FAILED"
    NODE_FAIL = "NODE_FAIL"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    PENDING = "PENDING"
    POWER_UP_NODE = "POWER_UP_NODE"
    PREEMPTED = "PREEMPTED"
    RECONFIG_FAIL = "RECONFIG_FAIL"
    REQUEUED = "REQUEUED"
    REQUEUE_FED = "REQUEUE_FED"
    REQUEUE_HOLD = "REQUEUE_HOLD"
    RESIZING = "RESIZING"
    RESV_DEL_HOLD = "RESV_DEL_HOLD"
    REVOKED = "REVOKED"
    RUNNING = "RUNNING"
    SIGNALING = "SIGNALING"
    SPECIAL_EXIT = "SPECIAL_EXIT"
    STAGE_OUT = "STAGE_OUT"
    STOPPED = "STOPPED"
    SUSPENDED = "SUSPENDED"
    TIMEOUT = "TIMEOUT"

    def __str__(self) -> str:
        return self.value

    @classmethod
    def parse(cls, text: str) -> JobState | None:
        """The state that a text of squeue names, long or compact; None if it is not known.

        Where several are joined, as in `RUNNING+SIGNALING`, it is the one that says most:
        a flag before the base state it qualifies.
        """
        known = _BY_NAME.get(text)
        if known is not None:
            return known
        return _joined(text)


_COMPACT = {
    "BF": JobState.BOOT_FAIL,
    "CA": JobState.CANCELLED,
    "CD": JobState.COMPLETED,
    "CF": JobState.CONFIGURING,
    "CG": JobState.COMPLETING,
    "DL": JobState.DEADLINE,
    "F": JobState.FAILED,
    "NF": JobState.NODE_FAIL,
    "OOM": JobState.OUT_OF_MEMORY,
    "PD": JobState.PENDING,
    "PR": JobState.PREEMPTED,
    "R": JobState.RUNNING,
    "RD": JobState.RESV_DEL_HOLD,
    "RF": JobState.REQUEUE_FED,
    "RH": JobState.REQUEUE_HOLD,
    "RQ": JobState.REQUEUED,
    "RS": JobState.RESIZING,
    "RV": JobState.REVOKED,
    "S": JobState.SUSPENDED,
    "SE": JobState.SPECIAL_EXIT,
    "SI": JobState.SIGNALING,
    "SO": JobState.STAGE_OUT,
    "ST": JobState.STOPPED,
    "TO": JobState.TIMEOUT,
}
_BY_NAME: dict[str, JobState] = {state.value: state for state in JobState} | _COMPACT

_BY_PHASE: dict[Phase, frozenset[JobState]] = {
    Phase.PENDING: frozenset(
        {
            JobState.PENDING,
            JobState.CONFIGURING,
            JobState.EXPEDITING,
            JobState.POWER_UP_NODE,
            JobState.REQUEUED,
            JobState.REQUEUE_FED,
            JobState.REQUEUE_HOLD,
            JobState.RESV_DEL_HOLD,
            JobState.SPECIAL_EXIT,
        }
    ),
    Phase.RUNNING: frozenset(
        {
            JobState.RUNNING,
            JobState.RESIZING,
            JobState.SIGNALING,
            JobState.STOPPED,
            JobState.SUSPENDED,
        }
    ),
    Phase.ENDING: frozenset({JobState.COMPLETING, JobState.STAGE_OUT}),
    Phase.GONE: frozenset(
        {
            JobState.BOOT_FAIL,
            JobState.CANCELLED,
            JobState.COMPLETED,
            JobState.DEADLINE,
            JobState.FAILED,
            JobState.LAUNCH_FAILED,
            JobState.NODE_FAIL,
            JobState.OUT_OF_MEMORY,
            JobState.PREEMPTED,
            JobState.RECONFIG_FAIL,
            JobState.REVOKED,
            JobState.TIMEOUT,
        }
    ),
}
_PHASE_OF = {state: phase for phase, states in _BY_PHASE.items() for state in states}

_BASE_STATES = frozenset(
    {JobState.PENDING, JobState.RUNNING, JobState.SUSPENDED, *_BY_PHASE[Phase.GONE]}
) - {JobState.LAUNCH_FAILED, JobState.RECONFIG_FAIL, JobState.REVOKED}

# Says that the accounting database is being told; nothing about the job itself.
_SILENT_FLAG = "UPDATE_DB"


def phase_of(state: JobState | None) -> Phase:
    """What a state means for the hub; a state that is not known is UNKNOWN, never GONE."""
    return Phase.UNKNOWN if state is None else _PHASE_OF[state]


def _joined(text: str) -> JobState | None:
    """Read `BASE+FLAG,FLAG`, other cases, blanks and a trailing `+` for "cut short"."""
    words = [word for word in re.split(r"[+,\s]+", text.upper()) if word and word != _SILENT_FLAG]
    states = [_BY_NAME.get(word) for word in words]
    known = [state for state in states if state is not None]
    bases = {state for state in known if state in _BASE_STATES}
    if len(known) < len(states) or len(bases) > 1:
        # A word we do not know may turn the meaning of the others round.
        return None
    base = next(iter(bases), None)
    order = [Phase.PENDING, Phase.ENDING]
    if base is None or phase_of(base) is not Phase.GONE:
        order.append(Phase.RUNNING)
    if base is None or phase_of(base) is Phase.GONE:
        # A failed launch may leave the job in the queue: the flag alone ends nothing.
        order.append(Phase.GONE)
    for phase in order:
        for state in known:
            if state is not base and _PHASE_OF[state] is phase:
                return state
    return base


_PLAIN: dict[JobState, str] = {
    JobState.BOOT_FAIL: "The computer for your job did not start, so the job ended.",
    JobState.CANCELLED: "The job was cancelled.",
    JobState.COMPLETED: "The job has ended normally.",
    JobState.COMPLETING: "The job is ending: the last processes are being cleaned up.",
    JobState.CONFIGURING: "The job has its place; the computer for it is being made ready.",
    JobState.DEADLINE: "The job could not end before its deadline, so Slurm ended it.",
    JobState.EXPEDITING: "The job was moved to the front of the queue and starts next.",
    JobState.FAILED: "The job ended with an error.",
    JobState.LAUNCH_FAILED: "The job could not be started on the computer chosen for it.",
    JobState.NODE_FAIL: "The computer that ran your job failed.",
    JobState.OUT_OF_MEMORY: "The job used more memory than it had asked for and was ended.",
    JobState.PENDING: "The job is waiting in the queue.",
    JobState.POWER_UP_NODE: "The job has its place; the computer for it is being switched on.",
    JobState.PREEMPTED: "The job had to give way to a more urgent one.",
    JobState.RECONFIG_FAIL: "The computer for your job could not be prepared.",
    JobState.REQUEUED: "The job was put back into the queue and will start again.",
    JobState.REQUEUE_FED: "The job was put back into the queue of another cluster.",
    JobState.REQUEUE_HOLD: "The job was put back into the queue and is held there.",
    JobState.RESIZING: "The job is running; its size is being changed.",
    JobState.RESV_DEL_HOLD: "The reservation the job asked for was deleted; the job is held.",
    JobState.REVOKED: "The job was withdrawn because another cluster took it.",
    JobState.RUNNING: "The job is running.",
    JobState.SIGNALING: "The job is running; a signal is being sent to it.",
    JobState.SPECIAL_EXIT: "The job was put back into the queue in a special state and is held.",
    JobState.STAGE_OUT: "The job is ending: its files are being copied out.",
    JobState.STOPPED: "The job is paused and keeps its place.",
    JobState.SUSPENDED: "The job is paused for now; it goes on when its place is free again.",
    JobState.TIMEOUT: "The job reached its time limit.",
}


def plain_state(state: JobState | None) -> str:
    """One sentence that a student understands."""
    return "Slurm reports a state that is not known here." if state is None else _PLAIN[state]
