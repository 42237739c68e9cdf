"""Who ended a job: through this hub, or past it with Slurm's own commands."""

from __future__ import annotations

import pwd
from dataclasses import dataclass

from slurmhub.ledger import Outcome

_START_AGAIN = "You can start it again."
_ASK = "If you do not know why, ask your support. You can start it again."


@dataclass(frozen=True)
class Asker:
    """Who asked this hub for something: `kind` is "user" or "service"."""

    name: str
    kind: str = "user"


def stopped_by(asker: Asker | None, owner: str) -> Outcome:
    """The outcome of a server that is ended through this hub; `owner` is whose it is."""
    if asker is None:
        return Outcome("stopped", "This server was stopped.", _START_AGAIN)
    if asker.kind == "service":
        words = f"The service “{asker.name}” of this hub stopped this server."
        return Outcome("stopped-by-other", words, _ASK)
    if asker.name != owner:
        words = f"{asker.name}, who looks after this hub, stopped this server."
        return Outcome("stopped-by-other", words, f"Ask {asker.name} why. {_START_AGAIN}")
    return Outcome("stopped", "You stopped this server.", _START_AGAIN)


def cancelled(by: int | None, owner: int) -> Outcome:
    """The outcome of a job that was cancelled past this hub.

    `by` is the uid that Slurm's accounting names, None where it does not say; `owner` the uid
    of the job. Looks a name up, which may take a while: not for the event loop.
    """
    if by is None:
        words = "The job was cancelled, but not by you through this hub."
        return Outcome("cancelled", words, _ASK)
    if by == owner:
        words = "You cancelled this job yourself, outside of this hub (with scancel)."
        return Outcome("cancelled", words, _START_AGAIN)
    if by == 0:
        words = "The administrators of the cluster, or Slurm itself, cancelled this job."
        return Outcome("cancelled", words, _ASK)
    try:
        name = pwd.getpwuid(by).pw_name
    except KeyError:
        name = f"an account without a name (uid {by})"
    words = f"The job was cancelled in Slurm by {name}."
    return Outcome("cancelled", words, _ASK)
