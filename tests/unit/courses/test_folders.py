"""What folders courses should have, and having it done by a program that answers as it likes."""

from __future__ import annotations

import json
import logging
import pwd
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from slurmhub.courses.errors import CourseUnknown, NotAllowed
from slurmhub.courses.exporting import export, file_name
from slurmhub.courses.folders.accounts import Accounts
from slurmhub.courses.folders.desired import desired, names
from slurmhub.courses.folders.program import FoldersProgram, FoldersRefused, FoldersUnusable
from slurmhub.courses.folders.reconciler import FoldersReconciler
from slurmhub.courses.model import Role
from slurmhub.courses.record import What
from slurmhub.courses.rights import Person
from slurmhub.courses.roster.facts import Identifiers
from slurmhub.courses.store import Courses
from tests.unit.courses.world import ADMIN, ALICE, BOB, POLICY, STUDENT, at, course, made, people

LOG = logging.getLogger("slurmhub.tests")
UIDS = {"alice": 2001, "bob": 2002, "student": 2003, "dana": 2004, "Eve": 2005}
ACCOUNTS = {name: (name, uid) for name, uid in UIDS.items()}
ALL = {"shared": True, "data": True, "drop": True, "exchange": False}

# Answers as its folder says, and keeps what it was asked.
PROGRAM = """#!/bin/sh
here=$(dirname "$0")
cat >"$here/request"
cat "$here/request" >>"$here/requests"; echo >>"$here/requests"
case $(cat "$here/request") in
    *'"list"'*) cat "$here/list" ;;
    *) cat "$here/answer" ;;
esac
test ! -e "$here/fails"
"""


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """A folder with the program."""
    folder = tmp_path / "stub"
    folder.mkdir()
    (folder / "program").write_text(PROGRAM)
    (folder / "program").chmod(0o755)
    says(folder, list={"ok": True, "courses": [], "going": []}, answer={"ok": True, "done": True})
    return folder


def says(stub: Path, **answers: Any) -> None:
    for name, answer in answers.items():
        (stub / name).write_text(json.dumps(answer))


def asked(stub: Path) -> list[dict[str, Any]]:
    """All requests so far but those for the list; they are forgotten then."""
    path = stub / "requests"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [each for each in map(json.loads, lines) if each["verb"] != "list"]


def program(stub: Path) -> FoldersProgram:
    return FoldersProgram([str(stub / "program"), "main"])


class Known(Accounts):
    """Accounts that need no host."""

    def of(self, names: Any) -> dict[str, tuple[str, int]]:
        return {name: ACCOUNTS[name] for name in names if name in ACCOUNTS}


def reconciler(courses: Courses, stub: Path, **more: Any) -> FoldersReconciler:
    return FoldersReconciler(
        program(stub), courses.snapshot, lambda: courses.policy, Known(), log=LOG, **more
    )


def whole(courses: Courses) -> None:
    """A course with staff, students, somebody who never came, and somebody who left."""
    made(courses, storage=ALL)
    courses.members.add(ADMIN, "phys101", username="bob", role=Role.ASSISTANT)
    for name in ("student", "dana", "nobody-knows"):
        courses.members.add(ALICE, "phys101", username=name)
    courses.members.add(ALICE, "phys101", identifiers=Identifiers(mail="x@example.ca"))
    courses.members.drop(ALICE, "phys101", people(courses)["dana"].number)


# What there should be


def test_what_a_course_should_have(courses: Courses) -> None:
    whole(courses)
    snapshot = courses.snapshot()
    assert names(snapshot) == {"alice", "bob", "student", "nobody-knows"}
    found = desired(snapshot, POLICY, ACCOUNTS)
    (one,) = found.courses
    assert found.unwanted == frozenset()
    assert one.request() == {
        "verb": "ensure",
        "course": "phys101",
        "frozen": False,
        "folders": ["shared", "data", "drop"],
        "staff": {"alice": 2001, "bob": 2002},
        "students": {"student": 2003},
        "quota": 10 * 2**30,
    }


def test_states(courses: Courses) -> None:
    made(courses, "open1")
    made(courses, "frozen1")
    made(courses, "ended1")
    courses.create(ALICE, course("waits1", seats=60))
    courses.stages.freeze(ALICE, "frozen1")
    courses.stages.end(ALICE, "ended1")
    found = desired(courses.snapshot(), POLICY, ACCOUNTS)
    assert {one.key: one.frozen for one in found.courses} == {"open1": False, "frozen1": True}
    assert found.unwanted == {"ended1"}


def test_its_own_quota(courses: Courses) -> None:
    made(courses, storage={"quota": "512M"})
    (one,) = desired(courses.snapshot(), POLICY, ACCOUNTS).courses
    assert one.quota == 512 * 2**20


def test_accounts_that_cannot_have_a_folder_harm_nobody_else(courses: Courses) -> None:
    whole(courses)
    odd = {**ACCOUNTS, "student": ("../student", 2003), "bob": ("bob", 2001)}
    (one,) = desired(courses.snapshot(), POLICY, odd).courses
    assert (one.staff, one.students) == ({"alice": 2001}, {})
    assert one.unserved == (
        "bob has the same number as alice.",
        "../student is no name for a folder.",
    )


def test_accounts_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def ask(name: str) -> Any:
        looked.append(name)
        if name not in ("u-alice", "u-root"):
            raise KeyError(name)
        return SimpleNamespace(pw_uid=2001 if name == "u-alice" else 0)

    monkeypatch.setattr(pwd, "getpwnam", ask)
    now = [0.0]
    accounts = Accounts("u-", clock=lambda: now[0])
    for _ in range(2):
        assert accounts.of(["alice", "root", "bob"]) == {"alice": ("u-alice", 2001)}
    assert len(looked) == 3
    now[0] += 61  # who had no account may have one now
    accounts.of(["alice", "root", "bob"])
    assert looked[3:] == ["u-root", "u-bob"]


# Rounds


async def test_a_round_asks_once_and_again_when_something_changed(
    courses: Courses, stub: Path
) -> None:
    whole(courses)
    now = [0.0]
    rounds = reconciler(courses, stub, clock=lambda: now[0])
    report = await rounds.once()
    assert [each["course"] for each in asked(stub)] == ["phys101"]
    assert (report.more, report.outcomes["phys101"].realised) == (False, True)
    await rounds.once()
    assert asked(stub) == []
    courses.members.add(ALICE, "phys101", username="dana")
    await rounds.once()
    (request,) = asked(stub)
    assert request["students"] == {"dana": 2004, "student": 2003}
    now[0] += 3601  # somebody may have changed the folders
    await rounds.once()
    assert len(asked(stub)) == 1


async def test_a_large_tree_holds_no_other_course_up(courses: Courses, stub: Path) -> None:
    made(courses, "phys101")
    made(courses, "chem101")
    says(stub, answer={"ok": True, "done": False})
    rounds = reconciler(courses, stub)
    report = await rounds.once()
    assert {each["course"] for each in asked(stub)} == {"phys101", "chem101"}
    assert report.more
    assert not report.outcomes["phys101"].realised
    says(stub, answer={"ok": True, "done": True})
    report = await rounds.settle()
    assert (report.more, report.outcomes["phys101"].realised) == (False, True)


@pytest.mark.parametrize("kind", ["full", "away", "busy", "taken", "unsupported", "failed", "?"])
async def test_what_is_refused_is_told_and_asked_again(
    courses: Courses, stub: Path, kind: str
) -> None:
    made(courses)
    says(stub, answer={"ok": False, "kind": kind, "message": "/secret/place: no"})
    rounds = reconciler(courses, stub)
    report = await rounds.once()
    assert not report.outcomes["phys101"].realised
    assert "secret" not in str(report.outcomes["phys101"])
    says(stub, answer={"ok": True, "done": True})
    assert (await rounds.once()).outcomes["phys101"].realised


async def test_who_has_no_folder_is_named(courses: Courses, stub: Path) -> None:
    made(courses)
    says(stub, answer={"ok": True, "done": True, "troubles": {"student": "it is another's"}})
    report = await reconciler(courses, stub).once()
    assert report.outcomes["phys101"].reasons == ("No folder for student: it is another's.",)


async def test_a_course_that_ended_is_removed_and_no_other(courses: Courses, stub: Path) -> None:
    made(courses, "phys101")
    made(courses, "chem101")
    courses.stages.end(ALICE, "phys101")
    says(stub, list={"ok": True, "courses": ["chem101", "phys101", "others"], "going": []})
    says(stub, answer={"ok": True, "done": False, "until": int(at(date(2026, 2, 1)))})
    rounds = reconciler(courses, stub)
    report = await rounds.once()
    verbs = {each["course"]: each["verb"] for each in asked(stub)}
    assert verbs == {"chem101": "ensure", "phys101": "remove"}
    assert report.strays == ("others",)
    assert "are kept until 2026-" in str(report.outcomes["phys101"])
    says(stub, list={"ok": True, "courses": ["chem101"], "going": ["phys101"]})
    says(stub, answer={"ok": True, "done": True})
    report = await rounds.once()
    assert report.outcomes["phys101"].realised
    asked(stub)
    says(stub, list={"ok": True, "courses": ["chem101"], "going": []})
    await rounds.once()
    assert [each for each in asked(stub) if each["verb"] == "remove"] == []


async def test_a_course_without_folders_is_not_asked_for(courses: Courses, stub: Path) -> None:
    made(courses, storage={"shared": False})
    rounds = reconciler(courses, stub)
    assert (await rounds.once()).outcomes["phys101"].realised
    assert asked(stub) == []
    # One that had some is closed.
    says(stub, list={"ok": True, "courses": ["phys101"], "going": []})
    await rounds.once()
    (request,) = asked(stub)
    assert request["folders"] == []


# The program


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"ok": "yes"}', "{}"])
async def test_answers_that_are_none(stub: Path, text: str) -> None:
    (stub / "list").write_text(text)
    with pytest.raises((FoldersUnusable, FoldersRefused)):
        await program(stub).there()


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    nowhere = FoldersProgram([str(tmp_path / "nowhere")])
    with pytest.raises(FoldersUnusable):
        await nowhere.there()
    with pytest.raises(FoldersUnusable):
        await anext(nowhere.export("phys101", ["shared"]))


async def _gathered(pieces: Any) -> bytes:
    return b"".join([piece async for piece in pieces])


def archive(stub: Path, after: bytes) -> None:
    (stub / "answer").write_bytes(b'{"ok": true}\n' + after)


async def test_an_archive_for_staff_is_written_down(courses: Courses, stub: Path) -> None:
    whole(courses)
    data = bytes(range(256)) * 5000
    archive(stub, data)
    assert await _gathered(export(courses, program(stub), ALICE, "phys101")) == data
    (request,) = asked(stub)
    assert request["folders"] == ["shared", "drop", "exchange"]
    entry = courses.record(ALICE, "phys101")[-1]
    assert (entry.what, entry.who) == (What.EXPORTED, "alice")


async def test_an_archive_is_for_nobody_else(courses: Courses, stub: Path) -> None:
    whole(courses)
    archive(stub, b"data")
    for who in (STUDENT, BOB, Person("stranger")):
        with pytest.raises((NotAllowed, CourseUnknown)):
            await _gathered(export(courses, program(stub), who, "phys101"))
    assert asked(stub) == []


async def test_an_archive_that_ends_too_early_is_an_error(courses: Courses, stub: Path) -> None:
    made(courses)
    archive(stub, b"half of it")
    (stub / "fails").touch()
    with pytest.raises(FoldersUnusable, match="too early"):
        await _gathered(export(courses, program(stub), ALICE, "phys101"))
    says(stub, answer={"ok": False, "kind": "unknown", "message": "no course"})
    with pytest.raises(FoldersRefused):
        await _gathered(export(courses, program(stub), ALICE, "phys101"))


async def test_who_stops_reading_leaves_nothing_running(stub: Path) -> None:
    (stub / "program").write_text("#!/bin/sh\ncat >/dev/null\necho '{\"ok\": true}'\nexec yes\n")
    pieces = program(stub).export("phys101", ["shared"])
    assert (await anext(pieces)).startswith(b"y\n")
    await pieces.aclose()


def test_what_the_archive_is_called() -> None:
    assert file_name("phys101", date(2026, 4, 10)) == "phys101-2026-04-10.tar"
