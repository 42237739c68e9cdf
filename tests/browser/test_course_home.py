"""A student's home page with courses: theirs first, one button each, in their language."""

from __future__ import annotations

import pwd
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from slurmhub.courses.model import WEEKDAYS, Course
from slurmhub.courses.policy import Policy
from slurmhub.courses.rights import Person
from slurmhub.courses.store import Courses, open_courses
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.browser.axe import Axe
from tests.browser.guest import Guest
from tests.browser.test_looks import LOOKS, fits, put_on
from tests.conftest import HubMaker
from tests.rig import queue
from tests.rig.hub import HubUnderTest

ADMIN = Person("admin", administrator=True)
SETTINGS = """
c.SlurmHubSpawner.courses_url = {url!r}
c.SlurmHubSpawner.course_folders = {place!r}
c.JupyterHub.allow_named_servers = False
c.Spawner.cmd = [{jupyter!r}]
# For checkpoints of files in folders that nobody writes to: /tmp is not theirs alone.
c.Spawner.environment = {{"JUPYTER_CONFIG_PATH": {config!r}, "TMPDIR": {home!r}}}
"""
REPOSITORY = "https://git.example.ca/phys.git"
MATERIALS = {"repository": {"url": REPOSITORY}, "open": "week-1/start.md"}


def a_course(key: str, title: str, **more: object) -> Course:
    """A course of this term, held in UTC."""
    today = datetime.now(timezone.utc).date()
    return Course.model_validate(
        {
            "key": key,
            "title": title,
            "term": {
                "name": "This term",
                "first": str(today - timedelta(days=30)),
                "last": str(today + timedelta(days=60)),
            },
            "timezone": "America/Vancouver",
            "profile": {"partition": "gpu", "cpus": 2, "memory": "4G", "gpus": 1, "hours": 2},
            "seats": 30,
            **more,
        }
    )


@pytest.fixture(scope="module")
def store(ground: Path) -> Iterator[Courses]:
    """Two open courses and one that is over, all of them bob's."""
    made = open_courses(f"sqlite:///{ground / 'home-courses.sqlite'}", Policy())
    # On every day, so that there is one this week whenever the test runs.
    hours = [{"weekday": day, "start": "00:00", "end": "23:59"} for day in WEEKDAYS]
    made.create(
        ADMIN,
        a_course("phys101", "Mechanics", class_hours=hours, materials=MATERIALS),
        owner="mallory",
    )
    made.create(
        ADMIN, a_course("chem205", "Kinetics", materials={"open": "welcome.md"}), owner="mallory"
    )
    made.create(ADMIN, a_course("hist110", "The steam engine"), owner="mallory")
    for key in ("phys101", "chem205", "hist110"):
        made.members.add(ADMIN, key, username="bob")
        made.realised(key)
    made.stages.freeze(ADMIN, "hist110")
    words = "Bring your laptop.\n<b>Room 3</b>"
    made.messages.send(Person("mallory"), "chem205", words, until=time.time() + 3600)
    yield made
    made.close()


@pytest.fixture
def bob(
    store: Courses,
    make_hub: HubMaker,
    cluster: EmbeddedCluster,
    ground: Path,
    chromium: Browser,
    album: Path | None,
    jupyter: Path,
    jupyter_config: Path,
    accounts: dict[str, str],
) -> Iterator[Guest]:
    """Bob at a hub with these courses."""
    settings = SETTINGS.format(
        url=f"sqlite:///{ground / 'home-courses.sqlite'}",
        place=str(ground / "place"),
        jupyter=str(jupyter),
        config=str(jupyter_config),
        home=pwd.getpwnam(accounts["bob"]).pw_dir,
    )
    hub: HubUnderTest = make_hub(cluster, settings)
    context = chromium.new_context(
        base_url=hub.url, viewport=LOOKS[0].viewport, reduced_motion="reduce"
    )
    guest = Guest(context, hub, "bob", album)
    guest.visit("/hub/login")
    guest.sign_in()
    yield guest
    guest.check_manners()
    context.close()
    queue.clear(cluster)


def card(guest: Guest, key: str) -> Locator:
    return guest.page.locator(f'[data-slurmhub-server="{key}"]')


def test_courses_come_first_with_one_button_each(bob: Guest, axe: Axe) -> None:
    expect(bob.page).to_have_url(f"{bob.hub.url}/hub/home")
    expect(bob.page.get_by_role("heading", level=1)).to_have_text("Your courses")
    expect(bob.page.locator("[data-slurmhub-server] h3")).to_have_text(
        ["Kinetics", "Mechanics", "The steam engine", "My server"]
    )
    message = card(bob, "chem205").locator("[data-slurmhub-message]")
    expect(message).to_contain_text("Bring your laptop.\n<b>Room 3</b>")
    expect(message).to_contain_text("Message of mallory")
    mechanics, over = card(bob, "phys101"), card(bob, "hist110")
    expect(mechanics).to_contain_text("Class is held now, until 23:59. (Vancouver time)")
    expect(mechanics).to_contain_text("2 CPUs, 4 GB of memory, 1 GPU, 2 hours")
    expect(mechanics.get_by_role("button")).to_have_text(["Start"])
    expect(over).to_contain_text("This course is over: its files can be read")
    expect(over.get_by_role("button")).to_have_count(0)
    expect(bob.page.get_by_text("Another server")).to_have_count(0)
    for look in LOOKS:
        put_on(bob, look)
        assert not axe.grave(bob.page), look.name
        assert fits(bob), look.name
        bob.picture(f"courses-{look.name}")
    put_on(bob, LOOKS[0])

    mechanics.get_by_role("button", name="Start").click()
    bob.page.wait_for_url("**/user/bob/phys101/**")
    bob.visit("/hub/home")
    expect(mechanics).to_contain_text("Running")
    expect(mechanics).to_contain_text("2 CPUs, 4 GB of memory and 1 h100 GPU for 2 hours")
    expect(mechanics.get_by_text("Choose other options")).to_have_count(0)
    bob.picture("courses-running")

    # The page of the server's own address asks for nothing either.
    bob.visit("/hub/spawn/bob/chem205")
    expect(bob.page.locator("[data-slurmhub-course]")).to_contain_text("Kinetics")
    expect(bob.page.locator("#spawn_form input:visible, #spawn_form select")).to_have_count(0)
    bob.picture("courses-start")
    bob.visit("/hub/spawn/bob/hist110")
    expect(bob.page.locator("#slurmhub-problems")).to_contain_text("This course is over")
    expect(bob.page.get_by_role("button", name="Start", exact=True)).to_have_count(0)


def test_a_course_is_told_in_french(bob: Guest) -> None:
    bob.page.get_by_role("button", name="Français").click()
    expect(bob.page.get_by_role("heading", level=1)).to_have_text("Vos cours")
    expect(card(bob, "phys101")).to_contain_text(
        "Le cours a lieu maintenant, jusqu\u2019à 23 h 59."
    )
    expect(card(bob, "phys101")).to_contain_text("heure de Vancouver")


@dataclass(frozen=True)
class Lessons:
    """A course's repository, and the home of a student who brings it there."""

    upstream: Path
    home: Path

    def publish(self, text: str, message: str) -> None:
        """Commit this as the first lesson."""
        git = (
            "git",
            "-C",
            str(self.upstream),
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@example.ca",
        )
        (self.upstream / "week-1" / "start.md").write_text(text)
        for argv in (("add", "."), ("commit", "-q", "-m", message)):
            subprocess.run([*git, *argv], check=True)

    @property
    def mine(self) -> Path:
        """The student's own."""
        return self.home / "phys101" / "week-1"


@pytest.fixture
def lessons(accounts: dict[str, str], ground: Path) -> Iterator[Lessons]:
    """Bob's home, whose git finds a repository of this machine behind the course's address."""
    made = Lessons(ground / "lessons", Path(pwd.getpwnam(accounts["bob"]).pw_dir))
    (made.upstream / "week-1").mkdir(parents=True)
    subprocess.run(["git", "-C", str(made.upstream), "init", "-q", "-b", "main"], check=True)
    made.publish("# The lever\n", "Week 1")
    settings = made.home / ".gitconfig"
    settings.write_text(
        f'[url "file://{made.upstream}"]\n  insteadOf = {REPOSITORY}\n[safe]\n  directory = *\n'
    )
    shared = ground / "place" / "chem205" / "shared"
    shared.mkdir(parents=True)
    (shared / "welcome.md").write_text("# Kinetics\n")
    yield made
    settings.unlink()


def test_materials_are_open_when_the_server_is(bob: Guest, lessons: Lessons, axe: Axe) -> None:
    for key, tab in (("phys101", "start.md"), ("chem205", "welcome.md")):
        bob.visit("/hub/home")
        card(bob, key).get_by_role("button", name="Start").click()
        opened = bob.page.locator(".lm-TabBar-tab").get_by_text(tab)
        expect(opened.first).to_be_visible(timeout=120_000)
        bob.picture(f"courses-opened-{key}")
    assert (lessons.mine / "start.md").read_text() == "# The lever\n"
    assert (lessons.home / "courses" / "chem205").is_symlink()

    # What both changed is asked about before anything is brought.
    (lessons.mine / "start.md").write_text("# The lever\nMy own notes.\n")
    lessons.publish("# The lever and the wheel\n", "More of week 1")
    bob.visit("/user/bob/phys101/")
    page = bob.page
    expect(page.get_by_role("heading", level=1)).to_have_text("New materials")
    expect(page.get_by_role("group", name="week-1/start.md")).to_be_visible()
    page.get_by_text("What is different").click()
    expect(page.locator("pre")).to_contain_text("-My own notes.")
    expect(page.locator("pre")).to_contain_text("+# The lever and the wheel")
    for look in LOOKS:
        page.set_viewport_size(look.viewport)
        page.emulate_media(color_scheme=look.colours)
        assert not axe.grave(page), look.name
        assert fits(bob), look.name
        bob.picture(f"courses-materials-{look.name}")
    page.set_viewport_size(LOOKS[0].viewport)
    assert (lessons.mine / "start.md").read_text() == "# The lever\nMy own notes.\n"
    page.get_by_label("Take the new one, and keep mine beside it").check()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".lm-TabBar-tab").get_by_text("start.md").first).to_be_visible(
        timeout=120_000
    )
    assert (lessons.mine / "start.md").read_text() == "# The lever and the wheel\n"
    (kept,) = lessons.mine.glob("start.mine-*.md")
    assert kept.read_text() == "# The lever\nMy own notes.\n"

    # A repository that is away keeps nobody from their server.
    lessons.upstream.rename(lessons.upstream.with_name("elsewhere"))
    bob.visit("/user/bob/phys101/")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.get_by_role("link", name="Open my server without the new materials").click()
    expect(page.locator(".lm-TabBar-tab").get_by_text("start.md").first).to_be_visible(
        timeout=120_000
    )
