"""A certificate that is given: it is read, and compared with the domains that it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from slurmhub_deploy.front.tls import make_certificate
from tests.unit.site.fixtures import changed, read

GIVEN = "tls: {kind: given, certificate: tls.pem, key: {vault: tls-key}}"
TEXT = changed(("tls: {kind: acme}", GIVEN))


def said(folder: Path) -> list[tuple[str, str]]:
    return [(each.level, each.reason) for each in read(TEXT, folder).problems]


@pytest.mark.parametrize("names", [["hub.example.ca"], ["other.example.ca", "*.example.ca"]])
def test_one_for_the_domain_is_taken(tmp_path: Path, names: list[str]) -> None:
    make_certificate(tmp_path, names, days=90)
    assert said(tmp_path) == []


@pytest.mark.parametrize("name", ["other.example.ca", "example.ca", "*.ca", "*.hub.example.ca"])
def test_one_for_another_domain_is_not(tmp_path: Path, name: str) -> None:
    make_certificate(tmp_path, [name], days=90)
    ((level, reason),) = said(tmp_path)
    assert level == "error"
    assert name in reason
    assert "hub.example.ca" in reason


def test_one_that_ends_soon_is_a_warning(tmp_path: Path) -> None:
    make_certificate(tmp_path, ["hub.example.ca"], days=5)
    ((level, reason),) = said(tmp_path)
    assert (level, reason[:24]) == ("warning", "the certificate ends on ")


def test_one_that_ended_is_an_error(tmp_path: Path) -> None:
    make_certificate(tmp_path, ["hub.example.ca"], days=0)
    ((level, reason),) = said(tmp_path)
    assert (level, reason[:25]) == ("error", "the certificate ended on ")


def test_what_is_no_certificate_is_said(tmp_path: Path) -> None:
    (tmp_path / "tls.pem").write_text("hello\n")
    assert said(tmp_path) == [("error", "there is no certificate in PEM in the file")]
