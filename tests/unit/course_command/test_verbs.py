"""The verbs: what they ask, what they print, and what they end with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from slurmhub.courses.course_file import Staff, course_text
from slurmhub_deploy.courses import class_command, command, people_command
from slurmhub_deploy.operate.errors import OperateError
from tests.unit.course_command.answers import NOW, Answering, member, view
from tests.unit.courses.world import course

PREVIEW = {
    "course": "phys101",
    "fingerprint": "f" * 64,
    "counts": {"added": 1, "dropped": 2, "unchanged": 20},
    "asks_again": False,
    "warnings": ["Line 7 could not be read."],
    "lines": [
        {"change": "dropped", "name": "Ivy\x1b[2J", "identifiers": {"mail": "ivy@example.ca"}},
        {"change": "added", "name": "Noor", "lines": [4], "words": ["Has not signed in yet."]},
        {"change": "unchanged", "name": "Ola"},
    ],
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a verb against a service that answers as it is told."""

    def verb(answering: Answering, *words: str) -> Result:
        for module in (command, people_command, class_command):
            monkeypatch.setattr(module, "open_hub", lambda *_: answering.client)
        return CliRunner().invoke(command.course, list(words))

    return verb


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "phys101.yml"
    path.write_text(course_text(course(), staff=Staff(assistants=("bob",)), roster="class.csv"))
    (tmp_path / "class.csv").write_text("name,mail\nNoor,noor@example.ca\n")
    return path


def test_list(run: Any) -> None:
    one = {name: view()[name] for name in ("key", "title", "term", "state", "role")}
    answering = Answering(**{"GET courses": {"courses": [one]}})
    assert run(answering, "list").stdout.startswith("phys101          open     ")
    assert json.loads(run(answering, "list", "--json").stdout)["courses"][0]["key"] == "phys101"


def test_show_is_safe_for_a_terminal(run: Any) -> None:
    answering = Answering(**{"GET courses/phys101": view(version=7)})
    shown = run(answering, "show", "phys101").stdout
    assert "version        7" in shown
    assert "partition cpu" in shown


def test_create_sends_course_and_staff(run: Any, file: Path) -> None:
    saved: dict[str, Any] = {"course": view(version=1), "request": None, "lacks": []}
    answering = Answering(**{"POST courses": (201, saved)})
    done = run(answering, "create", str(file), "--note", "A new course.")
    assert done.exit_code == 0, done.output
    ((_, body),) = answering.asked
    assert body["course"] == course().model_dump(mode="json")
    assert body["staff"] == {"instructors": [], "assistants": ["bob"]}
    assert body["note"] == "A new course."
    assert "owner" not in body
    assert done.stdout == "phys101: open, version 1\n"


def test_a_wrong_file_is_told_by_its_lines_and_nothing_is_asked(run: Any, file: Path) -> None:
    file.write_text(file.read_text().replace("seats:", "seets:"))
    answering = Answering()
    done = run(answering, "create", str(file))
    assert isinstance(done.exception, OperateError)
    assert done.exception.status == 2
    assert f"{file}:" in done.stderr
    assert answering.asked == []


def test_what_waits_for_approval_is_said(run: Any, file: Path) -> None:
    request: dict[str, Any] = {
        "number": 4,
        "course": "phys101",
        "asked_by": "alice",
        "asked": NOW,
        "changes": {},
        "reasons": [{"field": "seats", "value": "300 seats", "message": "More needs approval."}],
        "note": "",
        **dict.fromkeys(("decision", "decided_by", "decided")),
        "words": "",
    }
    saved = {"course": view(state="waiting"), "request": request}
    done = run(Answering(**{"POST courses": saved}), "create", str(file))
    assert "Waits for approval (request 4):" in done.stdout
    assert "seats (300 seats): More needs approval." in done.stdout
    listed = run(Answering(**{"GET requests": {"requests": [request]}}), "requests")
    assert "asked by alice: waits" in listed.stdout


def applying(seen: dict[str, Any], **more: Any) -> Answering:
    done = {"added": 1, "back": 0, "changed": 0, "dropped": 0}
    return Answering(
        **{
            "GET courses/phys101": view(course(), version=3),
            "GET courses/phys101/members": {"members": [member(2, "bob", "assistant")]},
            "POST courses/phys101/roster/preview": seen,
            "POST courses/phys101/roster/apply": done,
            **more,
        }
    )


def test_apply_changes_only_what_differs(run: Any, file: Path) -> None:
    answering = applying(PREVIEW)
    done = run(answering, "apply", str(file))
    assert done.exit_code == 0, done.output
    assert [name.split(" ")[0] for name, _ in answering.asked] == ["GET", "GET", "POST", "POST"]
    assert answering.asked[-1][1] == {
        "file": "bmFtZSxtYWlsCk5vb3Isbm9vckBleGFtcGxlLmNhCg==",
        "chosen": {},
        "fingerprint": "f" * 64,
        "drop": False,
        "drop_many": False,
    }
    assert "phys101: as the file has it" in done.stdout
    assert "Ola" not in done.stdout
    assert "\x1b" not in done.stdout
    assert "Who is not in the file stays." in done.stdout


def test_apply_changes_a_course_of_the_version_it_looked_at(run: Any, file: Path) -> None:
    other = course(seats=12)
    saved = {"course": view(version=4)}
    more = {"GET courses/phys101": view(other), "PUT courses/phys101": saved}
    answering = applying(PREVIEW, **more)
    assert run(answering, "apply", str(file)).exit_code == 0
    (body,) = [body for name, body in answering.asked if name == "PUT courses/phys101"]
    assert body["version"] == 3
    assert body["course"] == course().model_dump(mode="json")


def test_many_are_dropped_only_by_a_second_yes(run: Any, file: Path) -> None:
    words = ("roster", "apply", "phys101", str(file.with_name("class.csv")), "--drop")
    answering = applying({**PREVIEW, "asks_again": True})
    refused = run(answering, *words)
    assert isinstance(refused.exception, OperateError)
    assert refused.exception.status == 3
    assert all("apply" not in name for name, _ in answering.asked)
    done = run(answering, *words, "--drop-many")
    assert done.exit_code == 0, done.output
    assert answering.asked[-1][1]["drop_many"] is True


def test_who_is_doubtful_is_chosen_by_key(run: Any, file: Path) -> None:
    line = {"change": "doubtful", "name": "Sam", "key": "k1", "choices": ["sam1", "sam2"]}
    remark = {"message": "It has no mail address.", "line": 3, "value": "Sam"}
    seen = {**PREVIEW, "lines": [line], "remarks": [remark], "more_remarks": 2}
    answering = applying(seen)
    words = ("roster", "preview", "phys101", str(file.with_name("class.csv")))
    shown = run(answering, *words, "--choose", "k1=is:sam2", "--encoding", "cp1252").stdout
    assert "--choose k1=WHO, one of: is:sam1, is:sam2, wait, leave-out" in shown
    assert "In the file: line 3: It has no mail address. (Sam)" in shown
    assert answering.asked[-1][1]["chosen"] == {"k1": "is:sam2"}
    assert answering.asked[-1][1]["encoding"] == "cp1252"
    wrong = run(answering, *words, "--choose", "k1=sam2")
    assert isinstance(wrong.exception, OperateError)


def test_a_setting_is_changed_in_the_whole_course(run: Any) -> None:
    saved = {"course": view(version=4)}
    answering = Answering(**{"GET courses/phys101": view(), "PUT courses/phys101": saved})
    run(answering, "change", "phys101", "--set", "profile.hours=3", "--note", "Longer labs.")
    body = answering.asked[-1][1]
    assert body["course"]["profile"]["hours"] == 3
    assert body["course"]["title"] == course().title
    assert (body["version"], body["note"]) == (3, "Longer labs.")


def test_a_course_is_a_file_again(run: Any) -> None:
    members = {"members": [member(1, "alice", "owner"), member(2, "bob", "assistant")]}
    answering = Answering(**{"GET courses/phys101": view(), "GET courses/phys101/members": members})
    text = run(answering, "export", "phys101").stdout
    assert text == course_text(course(), staff=Staff(assistants=("bob",)))


def test_nothing_ends_unasked(run: Any) -> None:
    ended = view(state="ended")
    answering = Answering(**{"GET courses/phys101": view(), "POST courses/phys101/end": ended})
    refused = run(answering, "end", "phys101")
    assert isinstance(refused.exception, OperateError)
    assert [name for name, _ in answering.asked] == ["GET courses/phys101"]
    assert run(answering, "end", "phys101", "--yes").stdout == "phys101: ended\n"


def test_people(run: Any) -> None:
    members = {"members": [member(5, None, "student", name="Noor"), member(1, "alice", "owner")]}
    done = member(5, None, "student", name="Noor", dropped=NOW)
    answering = Answering(
        **{
            "GET courses/phys101/members": members,
            "POST courses/phys101/members": member(6, "bob", "student"),
            "PATCH courses/phys101/members/6": member(6, "bob", "assistant"),
            "DELETE courses/phys101/members/5": done,
        }
    )
    first, second = run(answering, "people", "list", "phys101").stdout.splitlines()
    assert "owner" in first
    assert "Noor (not signed in yet)" in second
    run(answering, "people", "add", "phys101", "bob", "--role", "assistant")
    assert answering.asked[-1] == ("PATCH courses/phys101/members/6", {"role": "assistant"})
    gone = run(answering, "people", "remove", "phys101", "5")
    assert "out since 2031-09-02" in gone.stdout
    assert isinstance(run(answering, "people", "remove", "phys101", "x").exception, OperateError)


SEAT = {
    "username": "noor",
    "name": "",
    "role": "student",
    "left": True,
    "state": "ready",
    "open": True,
    "message": "",
    "remedy": "",
    "node": "g1",
    "seconds_left": 1860,
    "before": None,
    "use": [],
}


def test_a_class_is_listed_lengthened_and_stopped(run: Any) -> None:
    waits = SEAT | {"username": "ola", "left": False, "state": "queued", "seconds_left": None}
    seats = [waits | {"message": "It waits for a\x1b[2J node."}, SEAT]
    answering = Answering(
        **{
            "GET courses/phys101/servers": {"seats": seats},
            "POST courses/phys101/servers/stop": {"usernames": ["noor"]},
            "POST courses/phys101/servers/extend": {"usernames": []},
        }
    )
    listed = run(answering, "server", "list", "phys101").stdout
    assert "ola              queued, It waits for a" in listed
    assert "\x1b" not in listed
    assert "noor             ready, 31 minutes left, not in the course any more" in listed
    assert run(answering, "server", "stop", "phys101", "noor").stdout == "stop: noor\n"
    assert "nobody has" in run(answering, "server", "extend", "phys101", "--all").stdout
    bodies = [body for name, body in answering.asked if name.startswith("POST")]
    assert bodies == [{"username": "noor"}, {"username": None}]
    # Nobody stops a class by leaving something out.
    for words in ((), ("noor", "--all")):
        assert isinstance(
            run(answering, "server", "stop", "phys101", *words).exception, OperateError
        )
    assert len(answering.asked) == 3


def test_messages_to_a_class(run: Any) -> None:
    one = {"number": 4, "author": "alice", "text": "Room\n200", "sent": NOW, "until": NOW}
    answering = Answering(
        **{
            "POST courses/phys101/messages": (201, one),
            "GET courses/phys101/messages": {"messages": [one]},
            "DELETE courses/phys101/messages/4": {},
        }
    )
    sent = run(answering, "message", "send", "phys101", "Room 200", "--hours", "3")
    assert sent.stdout == "    4  alice, until 2031-09-02 16:00 UTC: Room 200\n"
    assert answering.asked[0][1]["text"] == "Room 200"
    assert run(answering, "message", "list", "phys101").stdout == sent.stdout
    assert run(answering, "message", "withdraw", "phys101", "4").exit_code == 0


def test_a_code_is_shown_once(run: Any) -> None:
    code = {
        "number": 1,
        "made_by": "alice",
        "made": NOW,
        "expires": NOW,
        "seats": 30,
        "used": 0,
        "revoked": None,
        "code": "KFVH-2PQR",
    }
    answering = Answering(
        **{
            "POST courses/phys101/codes": (201, code),
            "GET courses/phys101/codes": {"codes": [code | {"code": None}]},
        }
    )
    made = run(answering, "code", "make", "phys101", "--seats", "30", "--until", "2031-09-20T17:00")
    assert "KFVH-2PQR" in made.stdout
    assert "2031-09-20T17:00:00" in answering.asked[0][1]["expires"]
    assert "KFVH" not in run(answering, "code", "list", "phys101").stdout
    wrong = run(answering, "code", "make", "phys101", "--seats", "3", "--until", "tomorrow")
    assert isinstance(wrong.exception, OperateError)
