"""Values of a course that would lead somewhere else: into other folders, programs or sites."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slurmhub.courses.model import Course, Materials, Repository
from tests.unit.courses.world import PLAIN

PLACE = "https://git.example.ca/phys.git"


@pytest.mark.parametrize(
    "url",
    [
        PLACE,
        "https://git.example.ca:8443/a/b/phys-101.git",
        "https://git.example.ca/m%C3%A9canique",
        "https://[2001:db8::1]/x",
    ],
)
def test_repositories_that_are_taken(url: str) -> None:
    assert Repository(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example.ca/x",
        "file:///etc",
        "ssh://git@git.example.ca/x",
        "git@git.example.ca:x.git",
        "ext::sh -c id",
        "--upload-pack=id",
        "https://-oProxyCommand=id/x",
        "https://git.example.ca",
        "https://git.example.ca/",
        "https://user:secret@git.example.ca/x",
        "https://git.example.ca@evil.example/x",
        "https://git.example.ca/x?y",
        "https://git.example.ca/x#y",
        "https://git.example.ca/../x",
        "https://git.example.ca/x\n--upload-pack=id",
        "https://git.example.ca/x\ty",
        "https://git.example.ca/x\x7f",
        "https://git.example.ca/%0ahost=evil.example",
        "https://git.example.ca/$(id)",
        "https://git.example.ca/`id`",
        "https://git.example.ca/x;id",
        "https://git.example.ca/ x",
        "https://git.example.ca:0/x",
        "https://git.example.ca:99999/x",
        "https://g\u0456t.example.ca/x",
        f"https://git.example.ca/{'x' * 1000}",
        "",
    ],
)
def test_repositories_that_are_none(url: str) -> None:
    with pytest.raises(ValidationError):
        Repository(url=url)


@pytest.mark.parametrize("folder", ["mechanics", "first year/mechanics", "M\u00e9canique", "a.b"])
def test_folders_for_materials(folder: str) -> None:
    assert Repository(url=PLACE, folder=folder).folder == folder


@pytest.mark.parametrize(
    "folder",
    [
        ".ssh",
        ".ipython/profile_default/startup",
        "work/.jupyter",
        "../x",
        "a/../../x",
        "./x",
        "/etc",
        "~",
        "~root/x",
        "a//b",
        "a/",
        "",
        "-x",
        "courses",
        "courses/chem101",
        "a\\b",
        "a\nb",
        "a\x00b",
        "con\u202ex",
        "x" * 256,
    ],
)
def test_folders_that_are_somebody_elses_or_a_programs(folder: str) -> None:
    with pytest.raises(ValidationError):
        Repository(url=PLACE, folder=folder)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "~/x", "a\nb", "a\u2066b"])
def test_what_is_opened_is_inside(path: str) -> None:
    with pytest.raises(ValidationError):
        Materials(open=path)


@pytest.mark.parametrize("branch", ["--orphan", "-b", "a..b", "a b", "a/", "x.lock", "$(id)", ""])
def test_branches_that_are_none(branch: str) -> None:
    with pytest.raises(ValidationError):
        Repository(url=PLACE, branch=branch)


@pytest.mark.parametrize(
    "key",
    ["..", "../x", "a/b", "A", "a b", "a", "-x1", "x1-", "a.b", "x" * 31, "a\n", "\u00e9"],
)
def test_keys_that_are_none(key: str) -> None:
    with pytest.raises(ValidationError):
        Course.model_validate({**PLAIN, "key": key})


@pytest.mark.parametrize(
    "extra",
    [
        {"state": "open"},
        {"owner": "mallory"},
        {"profile": {**PLAIN["profile"], "account": "root"}},
        {"profile": {**PLAIN["profile"], "prologue": "id"}},
        {"storage": {"shared": True, "path": "/etc"}},
        {"materials": {"repository": {"url": PLACE, "options": "--upload-pack=id"}}},
    ],
)
def test_nothing_else_can_be_said(extra: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"no such setting|Extra inputs"):
        Course.model_validate({**PLAIN, **extra})


@given(st.text(max_size=40))
def test_whatever_is_taken_as_a_folder_is_one_below_the_home(text: str) -> None:
    try:
        folder = Repository(url=PLACE, folder=text).folder
    except ValidationError:
        return
    assert folder == text
    parts = folder.split("/")
    assert all(parts)
    assert not any(part.startswith((".", "-")) for part in parts)
    assert not folder.startswith(("/", "~", "courses/"))
    assert "\\" not in folder
    assert folder.isprintable()
