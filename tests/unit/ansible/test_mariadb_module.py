"""slurmhub_mariadb: what is lacking, for what MariaDB 10.11 says there is."""

from __future__ import annotations

import pytest

from tests.unit.ansible.modules import load

module = load("slurmhub_mariadb")

NAME, USER = "slurm_acct_db", "slurm"
SOCKET = "CREATE USER `slurm`@`localhost` IDENTIFIED VIA unix_socket"
GRANT = "GRANT ALL PRIVILEGES ON `slurm\\_acct\\_db`.* TO `slurm`@`localhost`"


@pytest.mark.parametrize(
    ("databases", "way_in", "grants", "begins"),
    [
        (set(), "", "", ["CREATE DATABASE", "CREATE USER", "GRANT ALL"]),
        ({NAME}, SOCKET, GRANT, []),
        ({NAME}, SOCKET, GRANT.replace("\\", ""), []),
        ({NAME}, SOCKET, "GRANT USAGE ON *.* TO `slurm`@`localhost`", ["GRANT ALL"]),
        ({NAME}, "CREATE USER ... IDENTIFIED BY PASSWORD '*1'", GRANT, ["ALTER USER"]),
        ({"mysql"}, SOCKET, GRANT, ["CREATE DATABASE"]),
    ],
)
def test_what_is_lacking(databases: set[str], way_in: str, grants: str, begins: list[str]) -> None:
    found = module.statements(NAME, USER, databases, way_in, grants)
    assert [" ".join(line.split()[:2]) for line in found] == begins


def test_no_password_is_ever_set() -> None:
    assert not [
        line for line in module.statements(NAME, USER, set(), "", "") if "PASSWORD" in line.upper()
    ]
