"""Courses at a hub that `slurmhub up` made, with PostgreSQL, a class's room and folders."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect

from tests.lab.fleet.client import HeldFleet
from tests.lab.whole.operator import Operator
from tests.lab.whole.student import Student, browser
from tests.lab.whole.teaching import KEY, Teaching, token_of
from tests.rig.hub import until

_UNIT = "slurmhub-main-courses"
_ON_NODES = "/home/people/.courses/main"
_SSH = ("ssh", "-F", "/etc/slurmhub/main/courses-ssh/config", "storage")
_SEEN = (
    "import os, pathlib; folder = pathlib.Path('courses/phys101'); "
    "drop = folder / 'drop' / os.environ['USER'] / 'essay.txt'; drop.write_text('mine'); "
    "print((folder / 'shared/start.md').read_text(), os.environ['SLURM_JOB_ACCOUNT'], "
    "os.environ['SLURMHUB_COURSE'], 6 * 7)"
)


@pytest.fixture(scope="module")
def teaching() -> Iterator[Teaching]:
    """An empty machine, an identity provider, and a site file with courses."""
    fleet = HeldFleet.start(f"teaching-{os.getpid()}")
    folder = Path(tempfile.mkdtemp(prefix="shub-teaching-"))
    try:
        teaching = Teaching(folder, fleet)
        teaching.prepare()
        yield teaching
    finally:
        fleet.down()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def up(teaching: Teaching) -> Operator:
    """The machine is what the site file says, and the institution knows the hub."""
    operator = Operator(teaching)
    operator.run("up", "--yes", "--no-smoke")
    assert teaching.register() == 1
    return operator


@pytest.fixture(scope="module")
def code(up: Operator, teaching: Teaching, playwright: Playwright) -> str:
    """A join code of a course that alice has made, with something in its shared folder."""
    with browser(playwright, teaching) as page:
        alice = Student(page, "alice")
        alice.sign_in()
        token = token_of(page)
    assert f"{KEY}: open" in teaching.course(token, "create", teaching.course_file())
    made = teaching.course(token, "code", "make", KEY, "--seats", "5")
    until(
        lambda: _may(teaching, "alice", "-w", f"{_ON_NODES}/{KEY}/shared"),
        seconds=120,
        what="folders that alice may write",
    )
    start = f"{_ON_NODES}/{KEY}/shared/start.md"
    teaching.as_account("alice", "sh", "-c", f"echo welcome > {start}")
    found = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", made)
    assert found, made
    return found[0]


def test_a_student_joins_computes_and_hands_in(
    teaching: Teaching, playwright: Playwright, code: str
) -> None:
    with browser(playwright, teaching) as page:
        _join(teaching, Student(page, "probe"), code)
    with browser(playwright, teaching) as page:
        bob = Student(page, "bob")
        _join(teaching, bob, code)
        until(lambda: "|bob|" in _associations(teaching), seconds=120, what="bob in Slurm")
        page.goto("/hub/home")
        card = page.locator(f'[data-slurmhub-server="{KEY}"]')
        expect(card).to_contain_text("Class is held now")
        card.get_by_role("button", name="Start").click()
        page.wait_for_url(f"**/user/bob/{KEY}/lab/**")
        job = teaching.on_host("squeue", "--noheader", "--user=bob", "--format=%a %q %v %T")
        page.goto(f"/user/bob/{KEY}/lab?reset")
        assert bob.computes(_SEEN) == f"welcome\n course-{KEY} {KEY} 42"
    account, qos, reservation, state = job.split()
    assert (account, qos, state) == (f"course-{KEY}", "courses", "RUNNING")
    assert reservation in teaching.on_host("scontrol", "show", "reservation")
    essay = f"{_ON_NODES}/{KEY}/drop/bob/essay.txt"
    assert teaching.as_account("alice", "cat", essay) == "mine"
    for name in ("probe", "nobody"):
        assert "Permission denied" in teaching.as_account(name, "cat", essay, check=False)


def test_what_slurm_has_of_the_course(teaching: Teaching, code: str) -> None:
    accounts = teaching.on_host("sacctmgr", "-nP", "show", "account", "format=account,org")
    assert f"course-{KEY}|" in accounts
    assert f"course-{KEY}|alice|" in _associations(teaching)
    qos = teaching.on_host("sacctmgr", "-nP", "show", "qos", "courses", "format=name,flags")
    assert qos == "courses|DenyOnLimit"


def test_the_unit_is_closed_and_lacks_nothing(teaching: Teaching, code: str) -> None:
    runs = teaching.service_runs()
    assert (runs["ActiveState"], runs["NRestarts"]) == ("active", "0")
    said = teaching.on_host("journalctl", f"--unit={_UNIT}", "--output=cat", "--no-pager")
    for word in ("Traceback", "denied", "not permitted", "Read-only", "cannot be"):
        assert word not in said, said
    seen = teaching.on_host("systemd-analyze", "security", "--no-pager", f"{_UNIT}.service")
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", seen)
    assert exposure, seen
    assert float(exposure[1]) <= 2.5, seen


def test_the_key_of_the_service_opens_nothing_else(teaching: Teaching, code: str) -> None:
    service = "slurmhub-course-main"
    listed = '{"verb": "list"}'
    asked = ("sh", "-c", f"echo '{listed}' | {' '.join(_SSH)}")
    assert f'"courses": ["{KEY}"]' in teaching.as_account(service, *asked)
    for word in ("id", "/bin/sh", "-N", "-W 127.0.0.1:22"):
        line = f"echo '{listed}' | timeout 20 {' '.join(_SSH)} {word}"
        if word.startswith("-"):
            line = f"echo '{listed}' | timeout 20 {' '.join(_SSH[:-1])} {word} {_SSH[-1]}"
        said = teaching.as_account(service, "sh", "-c", line, check=False)
        assert "uid=" not in said, said
        assert "SSH-2.0" not in said, said
    assert "denied" in teaching.as_account("bob", "cat", _SSH[2][:-6] + "key", check=False)
    refused = teaching.as_account(service, "sudo", "-n", "-l", check=False)
    assert "password is required" in refused or "not allowed" in refused, refused


def test_prometheus_asks_it(teaching: Teaching, code: str) -> None:
    def up() -> bool:
        targets = teaching.prometheus("targets")["activeTargets"]
        return any("services/courses" in each["scrapeUrl"] for each in targets) and all(
            each["health"] == "up" for each in targets
        )

    until(up, seconds=120, what="targets that are up")
    query = "query?query=slurmhub_course_folders_states%7Bstate%3D%22realised%22%7D"
    until(
        lambda: [each["value"][1] for each in teaching.prometheus(query)["result"]] == ["1"],
        seconds=120,
        what="a course with its folders",
    )


def test_doctor_and_status(teaching: Teaching, up: Operator, code: str) -> None:
    assert _of_courses(teaching.told(up, "doctor")) == {}
    assert teaching.told(up, "status")["hubs"][0]["courses"] is True
    settings, away = "/etc/slurmhub/course-folders/main.json", "/root/main.json"
    teaching.on_host("sh", "-c", f"mv {settings} {away}; systemctl stop {_UNIT}")
    try:
        found = _of_courses(teaching.told(up, "doctor"))
        assert teaching.told(up, "status")["hubs"][0]["courses"] is False
    finally:
        teaching.on_host("sh", "-c", f"mv {away} {settings}; systemctl start {_UNIT}")
    assert "hub does not answer" in found["courses-answer"]
    assert "this host has no such folders of courses" in found["courses-have-folders"]


def test_a_second_run_changes_nothing(teaching: Teaching, up: Operator, code: str) -> None:
    before = teaching.service_runs()
    assert "Nothing was changed." in up.run("up", "--yes", "--no-smoke")
    assert teaching.service_runs() == before


def test_backed_up_and_restored(
    teaching: Teaching, up: Operator, playwright: Playwright, code: str
) -> None:
    teaching.on_host("systemctl", "start", "slurmhub-main-backup.service")
    names = teaching.on_host("sh", "-c", f"{_BACKUP} && ls").split()
    assert {"courses.dump", "courses-secret"} <= set(names)
    with browser(playwright, teaching) as page:
        alice = Student(page, "alice")
        alice.sign_in()
        token = token_of(page)
        teaching.course(token, "change", KEY, "--set", "title=Waves")
        for line in _RESTORE:
            teaching.on_host("sh", "-c", line)
        until(lambda: _answers(teaching), seconds=120, what="the courses again")
        assert "Mechanics" in teaching.course(token, "show", KEY)
    # The code is good by the secret alone.
    with browser(playwright, teaching) as page:
        _join(teaching, Student(page, "probe"), code)


def test_folders_are_given_up_and_taken_up_again(
    teaching: Teaching, up: Operator, code: str
) -> None:
    makers = "      makers: [instructors]\n"
    without = up.changed_site({makers: f"{makers}      folders: false\n"})
    for layer in ("homes", "hub"):
        up.run("up", "--yes", "--no-smoke", "--only", layer, site=without)
    service = "slurmhub-course-main"
    asked = ("sh", "-c", f"echo '{{}}' | {' '.join(_SSH)}")
    assert "ok" not in teaching.as_account(service, *asked, check=False)
    assert "BEGIN" not in teaching.on_host("cat", "/var/lib/slurmhub-folders/.ssh/authorized_keys")
    for layer in ("homes", "hub"):
        up.run("up", "--yes", "--no-smoke", "--only", layer)
    assert '"kind": "invalid"' in teaching.as_account(service, *asked, check=False)
    assert _may(teaching, "alice", "-w", f"{_ON_NODES}/{KEY}/shared")


_BACKUP = "cd $(ls -d /srv/slurmhub/backup/main/*/ | tail -1)"
_RESTORE = (
    f"systemctl stop {_UNIT} slurmhub-main",
    f"{_BACKUP} && runuser -u slurmhub-course-main --"
    " pg_restore --clean --if-exists -d slurmhub-main-courses < courses.dump",
    f"{_BACKUP} && install -o slurmhub-course-main -g slurmhub-course-main"
    " -m 600 courses-secret /var/lib/slurmhub-courses/main/secret",
    f"systemctl start slurmhub-main {_UNIT}",
)


def _of_courses(doctor: dict[str, Any]) -> dict[str, str]:
    """What doctor finds of courses, by check."""
    found = {each["check"]: each["what"] for each in doctor["findings"]}
    return {check: what for check, what in found.items() if check.startswith("courses-")}


def _join(teaching: Teaching, student: Student, code: str) -> None:
    """Somebody signs in for the first time, joins the course, and has a folder there."""
    student.sign_in()
    page = student.page
    page.goto("/services/courses/join")
    page.get_by_label("The join code").fill(code)
    page.get_by_role("button", name="Join", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("You are in the course now.")
    until(
        lambda: _may(teaching, student.name, "-w", f"{_ON_NODES}/{KEY}/drop/{student.name}"),
        seconds=120,
        what=f"a folder that {student.name} may write",
    )


def _answers(teaching: Teaching) -> bool:
    url = f"http://{teaching.fleet.address('hub')}:8061/services/courses/health"
    code = f"import urllib.request as u; print(u.urlopen('{url}').status)"
    return teaching.on_host("python3", "-c", code, check=False).endswith("200")


def _may(teaching: Teaching, name: str, what: str, folder: str) -> bool:
    """What test(1) says of a folder to one of the machine's accounts."""
    asked = ("sh", "-c", f"test {what} {folder} && echo may")
    return teaching.as_account(name, *asked, check=False) == "may"


def _associations(teaching: Teaching) -> str:
    asked = ("sacctmgr", "-nP", "show", "assoc", f"account=course-{KEY}")
    return teaching.on_host(*asked, "format=account,user,qos")
