"""Asking Slurm: one method for each question, typed answers, no state but two caches.

A question that fails raises a `SlurmError`. Only `JobUnknown` says something about a job;
everything that is not recognised is `SlurmUnreachable`.
"""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from slurmhub import metrics
from slurmhub.slurm import answers, failing
from slurmhub.slurm.accounting import (
    ASSOCIATION_FIELDS,
    QOS_FIELDS,
    Accounting,
    read_accounting,
)
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
    outcome_of,
)
from slurmhub.slurm.pending import PENDING_FIELDS, PendingJobs, read_pending
from slurmhub.slurm.records import ClusterFacts, JobRecord
from slurmhub.slurm.reservations import read_reservations
from slurmhub.slurm.times import TimeLimit
from slurmhub.slurm.version import SlurmVersion

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

# Seconds between questions about a job that has just ended, until the accounting knows of it.
ACCOUNTING_LAGS = (0.5, 2.0, 10.0, 60.0)
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
        self._first_config: dict[str, str] | None = None

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
        """Nodes, partitions with their limits, and reservations, as they are now."""
        table = answers.Table(NODE_FIELDS)
        taken_at = datetime.now(timezone.utc)
        version = await self.version()
        name = (await self._config_once()).get("ClusterName", "")
        nodes = await self._ask(
            *("sinfo", "--noheader", "--all", "--local", "--noconvert", "--Node"),
            f"--Format={table.format}",
        )
        partitions = await self._ask("scontrol", "--all", "--oneliner", "show", "partition")
        try:
            reservations = await self._ask("scontrol", "--all", "--oneliner", "show", "reservation")
        except SlurmDenied:
            # Who may not see reservations may not use them; all else is worth knowing.
            reservations = ""

        def read() -> ClusterFacts:
            return ClusterFacts(
                taken_at=taken_at,
                version=version,
                cluster_name=name,
                partitions=answers.read_partitions(partitions),
                nodes=answers.read_nodes(table.rows(nodes)),
                reservations=read_reservations(reservations),
            )

        try:
            # Thousands of nodes would hold up the event loop.
            return await asyncio.to_thread(read)
        except SlurmTextError as error:
            raise answers.not_understood(error.what.rstrip(".")) from error

    async def accounting(self) -> Accounting | None:
        """Everybody's accounts and QOS, from slurmdbd; None where the cluster has none.

        It asks the accounting and not the controller, except for the name of the cluster, once.
        """
        config = await self._config_once()
        if "slurmdbd" not in config.get("AccountingStorageType", ""):
            return None
        taken_at = datetime.now(timezone.utc)
        show = ("sacctmgr", "--noheader", "--parsable2", "--readonly", "show")
        users = await self._ask(
            *(*show, "user", "withassoc", "where", f"cluster={config.get('ClusterName', '')}"),
            f"format={','.join(ASSOCIATION_FIELDS)}",
        )
        qos = await self._ask(*show, "qos", f"format={','.join(QOS_FIELDS)}")
        enforced = frozenset(config.get("AccountingStorageEnforce", "").lower().split(","))
        try:
            return await asyncio.to_thread(
                lambda: read_accounting(users, qos, taken_at=taken_at, enforced=enforced)
            )
        except SlurmTextError as error:
            raise answers.not_understood(error.what.rstrip(".")) from error

    async def cancelled_by(self, job_id: int) -> int | None:
        """The uid that cancelled a job, as the accounting has it; None where it does not say.

        The accounting hears of an end a moment later than squeue shows it.
        """
        config = await self._config_once()
        if config.get("AccountingStorageType") != "accounting_storage/slurmdbd":
            return None
        for pause in ACCOUNTING_LAGS:
            await asyncio.sleep(pause)
            output = await self._ask(
                *("sacct", "--allocations", "--noheader", "--parsable2", "--format=State"),
                f"--jobs={job_id}",
            )
            by = answers.read_canceller(output)
            if by is not None:
                return by
        return None

    async def pending(self) -> PendingJobs:
        """The queue: every pending job that this account is shown, read in a thread."""
        table = answers.Table(PENDING_FIELDS)
        output = await self._ask(
            *("squeue", "--noheader", "--all", "--local", "--states=PENDING", "--noconvert"),
            extra_env={"SQUEUE_FORMAT2": table.format},
        )
        return await asyncio.to_thread(lambda: read_pending(table.rows(output)))

    async def comments(self) -> list[tuple[int, str]]:
        """Number and comment of every unfinished job that this account is shown."""
        table = answers.Table(("JobID", "Comment"))
        output = await self._ask(
            *("squeue", "--noheader", "--all", "--local", "--noconvert"),
            extra_env={"SQUEUE_FORMAT2": table.format},
        )
        rows = await asyncio.to_thread(lambda: list(table.rows(output)))
        return [(int(number), comment) for number, comment in rows if number.isdecimal()]

    async def sees_all_jobs(self) -> bool:
        """Whether this account is shown everybody's jobs; False where that is not certain.

        With PrivateData=jobs, root, SlurmUser and Operators are; a coordinator sees a part.
        """
        config = await self._config_once()
        if not {"jobs", "all"} & set(config.get("PrivateData", "").lower().split(",")):
            return True
        me = os.geteuid()
        if me == 0 or config.get("SlurmUser", "").endswith(f"({me})"):
            return True
        level = await self._ask(
            *("sacctmgr", "--noheader", "--parsable2", "--readonly", "show", "user"),
            *("where", f"name={pwd.getpwuid(me).pw_name}", "format=AdminLevel"),
        )
        return level.strip() in ("Operator", "Administrator")

    async def fingerprint(self) -> str:
        """A stable text that changes when it may have changed which jobs this account sees."""
        config = await self._config()
        parts = [f"{name}={config.get(name, '')}" for name in ("ClusterName", "PrivateData")]
        parts += [f"SlurmUser={config.get('SlurmUser', '')}", f"euid={os.geteuid()}"]
        hosts = sorted(name for name in config if name.startswith("SlurmctldHost"))
        return "\n".join([*parts, *(f"{name}={config[name]}" for name in hosts)])

    async def is_operator(self) -> bool:
        """Whether this account may change other people's jobs: root, SlurmUser, an Operator."""
        if os.geteuid() == 0:
            return True
        config = await self._config_once()
        if config.get("SlurmUser", "").endswith(f"({os.geteuid()})"):
            return True
        if "slurmdbd" not in config.get("AccountingStorageType", ""):
            return False
        name = pwd.getpwuid(os.geteuid()).pw_name
        level = await self._ask(
            *("sacctmgr", "--noheader", "--parsable2", "--readonly", "show", "user"),
            *("where", f"name={name}", "format=AdminLevel"),
        )
        return level.strip() in ("Operator", "Administrator")

    async def enrol(self, name: str, account: str) -> bool:
        """Put a person into an account of this cluster; whether that was needed.

        This account must be an Operator. False where the cluster has no accounting. Raises
        SlurmDenied, SlurmMissing or SlurmUnreachable.
        """
        config = await self._config_once()
        if "slurmdbd" not in config.get("AccountingStorageType", ""):
            return False
        cluster = config.get("ClusterName", "")
        there = (
            *("sacctmgr", "--noheader", "--parsable2", "--readonly", "show", "assoc", "where"),
            *(f"cluster={cluster}", f"account={account}", f"user={name}", "format=User"),
        )
        if (await self._ask(*there)).strip():
            return False
        try:
            await self._ask(
                *("sacctmgr", "--immediate", "--quiet", "add", "user", name),
                *(f"account={account}", f"cluster={cluster}"),
            )
        except SlurmError:
            # Another hub may have been quicker.
            if not (await self._ask(*there)).strip():
                raise
        return True

    async def set_time_limit(self, job_id: int, limit: TimeLimit) -> None:
        """Change a job's time limit; for an Operator no limit of partition or QOS counts.

        Raises JobUnknown, SlurmDenied, ChangeRefused, or SlurmUnreachable: then it may have
        been done or not.
        """
        await self._ask("scontrol", "update", f"JobId={job_id}", f"TimeLimit={limit}")

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

    async def _config_once(self) -> dict[str, str]:
        """slurm.conf as the controller had it when it was first asked."""
        if self._first_config is None:
            self._first_config = await self._config()
        return self._first_config

    async def _config(self) -> dict[str, str]:
        return answers.read_pairs(await self._ask("scontrol", "show", "config"))

    async def _ask(
        self, name: str, *arguments: str, extra_env: dict[str, str] | None = None
    ) -> str:
        """Run one of Slurm's commands and return what it prints; counted, and timed."""
        outcome = "answered"
        with metrics.QUERY_SECONDS.labels(name).time():
            try:
                return await self._run(name, *arguments, extra_env=extra_env)
            except SlurmError as error:
                outcome = outcome_of(error)
                raise
            except asyncio.CancelledError:
                outcome = "cancelled"
                raise
            finally:
                metrics.QUERIES.labels(name, outcome).inc()

    async def _run(
        self, name: str, *arguments: str, extra_env: dict[str, str] | None = None
    ) -> str:
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
        if completed.returncode != 0 or failing.NO_SUCH_USER in completed.complaint:
            raise self._failure(name, completed)
        return completed.output

    def _failure(self, name: str, completed: Completed) -> SlurmError:
        """What a command that failed means; who changes more than jobs reads it anew."""
        return failing.failure(name, completed)
