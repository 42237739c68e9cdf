"""What instructors, approvers and students do on the pages of courses, over HTTP."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from html import unescape
from typing import Any

import requests

from slurmhub.courses.changes import document_of
from slurmhub.courses.model import State
from slurmhub.courses.service.pages.forms import typed_of
from tests.rig.courses_service import PREFIX, CourseVisitor, ServiceUnderTest
from tests.rig.registrar import registrars_file
from tests.unit.courses.world import ADMIN, ALICE, BOB, course, facts


def typed(key: str, **changed: Any) -> dict[str, str]:
    """What an instructor types for a course; it takes little of what all have together."""
    return typed_of(document_of(course(key, **{"running": 2, **changed})))


def text_of(answer: requests.Response) -> str:
    """What a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def hidden(answer: requests.Response) -> dict[str, str]:
    """The hidden fields of a page's last form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text)
    return {name: unescape(value) for name, value in found if name != "_xsrf"}


def make(visitor: CourseVisitor, key: str, **changed: Any) -> requests.Response:
    """Make a course on its page."""
    return visitor.send("new", typed(key, **changed) | {"action": "save"})


def upload(visitor: CourseVisitor, key: str, data: bytes) -> requests.Response:
    """Bring a registrar's file."""
    return visitor.send(
        f"course/{key}/roster", {"action": "look"}, files={"file": ("roster.csv", data)}
    )


def test_an_instructor_makes_a_course_that_is_open_at_once(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    form = alice.page("new")
    assert "opens as soon as it is saved" in text_of(form)
    assert "At most 300 seats. More than 50 seats needs approval." in text_of(form)
    made = make(alice, "made1")
    assert made.url.endswith(f"{PREFIX}course/made1/?done=made")
    assert "The course is made and open." in text_of(made)
    stored = service.courses().get(ALICE, "made1")
    assert (stored.state, stored.course) == (State.OPEN, course("made1", running=2))
    assert "course/made1/" in alice.page().text


def test_what_is_wrong_is_said_and_what_was_typed_stays(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    form = typed("wrong1", title='<b>"Waves"') | {"profile.cpus": "many", "key": "Nö!"}
    answer = alice.send("new", form | {"action": "save"})
    assert answer.status_code == 422
    assert "It must be a whole number." in text_of(answer)
    assert 'value="many"' in answer.text
    assert "&lt;b&gt;&#34;Waves&#34;" in answer.text
    assert "<b>" not in answer.text
    again = make(alice, "made2")
    assert again.status_code == 200
    taken = make(alice, "made2")
    assert taken.status_code == 409
    assert "The name made2 is or was another course's." in text_of(taken)


def test_what_needs_approval_is_said_before_it_is_asked_for(service: ServiceUnderTest) -> None:
    alice, carol = service.visitor("alice"), service.visitor("carol")
    form = typed("large1", seats=80) | {"action": "save"}
    told = alice.send("new", form)
    assert told.status_code == 200
    assert "More than 50 seats for one course needs approval." in text_of(told)
    assert "large1" not in {one.key for one in service.courses().visible(ADMIN)}
    asked = alice.send("new", form | hidden(told) | {"note": "Everybody takes it."})
    assert "The course waits for approval" in text_of(asked)
    waiting = carol.page("approvals")
    assert "Everybody takes it." in text_of(waiting)
    assert "Waiting for your approval: 1" in text_of(carol.page())
    found = re.search(r'name="request" value="(\d+)"', waiting.text)
    assert found
    decided = carol.send(
        "approvals",
        {"action": "approve", "request": found[1], "version": "1", "words": "Well."},
    )
    assert "Nothing waits." in text_of(decided)
    assert service.courses().get(ALICE, "large1").state is State.OPEN
    assert alice.page("approvals").status_code == 403


def test_two_who_change_a_course_at_once_lose_nothing(service: ServiceUnderTest) -> None:
    alice, bob = service.visitor("alice"), service.visitor("bob")
    make(alice, "both1")
    alice.send("course/both1/people", {"action": "add", "username": "bob", "as": "instructor"})
    base = typed("both1") | {"action": "save", "version": "1"}
    assert bob.page("course/both1/change").status_code == 200
    first = bob.send("course/both1/change", base | {"title": "Of Bob", "seats": "40"})
    assert "The course is saved." in text_of(first)
    second = alice.send("course/both1/change", base | {"description": "New.", "seats": "35"})
    assert second.status_code == 409
    said = text_of(second)
    assert "bob changed the title and the number of seats" in said
    assert "Both of you changed the number of seats" in said
    # Theirs where nothing was changed here, mine where both did.
    assert 'value="Of Bob"' in second.text
    assert 'value="35"' in second.text
    form = typed("both1", title="Of Bob", description="New.", seats=35)
    saved = alice.send("course/both1/change", form | hidden(second) | {"action": "save"})
    assert "The course is saved." in text_of(saved)
    now = service.courses().get(ALICE, "both1").course
    assert (now.title, now.description, now.seats) == ("Of Bob", "New.", 35)


def test_a_registrars_file_is_shown_and_then_applied_as_shown(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    courses = service.courses()
    courses.create(ADMIN, course("roster1", seats=300, running=10), owner="alice")
    courses.members.came(facts("stud001", login="stud001"))
    look = upload(alice, "roster1", registrars_file().data)
    assert look.status_code == 200
    said = text_of(look)
    assert "Nothing is changed yet." in said
    assert "<script>alert" not in look.text
    assert "&lt;script&gt;alert(1)" in look.text
    assert not [one for one in courses.members.of(ALICE, "roster1") if one.role.value == "student"]
    done = alice.send("course/roster1/roster", hidden(look) | {"action": "apply"})
    assert "The roster is changed as you saw it." in text_of(done)
    students = [one for one in courses.members.of(ALICE, "roster1") if not one.role.staff]
    assert len(students) > 290
    assert "<script>alert" not in done.text
    # The same file again changes nothing, and a changed roster is not changed as it was not seen.
    again = upload(alice, "roster1", registrars_file().data)
    assert "New:" not in text_of(again)
    short = upload(alice, "roster1", b"Student ID,Name\r\n12345678,One\r\n")
    assert "This drops" in text_of(short)
    courses.members.drop(ALICE, "roster1", students[1].number)
    stale = alice.send("course/roster1/roster", hidden(short) | {"action": "apply", "drop": "yes"})
    assert stale.status_code == 409
    assert "Something else changed since you looked" in text_of(stale)
    many = alice.send("course/roster1/roster", hidden(stale) | {"action": "apply", "drop": "yes"})
    assert many.status_code == 409
    assert "more than a third" in text_of(many)
    kept = [one for one in courses.members.of(ALICE, "roster1") if one.active]
    assert len(kept) > 290


def test_what_is_no_roster_is_said_to_be_none(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    make(alice, "roster2")
    for data in (b"", b"PK\x03\x04", b"\x00" * 100):
        answer = upload(alice, "roster2", data)
        assert answer.status_code == 422, data
        assert 'id="slurmhub-course-error"' in answer.text


def test_a_student_joins_with_a_code(service: ServiceUnderTest) -> None:
    alice, student = service.visitor("alice"), service.visitor("student1")
    make(alice, "codes1")
    made = alice.send(
        "course/codes1/codes", {"action": "make", "seats": "2", "expires": "2099-01-01T00:00"}
    )
    assert "A code holds for at most a year" in text_of(made)
    form = {"action": "make", "seats": "1", "expires": _in_a_week()}
    made = alice.send("course/codes1/codes", form)
    found = re.search(r'id="slurmhub-code">([^<]+)<', made.text)
    assert found
    assert found[1] not in alice.page("course/codes1/codes").text
    wrong = student.send("join", {"code": "CDFG-HJKM-NPQR"})
    assert wrong.status_code == 400
    assert "There is no such join code." in text_of(wrong)
    assert "This is no join code." in text_of(student.send("join", {"code": "<script>"}))
    joined = student.send("join", {"code": found[1].lower().replace("-", " ")})
    assert joined.url.endswith("course/codes1/?done=joined")
    assert "Mechanics" in text_of(joined)
    late = service.visitor("student2").send("join", {"code": found[1]})
    assert "All places of this join code are taken." in text_of(late)


def _in_a_week() -> str:
    return (datetime.now(timezone.utc) + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M")


STAFF_PAGES = ("people", "class", "messages", "codes", "change", "record", "stages", "roster")


def test_a_course_of_others_is_as_one_that_is_not_there(service: ServiceUnderTest) -> None:
    alice, bob = service.visitor("alice"), service.visitor("bob")
    make(alice, "mine1")
    for path in ("", *STAFF_PAGES):
        there, nowhere = bob.page(f"course/mine1/{path}"), bob.page(f"course/nowhere1/{path}")
        assert (there.status_code, nowhere.status_code) == (404, 404), path
        same = text_of(there).replace("mine1", "KEY"), text_of(nowhere).replace("nowhere1", "KEY")
        assert same[0] == same[1]
    for path, action in POSTS.items():
        answer = bob.send(f"course/mine1/{path}", action)
        assert answer.status_code == 404, (path, action)
    assert service.courses().get(ALICE, "mine1").version == 1


POSTS: dict[str, dict[str, str]] = {
    "": {"action": "leave"},
    "people": {"action": "add", "username": "bob", "as": "instructor"},
    "codes": {"action": "make", "seats": "1", "expires": "2026-12-01T00:00"},
    "change": {**typed("mine1"), "title": "Other", "version": "1", "action": "save"},
    "stages": {"action": "freeze"},
    "class": {"action": "stop-all"},
    "messages": {"action": "send", "text": "x", "hours": "1"},
    "help": {"action": "ask", "user": "alice", "minutes": "10"},
    "roster": {"action": "look", "data": "eA=="},
}


def test_a_student_opens_no_page_of_staff(service: ServiceUnderTest) -> None:
    alice, student = service.visitor("alice"), service.visitor("student3")
    make(alice, "pupils1")
    alice.send("course/pupils1/people", {"action": "add", "username": "student3", "as": "student"})
    own = student.page("course/pupils1/")
    assert own.status_code == 200
    for path in STAFF_PAGES:
        assert f"course/pupils1/{path}" not in own.text
        assert student.page(f"course/pupils1/{path}").status_code == 403, path
    for path, action in POSTS.items():
        if path:
            assert student.send(f"course/pupils1/{path}", action).status_code == 403, path
    assert student.page("new").status_code == 403
    assert student.send("new", typed("own1")).status_code == 403
    left = student.send("course/pupils1/", {"action": "leave"})
    assert "You have left the course." in text_of(left)
    assert student.page("course/pupils1/").status_code == 404


def test_assistants_see_the_class_and_change_nothing(service: ServiceUnderTest) -> None:
    alice, helper = service.visitor("alice"), service.visitor("helper1")
    make(alice, "helped1")
    alice.send("course/helped1/people", {"action": "add", "username": "helper1", "as": "assistant"})
    for path in ("people", "class", "messages"):
        assert helper.page(f"course/helped1/{path}").status_code == 200
    alice.send("course/helped1/people", {"action": "add", "username": "bob", "as": "student"})
    board = helper.page("course/helped1/class")
    assert 'data-slurmhub-seat="bob"' in board.text
    assert "does not answer" not in text_of(board)
    for path in ("codes", "change", "record", "stages", "roster"):
        assert helper.page(f"course/helped1/{path}").status_code == 403, path
    answer = helper.send("course/helped1/people", POSTS["people"])
    assert answer.status_code == 403


def test_roles_are_given_and_people_taken_out(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    make(alice, "roles1")
    path = "course/roles1/people"
    awaited = alice.send(path, {"action": "add", "number": "12345678", "as": "student"})
    assert "as soon as they sign in for the first time" in text_of(awaited)
    alice.send(path, {"action": "add", "username": "student6", "as": "student"})
    nobody = alice.send(path, {"action": "add", "name": "Somebody", "as": "student"})
    assert nobody.status_code == 404
    assert "Nothing says who this is." in text_of(nobody)
    assert 'value="Somebody"' in nobody.text
    members = service.courses().members
    one = next(each for each in members.of(ALICE, "roles1") if each.username == "student6")
    number = {"number": str(one.number)}
    given = alice.send(path, number | {"action": "role:assistant"})
    assert "Their role is changed." in text_of(given)
    for odd in ("role:owner", "role:", "role", "x", ""):
        assert alice.send(path, number | {"action": odd}).status_code == 400, odd
    assert "Their files stay." in text_of(alice.send(path, number | {"action": "drop"}))
    gone = alice.send(path, number | {"action": "drop"})
    assert gone.status_code == 404
    assert "They are not in this course" in text_of(gone)


def test_nothing_is_done_without_the_token_of_the_form(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    make(alice, "forged1")
    for path, action in POSTS.items():
        url = f"{service.url}/course/forged1/{path}"
        answer = alice.session.post(url, data=action, timeout=30)
        assert answer.status_code == 403, path
    assert alice.session.post(f"{service.url}/new", data=typed("forged2")).status_code == 403
    assert service.courses().get(ALICE, "forged1").version == 1


def test_a_course_is_frozen_copied_given_and_ended(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    make(alice, "life1")
    alice.send("course/life1/people", {"action": "add", "username": "bob", "as": "instructor"})
    path = "course/life1/stages"
    term = {"name": "Autumn", "first": "2026-09-01", "last": "2026-12-10"}
    copied = alice.send(path, {"action": "copy", "key": "life2", "title": "Again", **term})
    assert "Students and join codes are not copied." in text_of(copied)
    assert service.courses().get(BOB, "life2").course.title == "Again"
    wrong = alice.send(path, {"action": "copy", "key": "life3", **term, "last": "2026-01-01"})
    assert wrong.status_code == 422
    assert "before it begins" in text_of(wrong)
    assert "The course is frozen." in text_of(alice.send(path, {"action": "freeze"}))
    assert "Open it again" in text_of(alice.page(path))
    unsure = alice.send(path, {"action": "end", "confirm": "life2"})
    assert "Nothing was done." in text_of(unsure)
    given = alice.send(path, {"action": "give", "to": "bob"})
    assert "The course has another owner." in text_of(given)
    assert alice.send(path, {"action": "end", "confirm": "life1"}).status_code == 403
    ended = service.visitor("bob").send(path, {"action": "end", "confirm": "life1"})
    assert "The course is ended." in text_of(ended)
    record = text_of(alice.page("course/life1/record"))
    assert "alice gave the course to bob." in record
    assert "bob ended the course." in record


def test_staff_write_to_the_class_and_students_read_it(service: ServiceUnderTest) -> None:
    alice, student = service.visitor("alice"), service.visitor("student4")
    make(alice, "talk1")
    alice.send("course/talk1/people", {"action": "add", "username": "student4", "as": "student"})
    form = {"action": "send", "text": "<b>Bring</b> your notes.", "hours": "3"}
    sent = alice.send("course/talk1/messages", form)
    assert "The message is shown to the class." in text_of(sent)
    seen = student.page("course/talk1/")
    assert "&lt;b&gt;Bring&lt;/b&gt; your notes." in seen.text
    assert student.page("course/talk1/messages").status_code == 403
    assert student.send("course/talk1/messages", form).status_code == 403
    long = alice.send("course/talk1/messages", form | {"text": "x" * 1500})
    assert long.status_code == 422
    assert "x" * 1500 in long.text
    assert alice.send("course/talk1/messages", form | {"hours": "99999"}).status_code == 422
    number = re.search(r'name="number" value="(\d+)"', sent.text)
    assert number
    alice.send("course/talk1/messages", {"action": "withdraw", "number": number[1]})
    assert "Bring" not in student.page("course/talk1/").text


def test_a_student_is_asked_before_anybody_is_let_in(service: ServiceUnderTest) -> None:
    alice, student = service.visitor("alice"), service.visitor("student5")
    make(alice, "help1")
    alice.send("course/help1/people", {"action": "add", "username": "student5", "as": "student"})
    ask = {"action": "ask", "user": "student5", "minutes": "30"}
    asked = alice.send("course/help1/help", ask)
    assert "The student is asked." in text_of(asked)
    assert "alice asked to help, and waits for a yes." in text_of(asked)
    assert "/user/student5/help1/" not in asked.text
    for answer in (
        alice.send("course/help1/help", ask | {"minutes": "100000"}),
        alice.send("course/help1/help", ask | {"user": "bob"}),
        student.send("course/help1/help", ask),
        service.visitor("bob").send("course/help1/help", ask),
    ):
        assert answer.status_code in (403, 404, 409)
    assert len(service.courses().helps.of(ALICE, "help1")) == 1


def test_nobody_stops_a_server_that_is_not_of_their_course(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    make(alice, "stop1")
    for action in ("stop", "extend"):
        answer = alice.send("course/stop1/class", {"action": action, "user": "bob"})
        assert answer.status_code == 404
        assert "They are not in this course" in text_of(answer)


def test_every_page_is_there_in_french(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    make(alice, "french1", class_hours=[{"weekday": "mon", "start": "09:00", "end": "10:00"}])
    for path in ("", *STAFF_PAGES):
        answer = alice.page(f"course/french1/{path}", headers={"Accept-Language": "fr"})
        assert answer.status_code == 200, path
        assert '<html lang="fr"' in answer.text
