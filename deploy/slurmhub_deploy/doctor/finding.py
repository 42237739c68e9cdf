"""What a check finds, and what a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from slurmhub_deploy.doctor.facts import Facts

Level = Literal["error", "warning", "unknown"]
"""`error`: somebody is kept from their work. `warning`: somebody will be, or a part is out of use.
`unknown`: it could not be looked at."""


@dataclass(frozen=True)
class Said:
    """What is wrong, where, and what to do."""

    where: str
    what: str
    remedy: str
    level: Level = "error"


@dataclass(frozen=True)
class Check:
    """One thing that is looked at: `looks_at` in a few words, `matters` to whom and why."""

    name: str
    looks_at: str
    matters: str
    find: Callable[[Facts], Iterator[Said]]


@dataclass(frozen=True)
class Finding:
    """What a check said."""

    check: str
    level: Level
    where: str
    what: str
    matters: str
    remedy: str

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return {
            "check": self.check,
            "level": self.level,
            "where": self.where,
            "what": self.what,
            "matters": self.matters,
            "remedy": self.remedy,
        }


def findings(checks: tuple[Check, ...], facts: Facts) -> list[Finding]:
    """All that the checks find, in the order of the checks."""
    return [
        Finding(check.name, said.level, said.where, said.what, check.matters, said.remedy)
        for check in checks
        for said in check.find(facts)
    ]
