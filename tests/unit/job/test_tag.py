"""Tags: any names there and back again, in a comment that Slurm takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.job.tag import BadTag, JobTag

NONCE = "0123456789abcdef0123456789abcdef"
NAME = st.text(max_size=30)


def test_a_comment_as_people_see_it() -> None:
    tag = JobTag("jupyter", "alice", "", NONCE)
    assert tag.comment() == f"slurmhub:v1:jupyter:alice::{NONCE}"
    assert JobTag.from_comment(tag.comment()) == tag


@given(NAME, NAME, NAME)
def test_names_come_back(hub: str, user: str, server: str) -> None:
    tag = JobTag(hub, user, server, NONCE)
    assert re.fullmatch(r"[A-Za-z0-9_.~%:-]+", tag.comment())
    assert JobTag.from_comment(tag.comment()) == tag


@given(st.text(), st.text(), st.text(min_size=200, max_size=3000))
def test_no_comment_is_too_long_for_slurm(hub: str, user: str, server: str) -> None:
    comment = JobTag(hub, user, server, NONCE).comment()
    assert len(comment) <= 1024
    found = JobTag.from_comment(comment)
    assert found is not None
    assert found.nonce == NONCE


def test_long_names_stay_apart() -> None:
    one = JobTag("hub", "a" * 500, "", NONCE)
    other = JobTag("hub", "a" * 501, "", NONCE)
    assert one.comment() != other.comment()
    digest = JobTag.from_comment(one.comment())
    assert digest is not None
    assert digest.user.startswith("~")
    assert JobTag("hub", digest.user, "", NONCE).comment() != one.comment()


@given(NAME, NAME)
def test_two_people_never_share_a_tag(one: str, other: str) -> None:
    same = JobTag("hub", one, "", NONCE).comment() == JobTag("hub", other, "", NONCE).comment()
    assert same == (one == other)


def test_a_person_and_a_server_name_never_meet() -> None:
    assert JobTag("hub", "a:b", "c", NONCE).comment() != JobTag("hub", "a", "b:c", NONCE).comment()


@pytest.mark.parametrize("nonce", ["", "0" * 31, "0" * 33, "G" * 32, "A" * 32, "0" * 32 + "\n"])
def test_a_nonce_that_is_none(nonce: str) -> None:
    with pytest.raises(BadTag, match="32 hex digits"):
        JobTag("hub", "alice", "", nonce)


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "(null)",
        "my own comment",
        f"slurmhub:v2:hub:alice::{NONCE}",
        f"slurmhub:v1:hub:alice:{NONCE}",
        f"slurmhub:v1:hub:alice:::{NONCE}",
        "slurmhub:v1:hub:alice::abc",
        f"slurmhub:v1:hub:%FF::{NONCE}",
        f" slurmhub:v1:hub:alice::{NONCE}",
        f"slurmhub:v1:hub:alice::{NONCE}\n",
    ],
)
def test_other_comments_are_no_tags(comment: str) -> None:
    assert JobTag.from_comment(comment) is None


@given(st.text())
def test_any_comment_of_an_owner_is_read_without_harm(comment: str) -> None:
    for text in (comment, f"slurmhub:v1:{comment}", f"slurmhub:v1:{comment}::{NONCE}"):
        found = JobTag.from_comment(text)
        assert found is None or found.nonce == NONCE
