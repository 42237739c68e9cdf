"""What an institution lets its instructors do, as data: who makes courses, and how large ones."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slurmhub.courses.kinds import Amount, Count, GpuType, Hours, Line, PartitionName
from slurmhub.courses.model import CourseModel

Group = Annotated[str, Field(min_length=1, max_length=255)]


class Environment(CourseModel):
    """Where a course's servers run: modules that are loaded, and lines of a shell before them."""

    title: Line
    modules: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+/-]{0,127}$")], ...] = ()
    prologue: str = Field("", max_length=10_000)


class Bounds(CourseModel):
    """The most that one course may have; None does not bound. The first five are of each server."""

    cpus: Annotated[int, Field(ge=1)] | None = None
    memory: Amount | None = None
    gpus: Count | None = None
    hours: Hours | None = None
    room: Amount | None = None
    """Of all its folders together."""
    seats: Annotated[int, Field(ge=1)] | None = None
    running_cpus: Count | None = None
    running_gpus: Count | None = None
    """Of all its servers that may run at once."""
    class_hours_a_week: Hours | None = None
    days: Annotated[int, Field(ge=1)] | None = None
    """Of its term."""


class Rates(CourseModel):
    """What an hour costs, for the plots of use; in the institution's own unit."""

    unit: Line = "CAD"
    cpu_hour: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    gpu_hour: dict[GpuType, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field({})
    other_gpu_hour: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    gib_month: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class Retention(CourseModel):
    """What becomes of a course after its last day. All are days after the one before."""

    freeze_after: Count = 14
    end_after: Count = 90
    remind_before: tuple[Count, ...] = (30, 7, 1)
    keep_record: Count = 730
    """Who did what is known so long after its end."""


class Early(CourseModel):
    """When the room that a class does not use goes back to the cluster."""

    after_minutes: Annotated[int, Field(ge=5, le=240)] = 20
    keep_spare: Count = 2
    """Places kept free for latecomers."""


class Policy(CourseModel):
    """Everything that an institution says of courses at one hub.

    `makers` and `approvers` are groups of the hub; without makers nobody but an administrator makes
    courses. What is above `free` waits for an approver; what is above `bounds` is refused.
    """

    makers: tuple[Group, ...] = ()
    approvers: tuple[Group, ...] = ()
    bounds: Bounds = Bounds()
    free: Bounds | None = None
    """None: nothing waits for approval."""
    most_courses: Count | None = None
    """Of one owner at the same time."""
    total: Bounds = Bounds()
    """Of all open courses of the hub together; only what is of running servers, room and seats."""
    partitions: tuple[PartitionName, ...] = Field((), max_length=100)
    """Those that courses may use; empty: each that the hub offers."""
    environments: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")], Environment] = (
        Field({})
    )
    repositories: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")], ...] = ()
    """Hosts from which materials may come; empty: any."""
    join_groups: tuple[Group, ...] = Field((), max_length=100)
    """Groups of the hub that may bring students into courses, `*` stands for anything; empty: none.
    Whoever names a group for a course learns who is in it."""
    retention: Retention = Retention()
    rates: Rates = Rates()
    early: Early = Early()
    slurm_parent: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = "courses"
    """The Slurm account above those of the courses."""
    room: Amount = "10G"
    """What a course's folders have where it does not say."""
