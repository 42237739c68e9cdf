"""What a run came to, in a few lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from slurmhub_deploy.operate.running.events import TaskEnded
from slurmhub_deploy.operate.running.run import Outcome


def summary(outcome: Outcome, layers: Sequence[str]) -> list[str]:
    """How much was changed in each layer, or that nothing was."""
    changed = [each for each in outcome.ended if each.status == "changed"]
    if not changed:
        return ["Nothing was changed."]
    by_layer = Counter(each.layer for each in changed)
    known = [name for name in layers if name in by_layer]
    lines = []
    for layer in [*known, *(name for name in by_layer if name not in known)]:
        lines.append(f"{layer}: {by_layer[layer]} changed on {_hosts(changed, layer)}")
    return lines


def _hosts(changed: Sequence[TaskEnded], layer: str) -> str:
    names = list(dict.fromkeys(each.host for each in changed if each.layer == layer))
    shown = names if len(names) <= 6 else [*names[:5], f"{len(names) - 5} more hosts"]
    return ", ".join(shown)
