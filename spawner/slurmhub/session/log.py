"""The log of a job: where it is, and its end, read as the person whose job it is."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass

from slurmhub.errors import SlurmhubError
from slurmhub.job.crossing import Crossing, SubmissionRefused, person
from slurmhub.job.policy import ScriptPolicy
from slurmhub.ledger import Intent

# sbatch(1), "filename pattern": those that are known before the job runs.
_PATTERN = re.compile(r"%(\d*)([%jAxuN])")


class LogUnreadable(SlurmhubError):
    """The log is there, or should be, and cannot be shown; the text is for its owner."""


@dataclass(frozen=True)
class JobLog:
    """The end of a log; `whole` when that is all of it, `path` where it lies. Control characters
    are replaced, and an empty `path` says that there is no log yet."""

    text: str
    path: str = ""
    whole: bool = True


class LogReader:
    """Reads logs as the people whose they are, a few at a time."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        # Each is a process or three on the hub's host.
        self._crossings = asyncio.Semaphore(2 * (os.cpu_count() or 1))

    async def read(self, intent: Intent, policy: ScriptPolicy) -> JobLog:
        """The last 64 KiB of a job's log. Raises SlurmhubError."""
        # A file of the name of a job that never ran is another's: a cluster set up anew counts
        # its jobs from one again.
        if intent.job_id is None or (intent.started is None and intent.ended is None):
            return JobLog("")
        owner = await asyncio.to_thread(person, intent.account)
        path = log_file(policy.log_path(owner.home), policy.job_name, intent)
        try:
            async with self._crossings:
                text, whole = await self._crossing.log(owner.account, path)
        except SubmissionRefused as refusal:
            if refusal.kind == "no-file":
                return JobLog("")
            raise LogUnreadable(
                "The log of this job cannot be read.", remedy=refusal.message
            ) from refusal
        return JobLog(_printable(text), path, whole)


def log_file(pattern: str, job_name: str, intent: Intent) -> str:
    """The file that sbatch makes of the pattern of --output."""
    known = {
        "%": "%",
        "j": str(intent.job_id),
        "A": str(intent.job_id),
        "x": job_name,
        "u": intent.account,
        "N": (intent.node or "").partition(".")[0],
    }

    def written(found: re.Match[str]) -> str:
        width, letter = found.groups()
        return known[letter].zfill(int(width)) if width and letter in "jA" else known[letter]

    return _PATTERN.sub(written, pattern)


def _printable(text: str) -> str:
    return "".join(
        char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for char in text.replace("\r\n", "\n")
    )
