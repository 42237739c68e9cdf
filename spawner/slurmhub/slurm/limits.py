"""Slurm's names for limits of accounts and QOS, such as QOSMaxCpuPerUserLimit, in plain words.

Slurm uses the same names for the reason a job waits and for a refusal of sbatch. They follow
a pattern that is read here, so that all two hundred of them, and those of a later release,
have a sentence. Source: Slurm's page on job reason codes and on resource limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class LimitReached:
    """What a limit's name says.

    `plain` is the fact, `waiting` what that means for a job that waits, `remedy` what to do
    when a request was refused because of it.
    """

    plain: str
    waiting: str
    remedy: str


# How a resource is called, and the time for which it is used.
_RESOURCES = {
    "cpu": ("CPUs", "CPU time"),
    "gres": ("GPUs or other special resources", "GPU time"),
    "mem": ("memory", "memory time"),
    "memory": ("memory", "memory time"),
    "node": ("nodes", "node time"),
    "license": ("licences", "licence time"),
    "bb": ("burst buffer space", "burst buffer time"),
    "billing": ("billing units", "billing units"),
    "energy": ("energy", "energy"),
    "unknown": ("of a special resource", "time of a special resource"),
    "wall": ("run time", "run time"),
}
_GROUP = re.compile(
    r"(Assoc|QOS)Grp([A-Za-z]+?)(RunMinutes|Minutes)?(?:Limit)?", re.ASCII | re.IGNORECASE
)
_MAXIMUM = re.compile(
    r"(Assoc|QOS)Max([A-Za-z]+?)(Minutes)?(?:Per(Job|Node|User))(?:Limit)?", re.ASCII
)
_ACCOUNT_MAXIMUM = re.compile(r"Max([A-Za-z]+?)PerAccount", re.ASCII)
_MINIMUM = re.compile(r"QOSMin([A-Za-z]+?)(?:NotSatisfied)?", re.ASCII)

_STARTS_WHEN_FREE = "It starts when other jobs there have ended."
_STARTS_AFTER_YOURS = "It starts when one of your other jobs has ended."
_NEVER = "It cannot start as it is: stop it and ask for less."
_ASK_LESS = "Ask for less."
_WAIT_OR_LESS = "Wait until other jobs there have ended, or ask for less."
_STOP_YOURS = "Stop one of your other jobs first."
_USED_UP = "Ask whoever manages it, or your support, for more."

_WHOLE_NAMES = {
    "AssocMaxJobsLimit": LimitReached(
        "You have as many running jobs as your account allows one person.",
        _STARTS_AFTER_YOURS,
        _STOP_YOURS,
    ),
    "AssocMaxSubmitJobLimit": LimitReached(
        "You have as many jobs, waiting and running, as your account allows one person.",
        _STARTS_AFTER_YOURS,
        _STOP_YOURS,
    ),
    "QOSMaxSubmitJobPerUserLimit": LimitReached(
        "You have as many jobs, waiting and running, as the QOS allows one person.",
        _STARTS_AFTER_YOURS,
        _STOP_YOURS,
    ),
    "AssocMaxWallDurationPerJobLimit": LimitReached(
        "The job asks for more time than your account allows one job.",
        _NEVER,
        "Ask for fewer hours.",
    ),
    "QOSMaxWallDurationPerJobLimit": LimitReached(
        "The job asks for more time than the QOS allows one job.",
        _NEVER,
        "Ask for fewer hours.",
    ),
}


def limit_named(word: str) -> LimitReached | None:
    """What the name of a limit says; None when it is not one."""
    known = _WHOLE_NAMES.get(word)
    if known is not None:
        return known
    if match := _MAXIMUM.fullmatch(word):
        return _maximum(_owner(match[1]), match[2], minutes=bool(match[3]), per=match[4])
    if match := _GROUP.fullmatch(word):
        return _group(_owner(match[1]), match[2], (match[3] or "").lower())
    if match := _ACCOUNT_MAXIMUM.fullmatch(word):
        what = _in_use(match[1])
        return LimitReached(
            f"Your account has {what} the QOS allows one account.",
            _STARTS_WHEN_FREE,
            _WAIT_OR_LESS,
        )
    if match := _MINIMUM.fullmatch(word):
        return LimitReached(
            f"The job asks for less than the QOS demands of every job ({_resource(match[1])}).",
            "It cannot start as it is: stop it and ask for more.",
            "Ask for more, or for another QOS or partition.",
        )
    return None


def _group(owner: str, resource: str, minutes: str) -> LimitReached:
    if minutes == "runminutes":
        return LimitReached(
            f"The running jobs of {owner} hold as much {_time(resource)} as they may.",
            _STARTS_WHEN_FREE,
            _WAIT_OR_LESS,
        )
    if minutes or resource.lower() == "wall":
        return LimitReached(
            f"The {_time(resource)} that {owner} may use is used up.",
            "It starts when there is more of it.",
            _USED_UP,
        )
    return LimitReached(
        f"All people of {owner} together have {_in_use(resource)} it allows.",
        _STARTS_WHEN_FREE,
        _WAIT_OR_LESS,
    )


def _maximum(owner: str, resource: str, *, minutes: bool, per: str) -> LimitReached:
    if per == "User":
        return LimitReached(
            f"You have {_in_use(resource)} {owner} allows one person.",
            f"{_STARTS_AFTER_YOURS} If you have none, stop it and ask for less.",
            "Stop one of your other jobs first, or ask for less.",
        )
    what = _time(resource) if minutes else _resource(resource)
    where = "on one node than" if per == "Node" else "than"
    return LimitReached(
        f"The job asks for more {what} {where} {owner} allows one job.", _NEVER, _ASK_LESS
    )


def _owner(word: str) -> str:
    return "your account" if word.lower() == "assoc" else "the QOS"


def _in_use(resource: str) -> str:
    if resource.lower() in ("jobs", "job"):
        return "as many running jobs as"
    if resource.lower() in ("submitjobs", "submitjob"):
        return "as many jobs, waiting and running, as"
    if resource.lower() == "unknown":
        return "in use all of a special resource that"
    return f"in use all the {_resource(resource)} that"


def _resource(word: str) -> str:
    return _RESOURCES.get(word.lower(), (word, word))[0]


def _time(word: str) -> str:
    return _RESOURCES.get(word.lower(), (word, word))[1]
