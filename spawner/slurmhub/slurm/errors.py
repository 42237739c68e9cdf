"""What can go wrong between the hub and Slurm.

The distinction that matters most: only `JobUnknown` may ever mean that a job is gone.
Everything that is not recognised is `SlurmUnreachable`, which means that nothing is known.
"""

from __future__ import annotations

from slurmhub.errors import SlurmhubError


class SlurmError(SlurmhubError):
    """Slurm, or the way to it, did not give what was asked for."""


class SlurmMissing(SlurmError):
    """One of Slurm's programs is not installed where it is looked for."""


class SlurmUnreachable(SlurmError):
    """Nothing is known: no answer, no answer in time, or an answer that is not understood."""


class JobUnknown(SlurmError):
    """The controller denied, in answer to a question about one job, that it knows the job."""


class SlurmDenied(SlurmError):
    """The controller answered that this account may not do or see what it asked for."""


class ChangeRefused(SlurmError):
    """The controller refused a change of a job; `said` holds its own words."""

    def __init__(self, what: str, *, remedy: str, said: str) -> None:
        super().__init__(what, remedy=remedy)
        self.said = said


class SlurmTextError(SlurmError, ValueError):
    """A text does not follow Slurm's grammar for what it should be."""


class CommandError(SlurmhubError):
    """A program could not be run to its end."""


class ProgramMissing(CommandError):
    """The program does not exist or may not be executed."""


class ProgramTimeout(CommandError):
    """The program did not end in its time and was killed."""


class ProgramOutputTooLarge(CommandError):
    """The program wrote more than it was allowed to and was killed."""


_OUTCOMES: dict[type[SlurmError], str] = {
    SlurmMissing: "missing",
    JobUnknown: "unknown-job",
    SlurmDenied: "denied",
    ChangeRefused: "refused",
}


def outcome_of(error: SlurmError) -> str:
    """One word for a question that failed, to be counted under."""
    if isinstance(error.__cause__, ProgramTimeout):
        return "timeout"
    return _OUTCOMES.get(type(error), "failed")
