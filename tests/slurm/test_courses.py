"""Courses in a real Slurm with its accounting: limits, people, room for classes, and their end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from slurmhub.courses.model import State
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.rig.accounts import account
from tests.rig.courses import (
    SEATS,
    School,
    a_class,
    course,
    default_account,
    people_of,
    queue,
    reserved,
    running,
    sbatch,
    submitted,
)
from tests.rig.hub import until

NAME = "course-phys101"


def fill(cluster: EmbeddedCluster) -> None:
    """Somebody wants every node for themselves for two hours."""
    for _ in cluster.plan.nodes:
        submitted(sbatch(cluster, account("mallory"), "research", "--exclusive", gpus=0))


async def test_thirty_servers_start_in_their_class_while_others_fill_the_cluster(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    now, next_week = a_class(), a_class(timedelta(days=7))
    school.has(course(), *people, occurrences=(now, next_week), roster=SEATS)
    await school.settled()
    held = reserved(class_cluster)
    assert [len(nodes) for nodes in held.values()] == [4, 4], "eight servers on each node"
    fill(class_cluster)
    submitted(sbatch(class_cluster, people[0], NAME))
    said = sbatch(class_cluster, people[0], NAME)
    assert "AssocMaxSubmitJobLimit" in said.stderr, "a second server"
    said = sbatch(class_cluster, people[1], NAME, gpus=2)
    assert "QOSMaxGRESPerUser" in said.stderr, "a second GPU"
    for one in people[1:SEATS]:
        submitted(sbatch(class_cluster, one, NAME))
    until(lambda: running(class_cluster, NAME) == SEATS, what="thirty servers at once")
    assert {where for _, where, _ in queue(class_cluster, NAME)} <= set(held)
    assert running(class_cluster, "research") <= 1
    said = sbatch(class_cluster, people[SEATS], NAME)
    assert said.returncode == 1
    assert "QOSGrpSubmitJobsLimit" in said.stderr, "the thirty-first GPU"


async def test_what_a_class_does_not_use_goes_back_while_its_servers_run(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    school.has(course(), *people, occurrences=(a_class(),), roster=SEATS)
    await school.settled()
    (name,) = reserved(class_cluster)
    for one in people[:3]:
        submitted(sbatch(class_cluster, one, NAME))
    until(lambda: running(class_cluster, NAME) == 3, what="three servers")
    fill(class_cluster)
    school.later = timedelta(minutes=18)
    await school.settled()
    assert len(reserved(class_cluster)[name]) == 4, "they may yet come"

    school.later = timedelta(minutes=30)
    report = await school.settle()
    assert "give " in report.done[0]
    assert len(reserved(class_cluster)[name]) == 1, "two places are kept"
    until(lambda: running(class_cluster, "research") >= 3, what="others' jobs")
    assert running(class_cluster, NAME) == 3
    submitted(sbatch(class_cluster, people[3], NAME))
    until(lambda: running(class_cluster, NAME) == 4, what="the place of one who comes late")
    await school.settled()

    school.change("phys101", occurrences=())
    await school.settled()
    until(lambda: not reserved(class_cluster), what="the end of the class")
    assert running(class_cluster, NAME) == 4, "servers outlast their class"


async def test_who_leaves_a_course_starts_nothing_more_and_keeps_what_runs(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    stays, leaves, waits, researcher = *people[:3], account("mallory")
    school.has(course(), stays, leaves, waits, researcher)
    await school.settled()
    submitted(sbatch(class_cluster, waits, NAME, "--begin=now+1hour"))
    job = submitted(sbatch(class_cluster, leaves, NAME, "--time=30"))
    until(lambda: running(class_cluster, NAME) == 1, what="a server")
    school.has(course(), stays)
    report = await school.settle()
    (reason,) = report.outcomes["phys101"].reasons
    assert reason == f"Who left the course still has a server: {leaves}."
    assert people_of(class_cluster, NAME) == {stays, leaves}
    assert [who for _, _, who in queue(class_cluster, NAME)] == [leaves], "nothing waits any more"
    assert running(class_cluster, NAME) == 1

    class_cluster.run("scancel", str(job))
    until(lambda: not queue(class_cluster, NAME), what="the end of the server")
    said = sbatch(class_cluster, leaves, NAME)
    assert "AssocMaxSubmitJobLimit" in said.stderr, "not one more"
    school.has(course(), stays, leaves)
    await school.settled()
    job = submitted(sbatch(class_cluster, leaves, NAME))
    class_cluster.run("scancel", str(job))
    until(lambda: not queue(class_cluster, NAME), what="the end of the second")

    school.has(course(), stays)
    await school.settled()
    assert people_of(class_cluster, NAME) == {stays}
    assert default_account(class_cluster, researcher) == "research"


async def test_whose_default_account_was_the_course_gets_another(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    school.has(course(), people[0])
    await school.settled()
    class_cluster.run("sacctmgr", "-i", "add", "user", people[0], "account=research")
    assert default_account(class_cluster, people[0]) == NAME
    school.has(course())
    await school.settled()
    assert default_account(class_cluster, people[0]) == "research"
    class_cluster.run("sacctmgr", "-i", "remove", "user", people[0])


async def test_a_course_is_frozen_and_then_ends_when_its_last_server_has(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    later = a_class(timedelta(days=7))
    school.has(course(), *people[:3], occurrences=(later,))
    await school.settled()
    job = submitted(sbatch(class_cluster, people[0], NAME))
    until(lambda: running(class_cluster, NAME) == 1, what="a server")
    school.change("phys101", state=State.FROZEN)
    await school.settled()
    assert not reserved(class_cluster), "no class is held any more"
    said = sbatch(class_cluster, people[1], NAME)
    assert "QOSGrpSubmitJobsLimit" in said.stderr

    school.change("phys101", state=State.ENDED)
    report = await school.settle()
    assert report.outcomes["phys101"].reasons == ("1 job of the course must end first.",)
    assert not report.failed
    assert running(class_cluster, NAME) == 1
    class_cluster.run("scancel", str(job))
    until(lambda: not queue(class_cluster, NAME), what="the end of the server")
    await school.settled()
    assert NAME not in class_cluster.run("sacctmgr", "-nP", "show", "account", "format=Account")
    assert NAME not in class_cluster.run("sacctmgr", "-nP", "show", "qos", "format=Name")


async def test_a_class_that_does_not_fit_says_what_would(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    lesson = a_class(timedelta(days=1))
    lesson = replace(lesson, start=lesson.start.replace(minute=0), end=lesson.end.replace(minute=0))
    school.has(course(), *people, occurrences=(lesson,), roster=SEATS)
    await school.settled()
    school.has(course("chem200"), *people, occurrences=(lesson,), roster=SEATS)
    report = await school.settle()
    assert report.outcomes["phys101"].realised
    (reason,) = report.outcomes["chem200"].reasons
    assert "There is room for 8 of 30 servers." in reason
    # The other course's servers may be started in its last minute, and then last two hours.
    assert f"It would fit at {lesson.end + timedelta(hours=2):%Y-%m-%d %H:%M} UTC." in reason
    assert len(reserved(class_cluster)) == 1

    small = course("chem200", seats=8)
    school.has(small, *people, occurrences=(lesson,), roster=SEATS)
    await school.settled()
    first, second = reserved(class_cluster).values()
    assert not first & second
    moved = a_class(timedelta(days=1, hours=5))
    school.has(course("chem200"), *people, occurrences=(moved,), roster=SEATS)
    await school.settled()
    assert sorted(len(nodes) for nodes in reserved(class_cluster).values()) == [4, 4]


async def test_classes_in_a_row_are_one_so_that_a_server_may_reach_into_the_next(
    school: School, class_cluster: EmbeddedCluster, people: list[str]
) -> None:
    first, second = a_class(), a_class(timedelta(hours=1))
    school.has(course(), *people, occurrences=(first, second), roster=SEATS)
    await school.settled()
    assert len(reserved(class_cluster)) == 1
    fill(class_cluster)
    submitted(sbatch(class_cluster, people[0], NAME))
    until(lambda: running(class_cluster, NAME) == 1, what="a server of two hours")
    school.later = timedelta(minutes=30)
    await school.settled()
    (nodes,) = reserved(class_cluster).values()
    assert len(nodes) == 4, "the second class is still to come"
