"""From what is to what should be: steps that can be printed, and done again without harm.

The order within a course: what is not wanted any more goes first (a class that was moved frees its
nodes for the new one), then account and limits, people, and room. What goes, goes from the outside
in: reservations, people, account, QOS; Slurm refuses to remove an account with jobs, and does not
refuse to remove a QOS that jobs have.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from slurmhub.courses.slurm.actual import Actual
from slurmhub.courses.slurm.desired import (
    PREFIX,
    ClusterSite,
    CourseQos,
    Desired,
    Wanted,
    account_of,
)
from slurmhub.slurm import entities
from slurmhub.slurm.entities import NO_LIMITS, Limits
from slurmhub.slurm.managing import ManagingClient

# What Slurm, its lists and its commands take as a name without quoting.
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@$-]{0,254}")
_SHOWN = 5


@dataclass(frozen=True)
class Step:
    """One change. `words` say it, `kind` counts it; what comes after it may need it."""

    course: str
    kind: str
    words: str
    do: Callable[[ManagingClient], Awaitable[None]] = field(compare=False, repr=False)
    needed: bool = True

    def __str__(self) -> str:
        return f"{self.course}: {self.words}" if self.course else self.words


@dataclass(frozen=True)
class Plan:
    """Steps in their order, and for each course why it is not as it should be in spite of them.

    `strays` are accounts with the hub's mark of which no course is known: they are left alone.
    """

    steps: tuple[Step, ...]
    waiting: dict[str, tuple[str, ...]]
    strays: tuple[str, ...] = ()


class Planning:
    """Gathers the steps and reasons of one round."""

    def __init__(self, site: ClusterSite, actual: Actual) -> None:
        self.site, self.actual = site, actual
        self.steps: list[Step] = []
        self.waiting: dict[str, list[str]] = {}

    def step(
        self,
        course: str,
        kind: str,
        words: str,
        do: Callable[[ManagingClient], Awaitable[None]],
        *,
        needed: bool = True,
    ) -> None:
        """Add a step at the end."""
        self.steps.append(Step(course, kind, words, do, needed))

    def wait(self, course: str, why: str) -> None:
        """Say why a course is not as it should be yet."""
        self.waiting.setdefault(course, []).append(why)

    def done(self, strays: tuple[str, ...]) -> Plan:
        """The whole plan."""
        return Plan(
            tuple(self.steps), {key: tuple(why) for key, why in self.waiting.items()}, strays
        )


def strays(wanted: Desired, actual: Actual, site: ClusterSite) -> tuple[str, ...]:
    """Accounts with the hub's mark that belong to no known course.

    They may be what is left of a course, or a sign that the hub's database was lost.
    """
    known = {one.key for one in wanted.courses} | wanted.unwanted
    own = (name for name, mark in actual.organizations.items() if mark == site.mark)
    courses = (name for name in own if name.startswith(PREFIX))
    return tuple(sorted(name for name in courses if name.removeprefix(PREFIX) not in known))


def parent(planning: Planning) -> None:
    """The account above those of courses; one that somebody made is used as it is."""
    site, name = planning.site, planning.site.parent
    if name not in planning.actual.accounts:
        planning.step(
            "",
            "make-parent",
            f"make the account {name} above those of courses",
            lambda client: client.make_account(
                name, parent="root", organization=site.mark, limits=NO_LIMITS
            ),
        )


def take_away(planning: Planning, key: str) -> None:
    """The steps after which a course has nothing in Slurm; while it has jobs, no new ones."""
    name, actual = account_of(key), planning.actual
    own = not actual.foreign(name, planning.site)
    for reservation in sorted(_reservations_of(actual, name)):
        end_reservation(planning, key, reservation)
    if own and name in actual.organizations:
        jobs = sum(actual.jobs.get(name, {}).values())
        if jobs:
            _start_nothing(planning, key)
            planning.wait(key, f"{_count(jobs, 'job')} of the course must end first.")
            return
        users = tuple(sorted(actual.members.get(name, {})))
        if users:
            planning.step(
                *(key, "leave", f"take {_people(users)} out of {name}"),
                lambda client: client.leave(users, name),
            )
        planning.step(
            key, "remove-account", f"remove the account {name}", lambda c: c.remove_account(name)
        )
    qos = actual.qos.get(name)
    if qos is not None and qos.description == planning.site.mark:
        planning.step(key, "remove-qos", f"remove the QOS {name}", lambda c: c.remove_qos(name))


def _start_nothing(planning: Planning, key: str) -> None:
    name, actual = account_of(key), planning.actual
    account, qos = actual.accounts.get(name), actual.qos.get(name)
    words = f"let nothing more start in {name}"
    if account is not None and account.limits.jobs != 0:
        planning.step(
            *(key, "close", words), lambda c: c.set_account(name, ["GrpSubmitJobs=0"]), needed=False
        )
    if qos is not None and qos.description == planning.site.mark and qos.limits.jobs != 0:
        planning.step(
            *(key, "close", f"{words} (QOS)"),
            lambda c: c.set_qos(name, ["GrpSubmitJobs=0"]),
            needed=False,
        )


def _reservations_of(actual: Actual, account: str) -> Iterator[str]:
    return (one.name for one in actual.reservations.values() if one.accounts == (account,))


def end_reservation(planning: Planning, key: str, name: str) -> None:
    """A class that is not held, or is over for good."""
    planning.step(
        *(key, "end-reservation", f"end the reservation {name}"),
        lambda client: client.end_reservation(name),
        needed=False,
    )


def account_and_qos(planning: Planning, course: Wanted) -> bool:
    """The steps for a course's account and limits; False where its names are somebody else's."""
    actual, site, name = planning.actual, planning.site, course.account.name
    qos_there = actual.qos.get(name)
    if actual.foreign(name, site):
        planning.wait(course.key, f"Slurm has an account {name} already, which is not this hub's.")
        return False
    if course.qos is not None:
        if qos_there is not None and qos_there.description != site.mark:
            planning.wait(course.key, f"Slurm has a QOS {name} already, which is not this hub's.")
            return False
        _qos(planning, course.key, course.qos)
    elif site.shared_qos and site.shared_qos not in actual.qos:
        planning.wait(
            course.key,
            f"Slurm has no QOS {site.shared_qos}: an administrator must make it"
            f" (sacctmgr add qos {site.shared_qos} flags={entities.DENY_ON_LIMIT}).",
        )
        return False
    _account(planning, course)
    return True


def _qos(planning: Planning, key: str, wanted: CourseQos) -> None:
    name, mark = wanted.name, planning.site.mark
    there = planning.actual.qos.get(name)
    if there is None:
        planning.step(
            *(key, "make-qos", f"make the QOS {name}, {_limits(wanted.limits)}"),
            lambda c: c.make_qos(name, description=mark, limits=wanted.limits),
        )
        return
    words = entities.qos_words(wanted.limits, there.limits)
    if there.flags != {entities.DENY_ON_LIMIT}:
        words.append(f"flags={entities.DENY_ON_LIMIT}")
    if words:
        planning.step(
            *(key, "set-qos", f"change the QOS {name}: {' '.join(words)}"),
            lambda c: c.set_qos(name, words),
        )


def _account(planning: Planning, course: Wanted) -> None:
    wanted, site = course.account, planning.site
    there = planning.actual.accounts.get(wanted.name)
    if there is None:
        planning.step(
            *(course.key, "make-account"),
            f"make the account {wanted.name} below {wanted.parent}, {_limits(wanted.limits)}",
            lambda c: c.make_account(
                wanted.name,
                parent=wanted.parent,
                organization=site.mark,
                limits=wanted.limits,
                qos=wanted.qos,
            ),
        )
        return
    words = entities.account_words(wanted.limits, there.limits)
    if there.parent != wanted.parent:
        words.append(f"parent={wanted.parent}")
    if wanted.qos and (there.qos != (wanted.qos,) or there.default_qos != wanted.qos):
        words += [f"qos={wanted.qos}", f"defaultqos={wanted.qos}"]
    if words:
        planning.step(
            *(course.key, "set-account"),
            f"change the account {wanted.name}: {' '.join(words)}",
            lambda c: c.set_account(wanted.name, words),
        )


def people(planning: Planning, course: Wanted) -> None:
    """Who is in the account: those of the course, and who left for as long as they have jobs."""
    name, actual = course.account.name, planning.actual
    there = actual.members.get(name, {})
    named = {one for one in course.members if _USER.fullmatch(one)}
    if named != course.members:
        odd = _people(tuple(sorted(course.members - named)))
        planning.wait(course.key, f"Slurm cannot take accounts of such names: {odd}.")
    come = tuple(sorted(named - there.keys()))
    if come:
        planning.step(
            *(course.key, "put", f"put {_people(come)} into {name}"),
            lambda c: c.put(come, name),
            needed=False,
        )
    back = tuple(sorted(one for one in named & there.keys() if there[one].barred))
    if back:
        planning.step(
            *(course.key, "unbar", f"let {_people(back)} start servers in {name} again"),
            lambda c: c.bar(back, name, barred=False),
            needed=False,
        )
    _leaving(planning, course, sorted(there.keys() - named))


def _leaving(planning: Planning, course: Wanted, gone: list[str]) -> None:
    name, jobs = course.account.name, planning.actual.jobs.get(course.account.name, {})
    busy = [one for one in gone if jobs.get(one)]
    there = planning.actual.members.get(name, {})
    bar = tuple(one for one in busy if not there[one].barred)
    if bar:
        planning.step(
            *(course.key, "bar", f"let {_people(bar)} start nothing more in {name}"),
            lambda c: c.bar(bar, name, barred=True),
            needed=False,
        )
    queued = planning.actual.waiting.get(name, {})
    wait = tuple(one for one in busy if queued.get(one))
    if wait:
        planning.step(
            *(course.key, "end-waiting", f"end what {_people(wait)} have in the queue of {name}"),
            lambda c: c.end_waiting(wait, name),
            needed=False,
        )
    if busy:
        planning.wait(
            course.key, f"Who left the course still has a server: {_people(tuple(busy))}."
        )
    leave = tuple(one for one in gone if not jobs.get(one))
    if leave:
        planning.step(
            *(course.key, "leave", f"take {_people(leave)} out of {name}"),
            lambda c: c.leave(leave, name),
            needed=False,
        )


def _people(users: tuple[str, ...]) -> str:
    if len(users) <= _SHOWN:
        return ", ".join(users)
    return f"{', '.join(users[:_SHOWN])} and {len(users) - _SHOWN} others"


def _limits(limits: Limits) -> str:
    said = []
    if limits.jobs is not None:
        said.append(f"at most {_count(limits.jobs, 'job')}")
    if limits.jobs_each is not None:
        said.append(f"{limits.jobs_each} of each person")
    if limits.total:
        said.append(f"with {entities.tracked_words(limits.total)} in all")
    return ", ".join(said) or "without limits"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
