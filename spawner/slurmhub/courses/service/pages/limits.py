"""What an institution allows of a course, in words beside the fields of the form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from slurmhub.courses.bounds import amount_said
from slurmhub.courses.policy import Bounds, Policy
from slurmhub.slurm.memory import Memory

FIELD_OF: Mapping[str, str] = {
    "cpus": "profile.cpus",
    "memory": "profile.memory",
    "gpus": "profile.gpus",
    "hours": "profile.hours",
    "room": "storage.quota",
    "seats": "seats",
    "running_cpus": "running",
    "running_gpus": "running",
    "class_hours_a_week": "class_hours",
    "days": "term.last",
}
"""The field of the form that each bound is of."""

_MOST: Mapping[str, str] = {
    "running_cpus": "All servers of a course together have at most {amount}.",
    "running_gpus": "All servers of a course together have at most {amount}.",
    "class_hours_a_week": "The classes of a week have at most {amount}.",
    "days": "A term has at most {amount}.",
}
_FREE: Mapping[str, str] = {
    "running_cpus": "More than {amount} for all servers together needs approval.",
    "running_gpus": "More than {amount} for all servers together needs approval.",
}


def limits_said(policy: Policy) -> dict[str, list[str]]:
    """The sentences for each field that is bounded."""
    found: dict[str, list[str]] = {}
    for bound, field in FIELD_OF.items():
        found.setdefault(field, []).extend(_said(bound, policy))
    return {field: words for field, words in found.items() if words}


def _said(bound: str, policy: Policy) -> Iterator[str]:
    most, free = _amount(policy.bounds, bound), _amount(policy.free, bound)
    if most is not None:
        yield _MOST.get(bound, "At most {amount}.").format(amount=amount_said(bound, most))
    if free is not None and (most is None or free < most):
        words = _FREE.get(bound, "More than {amount} needs approval.")
        yield words.format(amount=amount_said(bound, free))


def _amount(bounds: Bounds | None, bound: str) -> float | None:
    value = None if bounds is None else getattr(bounds, bound)
    return float(Memory.parse(value).mebibytes) if isinstance(value, str) else value
