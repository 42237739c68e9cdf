"""No secret stands in a site file: it is refused by name or look, and not repeated."""

from __future__ import annotations

import pytest

from slurmhub_deploy.site.check_command import as_data, as_text
from slurmhub_deploy.site.forbidden import forbidden_in
from tests.unit.site.fixtures import HERE, RIGHT, changed, read

SECRET = "hunter2-sesame"


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "passwd", "client-secret", "api_token", "apikey", "AWS_SECRET_KEY",
     "passphrase", "private_key", "munge_key", "key", "credentials", "front_secret"],
)  # fmt: skip
def test_a_secret_by_its_name(name: str) -> None:
    loaded = read(changed(("tls: {kind: acme}", f"tls: {{kind: acme, {name}: {SECRET}}}")))
    (problem,) = loaded.problems
    assert (problem.rule, problem.path, problem.line) == ("secret", f"tls.{name}", 25)
    assert "from_command" in problem.remedy
    for told in (as_text(loaded, HERE), as_data(loaded, HERE)):
        assert SECRET not in told


@pytest.mark.parametrize(
    "value",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "$6$rounds=5000$abcdefgh$0123456789",
        "{SSHA}0123456789abcdef",
        "AKIAABCDEFGHIJKLMNOP",
        "ghp_0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x",
        "postgresql://hub:sesame@db.example.ca/hub",
        "--password=sesame",
    ],
)
def test_a_secret_by_its_look(value: str) -> None:
    (found,) = forbidden_in({"anything": [{"words": value}]})
    assert found.path == ("anything", 0, "words")
    assert value not in found.reason + found.remedy


@pytest.mark.parametrize(
    "data",
    [
        {"key": {"vault": "tls-key"}},
        {"bind_password": {"from_command": ["pass", "show", "ldap"]}},
        {"key_folder": "/srv/keys"},
        {"monkey": "business", "keyboard": "fr", "passage": "x"},
        {"url": "https://www.example.ca:8443/a@b"},
        {"password": None},
    ],
)
def test_what_is_none_is_left_alone(data: object) -> None:
    assert list(forbidden_in(data)) == []


def test_the_examples_have_none() -> None:
    assert read(RIGHT).problems == ()


def test_a_command_and_a_name_in_the_vault_are_one_of_the_two() -> None:
    given = "tls: {kind: given, certificate: x.pem, key: {vault: a, from_command: [b]}}"
    found = [each.path for each in read(changed(("tls: {kind: acme}", given))).errors]
    assert "tls.key" in found
