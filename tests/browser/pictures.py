"""Pictures of courses for the documentation, from real pages: run by script/pictures.

Each is kept where SLURMHUB_TEST_SCREENSHOTS says, as in all tests here. What is on a page is looked
at before it is taken, and every page must fit the narrowest phone, by night as well.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Page, ViewportSize, expect

from slurmhub.courses.model import WEEKDAYS, Course, Role
from slurmhub.courses.roster.facts import Identifiers
from slurmhub.courses.store import Courses
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import ClusterPlan
from tests.browser.guest import Guest
from tests.conftest import HubMaker, running_cluster
from tests.rig import queue
from tests.rig.accounts import PREFIX, unix_accounts
from tests.rig.courses import class_plan
from tests.rig.courses_service import PREFIX as PAGES
from tests.rig.courses_service import ServiceUnderTest, service_settings
from tests.rig.hub import HubUnderTest, until
from tests.unit.courses.world import ADMIN, ALICE, POLICY, course, facts
from tests.unit.slurm.fake_commands import Fakes

DESK: ViewportSize = {"width": 1000, "height": 720}
PHONE: ViewportSize = {"width": 320, "height": 640}
GROUPS = {"alice": ["instructors"], "bob": ["instructors"], "carol": ["approvers"]}
POLICY_HERE = POLICY.model_dump(mode="json") | {
    "rates": {"unit": "CAD", "cpu_hour": 0.05, "gpu_hour": {"h100": 1.5}},
    "bounds": {"seats": 400, "cpus": 8, "gpus": 2, "hours": 8},
    "total": {},
    "retention": {"remind_before": [120, 30, 7, 1]},
    "makers": ["instructors"],
}
TODAY = datetime.now(timezone.utc).date()
HOURS = [
    {"weekday": WEEKDAYS[(TODAY.weekday() + days) % 7], "start": "09:00", "end": "10:30"}
    for days in (1, 3)
]
STUDENTS = ("student1", "student2", "student3", "student4", "student5")
Bring = Callable[..., Guest]

FIRST_LIST = b"""Student ID,Last Name,First Name,Email Address,CWL
12345601,One,Student,one@student.example.ca,student1
12345602,Two,Student,two@student.example.ca,student2
12345603,Three,Student,three@student.example.ca,student3
12345604,Four,Student,four@student.example.ca,student4
"""
SECOND_LIST = b"""Class list: PHYS 101 001,,,,
Student ID,Last Name,First Name,Email Address,CWL
12345601,One,Student,one@student.example.ca,student1
12345602,Two,Student,two@student.example.ca,student2
12345602,TWO,Student,two@student.example.ca,student2
12345604,Four,Student,four@student.example.ca,student4
12345606,Six,Student,six@student.example.ca,
,Nobody,,not an address,
12345607,Seven,=1+1,seven@student.example.ca,
"""


def this_term(key: str = "phys101", **changed: Any) -> Course:
    """A course of this term."""
    values: dict[str, Any] = {
        "title": "PHYS 101 Mechanics",
        "description": "Forces, motion and waves. Exercises on Mondays in the lab.",
        "term": {
            "name": "This term",
            "first": str(TODAY - timedelta(days=40)),
            "last": str(TODAY + timedelta(days=60)),
        },
        "class_hours": HOURS,
        "seats": 30,
        "running": 20,
    }
    return course(key, **{**values, **changed})


@contextmanager
def people_at(service: ServiceUnderTest, chromium: Browser, album: Path | None) -> Iterator[Bring]:
    """Brings people to a page, each with a browser profile of their own."""
    with ExitStack() as stack:

        def one(name: str, path: str = PAGES, **options: Any) -> Guest:
            options.setdefault("viewport", DESK)
            context = chromium.new_context(
                base_url=service.hub.url, reduced_motion="reduce", **options
            )
            stack.callback(context.close)
            guest = Guest(context, service.hub, name, album)
            stack.callback(guest.check_manners)
            guest.visit(path)
            guest.sign_in()
            guest.page.wait_for_url(f"**{path}*")
            return guest

        yield one


def take(guest: Guest, name: str, *, height: int | None = None, whole: bool = False) -> None:
    """Keep a picture, and look at the same page on a phone by night."""
    page = guest.page
    if height is not None:
        page.set_viewport_size({"width": DESK["width"], "height": height})
    guest.picture(f"course-{name}", whole=whole)
    on_a_phone(guest, name)


def on_a_phone(guest: Guest, name: str) -> None:
    """Nothing is wider than the narrowest screen; kept as well, for who renews the pictures."""
    page = guest.page
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    guest.picture(f"phone-course-{name}", whole=True)
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)
    assert wide <= PHONE["width"], f"{name} is {wide} wide"


# Pages for which the cluster does nothing


@pytest.fixture(scope="module")
def service(ground: Path, code: Path, proxy_command: list[str]) -> Iterator[ServiceUnderTest]:
    """A service whose accounting tells of some weeks, by a stand-in for sacct."""
    folder = Path(tempfile.mkdtemp(prefix="p", dir=ground))
    slurm = Fakes(folder / "slurm")
    for name in ("squeue", "sinfo", "scontrol", "sacctmgr"):
        slurm.add(name)
    slurm.add("sacct", "".join(weeks()))
    settings, port, database = service_settings(
        folder, GROUPS, policy=POLICY_HERE, cluster={"bin_dir": str(slurm.folder)}
    )
    hub = HubUnderTest(folder, settings, proxy_command, code=code)
    try:
        hub.start()
        running = ServiceUnderTest(hub, database, port)
        running.wait()
        furnish(running.courses())
        yield running
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


def weeks() -> Iterator[str]:
    """Jobs of a class that met for five weeks."""
    tres = "billing=2,cpu=2,gres/gpu:h100=1,gres/gpu=1,mem=4G,node=1"
    now, number = int(time.time()), 0
    for day in range(35, 0, -1):
        if (TODAY - timedelta(days=day)).weekday() not in (0, 2, 4):
            continue
        for which, student in enumerate(STUDENTS):
            start = now - day * 86400
            lasts = 3600 * (1 + (day * 7 + which * 3) % 3)
            number += 1
            yield f"{number}|{student}|course-phys101|{start}|{start + lasts}|00:00:00|{tres}\n"


def furnish(courses: Courses) -> None:
    """Courses at several stages, of alice and bob."""
    courses.create(ADMIN, this_term(), owner="alice", staff={"bob": Role.INSTRUCTOR})
    other = this_term("chem205", title="CHEM 205 Kinetics", class_hours=[])
    courses.create(ADMIN, other, owner="bob", staff={"alice": Role.ASSISTANT})
    large = this_term("stat300", title="STAT 300 Large data", seats=180, class_hours=HOURS[:1])
    courses.create(ALICE, large, note="All second-year students take it this term.")
    old = {"name": "Last term", "first": "2026-01-05", "last": str(TODAY - timedelta(days=90))}
    courses.create(ADMIN, this_term("phys100", title="PHYS 100 Waves", term=old), owner="alice")
    courses.stages.freeze(ADMIN, "phys100")
    for number, name in enumerate(STUDENTS, start=1):
        courses.members.came(facts(name, login=name, number=f"1234560{number}"))
    for key in ("phys101", "chem205", "phys100"):
        courses.realised(key)


@pytest.fixture
def bring(chromium: Browser, service: ServiceUnderTest, album: Path | None) -> Iterator[Bring]:
    with people_at(service, chromium, album) as one:
        yield one


def upload(page: Page, data: bytes) -> None:
    """Bring a list of the class."""
    file = FilePayload(name="class-list.csv", mimeType="text/csv", buffer=data)
    page.locator("#roster-file").set_input_files(file)
    page.get_by_role("button", name="Show what it changes").click()
    page.wait_for_selector("#slurmhub-roster-apply")


def test_courses_are_listed_and_made(bring: Bring) -> None:
    alice = bring("alice")
    expect(alice.page.get_by_role("link", name="PHYS 101 Mechanics")).to_be_visible()
    take(alice, "list", height=620)
    alice.page.get_by_role("link", name="Make a course").click()
    alice.page.get_by_label("Title").fill("PHYS 102 Electricity")
    alice.page.get_by_label("Short name").fill("phys102")
    alice.page.get_by_label("Term", exact=True).fill("Next term")
    alice.page.get_by_label("First day").fill(str(TODAY + timedelta(days=70)))
    alice.page.get_by_label("Last day").fill(str(TODAY + timedelta(days=160)))
    alice.page.get_by_label("Last day").blur()
    alice.page.set_viewport_size({"width": DESK["width"], "height": 1080})
    alice.page.evaluate("window.scrollTo(0, 0)")
    take(alice, "make", height=1080)


def test_a_list_with_mistakes_is_shown_before_it_is_used(bring: Bring) -> None:
    alice = bring("alice")
    alice.visit(f"{PAGES}course/phys101/roster")
    upload(alice.page, FIRST_LIST)
    alice.page.get_by_role("button", name="Change the roster like this").click()
    expect(alice.page.get_by_role("status")).to_contain_text("The roster is changed")
    alice.visit(f"{PAGES}course/phys101/roster")
    upload(alice.page, SECOND_LIST)
    expect(alice.page.locator("#slurmhub-roster-read")).to_contain_text("Nothing is changed yet.")
    take(alice, "roster", height=1100)


def test_a_course_and_its_end(bring: Bring) -> None:
    alice = bring("alice")
    alice.visit(f"{PAGES}course/phys101/")
    on_a_phone(alice, "page")
    alice.visit(f"{PAGES}course/phys100/")
    take(alice, "over", height=700)


def test_what_a_course_used(bring: Bring) -> None:
    alice = bring("alice")
    alice.visit(f"{PAGES}course/phys101/use")
    expect(alice.page.locator("main svg").first).to_be_visible()
    take(alice, "use", height=900)


def test_what_waits_for_an_approver(bring: Bring) -> None:
    carol = bring("carol", f"{PAGES}approvals")
    expect(carol.page.get_by_role("heading", name="STAT 300 Large data")).to_be_visible()
    take(carol, "approvals", height=640)


def test_a_student_joins_with_a_code(bring: Bring) -> None:
    alice, student = bring("alice"), bring("student5")
    alice.visit(f"{PAGES}course/chem205/codes")
    student.visit(f"{PAGES}join")
    student.page.get_by_label("The join code").fill("7KQM-X4RT-9CWD")
    take(student, "join", height=420)


# A class on a cluster


def one_node(root: Path) -> ClusterPlan:
    """One node with eight GPUs, soon full."""
    plan = class_plan(root)
    node = plan.nodes[0]
    return replace(
        plan, nodes=(node,), partitions=(replace(plan.partitions[0], nodes=(node.name,)),)
    )


@pytest.fixture(scope="module")
def small(ground: Path) -> Iterator[EmbeddedCluster]:
    """A cluster with accounting."""
    homes = ground / "students"
    homes.mkdir(mode=0o711)
    with unix_accounts(homes, *STUDENTS), running_cluster(ground, one_node) as running:
        yield running
        queue.clear(running)


@pytest.fixture(scope="module")
def taught(make_shared_hub: HubMaker, small: EmbeddedCluster, ground: Path) -> ServiceUnderTest:
    """A hub with one course that Slurm has."""
    folder = ground / "taught"
    folder.mkdir()
    cluster = {"bin_dir": str(small.bin_dir), "conf": str(small.conf), "account_prefix": PREFIX}
    text, port, database = service_settings(folder, GROUPS, policy=POLICY_HERE, cluster=cluster)
    ours = "\n".join(line for line in text.splitlines() if "slurm_bin_dir" not in line)
    hub = make_shared_hub(small, ours + _FAILS)
    found = ServiceUnderTest(hub, database, port)
    found.wait()
    courses = found.courses()
    profile = {"partition": "gpu", "cpus": 2, "memory": "2G", "gpus": 1, "hours": 2}
    # No room is kept: the board is to have somebody who waits.
    made = this_term(profile=profile, class_hours=[], seats=8, running=8)
    courses.create(ADMIN, made, owner="alice")
    for name in STUDENTS:
        courses.members.add(ADMIN, "phys101", username=name)
    late = Identifiers(number="12345699")
    courses.members.add(ADMIN, "phys101", identifiers=late, name="Student, Late")
    until(
        lambda: (
            courses.get(ADMIN, "phys101").realised and not courses.get(ADMIN, "phys101").waiting
        ),
        what="the course in Slurm",
    )
    return found


_FAILS = """
def _server(spawner):
    if spawner.user.name == "student4":
        spawner.environment = {"STUB_BEHAVIOUR": "dies"}


c.Spawner.pre_spawn_hook = _server
"""


def test_a_class_and_help(
    taught: ServiceUnderTest, small: EmbeddedCluster, chromium: Browser, album: Path | None
) -> None:
    one, two, three, four = (taught.visitor(name) for name in STUDENTS[:4])
    for each in (one, two):
        assert each.start("phys101").status_code in (201, 202)
    assert four.start("phys101").status_code in (201, 202, 424)
    for each in (one, two):
        each.wait_ready("phys101")
    four.wait_for("ended", "phys101")
    small.run(
        *("sbatch", "--parsable", "--partition=gpu", "--gres=gpu:6", "--time=30", "--chdir=/"),
        *("--output=/dev/null", "--wrap=sleep 900"),
    )
    until(lambda: len(queue.jobs(small, "RUNNING")) == 3, what="a full cluster")
    assert three.start("phys101").status_code in (201, 202)
    three.wait_for("queued", "phys101")
    courses = taught.courses()
    hours = courses.get(ADMIN, "phys101")
    courses.change(
        ADMIN, "phys101", hours.version, hours.course.model_copy(update={"class_hours": _hours()})
    )
    with people_at(taught, chromium, album) as bring:
        alice = bring("alice", f"{PAGES}course/phys101/class")
        waits = alice.page.locator("[data-slurmhub-seat=student3]")
        until(lambda: _renewed(alice, waits), what="the reason")
        student = bring("student1", "/hub/home")
        take(student, "home", height=620)
        alice.page.get_by_role("button", name="Ask to help student1").click()
        student.visit("/hub/home")
        expect(student.page.get_by_role("button", name="Let them in")).to_be_visible()
        take(student, "help-asked", height=620)
        student.page.get_by_role("button", name="Let them in").click()
        expect(student.page.get_by_role("button", name="End it now")).to_be_visible()
        take(student, "help", height=620)
        alice.visit(f"{PAGES}course/phys101/class")
        expect(alice.page.get_by_role("link", name="To the server student1")).to_be_visible()
        take(alice, "class", height=980)


def _hours() -> tuple[Any, ...]:
    return this_term().class_hours


def _renewed(guest: Guest, waits: Any) -> bool:
    guest.page.reload()
    return "waits in the queue" in str(waits.inner_text())
