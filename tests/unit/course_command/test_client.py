"""The client: where it goes, with what, and what it makes of answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from slurmhub.courses.service.api.models import CourseList, CourseView
from slurmhub_deploy.courses.client import CourseRefusal, course_path
from slurmhub_deploy.courses.place import TOKEN as VARIABLE
from slurmhub_deploy.courses.place import open_hub
from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from tests.unit.course_command.answers import TOKEN, URL, Answering, view


def test_a_token_goes_in_its_header() -> None:
    service = Answering(**{"GET courses/phys101": view()})
    found = service.client.get(course_path("phys101"), CourseView)
    assert found.details is not None
    assert found.details.course.key == "phys101"
    assert service.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in repr(service.client.__dict__)


def test_what_the_service_refuses_is_said_with_every_problem() -> None:
    problem = {"field": "seats", "value": "900", "message": "The most is 400.", "choices": ["400"]}
    said = {"what": "It cannot be.", "remedy": "Change it.", "problems": [problem]}
    service = Answering(**{"POST courses": (422, said)})
    with pytest.raises(CourseRefusal) as caught:
        service.client.post("courses", CourseView, {})
    assert caught.value.code == 422
    assert caught.value.what == ("It cannot be.\n  seats (900): The most is 400. One of: 400.")
    assert caught.value.remedy == "Change it."


@pytest.mark.parametrize("answer", [b"<html>hello</html>", {"other": 1}])
def test_what_is_no_answer_of_courses_is_said_so(answer: object) -> None:
    service = Answering(**{"GET courses": answer})
    with pytest.raises(OperateError, match="does not understand"):
        service.client.get("courses", CourseList)
    wrong = Answering(**{"GET courses": (502, b"Bad gateway")})
    with pytest.raises(OperateError, match="status 502"):
        wrong.client.get("courses", CourseList)


def test_a_key_is_one_part_of_a_path() -> None:
    assert course_path("../users?x", "members", 3) == "courses/..%2Fusers%3Fx/members/3"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(
    ("given", "goes"),
    [
        ("hub.example.ca", URL),
        ("https://hub.example.ca", URL),
        ("https://hub.example.ca/hub/home", URL),
        ("https://hub.example.ca/jupyter/hub/", f"{URL}jupyter/"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/"),
    ],
)
def test_addresses(given: str, goes: str, token: Path) -> None:
    assert open_hub(given, token)._place.url == goes


@pytest.mark.parametrize(
    "given", [None, "", "http://hub.example.ca", "ftp://localhost", "https://", "https://a@b/"]
)
def test_a_token_is_sent_nowhere_else(given: str | None, token: Path) -> None:
    with pytest.raises(OperateError) as caught:
        open_hub(given, token)
    assert caught.value.status == UNUSABLE


def test_a_token_comes_from_a_closed_file_or_the_environment(
    token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "other-token-of-mine")
    assert open_hub(URL, token)._place.token == TOKEN
    assert open_hub(URL, None)._place.token == "other-token-of-mine"
    token.chmod(0o640)
    with pytest.raises(OperateError, match="Others may read"):
        open_hub(URL, token)
    with pytest.raises(OperateError, match="No such file"):
        open_hub(URL, token.with_name("nowhere"))
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(OperateError, match="no token"):
        open_hub(URL, None)


@pytest.mark.parametrize("text", ["a b\ncd", "\N{LATIN SMALL LETTER E WITH ACUTE}", "\x1b[2J"])
def test_what_cannot_be_a_token_is_not_sent(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(OperateError) as caught:
        open_hub(URL, None)
    assert text not in caught.value.what
