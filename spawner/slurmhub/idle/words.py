"""What a person is told of a server that does nothing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from slurmhub.ledger import Outcome
from slurmhub.options.words import age_plain, span_plain

_NOT_USED = (
    "A server counts as used while somebody works in it, or a program in it computes or writes."
)
_WITHOUT = (
    "Your files are kept. Start it without a GPU to read, write and prepare, and with one when you "
    "compute."
)


@dataclass(frozen=True)
class Idle:
    """A warning: `kind` is server or gpu, `ends_at` in seconds since the epoch.

    `due` is the same moment by the loop's clock, which no correction of the time moves.
    """

    kind: str
    ends_at: float
    why: str
    due: float

    def as_json(self) -> dict[str, object]:
        """For the status endpoint and the pages."""
        left = age_plain(self.ends_at - time.time())
        return {"ends_at": self.ends_at, "why": self.why, "kind": self.kind, "left": left}


def warned(kind: str, ends_at: float, seconds: float) -> Idle:
    """The warning of a server that has done nothing for so many seconds."""
    if kind == "gpu":
        why = f"The GPU of this server has done nothing for {span_plain(seconds)}."
    else:
        why = f"Nobody has used this server for {span_plain(seconds)}."
    left = ends_at - time.time()
    return Idle(kind, ends_at, why, asyncio.get_running_loop().time() + left)


def ended(kind: str, seconds: float) -> Outcome:
    """The outcome of a server that was ended for that."""
    if kind == "gpu":
        plain = f"This server was stopped because its GPU did nothing for {span_plain(seconds)}."
        return Outcome("idle-gpu", plain, _WITHOUT)
    plain = f"This server was stopped because nobody used it for {span_plain(seconds)}."
    return Outcome("idle", plain, f"Your files are kept. You can start it again. {_NOT_USED}")
