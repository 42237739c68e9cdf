"""An instructor's way through the pages of courses, and a student's who joins, in a browser."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, FilePayload, expect

from slurmhub.courses.model import Role, State
from slurmhub.courses.roster.facts import Identifiers
from tests.browser.axe import Axe
from tests.browser.conftest import WIDE
from tests.browser.french import French
from tests.browser.guest import Guest
from tests.rig.courses_service import GROUPS, PREFIX, ServiceUnderTest, service_settings
from tests.rig.hub import HubUnderTest
from tests.rig.registrar import registrars_file
from tests.unit.courses.world import ADMIN, ALICE, BOB, course, facts

Bring = Callable[..., Guest]
OPEN_ALL = "document.querySelectorAll('main details').forEach(one => { one.open = true; })"
NARROW = {"width": 360, "height": 740}
SHORT = "The class of 2026-11-23 17:00 UTC does not fit. There is room for 12 of 30 servers."


@pytest.fixture(scope="module")
def service(ground: Path, code: Path, proxy_command: list[str]) -> Iterator[ServiceUnderTest]:
    """A hub with the courses service; no cluster is needed for what is done here."""
    folder = Path(tempfile.mkdtemp(prefix="c", dir=ground))
    settings, port, database = service_settings(folder, GROUPS)
    hub = HubUnderTest(folder, settings, proxy_command, code=code)
    try:
        hub.start()
        running = ServiceUnderTest(hub, database, port)
        running.wait()
        yield running
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bring(chromium: Browser, service: ServiceUnderTest, album: Path | None) -> Iterator[Bring]:
    """Bring people to the courses, each with a browser profile of their own."""
    with ExitStack() as stack:

        def one(name: str, **options: Any) -> Guest:
            options.setdefault("viewport", WIDE)
            context = chromium.new_context(base_url=service.hub.url, **options)
            stack.callback(context.close)
            guest = Guest(context, service.hub, name, album)
            stack.callback(guest.check_manners)
            guest.visit(PREFIX)
            guest.sign_in()
            guest.page.wait_for_url(f"**{PREFIX}*")
            return guest

        yield one


def fill_course(guest: Guest, key: str) -> None:
    """What an instructor types into the empty form, and nothing else."""
    page = guest.page
    page.get_by_label("Title").fill("PHYS 101 Mechanics")
    page.get_by_label("Short name").fill(key)
    page.get_by_label("Term", exact=True).fill("Winter 2026")
    page.get_by_label("First day").fill("2026-01-05")
    page.get_by_label("Last day").fill("2099-04-10")


@pytest.mark.parametrize("script", [True, False], ids=["with", "without-javascript"])
def test_an_instructor_makes_a_course_with_a_roster(
    bring: Bring, service: ServiceUnderTest, script: bool
) -> None:
    key = f"phys101-{'js' if script else 'plain'}"
    alice = bring("alice", java_script_enabled=script)
    page = alice.page
    page.get_by_role("link", name="Make a course").click()
    fill_course(alice, key)
    page.get_by_role("button", name="Make the course").click()
    # Said beside its field, with what was typed still there.
    expect(page.locator("#slurmhub-course-problems")).to_contain_text("longer than 400 days")
    expect(page.get_by_label("Title")).to_have_value("PHYS 101 Mechanics")
    page.get_by_label("Last day").fill("2026-04-10")
    page.get_by_label("Day of the week").select_option("mon")
    page.get_by_label("From").fill("09:00")
    page.get_by_label("Until").fill("10:30")
    page.get_by_role("button", name="One more class").click()
    expect(page.get_by_label("Day of the week")).to_have_count(2)
    expect(page.get_by_label("From").first).to_have_value("09:00")
    # Enter in a field saves, and does not press another button.
    page.get_by_label("Title").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The course is made and open.")
    stored = service.courses().get(ALICE, key)
    assert (stored.state, len(stored.course.class_hours)) == (State.OPEN, 1)
    page.get_by_role("link", name="Upload a roster").click()
    file = FilePayload(name="roster.csv", mimeType="text/csv", buffer=registrars_file().data[:2000])
    page.locator("#roster-file").set_input_files(file)
    page.get_by_role("button", name="Show what it changes").click()
    expect(page.locator("#slurmhub-roster-read")).to_contain_text("Nothing is changed yet.")
    expect(page.locator("[data-slurmhub-count=added]")).to_be_visible()
    page.get_by_role("button", name="Change the roster like this").click()
    expect(page.get_by_role("status")).to_contain_text("The roster is changed as you saw it.")
    expect(page.locator("[data-slurmhub-member]")).not_to_have_count(1)


def test_a_student_joins_with_the_code_an_instructor_made(
    bring: Bring, service: ServiceUnderTest
) -> None:
    service.courses().create(ALICE, course("codes1"))
    alice, student = bring("alice"), bring("student1")
    alice.visit(f"{PREFIX}course/codes1/codes")
    alice.page.get_by_label("For how many students").fill("1")
    alice.page.get_by_role("button", name="Make the code").click()
    code = alice.page.locator("#slurmhub-code").inner_text()
    student.page.get_by_role("link", name="Join with a code").click()
    student.page.get_by_label("The join code").fill("7KQM-X4RT-9CWD")
    student.page.get_by_role("button", name="Join", exact=True).click()
    expect(student.page.get_by_role("alert")).to_contain_text("There is no such join code.")
    student.page.get_by_label("The join code").fill(code.lower())
    student.page.get_by_role("button", name="Join", exact=True).click()
    expect(student.page.get_by_role("status")).to_contain_text("You are in the course now.")
    alice.visit(f"{PREFIX}course/codes1/people")
    expect(alice.page.locator("[data-slurmhub-member=student1]")).to_contain_text("By a join code")


def test_the_slower_of_two_sees_what_the_faster_changed(
    bring: Bring, service: ServiceUnderTest
) -> None:
    courses = service.courses()
    courses.create(ALICE, course("both1"))
    alice = bring("alice")
    alice.visit(f"{PREFIX}course/both1/change")
    courses.change(ALICE, "both1", 1, course("both1", seats=40, description="Waves"))
    page = alice.page
    page.get_by_label("Seats", exact=True).fill("20")
    page.get_by_label("Title").fill("Optics")
    page.get_by_role("button", name="Save").click()
    conflict = page.locator("#slurmhub-course-conflict")
    expect(conflict).to_contain_text("Both of you changed the number of seats")
    expect(conflict.get_by_role("row", name="Seats 40 20")).to_be_visible()
    expect(page.get_by_label("Description")).to_have_value("Waves")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("The course is saved.")
    now = courses.get(ALICE, "both1").course
    assert (now.title, now.seats, now.description) == ("Optics", 20, "Waves")


def everything(service: ServiceUnderTest, key: str) -> None:
    """A course with something on each of its pages."""
    courses = service.courses()
    hours = [
        {"weekday": "mon", "start": "09:00", "end": "10:30"},
        {"weekday": "thu", "start": "22:00", "end": "01:00", "without": ["2026-02-19"]},
    ]
    courses.create(
        ALICE,
        course(
            key,
            title="PHYS 101 Mechanics",
            description="Forces and waves.\nOn Mondays in the lab.",
            term={"name": "Autumn", "first": "2026-09-01", "last": "2026-12-20"},
            class_hours=hours,
            storage={"drop": True},
            running=5,
        ),
        staff={"bob": Role.INSTRUCTOR, "helper1": Role.ASSISTANT},
    )
    courses.members.came(facts("student7", mail="student7@student.example.ca"))
    courses.members.add(ALICE, key, username="student7", name="A Student")
    for number in range(3):
        known = Identifiers(number=f"1234567{number}", mail=f"s{number}@student.example.ca")
        courses.members.add(ALICE, key, identifiers=known, name=f"Student {number}")
    courses.codes.add(ALICE, key, key.ljust(64, "0"), seats=20, expires=time.time() + 86400)
    large = courses.get(ALICE, key).course.model_copy(update={"seats": 200})
    courses.change(BOB, key, 1, large, note="More students came than we thought.")
    courses.realised(key, SHORT)


def test_the_page_of_the_class_renews_itself(bring: Bring, service: ServiceUnderTest) -> None:
    courses = service.courses()
    courses.create(ALICE, course("renewed1", running=5))
    alice = bring("alice")
    alice.page.clock.install()
    alice.visit(f"{PREFIX}course/renewed1/class")
    expect(alice.page.locator("#slurmhub-class")).to_contain_text("no students yet")
    courses.members.add(ALICE, "renewed1", username="student2")
    alice.page.clock.fast_forward(16_000)
    expect(alice.page.locator("[data-slurmhub-seat=student2]")).to_contain_text("Not started")


PAGES = ("", "class", "messages", "people", "roster", "codes", "change", "record", "stages")


def all_pages(guest: Guest, key: str) -> Iterator[str]:
    """Go through every page, and say which it is."""
    for path in ("", "new", "join"):
        guest.visit(f"{PREFIX}{path}")
        yield path or "list"
    for path in PAGES:
        guest.visit(f"{PREFIX}course/{key}/{path}")
        yield path or "overview"
    guest.visit(f"{PREFIX}course/{key}/roster")
    short = registrars_file().data[:1500] + b"\r\n,12345678,Other,=1+1,s1@x.example.ca\r\n"
    file = FilePayload(name="roster.csv", mimeType="text/csv", buffer=short)
    guest.page.locator("#roster-file").set_input_files(file)
    guest.page.locator("#slurmhub-roster-upload button").click()
    guest.page.wait_for_selector("#slurmhub-roster-apply")
    yield "preview"
    guest.visit(f"{PREFIX}course/{key}/change")
    guest.page.locator("[name=seats]").fill("none")
    guest.page.locator("[name='profile.memory']").fill("")
    guest.page.locator("[name='class_hours[0].end']").fill("09:00")
    save = guest.page.locator("#slurmhub-course-form button.btn-primary")
    save.evaluate("button => { button.form.noValidate = true; }")
    save.click()
    guest.page.wait_for_selector("#slurmhub-course-problems")
    yield "problems"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(
    bring: Bring, service: ServiceUnderTest, axe: Axe, scheme: str
) -> None:
    key = f"seen-{scheme}"
    everything(service, key)
    alice = bring("alice", color_scheme=scheme)
    found = {}
    for name in all_pages(alice, key):
        alice.page.evaluate(OPEN_ALL)
        alice.picture(f"courses-{scheme}-{name}", whole=True)
        found[name] = axe.grave(alice.page)
    carol = bring("carol", color_scheme=scheme)
    carol.visit(f"{PREFIX}approvals")
    carol.picture(f"courses-{scheme}-approvals", whole=True)
    found["approvals"] = axe.grave(carol.page)
    assert not {name: each for name, each in found.items() if each}


def test_pages_fit_a_phone(bring: Bring, service: ServiceUnderTest) -> None:
    everything(service, "narrow")
    alice = bring("alice", viewport=NARROW)
    wide = {}
    for name in all_pages(alice, "narrow"):
        alice.picture(f"courses-narrow-{name}", whole=True)
        width = alice.page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            wide[name] = width
    assert not wide


def test_no_english_is_left_on_french_pages(bring: Bring, service: ServiceUnderTest) -> None:
    everything(service, "french")
    french = French(
        names=[
            "Mechanics PHYS Autumn carol helper Vancouver America",
            "Forces and waves On Mondays in the lab",
            "More students came than we thought",
            "codes1 renewed Winter 2026 Optics both narrow js plain french seen dark light",
            "A Student stud Other ISO DOS Class list",
        ]
    )
    alice = bring("alice", locale="fr-CA")
    for name in all_pages(alice, "french"):
        alice.picture(f"courses-french-{name}", whole=True)
        french.read(alice.page, name)
    carol = bring("carol", locale="fr-CA")
    carol.visit(f"{PREFIX}approvals")
    french.read(carol.page, "approvals")
    french.verify()


def test_what_a_registrar_writes_is_text_and_nothing_else(
    bring: Bring, service: ServiceUnderTest
) -> None:
    service.courses().create(ADMIN, course("odd1", seats=300, running=5), owner="alice")
    alice = bring("alice")
    dialogs: list[Dialog] = []
    alice.page.on("dialog", lambda dialog: dialogs.append(dialog))
    alice.visit(f"{PREFIX}course/odd1/roster")
    file = FilePayload(name="r.csv", mimeType="text/csv", buffer=registrars_file().data)
    alice.page.locator("#roster-file").set_input_files(file)
    alice.page.get_by_role("button", name="Show what it changes").click()
    expect(alice.page.locator("#slurmhub-roster-apply")).to_contain_text("<script>alert(1)")
    alice.page.get_by_role("button", name="Change the roster like this").click()
    expect(alice.page.locator("#slurmhub-people")).to_contain_text("<script>alert(1)")
    assert not dialogs
