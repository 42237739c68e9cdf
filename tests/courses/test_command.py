"""`slurmhub course` against a real hub and its service, with people's own tokens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from slurmhub.courses.course_file import Staff, course_text, parse_course
from slurmhub.courses.model import Course
from tests.rig.courses_service import ServiceUnderTest
from tests.unit.courses.world import ALICE, course

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(service: ServiceUnderTest, tmp_path: Path) -> Run:
    """Run the command as somebody; the token is in a file of theirs."""

    def verb(who: str, *words: object) -> subprocess.CompletedProcess[str]:
        token = tmp_path / f"token-of-{who}"
        if not token.exists():
            token.touch(0o600)
            token.write_text(service.visitor(who).token())
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "SLURMHUB_HUB": service.hub.url,
            "SLURMHUB_TOKEN_FILE": str(token),
        }
        program = "from slurmhub_deploy.main import main; main()"
        return subprocess.run(
            [sys.executable, "-c", program, "course", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment,
            cwd=tmp_path,
        )

    return verb


def well(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def file_of(folder: Path, one: Course, **more: object) -> Path:
    path = folder / f"{one.key}.yml"
    path.write_text(course_text(one, **more))  # type: ignore[arg-type]
    return path


def test_a_course_from_its_file_to_its_end(
    run: Run, tmp_path: Path, service: ServiceUnderTest
) -> None:
    file = file_of(tmp_path, course("chem101"), staff=Staff(assistants=("bob",)))
    assert well(run("alice", "check", file)) == "chem101 can be made.\n"
    assert "chem101: open, version 1" in well(run("alice", "create", file))
    assert "chem101" in well(run("bob", "list"))
    shown = well(run("alice", "show", "chem101"))
    assert "chem101: Mechanics (open)" in shown
    assert "30, 30 servers at once" in shown

    changed = well(run("alice", "change", "chem101", "--set", "seats=40"))
    assert "chem101: open, version 2" in changed
    exported = well(run("alice", "export", "chem101"))
    again = parse_course(exported, "exported")
    assert again.seats == 40
    assert again.staff.assistants == ("bob",)

    file.write_text(exported)
    assert "chem101: as the file has it" in well(run("alice", "apply", file))
    copied = well(
        run(
            *("alice", "copy", "chem101", "chem101-27", "--term", "Winter 2027"),
            *("--first", "2027-01-04", "--last", "2027-04-09"),
        )
    )
    assert "Students and join codes are not copied." in copied
    assert well(run("alice", "freeze", "chem101")) == "chem101: frozen\n"
    assert run("alice", "end", "chem101").returncode == 2
    assert well(run("alice", "end", "chem101", "--yes")) == "chem101: ended\n"
    courses = service.courses()
    assert courses.get(ALICE, "chem101").state.value == "ended"
    courses.close()
    assert "ended" in well(run("alice", "record", "chem101"))


def test_whoever_may_not_is_told_so(run: Run, tmp_path: Path) -> None:
    file = file_of(tmp_path, course("bio101"))
    refused = run("student", "create", file)
    assert refused.returncode == 1
    assert "You may not make courses at this hub." in refused.stderr
    well(run("alice", "create", file))
    for words in (("show", "bio101"), ("end", "bio101", "--yes"), ("people", "list", "bio101")):
        other = run("student", *words)
        assert other.returncode == 1
        assert "no course bio101 that you may see" in other.stderr


def test_everything_wrong_is_said_at_once(run: Run, tmp_path: Path) -> None:
    one = course("astro101", seats=9000, profile={"cpus": 99, "partition": "moon"})
    file = file_of(tmp_path, one)
    checked = run("alice", "check", file)
    assert checked.returncode == 1
    refused = run("alice", "create", file)
    assert refused.returncode == 1
    for field in ("seats", "profile.cpus", "profile.partition"):
        assert field in checked.stdout
        assert f"  {field} (" in refused.stderr
    file.write_text(file.read_text().replace("seats:", "seets:"))
    wrong = run("alice", "create", file)
    assert wrong.returncode == 2
    assert f"{file}:" in wrong.stderr


def test_somebody_else_was_faster(run: Run, tmp_path: Path, service: ServiceUnderTest) -> None:
    well(run("alice", "create", file_of(tmp_path, course("geo101"))))
    view = json.loads(well(run("alice", "show", "geo101", "--json")))
    assert view["details"]["version"] == 1
    well(run("alice", "change", "geo101", "--set", "title=Rocks: all of them"))
    assert "Rocks: all of them" in well(run("alice", "show", "geo101"))
    wrong = run("alice", "change", "geo101", "--set", "sets=3")
    assert wrong.returncode == 1
    assert "sets" in wrong.stderr


def test_what_is_above_the_free_waits_for_an_approver(run: Run, tmp_path: Path) -> None:
    file = file_of(tmp_path, course("math101", seats=120))
    made = well(run("alice", "create", file, "--note", "Both sections."))
    assert "math101: waiting" in made
    waiting = json.loads(well(run("carol", "requests", "--json")))["requests"]
    (mine,) = [one for one in waiting if one["course"] == "math101"]
    assert mine["note"] == "Both sections."
    assert "math101" in well(run("carol", "requests"))
    done = well(run("carol", "decide", mine["number"], "--approve"))
    assert "math101: open" in done


def test_people_and_codes(run: Run, tmp_path: Path) -> None:
    well(run("alice", "create", file_of(tmp_path, course("hist101"))))
    well(run("alice", "people", "add", "hist101", "--mail", "noor@example.ca", "--name", "Noor"))
    well(run("alice", "people", "add", "hist101", "dave", "--role", "assistant"))
    listed = well(run("alice", "people", "list", "hist101"))
    assert "noor@example.ca" in listed
    assert "assistant" in listed
    well(run("alice", "people", "remove", "hist101", "dave"))
    made = well(run("alice", "code", "make", "hist101", "--seats", "5"))
    assert "The code, which is shown this once: " in made
    assert "0 of 5 used" in well(run("alice", "code", "list", "hist101"))
    well(run("alice", "code", "revoke", "hist101", "1"))
    assert "revoked" in well(run("alice", "code", "list", "hist101"))


def test_a_roster_is_brought_as_it_was_shown(run: Run, tmp_path: Path) -> None:
    file = file_of(tmp_path, course("lang101"), roster="class.csv")
    listed = tmp_path / "class.csv"
    listed.write_bytes(
        "Nom;Courriel\nZoé Noor;zoe@example.ca\nIda Lund;ida@example.ca\n".encode("cp1252")
    )
    applied = well(run("alice", "apply", file))
    assert "lang101: open, version 1" in applied
    assert "Zoé Noor" in applied
    assert "lang101: 2 added, 0 back, 0 changed, 0 dropped" in applied
    again = well(run("alice", "apply", file))
    assert "lang101: as the file has it" in again
    assert "lang101: 0 added, 0 back, 0 changed, 0 dropped" in again

    listed.write_text("Nom,Courriel\nIda Lund,ida@example.ca\n")
    seen = well(run("alice", "roster", "preview", "lang101", "class.csv"))
    assert "dropped" in seen
    refused = run("alice", "roster", "apply", "lang101", "class.csv", "--drop")
    assert refused.returncode == 3
    kept = well(run("alice", "roster", "apply", "lang101", "class.csv"))
    assert "Who is not in the file stays." in kept
    both = ("--drop", "--drop-many")
    assert "1 dropped" in well(run("alice", "roster", "apply", "lang101", "class.csv", *both))


def test_a_token_that_is_none(run: Run, tmp_path: Path) -> None:
    token = tmp_path / "token-of-nobody"
    token.touch(0o600)
    token.write_text("0" * 32)
    refused = run("nobody", "list")
    assert refused.returncode == 1
    assert "Nothing says who asks" in refused.stderr
    token.chmod(0o644)
    assert run("nobody", "list").returncode == 2
