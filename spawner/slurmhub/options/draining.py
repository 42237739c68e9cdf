"""No new servers while an operator says so."""

from __future__ import annotations

from slurmhub.announcing import draining
from slurmhub.options.refusal import GENERAL, Problem, Refusal


def refuse_while_draining(partition: str) -> None:
    """Raise Refusal with the operator's words where no new server may start now."""
    notice = draining(partition)
    if notice is None:
        return
    if notice.partition is None:
        problem = Problem(GENERAL, "", f"No new servers start at the moment: {notice.text}")
    else:
        problem = Problem(
            "partition",
            partition,
            f"No new servers start in this partition at the moment: {notice.text}",
        )
    raise Refusal(
        [problem],
        what="No server can be started just now.",
        remedy="Servers that run or wait are not affected.",
    )
