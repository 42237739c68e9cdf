"""Crossing from the hub's account to a person's: everything that is done as the person.

All of it goes through the small program `slurmhub-as-user`. A hub that runs as
root starts it under the person's uid; a hub that is the person starts it
directly; any other hub asks sudo for that one program, without arguments.
"""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slurmhub import metrics
from slurmhub.errors import SlurmhubError
from slurmhub.slurm.command import Account, run
from slurmhub.slurm.errors import ProgramMissing

# What the helper gives sbatch and scancel, and a little for itself.
HELPER_TIMEOUT = 45.0
# What the helper runs of Slurm for each verb; the others have nothing to do with Slurm.
_COMMANDS = {"submit": "sbatch", "cancel": "scancel", "estimate": "sbatch-test"}
# What the helper says of a command besides its refusal.
_TOLD_APART = frozenset({"timeout", "unknown-job", "missing"})
# How sudo and the interpreter begin when they did not even start the helper.
_NEVER_STARTED = (b"sudo:", b"Sorry, user", b"/usr/bin/python3: can't open file")


class CrossingFailed(SlurmhubError):
    """The helper could not be run, or did not answer as it should."""


class NotCrossed(CrossingFailed):
    """The helper was never started, so nothing was asked of Slurm."""


class SubmissionRefused(SlurmhubError):
    """Slurm, or the person's home, refused the job: `message` holds its own words."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message, remedy="")
        self.kind = kind
        self.message = message


class AccountUnknown(SlurmhubError):
    """No such Unix account on the hub's host."""


@dataclass(frozen=True)
class Person:
    """A Unix account that jobs run as, with its home."""

    account: Account
    home: str


def person(account_name: str) -> Person:
    """Look the account up; raises `AccountUnknown`."""
    try:
        entry = pwd.getpwnam(account_name)
    except (KeyError, ValueError) as error:
        raise AccountUnknown(
            f"There is no account {account_name!r} on the hub's host.",
            remedy="Accounts must be the same on the hub and on the compute nodes: please ask "
            "your support to add it.",
        ) from error
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    account = Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, groups=groups)
    return Person(account, entry.pw_dir)


@dataclass(frozen=True)
class Crossing:
    """How this hub runs `slurmhub-as-user`.

    `installed` is the root-owned copy that sudo may run; `bundled` the one of
    this package, with `slurm_conf` and `bin_dir`, for a hub that needs no sudo.
    """

    bundled: Path
    installed: Path
    bin_dir: Path
    slurm_conf: Path | None

    async def submit(
        self,
        account: Account,
        *,
        script: str,
        payload: str,
        directories: Sequence[str],
        deadline: float,
    ) -> int:
        """Submit a batch script as the person; returns the job id.

        After `deadline` (seconds since the epoch) the helper submits nothing
        any more. Raises `SubmissionRefused` with Slurm's words, or
        `CrossingFailed`.
        """
        answer = await self._ask(
            account,
            {
                "verb": "submit",
                "script": script,
                "payload": payload,
                "directories": list(directories),
                "deadline": deadline,
            },
        )
        job_id = answer.get("job_id")
        if not isinstance(job_id, int) or isinstance(job_id, bool):
            raise CrossingFailed(
                "The submission was accepted, but Slurm's answer held no job id.",
                remedy="Please try again; the operator finds the answer in the hub's log.",
            )
        return job_id

    async def cancel(self, account: Account, job_id: int) -> bool:
        """Cancel a job as the person; False when Slurm knows it no more.

        Its owner sees a job whatever PrivateData hides, so that answer can be trusted.
        """
        try:
            await self._ask(account, {"verb": "cancel", "job_id": job_id})
        except SubmissionRefused as refusal:
            if refusal.kind != "unknown-job":
                raise
            return False
        return True

    async def log(self, account: Account, path: str) -> tuple[str, bool]:
        """The last 64 KiB of a file of the person's own, and whether that is all of it.

        Raises `SubmissionRefused`, of the kind "no-file" when there is none, or `CrossingFailed`.
        """
        answer = await self._ask(account, {"verb": "log", "path": path})
        return str(answer.get("text", "")), answer.get("whole") is True

    async def estimate(self, account: Account, script: str) -> float:
        """When such a job of this person would start, in seconds since the epoch; asks sbatch only.

        Raises `SubmissionRefused` with Slurm's words, or `CrossingFailed`.
        """
        answer = await self._ask(account, {"verb": "estimate", "script": script})
        start = answer.get("start")
        if not isinstance(start, int) or isinstance(start, bool):
            raise CrossingFailed(
                "Slurm gave no time for an estimate.",
                remedy="The operator finds the answer in the hub's log.",
            )
        return float(start)

    async def about_files(self, account: Account, request: dict[str, Any]) -> dict[str, Any]:
        """Have one thing done with the files of the person's home, by its verb.

        Raises `SubmissionRefused` with the helper's kind of trouble, or `CrossingFailed`.
        """
        return await self._ask(account, request)

    def command(self, account: Account) -> tuple[list[str], Account | None]:
        """The helper's command line, and the account to start it under, for what is streamed."""
        return self._argv(account)

    async def _ask(self, account: Account, request: dict[str, Any]) -> dict[str, Any]:
        command = _COMMANDS.get(str(request["verb"]))
        if command is None:
            return await self._cross(account, request)
        outcome = "failed"
        try:
            answer = await self._cross(account, request)
            outcome = "answered"
        except SubmissionRefused as refusal:
            outcome = refusal.kind if refusal.kind in _TOLD_APART else "refused"
            raise
        finally:
            metrics.QUERIES.labels(command, outcome).inc()
        return answer

    async def _cross(self, account: Account, request: dict[str, Any]) -> dict[str, Any]:
        argv, become = self._argv(account)
        try:
            completed = await run(
                argv,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                stdin=json.dumps(request).encode(),
                timeout=HELPER_TIMEOUT,
                account=become,
            )
        except ProgramMissing as error:
            raise NotCrossed(error.what, remedy=error.remedy) from error
        try:
            answer = json.loads(completed.stdout)
            accepted = answer["ok"]
        except (ValueError, TypeError, KeyError) as error:
            started = completed.stdout or not completed.stderr.startswith(_NEVER_STARTED)
            kind = CrossingFailed if started else NotCrossed
            raise kind(
                f"The hub could not act as {account.name}: {_last_line(completed.stderr)}.",
                remedy="Please tell the operator to run 'slurmhub helper install' and to check "
                "that this account is in the group the helper serves.",
            ) from error
        if accepted is not True:
            raise SubmissionRefused(str(answer.get("kind", "")), str(answer.get("message", "")))
        return dict(answer)

    def _argv(self, account: Account) -> tuple[list[str], Account | None]:
        if os.geteuid() not in (0, account.uid):
            return ["/usr/bin/sudo", "-n", "-u", account.name, "--", str(self.installed)], None
        settings: dict[str, Any] = {
            "bin_dir": str(self.bin_dir),
            "slurm_conf": str(self.slurm_conf) if self.slurm_conf else None,
        }
        if os.geteuid() != 0:
            # The hub is the person: nothing is crossed, so any account that is not root will do.
            settings["min_uid"] = min(account.uid, 1000)
        argv = ["/usr/bin/python3", "-IS", str(self.bundled), "--settings", json.dumps(settings)]
        return argv, account if os.geteuid() == 0 else None


def submission_deadline(seconds: float) -> float:
    """When a submission asked for now must not happen any more, in seconds since the epoch."""
    return time.time() + seconds


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "the helper gave no answer"
