"""Asking Slurm: one method for each question, typed answers, no state but two caches.

A question that fails raises a `SlurmError`. Only `JobUnknown` says something about a job;
everything that is not recognised is `SlurmUnreachable`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from slurmhub.slurm import answers
from slurmhub.slurm.advice import advice
from slurmhub.slurm.command import Completed, run
from slurmhub.slurm.dialect import JOB_FIELDS, NODE_FIELDS
from slurmhub.slurm.errors import (
    CommandError,
    JobUnknown,
    ProgramMissing,
    SlurmDenied,
    SlurmError,
    SlurmMissing,
    SlurmTextError,
    SlurmUnreachable,
)
from slurmhub.slurm.records import ClusterFacts, JobRecord
from slurmhub.slurm.version import SlurmVersion

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

# Exactly what squeue says when the controller denies a single job; nothing like it counts.
_UNKNOWN_JOB = "slurm_load_jobs error: Invalid job id specified"
_NO_SUCH_USER = "Invalid user: "
_DENIED = "Access/permission denied"
# Reading an answer larger than this, in bytes, would hold up the event loop.
_LARGE = 512 * 1024


class SlurmClient:
    """One cluster, asked with Slurm's own commands.

    `bin_dir` is where the commands are (None: the system's usual folders), `conf` a slurm.conf
    (None: Slurm's default), `timeout` the seconds that one command may take.
    """

    def __init__(self, bin_dir: Path | None, conf: Path | None, timeout: float = 30) -> None:
        self._bin_dir = bin_dir
        self._conf = conf
        self._timeout = timeout
        self._version: SlurmVersion | None = None
        self._cluster_name: str | None = None

    @property
    def env(self) -> dict[str, str]:
        """The whole environment of every command; nothing of the hub's own is in it."""
        path = SYSTEM_PATH if self._bin_dir is None else f"{self._bin_dir}:{SYSTEM_PATH}"
        # Seconds since 1970 mean the same in every time zone, and twice in no year.
        env = {"PATH": path, "LANG": "C.UTF-8", "SLURM_TIME_FORMAT": "%s"}
        if self._conf is not None:
            env["SLURM_CONF"] = str(self._conf)
        return env

    def program(self, name: str) -> str:
        """The path of one of Slurm's commands, or its bare name when it is on the path."""
        return name if self._bin_dir is None else str(self._bin_dir / name)

    async def version(self) -> SlurmVersion:
        """The release of the installed commands; asked once."""
        if self._version is None:
            output = await self._ask("squeue", "--version")
            try:
                self._version = SlurmVersion.parse(output)
            except SlurmTextError as error:
                raise SlurmUnreachable(error.what, remedy=error.remedy) from error
        return self._version

    async def jobs(self, job_ids: Sequence[int]) -> dict[int, JobRecord]:
        """What Slurm shows of these jobs, by id, in all states and partitions.

        Those that it does not show are left out, which proves nothing about them.
        """
        wanted = sorted(set(job_ids))
        if not wanted:
            return {}
        if len(wanted) == 1:
            try:
                return {wanted[0]: await self.job(wanted[0])}
            except JobUnknown:
                return {}
        found = await self._squeue("--jobs=" + ",".join(map(str, wanted)))
        shown = {record.job_id: record for record in found}
        return {job_id: shown[job_id] for job_id in wanted if job_id in shown}

    async def job(self, job_id: int) -> JobRecord:
        """One job; raises JobUnknown when the controller denies that it knows it."""
        try:
            found = await self._squeue(f"--jobs={job_id}")
        except JobUnknown as error:
            raise JobUnknown(
                f"Slurm's controller knows no job {job_id}.", remedy=error.remedy
            ) from error
        for record in found:
            if record.job_id == job_id:
                return record
        raise SlurmUnreachable(
            f"Slurm answered about job {job_id} without naming it.",
            remedy="Check PrivateData in slurm.conf: the hub's account must see all jobs.",
        )

    async def jobs_of(self, account_name: str) -> list[JobRecord]:
        """All jobs that Slurm shows of one local account, in all states and partitions."""
        if not account_name or "," in account_name:
            raise SlurmUnreachable(
                f"{account_name!r} is not the name of one account.",
                remedy="Ask for one account at a time.",
            )
        return await self._squeue(f"--user={account_name}")

    async def facts(self) -> ClusterFacts:
        """Nodes, partitions and their limits, as they are now."""
        table = answers.Table(NODE_FIELDS)
        taken_at = datetime.now(timezone.utc)
        version, name = await self.version(), await self._name()
        nodes = await self._ask(
            *("sinfo", "--noheader", "--all", "--local", "--noconvert", "--Node"),
            f"--Format={table.format}",
        )
        partitions = await self._ask("scontrol", "--all", "--oneliner", "show", "partition")
        try:
            return ClusterFacts(
                taken_at=taken_at,
                version=version,
                cluster_name=name,
                partitions=answers.read_partitions(partitions),
                nodes=answers.read_nodes(table.rows(nodes)),
            )
        except SlurmTextError as error:
            raise answers.not_understood(error.what.rstrip(".")) from error

    async def fingerprint(self) -> str:
        """A stable text that changes when it may have changed which jobs this account sees."""
        config = await self._config()
        parts = [f"{name}={config.get(name, '')}" for name in ("ClusterName", "PrivateData")]
        parts += [f"SlurmUser={config.get('SlurmUser', '')}", f"euid={os.geteuid()}"]
        hosts = sorted(name for name in config if name.startswith("SlurmctldHost"))
        return "\n".join([*parts, *(f"{name}={config[name]}" for name in hosts)])

    async def rpc_counts(self) -> dict[str, int]:
        """How many messages of each type the controller got since its counts were reset."""
        return answers.read_rpc_counts(await self._ask("sdiag"))

    async def reset_rpc_counts(self) -> None:
        """Set the controller's counts to zero; Slurm allows this to its operators."""
        await self._ask("sdiag", "--reset")

    async def _squeue(self, which: str) -> list[JobRecord]:
        table = answers.Table(JOB_FIELDS)
        output = await self._ask(
            # --local: the jobs of this cluster, without asking whether it is in a federation.
            *("squeue", "--noheader", "--all", "--local", "--states=all", "--noconvert", which),
            # In the environment, which other accounts cannot read: a job's owner who knew the
            # marks while the question is on its way could forge a row.
            extra_env={"SQUEUE_FORMAT2": table.format},
        )
        if len(output) > _LARGE:
            return await asyncio.to_thread(lambda: answers.read_jobs(table.rows(output)))
        return answers.read_jobs(table.rows(output))

    async def _name(self) -> str:
        if self._cluster_name is None:
            self._cluster_name = (await self._config()).get("ClusterName", "")
        return self._cluster_name

    async def _config(self) -> dict[str, str]:
        return answers.read_pairs(await self._ask("scontrol", "show", "config"))

    async def _ask(
        self, name: str, *arguments: str, extra_env: dict[str, str] | None = None
    ) -> str:
        """Run one of Slurm's commands and return what it prints."""
        argv = [self.program(name), *arguments]
        try:
            completed = await run(argv, env=self.env | (extra_env or {}), timeout=self._timeout)
        except ProgramMissing as error:
            raise SlurmMissing(
                error.what, remedy="Install Slurm's commands here, or say where they are."
            ) from error
        except CommandError as error:
            raise SlurmUnreachable(error.what, remedy=error.remedy) from error
        # squeue warns of an unknown account and then ends as if there were no jobs.
        if completed.returncode != 0 or _NO_SUCH_USER in completed.complaint:
            raise _failure(name, completed)
        return completed.output


def _failure(name: str, completed: Completed) -> SlurmError:
    """The error for a command that failed; what is not recognised says nothing about jobs."""
    lines = [line.strip() for line in completed.complaint.splitlines()]
    errors = [line for line in lines if "error" in line or "fatal" in line]
    if name == "squeue" and errors == [_UNKNOWN_JOB]:
        return JobUnknown(
            "Slurm's controller knows no such job.",
            remedy="Start the server again; a job that ended is forgotten after a while.",
        )
    known = advice(completed.complaint)
    said = " ".join(lines)[:500] or f"it ended with status {completed.returncode} and no word"
    what = f"{name} failed: {said}."
    if _NO_SUCH_USER in completed.complaint:
        return SlurmUnreachable(what, remedy="The account must exist on the hub's host.")
    if _DENIED in completed.complaint:
        return SlurmDenied(what, remedy="Give the hub's account the right to ask this in Slurm.")
    return SlurmUnreachable(what, remedy=known.remedy)
