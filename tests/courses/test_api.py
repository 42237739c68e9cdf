"""The REST API of courses at a real hub: people with tokens of their own, and what they may do."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from tests.rig.courses_service import PREFIX, TOKEN, CourseVisitor, ServiceUnderTest
from tests.unit.courses.world import PLAIN

API = PREFIX + "api/"


class Client:
    """A program with a token."""

    def __init__(self, service: ServiceUnderTest, token: str) -> None:
        self._url, self._token = service.hub.url + API, token

    def __call__(self, method: str, path: str, json: Any = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._token}", **more.pop("headers", {})}
        return requests.request(
            method, self._url + path, json=json, headers=headers, timeout=30, **more
        )


@pytest.fixture(scope="module")
def clients(service: ServiceUnderTest) -> dict[str, Client]:
    """Programs of some people, each with a token that is for courses only."""
    access = "access:services!service=courses"
    names = ("alice", "bob", "carol", "admin", "student")
    return {name: Client(service, service.visitor(name).token(access)) for name in names}


def made(clients: dict[str, Client], key: str, **changes: Any) -> dict[str, Any]:
    """A course of alice's."""
    answer = clients["alice"]("POST", "courses", {"course": {**PLAIN, "key": key, **changes}})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_course_from_its_making_to_its_end(clients: dict[str, Client]) -> None:
    alice = clients["alice"]
    assert alice("GET", "me").json() == {
        "username": "alice",
        "groups": ["instructors"],
        "administrator": False,
        "makes_courses": True,
        "decides": False,
    }
    assert clients["admin"]("GET", "me").json()["administrator"]
    assert made(clients, "astro1")["course"]["details"]["version"] == 1
    course = {**PLAIN, "key": "astro1", "title": "Stars"}
    changed = alice("PUT", "courses/astro1", {"version": 1, "course": course})
    assert changed.json()["course"]["title"] == "Stars"
    late = alice("PUT", "courses/astro1", {"version": 1, "course": {**course, "seats": 20}})
    assert late.status_code == 409
    assert late.json()["version"] == 2
    assert late.json()["merged"]["seats"] == 20
    assert "astro1" in [one["key"] for one in alice("GET", "courses").json()["courses"]]
    copy = {"key": "astro2", "term": {"name": "Next", "first": "2027-01-04", "last": "2027-04-09"}}
    assert alice("POST", "courses/astro1/copy", copy).json()["lacks"]
    assert alice("POST", "courses/astro1/freeze").json()["state"] == "frozen"
    assert alice("POST", "courses/astro1/end").json()["state"] == "ended"
    said = [one["sentence"] for one in alice("GET", "courses/astro1/record").json()["entries"]]
    assert said[0] == "alice made the course."
    assert said[-1] == "alice ended the course."


def test_students_come_in_and_see_what_students_see(clients: dict[str, Client]) -> None:
    alice, student = clients["alice"], clients["student"]
    made(clients, "chem1")
    assert student("GET", "courses/chem1").status_code == 404
    new = {"seats": 1, "expires": "2099-01-01T00:00:00Z"}
    wrong = alice("POST", "courses/chem1/codes", new)
    assert wrong.status_code == 422
    assert wrong.json()["problems"][0]["field"] == "expires"
    soon = _in_a_day()
    code = alice("POST", "courses/chem1/codes", {"seats": 1, "expires": soon}).json()["code"]
    assert student("POST", "join", {"code": "rubbish"}).status_code == 400
    assert student("POST", "join", {"code": "CDFG-CDFG-CDFG"}).status_code == 404
    joined = student("POST", "join", {"code": code.lower()})
    assert joined.json() == {"course": "chem1", "already": False}
    assert clients["bob"]("POST", "join", {"code": code}).status_code == 409
    mine = student("GET", "courses/chem1").json()
    assert (mine["role"], mine["details"]) == ("student", None)
    assert mine["may"] == ["leave", "see", "start"]
    for path in ("members", "codes", "record", "requests"):
        assert student("GET", f"courses/chem1/{path}").status_code == 403, path
    assert student("POST", "courses/chem1/leave").json() == {}
    assert student("GET", "courses/chem1").status_code == 404


def _in_a_day() -> str:
    return (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()


def test_a_registrars_file(clients: dict[str, Client]) -> None:
    alice = clients["alice"]
    made(clients, "math1")
    text = "Student ID,Name,Email\n30010001,=cmd|' /C calc'!A0,kim@x.ca\n30010002,Roy Anne,a@x.ca\n"
    file = {"file": base64.b64encode(text.encode()).decode()}
    path = "courses/math1/roster"
    seen = alice("POST", f"{path}/preview", file).json()
    assert seen["counts"]["added"] == 2
    assert alice("GET", "courses/math1/members").json()["members"][1:] == []
    alice("POST", "courses/math1/members", {"username": "kim", "identifiers": {"mail": "a@x.ca"}})
    body = {**file, "fingerprint": seen["fingerprint"]}
    late = alice("POST", f"{path}/apply", body)
    assert late.status_code == 409
    body["fingerprint"] = late.json()["preview"]["fingerprint"]
    assert alice("POST", f"{path}/apply", body).json()["added"] == 1
    for wrong in ({"file": "!"}, {"file": ""}, {**file, "chosen": {"x": "root"}}):
        assert alice("POST", f"{path}/preview", wrong).status_code == 422, wrong
    for name, status in (("student", 404), ("bob", 404)):
        assert clients[name]("POST", f"{path}/preview", file).status_code == status


def test_staff_of_one_course_see_nothing_of_another(clients: dict[str, Client]) -> None:
    alice, bob = clients["alice"], clients["bob"]
    made(clients, "bio1")
    body = {"course": {**PLAIN, "key": "bio2"}}
    assert bob("POST", "courses", body).status_code == 201
    for method, path, sent in (
        ("GET", "courses/bio2", None),
        ("PUT", "courses/bio2", {"version": 1, "course": {**PLAIN, "key": "bio2"}}),
        ("GET", "courses/bio2/members", None),
        ("POST", "courses/bio2/members", {"username": "alice", "role": "instructor"}),
        ("PATCH", "courses/bio2/members/1", {"role": "student"}),
        ("DELETE", "courses/bio2/members/1", None),
        ("GET", "courses/bio2/codes", None),
        ("GET", "courses/bio2/record", None),
        ("POST", "courses/bio2/freeze", None),
        ("POST", "courses/bio2/end", None),
        ("PUT", "courses/bio2/owner", {"username": "alice"}),
        ("GET", "courses/bio2/classes", None),
    ):
        answer = alice(method, path, sent)
        assert answer.status_code == 404, (method, path, answer.text)
    added = alice("POST", "courses/bio1/members", {"username": "bob", "role": "assistant"}).json()
    # An assistant of one course is nobody's superior there, and a row of another is none of it.
    assert (
        bob("PATCH", f"courses/bio1/members/{added['number']}", {"role": "owner"}).status_code
        == 403
    )
    assert alice("DELETE", "courses/bio1/members/99999999").status_code == 404


def test_a_class_is_told_and_helped(clients: dict[str, Client]) -> None:
    made(clients, "teach1")
    alice, student = clients["alice"], clients["student"]
    place = "courses/teach1"
    assert alice("POST", f"{place}/members", {"username": "student"}).status_code == 200
    (seat,) = alice("GET", f"{place}/servers").json()["seats"]
    assert (seat["username"], seat["state"], seat["open"]) == ("student", "none", False)
    for what in ("stop", "extend"):
        answer = alice("POST", f"{place}/servers/{what}", {})
        assert (answer.status_code, answer.json()) == (200, {"usernames": []})
        answer = alice("POST", f"{place}/servers/{what}", {"username": "bob"})
        assert answer.status_code == 404, answer.text
    assert alice("POST", f"{place}/servers/stop", {"username": "student"}).status_code == 200
    answer = alice("POST", f"{place}/servers/extend", {"username": "student"})
    assert answer.status_code == 409, answer.text

    until = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
    sent = alice("POST", f"{place}/messages", {"text": "Room 200", "until": until})
    assert sent.status_code == 201, sent.text
    late = {"text": "Room 200", "until": "2020-01-01T00:00:00Z"}
    assert alice("POST", f"{place}/messages", late).status_code == 422
    (seen,) = student("GET", f"{place}/messages").json()["messages"]
    assert (seen["author"], seen["text"]) == ("alice", "Room 200")
    assert alice("DELETE", f"{place}/messages/{seen['number']}").status_code == 200
    assert student("GET", f"{place}/messages").json() == {"messages": []}

    asked = alice("POST", f"{place}/helps", {"username": "student", "minutes": 30})
    assert asked.status_code == 201, asked.text
    assert asked.json()["allowed"] is None
    (listed,) = alice("GET", f"{place}/helps").json()["helps"]
    assert listed == asked.json()
    assert student("GET", f"{place}/helps").status_code == 403
    # Another course's path does not lead to it.
    made(clients, "teach2")
    assert alice("DELETE", f"courses/teach2/helps/{listed['number']}").status_code == 404
    assert alice("DELETE", f"{place}/helps/{listed['number']}").status_code == 200
    assert alice("DELETE", f"{place}/helps/{listed['number']}").status_code == 404
    assert alice("GET", f"{place}/helps").json() == {"helps": []}


def test_nothing_is_taken_that_the_api_does_not_have(clients: dict[str, Client]) -> None:
    alice = clients["alice"]
    course = {**PLAIN, "key": "geo1"}
    for body in (
        {"course": {**course, "state": "open"}},
        {"course": course, "state": "open"},
        {"course": course, "version": 7},
        {"course": {**course, "profile": {**PLAIN["profile"], "qos": "root"}}},
        {"course": course, "staff": {"owners": ["bob"]}},
    ):
        answer = alice("POST", "courses", body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["problems"][0]["message"] == "There is no such setting."
    # Only an administrator names an owner.
    own = alice("POST", "courses", {"course": course, "owner": "bob"}).json()
    assert own["course"]["details"]["owner"] == "alice"
    assert alice("POST", "courses", {"course": {**course, "seats": "30"}}).status_code == 422
    members = {"username": "bob", "administrator": True}
    assert alice("POST", "courses/geo1/members", members).status_code == 422


def test_what_is_above_the_free_bounds_waits(clients: dict[str, Client]) -> None:
    asked = made(clients, "large1", seats=120)
    number = asked["request"]["number"]
    assert asked["course"]["state"] == "waiting"
    decision = {"version": 1, "approve": True}
    for name, status in (("alice", 403), ("bob", 404), ("carol", 200)):
        answer = clients[name]("POST", f"requests/{number}/decision", decision)
        assert answer.status_code == status, (name, answer.text)
    assert clients["alice"]("GET", "courses/large1").json()["state"] == "open"
    check = {"course": {**PLAIN, "key": "large2", "seats": 120}}
    checked = clients["alice"]("POST", "check", check).json()
    assert [one["field"] for one in checked["approval"]] == ["seats"]
    assert checked["capacity"] is None
    assert clients["student"]("POST", "check", check).status_code == 403


def test_tokens_that_are_not_for_courses(service: ServiceUnderTest) -> None:
    alice = service.visitor("alice")
    url = service.hub.url + API + "me"
    assert requests.get(url, timeout=30).status_code == 401
    assert requests.get(url, timeout=30).headers["WWW-Authenticate"].startswith("Bearer")
    for token, status in (
        ("made-up", 401),
        (alice.token("read:users:name!user"), 403),
        (alice.token("read:servers!user"), 403),
        # The service's own: it acts for nobody.
        (TOKEN, 403),
        (alice.token(), 200),
    ):
        answer = requests.get(url, headers={"Authorization": f"token {token}"}, timeout=30)
        assert answer.status_code == status, (token, answer.text)


def test_a_cookie_alone_changes_nothing(service: ServiceUnderTest) -> None:
    alice: CourseVisitor = service.visitor("alice")
    alice.page()
    url = service.hub.url + API
    body = {"course": {**PLAIN, "key": "forged1"}}
    assert alice.session.get(url + "me", timeout=30).status_code == 200
    for headers in ({}, {"X-XSRFToken": "made-up"}, {"X-XSRFToken": alice.xsrf}):
        answer = alice.session.post(url + "courses", json=body, headers=headers, timeout=30)
        assert answer.status_code == 401, answer.text
    # As other sites can send it: a form with a body that happens to be JSON.
    plain = {"Content-Type": "text/plain", "X-XSRFToken": alice.course_xsrf}
    answer = alice.session.post(url + "courses", data="{}", headers=plain, timeout=30)
    assert answer.status_code == 415
    own = {"X-XSRFToken": alice.course_xsrf}
    answer = alice.session.post(url + "courses", json=body, headers=own, timeout=30)
    assert answer.status_code == 201, answer.text


def test_what_cannot_be_read(clients: dict[str, Client]) -> None:
    alice = clients["alice"]
    json = {"Content-Type": "application/json"}
    assert alice("POST", "courses", data=b"{", headers=json).status_code == 400
    assert alice("POST", "courses", data=b"\xff\xfe", headers=json).status_code == 400
    assert alice("GET", "courses/%00%0a").status_code == 404
    assert alice("GET", "courses/..%2F..%2Fme").status_code == 404
    assert alice("GET", "nothing").json()["what"] == "There is no such operation."
    wrong = alice("DELETE", "courses")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, POST")
    french = alice("GET", "courses/none1", headers={"Accept-Language": "fr"}).json()
    assert french["what"] != alice("GET", "courses/none1").json()["what"]
