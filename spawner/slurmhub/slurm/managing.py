"""What only an Operator may tell Slurm: accounts, limits, who is in them, and reservations.

Sources: the manuals of sacctmgr and scontrol. Seen with 22.05:
- an Operator makes accounts, people in them, their limits and reservations, but no QOS: that needs
  the AdminLevel Administrator (the manual says otherwise);
- `remove account` with a cluster leaves the account itself, which is then in no cluster;
- `remove account` takes all accounts below out of the cluster;
- `remove account` and `remove user` are refused while a job of theirs is there ("Job(s) active");
  `remove qos` is refused only while it is somebody's default, not while jobs have it;
- `remove user` from the only account takes the person out of Slurm, and from the default account
  leaves a person without one;
- a reservation that is in use is not deleted ("Requested reservation is in use"), but may be
  ended; with FLEX its jobs go on. With FLEX and MAGNETIC a job of the account is placed in one that
  begins only in a week: it is then in use, and cannot be ended before it begins, but an Operator
  may take running jobs out of it;
- a reservation with more nodes than there are is made with fewer, without a word, where they were
  asked for by number: nodes are named here.
"""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from slurmhub.slurm import answers, entities, usage
from slurmhub.slurm.advice import advice
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.command import Completed
from slurmhub.slurm.dialect import JOB_FIELDS
from slurmhub.slurm.entities import Association, Limits, Qos
from slurmhub.slurm.errors import ChangeRefused, SlurmDenied, SlurmError, SlurmTextError
from slurmhub.slurm.failing import NO_ANSWER
from slurmhub.slurm.records import JobRecord
from slurmhub.slurm.usage import JobUse

FLAGS = ("FLEX", "MAGNETIC")
"""Of every reservation that is made here: its jobs may begin before it and end after it, and jobs
of its account are placed in it without asking for it."""

_IN_USE = "Requested reservation is in use"
_NO_RESERVATION = "Requested reservation is invalid"
_JOBS_ACTIVE = "Job(s) active"
_DENIED = ("Access/permission denied", "doesn't have privilege")
_SHOW = ("--noheader", "--parsable2", "--readonly", "show")
_CHANGE = ("--immediate", "--quiet")
# One command names so many people at most.
_AT_ONCE = 100


class StillInUse(ChangeRefused):
    """Jobs are there that use what was to be removed."""


@dataclass(frozen=True, kw_only=True)
class NewReservation:
    """A reservation to be made: whole nodes, by their names, for one account."""

    name: str
    account: str
    partition: str
    start: datetime
    end: datetime
    nodes: tuple[str, ...]
    ignore_jobs: bool = False


class ManagingClient(SlurmClient):
    """Asks as SlurmClient does, and changes what an Operator may change.

    Every change is refused with SlurmDenied or ChangeRefused, or nothing is known of it
    (SlurmUnreachable): then it may have been done.
    """

    async def cluster(self) -> str:
        """The cluster's name; empty where it has no accounting."""
        config = await self._config_once()
        known = "slurmdbd" in config.get("AccountingStorageType", "")
        return config.get("ClusterName", "") if known else ""

    async def enforced(self) -> frozenset[str]:
        """The words of AccountingStorageEnforce, in small letters."""
        config = await self._config_once()
        return frozenset(config.get("AccountingStorageEnforce", "").lower().split(","))

    async def may_make_qos(self) -> bool:
        """Whether this account may make a QOS: root, SlurmUser, or an Administrator."""
        config = await self._config_once()
        me = os.geteuid()
        if me == 0 or config.get("SlurmUser", "").endswith(f"({me})"):
            return True
        level = await self._ask(
            *("sacctmgr", *_SHOW, "user", "where", f"name={pwd.getpwuid(me).pw_name}"),
            "format=AdminLevel",
        )
        return level.strip() == "Administrator"

    # Looking

    async def accounts(self) -> dict[str, str]:
        """The organization of every account."""
        fields = f"format={','.join(entities.ACCOUNT_FIELDS)}"
        return entities.read_accounts(await self._ask("sacctmgr", *_SHOW, "account", fields))

    async def associations(self, accounts: Iterable[str]) -> tuple[Association, ...]:
        """These accounts in this cluster, and who is in them; limits only where they are set."""
        names = ",".join(sorted(accounts))
        if not names:
            return ()
        output = await self._ask(
            *("sacctmgr", *_SHOW, "assoc", "where", f"cluster={await self.cluster()}"),
            *(f"account={names}", "WOPLimits", f"format={','.join(entities.MEMBER_FIELDS)}"),
        )
        try:
            return entities.read_associations(output)
        except SlurmTextError as error:
            raise answers.not_understood(error.what.rstrip(".")) from error

    async def all_qos(self) -> dict[str, Qos]:
        """Every QOS, by name."""
        fields = f"format={','.join(entities.QOS_LIMIT_FIELDS)}"
        output = await self._ask("sacctmgr", *_SHOW, "qos", fields)
        try:
            return entities.read_qos(output)
        except SlurmTextError as error:
            raise answers.not_understood(error.what.rstrip(".")) from error

    async def occupants(self, accounts: Iterable[str] = ()) -> list[JobRecord]:
        """Jobs that have nodes now; of these accounts only and then also those that wait."""
        names = ",".join(sorted(accounts))
        states = "PENDING,RUNNING,SUSPENDED,COMPLETING" if names else "RUNNING,SUSPENDED"
        table = answers.Table(JOB_FIELDS)
        output = await self._ask(
            *("squeue", "--noheader", "--all", "--local", "--noconvert", f"--states={states}"),
            *((f"--account={names}",) if names else ()),
            extra_env={"SQUEUE_FORMAT2": table.format},
        )
        return answers.read_jobs(table.rows(output))

    async def usage(self, account: str, since: datetime, until: datetime) -> list[JobUse]:
        """What the jobs of this account had that ran in this time, as the accounting has it now.

        The accounting hears of a start or an end a moment after it. Read in a thread.
        """
        output = await self._ask(
            *("sacct", "--allocations", "--noheader", "--parsable2", "--allusers", "--duplicates"),
            *(f"--accounts={account}", f"--format={','.join(usage.USE_FIELDS)}"),
            *(f"--starttime={usage.moment(since)}", f"--endtime={usage.moment(until)}"),
            extra_env={"TZ": "UTC", "SLURM_TIME_FORMAT": "%s"},
        )
        try:
            return await asyncio.to_thread(lambda: list(usage.read_use(output)))
        except SlurmTextError as error:
            raise answers.not_understood(error.what.rstrip(".")) from error

    # Accounts and QOS

    async def make_account(
        self, name: str, *, parent: str, organization: str, limits: Limits, qos: str = ""
    ) -> None:
        """Make an account in this cluster, or put one back that is in none."""
        await self._ask(
            *("sacctmgr", *_CHANGE, "add", "account", name, f"cluster={await self.cluster()}"),
            *(f"parent={parent}", f"organization={organization}"),
            *((f"qos={qos}", f"defaultqos={qos}") if qos else ()),
            *entities.account_words(limits),
        )

    async def set_account(self, name: str, words: Sequence[str]) -> None:
        """Change an account in this cluster: `entities.account_words`, or parent and QOS."""
        await self._modify("account", name, *words)

    async def make_qos(self, name: str, *, description: str, limits: Limits) -> None:
        """Make a QOS that refuses at once what could never run; needs an Administrator."""
        await self._ask(
            *("sacctmgr", *_CHANGE, "add", "qos", name, f"description={description}"),
            *(f"flags={entities.DENY_ON_LIMIT}", *entities.qos_words(limits)),
        )

    async def set_qos(self, name: str, words: Sequence[str]) -> None:
        """Change a QOS: `entities.qos_words`, or its flags; needs an Administrator."""
        await self._ask(
            "sacctmgr", *_CHANGE, "modify", "qos", "where", f"name={name}", "set", *words
        )

    async def remove_account(self, name: str) -> None:
        """Remove an account from this cluster, and wholly where no other cluster has it.

        Raises StillInUse while jobs are there.
        """
        mine = await self.cluster()
        output = await self._ask(
            "sacctmgr", *_SHOW, "assoc", "where", f"account={name}", "format=Cluster"
        )
        clusters = set(output.split())
        if clusters <= {mine}:
            await self._ask("sacctmgr", *_CHANGE, "remove", "account", "where", f"name={name}")
        elif mine in clusters:
            await self._ask(
                *("sacctmgr", *_CHANGE, "remove", "account", "where", f"name={name}"),
                f"cluster={mine}",
            )

    async def remove_qos(self, name: str) -> None:
        """Remove a QOS; Slurm does not mind jobs that have it, so that the caller must."""
        await self._ask("sacctmgr", *_CHANGE, "remove", "qos", "where", f"name={name}")

    # People

    async def put(self, users: Sequence[str], account: str) -> None:
        """Put people into an account; those who are in it stay."""
        for some in _parts(users):
            await self._ask(
                *("sacctmgr", *_CHANGE, "add", "user", ",".join(some)),
                *(f"account={account}", f"cluster={await self.cluster()}"),
            )

    async def bar(self, users: Sequence[str], account: str, *, barred: bool) -> None:
        """Have people start nothing more with an account; or let them again."""
        for some in _parts(users):
            await self._ask(
                *("sacctmgr", *_CHANGE, "modify", "user", "where", f"name={','.join(some)}"),
                *(f"account={account}", f"cluster={await self.cluster()}"),
                *("set", f"MaxSubmitJobs={0 if barred else -1}"),
            )

    async def end_waiting(self, users: Sequence[str], account: str) -> None:
        """End what these people have with an account that has not begun; what runs goes on."""
        for user in users:
            await self._ask(
                *("scancel", "--quiet", "--state=PENDING"),
                *(f"--account={account}", f"--user={user}"),
            )

    async def leave(self, users: Sequence[str], account: str) -> None:
        """Take people out of an account. Raises StillInUse while one of them has a job there.

        Whose default it is gets another of their accounts as default; who is in no other is
        forgotten by Slurm.
        """
        for some in _parts(users):
            for user, other in (await self._others(some, account)).items():
                await self._ask(
                    *("sacctmgr", *_CHANGE, "modify", "user", "where", f"name={user}"),
                    *(f"cluster={await self.cluster()}", "set", f"defaultaccount={other}"),
                )
            await self._ask(
                *("sacctmgr", *_CHANGE, "remove", "user", "where", f"name={','.join(some)}"),
                *(f"account={account}", f"cluster={await self.cluster()}"),
            )

    async def _others(self, users: Sequence[str], account: str) -> dict[str, str]:
        """Another account of each of those whose default account this is, where they have one."""
        output = await self._ask(
            *("sacctmgr", *_SHOW, "user", "withassoc", "where", f"name={','.join(users)}"),
            *(f"cluster={await self.cluster()}", "format=User,DefaultAccount,Account"),
        )
        rows = [line.split("|") for line in output.splitlines() if line.count("|") == 2]
        return {user: other for user, default, other in rows if default == account != other}

    # Reservations

    async def make_reservation(self, new: NewReservation) -> None:
        """Make a reservation of whole nodes for an account, now or later."""
        flags = (*FLAGS, "IGNORE_JOBS") if new.ignore_jobs else FLAGS
        await self._ask(
            *("scontrol", "create", "reservation", f"ReservationName={new.name}"),
            *(f"Accounts={new.account}", f"PartitionName={new.partition}"),
            *(f"Nodes={','.join(new.nodes)}", f"Flags={','.join(flags)}"),
            *(f"StartTime={_moment(new.start)}", f"EndTime={_moment(new.end)}"),
            # A moment is read as local time, and one hour of the year is there twice.
            extra_env={"TZ": "UTC"},
        )

    async def set_reservation(
        self, name: str, *, nodes: Sequence[str] = (), end: datetime | None = None
    ) -> None:
        """Give a reservation other nodes, or another end."""
        await self._ask(
            *("scontrol", "update", f"ReservationName={name}"),
            *((f"Nodes={','.join(nodes)}",) if nodes else ()),
            *((f"EndTime={_moment(end)}",) if end is not None else ()),
            extra_env={"TZ": "UTC"},
        )

    async def end_reservation(self, name: str) -> None:
        """Delete a reservation, or end it while it is in use. Its jobs go on."""
        try:
            await self._delete_reservation(name)
        except StillInUse:
            soon = datetime.now(timezone.utc) + timedelta(seconds=2)
            try:
                await self.set_reservation(name, end=soon)
            except ChangeRefused:
                # It has not begun, so that it cannot end; its jobs began before it.
                await self._free_jobs_of(name)
                await self._delete_reservation(name)

    async def _delete_reservation(self, name: str) -> None:
        try:
            await self._ask("scontrol", "delete", f"ReservationName={name}")
        except ChangeRefused as error:
            if _NO_RESERVATION not in error.said:
                raise

    async def _free_jobs_of(self, name: str) -> None:
        output = await self._ask(
            *("squeue", "--noheader", "--all", "--local", f"--reservation={name}", "--format=%A"),
            "--states=PENDING,RUNNING,SUSPENDED,COMPLETING",
        )
        for job in output.split():
            await self._ask("scontrol", "update", f"JobId={job}", "ReservationName=")

    # Inside

    async def _modify(self, kind: str, name: str, *words: str) -> None:
        await self._ask(
            *("sacctmgr", *_CHANGE, "modify", kind, "where", f"name={name}"),
            *(f"cluster={await self.cluster()}", "set", *words),
        )

    def _failure(self, name: str, completed: Completed) -> SlurmError:
        if not _changes(name, completed.argv):
            return super()._failure(name, completed)
        # Where a refusal is said differs between the commands and from case to case.
        said = f"{completed.complaint}\n{completed.output}".strip()
        short = " ".join(said.split())[:500]
        what = f"{name} failed: {short or f'it ended with status {completed.returncode}'}."
        if any(words in said for words in _DENIED):
            return SlurmDenied(
                what, remedy="Give the hub's account the AdminLevel that this needs in Slurm."
            )
        known = advice(said)
        if known.kind in NO_ANSWER:
            return super()._failure(name, completed)
        kind = StillInUse if _IN_USE in said or _JOBS_ACTIVE in said else ChangeRefused
        return kind(what, remedy=known.remedy, said=said)


def _changes(name: str, argv: Sequence[str]) -> bool:
    if name == "sacctmgr":
        return "show" not in argv
    return name == "scontrol" and bool({"create", "update", "delete"} & set(argv))


def _parts(users: Sequence[str]) -> Iterable[Sequence[str]]:
    return (users[at : at + _AT_ONCE] for at in range(0, len(users), _AT_ONCE))


def _moment(moment: datetime) -> str:
    """A moment as scontrol reads it in the zone UTC."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
