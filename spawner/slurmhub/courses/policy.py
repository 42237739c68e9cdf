"""What an institution lets its instructors do, as data: who makes courses, and how large ones."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slurmhub.courses.kinds import Amount, Count, GpuType, Hours, Line, PartitionName
from slurmhub.courses.model import CourseModel

Group = Annotated[str, Field(min_length=1, max_length=255)]
_Module = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+/-]{0,127}$")]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
_Host = Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
_AtLeastOne = Annotated[int, Field(ge=1)]
_Cost = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Environment(CourseModel):
    """Where a course's servers run: modules that are loaded, and lines of a shell before them."""

    title: Line = Field(description="What instructors read.", examples=["Python 3.12"])
    modules: tuple[_Module, ...] = Field((), description="Modules that are loaded, in this order.")
    prologue: str = Field(
        "", max_length=10_000, description="Lines of bash that are run before the server starts."
    )


class Bounds(CourseModel):
    """The most that one course may have, or all together; what is absent is not bounded."""

    cpus: _AtLeastOne | None = Field(None, description="CPUs of each server.")
    memory: Amount | None = Field(None, description="Memory of each server.")
    gpus: Count | None = Field(None, description="GPUs of each server.")
    hours: Hours | None = Field(None, description="Hours that a server may run.")
    room: Amount | None = Field(None, description="Room of all folders of a course together.")
    seats: _AtLeastOne | None = Field(None, description="Students.")
    running_cpus: Count | None = Field(
        None, description="CPUs of all servers that may run at once."
    )
    running_gpus: Count | None = Field(
        None, description="GPUs of all servers that may run at once."
    )
    class_hours_a_week: Hours | None = Field(None, description="Hours of class in a week.")
    days: _AtLeastOne | None = Field(None, description="Days of a term.")


class Rates(CourseModel):
    """What an hour costs, for the plots of use."""

    unit: Line = Field("CAD", description="The unit of all of them.")
    cpu_hour: _Cost = Field(0.0, description="A CPU for an hour.")
    gpu_hour: dict[GpuType, _Cost] = Field({}, description="A GPU for an hour, by its type.")
    other_gpu_hour: _Cost = Field(0.0, description="A GPU of any other type for an hour.")
    gib_month: _Cost = Field(0.0, description="A GiB of the folders for a month.")


class Retention(CourseModel):
    """What becomes of a course after its last day. All are days after the one before."""

    freeze_after: Count = Field(
        14, description="From its last day until it is frozen: read, and not started."
    )
    end_after: Count = Field(90, description="Until what it has is taken away.")
    remind_before: tuple[Count, ...] = Field(
        (30, 7, 1), description="So many days before that its staff are reminded."
    )
    keep_record: Count = Field(730, description="From its end until who did what is forgotten.")


class Early(CourseModel):
    """When the room that a class does not use goes back to the cluster."""

    after_minutes: Annotated[int, Field(ge=5, le=240)] = Field(
        20, description="So long after a class began."
    )
    keep_spare: Count = Field(2, description="Places that are kept for latecomers.")


class Policy(CourseModel):
    """Everything that an institution says of courses at one hub.

    `makers` and `approvers` are groups of the hub; without makers nobody but an administrator makes
    courses. What is above `free` waits for an approver; what is above `bounds` is refused.
    """

    makers: tuple[Group, ...] = Field(
        (),
        description="Groups of the hub whose members make courses; administrators alone if absent.",
        examples=[["instructors"]],
    )
    approvers: tuple[Group, ...] = Field(
        (),
        description="Groups of the hub whose members decide on what is above `free`, beside"
        " administrators.",
    )
    bounds: Bounds = Field(Bounds(), description="The most that a course may have.")
    free: Bounds | None = Field(
        None,
        description="What a course may have without anybody's approval; all within `bounds` if"
        " absent.",
    )
    most_courses: Count | None = Field(
        None, description="Courses of one owner at the same time; any number if absent."
    )
    total: Bounds = Field(
        Bounds(),
        description="The most of all open courses of the hub together: of what is running, room and"
        " seats.",
    )
    partitions: tuple[PartitionName, ...] = Field(
        (),
        max_length=100,
        description="Partitions that courses may use; each that the hub offers if absent.",
    )
    environments: dict[_Name, Environment] = Field(
        {},
        description="What servers of a course can run in, by name, beside the hub's usual"
        " environment.",
    )
    repositories: tuple[_Host, ...] = Field(
        (),
        description="Hosts from which materials may come, such as git.example.ca; any if absent.",
    )
    join_groups: tuple[Group, ...] = Field(
        (),
        max_length=100,
        description="Groups of the hub that may bring students into courses, `*` stands for"
        " anything; none if absent. Whoever names a group for a course learns who is in it.",
    )
    retention: Retention = Field(Retention(), description="What becomes of a course that is over.")
    rates: Rates = Field(Rates(), description="What an hour costs.")
    early: Early = Field(Early(), description="When unused room of a class is given back.")
    slurm_parent: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = Field(
        "courses", description="The Slurm account above those of the courses."
    )
    room: Amount = Field("10G", description="What a course's folders have where it does not say.")
