"""Submissions that were not taken, in words for the person who asked."""

from __future__ import annotations

from slurmhub.courses.slurm.desired import is_courses
from slurmhub.courses.slurm.refusals import refused as refused_to_course
from slurmhub.job.last_words import Finding, disk_full, over_quota
from slurmhub.ledger import Outcome
from slurmhub.slurm.advice import advice

# Stands for the home: what the helper calls "home" is always there.
_ANY = "/home"
_HOME = "Your home folder cannot be used by your servers."
_REPAIR = "This is not your doing: please show this page to your support, who can repair it."
_BY_KIND = {
    "missing": (
        "The hub cannot run Slurm's commands, so no job was submitted.",
        "This is not your doing: please show this page to your support.",
    ),
    "forbidden": (
        "This hub may not start servers for your account.",
        "Ask your support whether your account may use this hub.",
    ),
    "invalid": (
        "The hub's own request was not in order, so no job was submitted.",
        "This is not your doing: please show this page to your support.",
    ),
    "late": (
        "The hub was too busy to ask Slurm for this job in time, so no job was submitted.",
        "Try again in a few minutes.",
    ),
    "home": (_HOME, _REPAIR),
}


def not_submitted(kind: str, words: str, *, account: object = None) -> Outcome:
    """A submission that was not taken, by the helper's kind; `words` are its or Slurm's own.

    `account` is the Slurm account that was to be charged, where one was named.
    """
    words = words.strip()[:2000]
    if kind == "home":
        if "No space left" in words:
            return _found(disk_full(_ANY, _ANY), words)
        if "quota exceeded" in words:
            return _found(over_quota(_ANY, _ANY), words)
        if words.startswith("The home folder"):
            return Outcome(kind, _home_words(words), _REPAIR, detail=words)
    if kind in _BY_KIND:
        plain, remedy = _BY_KIND[kind]
        return Outcome(kind, plain, remedy, detail=words)
    return refused(words, account=account)


def _home_words(words: str) -> str:
    if "No such file" in words:
        return "Your home folder does not exist yet, or its disk is not there now."
    if "Permission denied" in words:
        return "Your home folder is closed to your own account."
    return _HOME


def refused(words: str, *, account: object = None) -> Outcome:
    """Slurm's refusal of a submission, with our advice beside its own words."""
    counsel = refused_to_course(words) if is_courses(account) else advice(words)
    return Outcome("refused", counsel.plain, counsel.remedy, detail=words.strip()[:2000])


def _found(found: Finding, words: str) -> Outcome:
    return Outcome(found.kind, found.plain, found.remedy, detail=words)
