"""A plan as people read it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from slurmhub_deploy.operate.planning.plan import Plan, Planned
from slurmhub_deploy.operate.running.events import Change

_LINES = 40
"""Of one file; more is in the log."""


def as_text(plan: Plan, layers: Sequence[str]) -> str:
    """Changes by layer and host, whom they touch, what is refused."""
    if plan.nothing:
        return "Nothing would change."
    lines: list[str] = []
    names = dict.fromkeys([*layers, *(each.layer for each in plan.planned)])
    for layer in names:
        found = [each for each in plan.planned if each.layer == layer]
        if found:
            lines += _layer(layer, found)
    if plan.new_secrets:
        number = len(plan.new_secrets)
        what = "1 secret" if number == 1 else f"{number} secrets"
        lines += ["", f"{what} would be made and kept in the vault."]
    if plan.touched:
        lines += ["", "Whom it touches"]
        lines += [f"  {each.as_text()}" for each in plan.touched]
    if plan.unforeseen:
        lines += ["", "Could not be foreseen, nor what comes after it on that host"]
        lines += [f"  {line}" for each in plan.unforeseen for line in each.as_text().splitlines()]
    if any(not each.unreached for each in plan.unforeseen):
        lines += [
            "  Where nothing is installed yet this is to be expected: it needs what a change"
            " above would bring."
        ]
    if plan.would_destroy:
        lines += ["", f"REFUSED: it would destroy what is on {', '.join(plan.would_destroy)}."]
    return "\n".join(lines).strip()


def _layer(layer: str, found: Sequence[Planned]) -> Iterator[str]:
    yield ""
    yield f"{layer}: {len(found)} change{'' if len(found) == 1 else 's'}"
    # Hosts on which the same happens are named together.
    together: dict[tuple[str, str, tuple[Change, ...]], list[str]] = {}
    for each in found:
        together.setdefault((each.role, each.task, each.changes), []).append(each.host)
    for (role, task, changes), hosts in together.items():
        yield f"  {', '.join(sorted(set(hosts)))}  {role + ': ' if role else ''}{task}"
        for change in changes:
            yield from (f"      {line}" for line in _diff(change))


def _diff(change: Change) -> list[str]:
    before, after = change.before.splitlines(), change.after.splitlines()
    if change.header and not before and len(after) > 1:
        lines = [f"{change.header}: new, {len(after)} lines"]
    else:
        compared = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
        # Where in the file it is, people see from the lines around it.
        different = [line for line in compared if not line.startswith("@@")]
        if not different and not change.header:
            different = after
        lines = [change.header, *different] if change.header else different
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], f"({len(lines) - _LINES} more lines)"]
    return lines
