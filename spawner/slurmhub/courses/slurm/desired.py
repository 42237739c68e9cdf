"""What Slurm should have for the courses of a hub: accounts, limits, people, reservations.

What each limit does, seen with Slurm 22.05 (sources: the manual of sacctmgr, and Slurm's page on
resource limits):
- GrpTRES alone refuses nothing: the thirty-first job is queued (QOSGrpGRES), also with the flag
  DenyOnLimit, which looks at each job as if it were alone;
- GrpSubmitJobs refuses the thirty-first at once, in sbatch's words `QOSGrpSubmitJobsLimit` or
  `AssocGrpSubmitJobsLimit`; jobs that are ending do not count any more;
- MaxTRESPerUser of a QOS, or MaxTRESPerJob of an account, with DenyOnLimit refuses a job with a
  second GPU (`QOSMaxGRESPerUser`, `AssocMaxGRESPerJob`). `gres/gpu` counts GPUs of all types, so
  that types need no limits of their own; slurm.conf's AccountingStorageTRES must have it;
- a QOS's limit hides that of an account with the same name: how many servers each person has is
  therefore always the account's, where it can be set to 0 for one who left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from slurmhub.courses.model import Course, Profile, State
from slurmhub.courses.policy import Early
from slurmhub.slurm.entities import Limits, Tracked
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.times import TimeLimit

PREFIX = "course-"
SHORT_GAP = timedelta(hours=2)
"""Classes of one course that follow each other so closely share a reservation, see `_merged`."""

_RESERVATION = re.compile(r"course-([a-z][a-z0-9-]{1,28}[a-z0-9])-[0-9]{8}-[0-9]{4}")


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One class; both moments in UTC. `seats` None: as many as the roster has."""

    start: datetime
    end: datetime
    seats: int | None = None


@dataclass(frozen=True, kw_only=True)
class CourseOnCluster:
    """All that Slurm has to do with of one course.

    `members` are the Unix accounts of everybody in it, staff too. `roster` is how many students it
    has, also those who never signed in; None: as many as members. Classes that are over need not
    be among the occurrences.
    """

    course: Course
    state: State
    members: frozenset[str] = frozenset()
    occurrences: tuple[Occurrence, ...] = ()
    roster: int | None = None


@dataclass(frozen=True, kw_only=True)
class ClusterSite:
    """What an institution's cluster gives to courses.

    With `own_qos`, each course has a QOS of its own, which needs a Slurm account with the
    AdminLevel Administrator. Without, its limits are those of its account, and jobs have the QOS
    `shared_qos`, which an administrator has made once with the flag DenyOnLimit; empty: the usual
    one, with which too large a job is queued for ever instead of refused.
    """

    hub: str
    parent: str = "courses"
    own_qos: bool = False
    shared_qos: str = ""
    early: Early = field(default_factory=Early)

    @property
    def mark(self) -> str:
        """What tells this hub's accounts and QOS from all others, in small letters as Slurm's."""
        return f"slurmhub {self.hub}".lower()


@dataclass(frozen=True, kw_only=True)
class Each:
    """What one server has, and for how long it lasts."""

    cpus: int
    memory: int
    """MiB."""
    gpus: int
    gpu_type: str | None
    lasts: timedelta

    @classmethod
    def of(cls, profile: Profile) -> Each:
        """The servers of a course."""
        return cls(
            cpus=profile.cpus,
            memory=Memory.parse(profile.memory).mebibytes,
            gpus=profile.gpus,
            gpu_type=profile.gpu_type,
            lasts=timedelta(minutes=_minutes(profile)),
        )

    def tracked(self, count: int = 1) -> Tracked:
        """So many of them, in Slurm's trackable resources."""
        return (
            ("cpu", self.cpus * count),
            ("gres/gpu", self.gpus * count),
            ("mem", self.memory * count),
        )


@dataclass(frozen=True, kw_only=True)
class Account:
    """A course's account; `qos` is the one that its jobs have, empty: the usual."""

    name: str
    parent: str
    limits: Limits
    qos: str = ""


@dataclass(frozen=True, kw_only=True)
class CourseQos:
    """A course's own QOS."""

    name: str
    limits: Limits


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Room for one class, or for several that follow each other closely (`parts`)."""

    name: str
    account: str
    partition: str
    parts: tuple[Occurrence, ...]
    each: Each

    @property
    def start(self) -> datetime:
        return self.parts[0].start

    @property
    def end(self) -> datetime:
        return max(part.end for part in self.parts)

    def seats(self, now: datetime) -> int:
        """For how many servers there is to be room from now on."""
        return max((part.seats or 0 for part in self.parts if part.end > now), default=0)

    def late(self, now: datetime, early: Early) -> bool:
        """Whether who has not come to the last class by now is not expected any more."""
        last = max(part.start for part in self.parts)
        return now >= last + timedelta(minutes=early.after_minutes)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What one course should have."""

    key: str
    account: Account
    qos: CourseQos | None
    members: frozenset[str]
    reservations: tuple[Reservation, ...]


@dataclass(frozen=True, kw_only=True)
class Desired:
    """What should be there; `unwanted` are the keys of courses that should have nothing."""

    courses: tuple[Wanted, ...]
    unwanted: frozenset[str]


def account_of(key: str) -> str:
    """The name of a course's account, and of its QOS."""
    return f"{PREFIX}{key}"


def is_courses(account: object) -> bool:
    """Whether an account is that of a course; nobody else's may have such a name."""
    return isinstance(account, str) and account.startswith(PREFIX)


def qos_of(key: str, *, own_qos: bool, shared_qos: str) -> str:
    """The QOS of a course's jobs, as `ClusterSite` has it; empty for the usual one."""
    return account_of(key) if own_qos else shared_qos


def key_of_reservation(name: str) -> str | None:
    """The course whose reservation has such a name; None: no course's has."""
    found = _RESERVATION.fullmatch(name)
    return found[1] if found else None


def desired(courses: Iterable[CourseOnCluster], site: ClusterSite, now: datetime) -> Desired:
    """What Slurm should have at this moment."""
    served = []
    unwanted = set()
    for one in courses:
        if one.state.served:
            served.append(_wanted(one, site, now))
        else:
            unwanted.add(one.course.key)
    return Desired(courses=tuple(served), unwanted=frozenset(unwanted))


def _wanted(one: CourseOnCluster, site: ClusterSite, now: datetime) -> Wanted:
    name = account_of(one.course.key)
    limits = _limits(one.course, frozen=one.state is State.FROZEN)
    qos = None
    of_account = limits
    if site.own_qos:
        qos = CourseQos(name=name, limits=_without_each_persons(limits))
        of_account = Limits(jobs_each=limits.jobs_each)
    return Wanted(
        key=one.course.key,
        account=Account(
            name=name,
            parent=site.parent,
            limits=of_account,
            qos=qos_of(one.course.key, own_qos=site.own_qos, shared_qos=site.shared_qos),
        ),
        qos=qos,
        members=one.members,
        reservations=_reservations(one, now) if one.state is State.OPEN else (),
    )


def _limits(course: Course, *, frozen: bool) -> Limits:
    each = Each.of(course.profile)
    return Limits(
        jobs=0 if frozen else course.most_running,
        # Two courses are two servers: one in each.
        jobs_each=1,
        total=each.tracked(course.most_running),
        each=each.tracked(),
        wall=TimeLimit.of_minutes(_minutes(course.profile)),
    )


def _without_each_persons(limits: Limits) -> Limits:
    return Limits(jobs=limits.jobs, total=limits.total, each=limits.each, wall=limits.wall)


def _reservations(one: CourseOnCluster, now: datetime) -> tuple[Reservation, ...]:
    roster = len(one.members) if one.roster is None else one.roster
    classes = []
    for each in sorted(one.occurrences, key=lambda each: each.start):
        seats = min(roster if each.seats is None else each.seats, one.course.most_running)
        if each.end > now and seats:
            classes.append(Occurrence(start=each.start, end=each.end, seats=seats))
    server = Each.of(one.course.profile)
    return tuple(
        Reservation(
            name=_name(one.course.key, parts[0].start),
            account=account_of(one.course.key),
            partition=one.course.profile.partition,
            parts=tuple(parts),
            each=server,
        )
        for parts in _merged(classes, server.lasts)
    )


def _merged(classes: list[Occurrence], lasts: timedelta) -> list[list[Occurrence]]:
    """Classes in groups that have one reservation each.

    Seen: a server that would run into the next reservation of its node waits, also when that is of
    its own course. Two classes between which no server can end are therefore one reservation,
    unless it would hold its nodes for long in between: then each has nodes of its own.
    """
    groups: list[list[Occurrence]] = []
    for one in classes:
        if groups:
            gap = one.start - max(before.end for before in groups[-1])
            if gap <= min(lasts, SHORT_GAP):
                groups[-1].append(one)
                continue
        groups.append([one])
    return groups


def _name(key: str, start: datetime) -> str:
    return f"{account_of(key)}-{start.astimezone(timezone.utc):%Y%m%d-%H%M}"


def _minutes(profile: Profile) -> int:
    return max(1, round(profile.hours * 60))
