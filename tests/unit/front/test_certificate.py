"""A given certificate: each thing that can be wrong with it is told, a right one is not."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from slurmhub_deploy.front.certificate import certificate_problems, covers, ends
from slurmhub_deploy.front.tls import make_certificate

DOMAIN = "hub.example.ca"
NOW = datetime.datetime.now(datetime.timezone.utc)


def pair(folder: Path, *names: str) -> tuple[str, str]:
    folder.mkdir()
    certificate, key = make_certificate(folder, names)
    return certificate.read_text(), key.read_text()


@pytest.fixture
def right(tmp_path: Path) -> tuple[str, str]:
    return pair(tmp_path / "right", DOMAIN)


def test_a_right_one_has_no_problem(right: tuple[str, str], tmp_path: Path) -> None:
    assert certificate_problems(*right, DOMAIN) == []
    starred = pair(tmp_path / "star", "*.example.ca")
    assert certificate_problems(*starred, DOMAIN) == []


def test_one_of_another_domain(tmp_path: Path) -> None:
    (said,) = certificate_problems(*pair(tmp_path / "other", "other.example.ca"), DOMAIN)
    assert "for other.example.ca, and not for hub.example.ca" in said


def test_a_key_of_another(right: tuple[str, str], tmp_path: Path) -> None:
    _, key = pair(tmp_path / "other", DOMAIN)
    (said,) = certificate_problems(right[0], key, DOMAIN)
    assert "belongs to another certificate" in said


def test_a_key_that_is_none(right: tuple[str, str]) -> None:
    (said,) = certificate_problems(right[0], "nothing", DOMAIN)
    assert "not to be read as PEM" in said


def test_no_certificate() -> None:
    (said,) = certificate_problems("nothing", "nothing", DOMAIN)
    assert "no certificate in PEM" in said


@pytest.mark.parametrize(("days", "word"), [(40, "ended on"), (-40, "begins on")])
def test_one_out_of_its_time(right: tuple[str, str], days: int, word: str) -> None:
    (said,) = certificate_problems(*right, DOMAIN, NOW + datetime.timedelta(days=days))
    assert word in said


def test_a_chain_out_of_order(right: tuple[str, str], tmp_path: Path) -> None:
    other, _ = pair(tmp_path / "other", "Some authority")
    (said,) = certificate_problems(right[0] + other, right[1], DOMAIN)
    assert "Certificate 1 was not issued by the one after it" in said


def test_the_end_in_seconds(right: tuple[str, str]) -> None:
    left = ends(right[0]) - NOW.timestamp()
    # Made after this file was read.
    assert 29 * 86400 < left < 31 * 86400


@pytest.mark.parametrize(
    ("name", "fits"),
    [("hub.example.ca", True), ("*.example.ca", True), ("*.ca", False), ("example.ca", False)],
)
def test_a_star_is_one_label(name: str, fits: bool) -> None:
    assert covers(name, DOMAIN) is fits
