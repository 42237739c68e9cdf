"""What a command of Slurm that failed means, for a job or for a change of it."""

from __future__ import annotations

from slurmhub.slurm.advice import advice
from slurmhub.slurm.command import Completed
from slurmhub.slurm.errors import (
    ChangeRefused,
    JobUnknown,
    SlurmDenied,
    SlurmError,
    SlurmUnreachable,
)

# Exactly what squeue says when the controller denies a single job; nothing like it counts.
_UNKNOWN_JOB = "slurm_load_jobs error: Invalid job id specified"
_NO_JOB = "Invalid job id specified"
NO_SUCH_USER = "Invalid user: "
_DENIED = "Access/permission denied"
# Advice of these kinds is about the way to the controller, which then decided nothing.
NO_ANSWER = frozenset({"unreachable", "munge", "rate", "configuration"})


def failure(name: str, completed: Completed) -> SlurmError:
    """The error for a command that failed; what is not recognised says nothing about jobs."""
    lines = [line.strip() for line in completed.complaint.splitlines()]
    errors = [line for line in lines if "error" in line or "fatal" in line]
    update = name == "scontrol" and "update" in completed.argv
    if (name == "squeue" and errors == [_UNKNOWN_JOB]) or (
        update and _NO_JOB in completed.complaint
    ):
        return JobUnknown(
            "Slurm's controller knows no such job.",
            remedy="Start the server again; a job that ended is forgotten after a while.",
        )
    known = advice(completed.complaint)
    said = " ".join(lines)[:500] or f"it ended with status {completed.returncode} and no word"
    what = f"{name} failed: {said}."
    if NO_SUCH_USER in completed.complaint:
        return SlurmUnreachable(what, remedy="The account must exist on the hub's host.")
    # Who may not change another's job is told "Invalid user id".
    if _DENIED in completed.complaint or (update and known.kind == "denied"):
        return SlurmDenied(what, remedy="Give the hub's account the right to ask this in Slurm.")
    if update and known.kind not in NO_ANSWER:
        return ChangeRefused(what, remedy=known.remedy, said=completed.complaint)
    return SlurmUnreachable(what, remedy=known.remedy)
