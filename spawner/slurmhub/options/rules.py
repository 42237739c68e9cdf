"""What a profile says of one field: fixed, bounded, one of a few, or free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slurmhub.options.fields import READERS, NotReadable
from slurmhub.options.refusal import Problem, shown
from slurmhub.options.request import FIELDS

FREE = "free"
"""Stands, in a profile, for a field that is as open as where everything is chosen."""

LONGEST = "max"
"""Stands, as the hours of a profile, for the longest time that its partition gives."""

_BOUNDABLE = ("cpus", "memory", "gpus", "hours")
_ALLOWED = "Give a value, 'free', a mapping of min, max and default, or one of choices and default"


class RuleWrong(Exception):
    """What a profile says of a field cannot be used; the text says what is, and what would do."""


@dataclass(frozen=True)
class Free:
    """Open, as on the form of everything."""


@dataclass(frozen=True)
class Fixed:
    """One value, which nobody changes."""

    value: str


@dataclass(frozen=True)
class Bounded:
    """From `least` to `most`, each as typed or None for no bound; `start` is filled in first."""

    least: str | None
    most: str | None
    start: str


@dataclass(frozen=True)
class Chosen:
    """One of a few values, each as typed; `start` is filled in first."""

    choices: tuple[str, ...]
    start: str


Rule = Free | Fixed | Bounded | Chosen


def read_rule(field: str, said: object) -> Rule:
    """The rule that a profile's data says for a field; raises RuleWrong."""
    if field not in FIELDS:
        raise RuleWrong(f"is no field. Fields are: {', '.join(FIELDS)}")
    if said == FREE:
        return Free()
    if said == LONGEST and field == "hours":
        return Fixed(LONGEST)
    if not isinstance(said, Mapping):
        return Fixed(_typed(field, said))
    names = frozenset(said)
    if names and names <= {"min", "max", "default"} and names != {"default"}:
        return _bounded(field, said)
    if "choices" in names and names <= {"choices", "default"}:
        return _chosen(field, said)
    raise RuleWrong(f"has {_listed(names)}. {_ALLOWED}")


def value_problem(field: str, rule: Bounded | Chosen, value: object, title: str) -> Problem | None:
    """What stands against a value that somebody gives, or None."""
    try:
        read: Any = READERS[field](value)
    except NotReadable as error:
        return Problem(field, shown(value), str(error))
    if isinstance(rule, Chosen):
        if any(READERS[field](choice) == read for choice in rule.choices):
            return None
        message = f"With “{title}” this is one of a few values."
        return Problem(field, shown(value), message, choices=rule.choices)
    if rule.most is not None and read > READERS[field](rule.most):
        message = f"With “{title}” this is at most {rule.most}."
        return Problem(field, shown(value), message, limit=rule.most)
    if rule.least is not None and read < READERS[field](rule.least):
        message = f"With “{title}” this is at least {rule.least}."
        return Problem(field, shown(value), message, limit=rule.least)
    return None


def _bounded(field: str, said: Mapping[str, object]) -> Bounded:
    if field not in _BOUNDABLE:
        raise RuleWrong(
            f"has {_listed(said)}, but no order. Bounds are for {', '.join(_BOUNDABLE)}; "
            "give choices here"
        )
    least, most, start = (
        _typed(field, said[name]) if name in said else None for name in ("min", "max", "default")
    )
    first = start or least or most
    if first is None:
        raise RuleWrong(f"has no bound. {_ALLOWED}")
    rule = Bounded(least, most, first)
    order: list[Any] = [READERS[field](one) for one in (least, first, most) if one is not None]
    if order != sorted(order):
        raise RuleWrong(
            f"is min {least or 'none'}, default {first}, max {most or 'none'}. "
            "Give them in this order, the smallest first"
        )
    return rule


def _chosen(field: str, said: Mapping[str, object]) -> Chosen:
    given = said["choices"]
    if not isinstance(given, (list, tuple)) or not given:
        raise RuleWrong(f"has choices {shown(given)}. Give a list of at least one value")
    choices = tuple(_typed(field, one) for one in given)
    start = _typed(field, said["default"]) if "default" in said else choices[0]
    if start not in choices:
        raise RuleWrong(f"has the default {start}. Give one of the choices: {', '.join(choices)}")
    return Chosen(choices, start)


def _typed(field: str, value: object) -> str:
    """One value of a profile as a person would type it; raises RuleWrong."""
    try:
        READERS[field](value)
    except NotReadable as error:
        raise RuleWrong(f"is {shown(value) or 'empty'}. {str(error).rstrip('.')}") from error
    if isinstance(value, (list, tuple)):
        return ",".join(value)
    return value.strip(" ") if isinstance(value, str) else str(value)


def _listed(names: Iterable[object]) -> str:
    return ", ".join(sorted(shown(name) for name in names)) or "nothing"
