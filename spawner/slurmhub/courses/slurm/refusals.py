"""Why Slurm refused a course's server, in words for who wanted it.

The texts are what sbatch of 22.05 said, with each limit reached for real:

    sbatch: error: QOSGrpSubmitJobsLimit
    sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit
    limit, user's size and/or time limits)

The first line names the limit; the second is the same for all of them.
"""

from __future__ import annotations

from slurmhub.slurm.advice import Advice, advice

_FULL = Advice(
    "course-full",
    "All servers that this course may have at once are in use.",
    "Try again when somebody has stopped theirs, or ask your instructor for more places.",
)
_SECOND = Advice(
    "course-second",
    "You have a server of this course already, or you are not in the course any more.",
    "Use the server that you have; if you have none, ask your instructor.",
)
_LARGE = Advice(
    "course-large",
    "This asks for more than a server of this course has.",
    "Start it with the course's own button.",
)
_UNKNOWN = Advice(
    "course-unknown",
    "The cluster does not know you in this course yet.",
    "Try again in a minute; if it goes on, ask your instructor.",
)

_BY_TEXT: tuple[tuple[str, Advice], ...] = (
    ("GrpSubmitJobsLimit", _FULL),
    ("MaxSubmitJobPerUserLimit", _SECOND),
    ("AssocMaxSubmitJobLimit", _SECOND),
    ("QOSMax", _LARGE),
    ("AssocMax", _LARGE),
    ("QOSGrp", _FULL),
    ("AssocGrp", _FULL),
    ("Invalid account or account/partition combination", _UNKNOWN),
    ("Invalid qos specification", _UNKNOWN),
)


def refused(said: str) -> Advice:
    """What sbatch's refusal of a course's server means; other refusals as for any server."""
    for text, known in _BY_TEXT:
        if text in said:
            return known
    return advice(said)
