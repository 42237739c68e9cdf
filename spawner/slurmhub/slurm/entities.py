"""Accounts, QOS and who is in them, as whoever makes them sees them: sacctmgr's words both ways.

Source: the manual of sacctmgr. Seen with 22.05:
- Slurm keeps names, descriptions and organizations in small letters;
- an account can be there without being in any cluster (when its parent was removed, all below it
  left the cluster with it); `add account` then puts it back;
- limits are inherited: an association of a person shows those of its account as its own, except
  the `Grp` ones, which hold for all of an account together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

Tracked = tuple[tuple[str, int], ...]
"""Amounts of trackable resources by their names, sorted: ("cpu", 2), ("mem", 4096) in MiB."""

DENY_ON_LIMIT = "DenyOnLimit"
"""The flag of a QOS that has sbatch refuse a job that could never run, instead of queueing it."""

# What people wrote comes last: it may hold what parts the columns.
ACCOUNT_FIELDS = ("Account", "Organization")
MEMBER_FIELDS = (
    *("Account", "User", "ParentName", "DefaultQOS", "QOS", "GrpSubmit", "GrpTRES", "MaxSubmit"),
    *("MaxTRES", "MaxWall"),
)
QOS_LIMIT_FIELDS = (
    *("Name", "Flags", "GrpSubmit", "GrpTRES", "MaxSubmitPU", "MaxTRESPU", "MaxWall"),
    "Description",
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that there may be; None, or an empty list, where there is no limit.

    `jobs` and `total` are of all jobs together, waiting or running; `jobs_each` and `each` of one
    person's with a QOS, and of one job's with an account; `wall` is of one job.
    """

    jobs: int | None = None
    jobs_each: int | None = None
    total: Tracked = ()
    each: Tracked = ()
    wall: TimeLimit | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Association:
    """An account in a cluster, where `user` is empty, or a person in an account."""

    account: str
    user: str = ""
    parent: str = ""
    default_qos: str = ""
    qos: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS

    @property
    def barred(self) -> bool:
        """Whether nothing can be submitted here."""
        return self.limits.jobs_each == 0


@dataclass(frozen=True, kw_only=True)
class Qos:
    """A QOS; `description` is in small letters."""

    name: str
    description: str = ""
    flags: frozenset[str] = frozenset()
    limits: Limits = NO_LIMITS


def read_accounts(output: str) -> dict[str, str]:
    """The organization of each account, in small letters."""
    return {name: organization.lower() for name, organization in _rows(output, 2)}


def read_associations(output: str) -> tuple[Association, ...]:
    """What `sacctmgr -P show assoc` prints of MEMBER_FIELDS. Raises SlurmTextError."""
    found = []
    for row in _rows(output, len(MEMBER_FIELDS)):
        account, user, parent, default_qos, qos, jobs, total, jobs_each, each, wall = row
        found.append(
            Association(
                account=account,
                user=user,
                parent=parent,
                default_qos=default_qos,
                qos=_names(qos),
                limits=Limits(
                    jobs=_number(jobs),
                    jobs_each=_number(jobs_each),
                    total=tracked(total),
                    each=tracked(each),
                    wall=_wall(wall),
                ),
            )
        )
    return tuple(found)


def read_qos(output: str) -> dict[str, Qos]:
    """What `sacctmgr -P show qos` prints of QOS_LIMIT_FIELDS. Raises SlurmTextError."""
    found = {}
    for row in _rows(output, len(QOS_LIMIT_FIELDS)):
        name, flags, jobs, total, jobs_each, each, wall, description = row
        found[name] = Qos(
            name=name,
            description=description.lower(),
            flags=frozenset(_names(flags)),
            limits=Limits(
                jobs=_number(jobs),
                jobs_each=_number(jobs_each),
                total=tracked(total),
                each=tracked(each),
                wall=_wall(wall),
            ),
        )
    return found


def tracked(text: str) -> Tracked:
    """Read `cpu=2,mem=4G,gres/gpu=1`. Raises SlurmTextError."""
    found = {}
    for entry in _names(text):
        name, _, value = entry.partition("=")
        if name == "mem":
            found[name] = Memory.parse(value).mebibytes
        else:
            number = _number(value)
            if number is None:
                raise SlurmTextError(
                    f"{entry[:80]!r} is no amount of a trackable resource.",
                    remedy="Run `sacctmgr show qos` by hand and see what it prints.",
                )
            found[name] = number
    return tuple(sorted(found.items()))


def tracked_words(wanted: Tracked, now: Tracked = ()) -> str:
    """How sacctmgr is told these amounts; those that are there now and not wanted are cleared."""
    values = dict.fromkeys(dict(now), -1) | dict(wanted)
    return ",".join(f"{name}={value}" for name, value in sorted(values.items()))


def account_words(wanted: Limits, now: Limits = NO_LIMITS) -> list[str]:
    """What to `set` of an account, so that these limits hold for it and for each of its people."""
    words = _words(("GrpSubmitJobs", wanted.jobs, now.jobs))
    words += _words(("MaxSubmitJobs", wanted.jobs_each, now.jobs_each))
    words += _lists(("GrpTRES", wanted.total, now.total), ("MaxTRESPerJob", wanted.each, now.each))
    return words + _wall_words(wanted, now)


def qos_words(wanted: Limits, now: Limits = NO_LIMITS) -> list[str]:
    """What to `set` of a QOS, so that it has these limits."""
    words = _words(("GrpSubmitJobs", wanted.jobs, now.jobs))
    words += _words(("MaxSubmitJobsPerUser", wanted.jobs_each, now.jobs_each))
    words += _lists(("GrpTRES", wanted.total, now.total), ("MaxTRESPerUser", wanted.each, now.each))
    return words + _wall_words(wanted, now)


def _words(*values: tuple[str, int | None, int | None]) -> list[str]:
    return [
        f"{name}={-1 if wanted is None else wanted}"
        for name, wanted, now in values
        if wanted != now
    ]


def _lists(*values: tuple[str, Tracked, Tracked]) -> list[str]:
    return [f"{name}={tracked_words(wanted, now)}" for name, wanted, now in values if wanted != now]


def _wall_words(wanted: Limits, now: Limits) -> list[str]:
    if wanted.wall == now.wall:
        return []
    return [f"MaxWall={'-1' if wanted.wall is None else wanted.wall}"]


def _wall(text: str) -> TimeLimit | None:
    limit = TimeLimit.parse(text) if text else None
    return None if limit is None or limit.unlimited else limit


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _rows(output: str, width: int) -> Iterator[list[str]]:
    """The rows of `sacctmgr --parsable2`; one that somebody's text broke is left out."""
    for line in output.splitlines():
        row = line.split("|", width - 1)
        if len(row) == width:
            yield row


def by_account(found: tuple[Association, ...]) -> Mapping[str, Association]:
    """The associations of accounts themselves, by name."""
    return {one.account: one for one in found if not one.user}
