"""slurmhub_postgresql: what is lacking, and what is somebody else's."""

from __future__ import annotations

import pytest

from tests.unit.ansible.modules import load

module = load("slurmhub_postgresql")
HUB = "slurmhub-main"
BOTH = [HUB, f"{HUB}-ledger"]


def test_everything_is_lacking_at_first() -> None:
    found = module.statements(BOTH, HUB, {"postgres"}, {"postgres": "postgres"})
    assert found[0] == 'CREATE ROLE "slurmhub-main" LOGIN;'
    assert sum(each.startswith("CREATE DATABASE") for each in found) == 2
    assert sum(each.startswith("REVOKE ALL") for each in found) == 2
    assert "PASSWORD" not in " ".join(found)


def test_nothing_is_lacking_then() -> None:
    assert module.statements(BOTH, HUB, {HUB}, dict.fromkeys(BOTH, HUB)) == []


def test_only_what_is_lacking() -> None:
    (create, revoke) = module.statements(BOTH, HUB, {HUB}, {HUB: HUB})
    assert '"slurmhub-main-ledger" OWNER "slurmhub-main"' in create
    assert '"slurmhub-main-ledger"' in revoke


COURSES, SERVICE = f"{HUB}-courses", "slurmhub-course-main"


def test_another_role_acts_as_the_owner_in_a_database_that_it_shares() -> None:
    arguments: tuple[object, ...] = ([COURSES], SERVICE, {HUB, SERVICE}, {COURSES: SERVICE}, [HUB])
    both = module.statements(*arguments, set())
    assert both == [
        'GRANT "slurmhub-course-main" TO "slurmhub-main";',
        'ALTER ROLE "slurmhub-main" IN DATABASE "slurmhub-main-courses"'
        " SET role = 'slurmhub-course-main';",
    ]
    assert module.statements(*arguments, {(HUB, "")}) == both[1:]
    assert module.statements(*arguments, {(HUB, ""), (HUB, COURSES)}) == []


def test_who_shares_is_read_from_what_psql_says(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "pg_auth_members": "slurmhub-course-main|slurmhub-main\nother|slurmhub-main\n",
        "pg_db_role_setting": (
            "role=slurmhub-course-main|slurmhub-main|slurmhub-main-courses\n"
            "role=other|slurmhub-main|x\nsearch_path=a|slurmhub-main|y\n"
        ),
    }
    monkeypatch.setattr(
        module, "run", lambda sql: next(rows for table, rows in said.items() if table in sql)
    )
    assert module.known_shares(SERVICE) == {(HUB, ""), (HUB, COURSES)}


def test_a_database_of_somebody_else_stays() -> None:
    with pytest.raises(module.Refused, match="belongs to other"):
        module.statements(BOTH, HUB, {HUB}, {HUB: "other"})


@pytest.mark.parametrize("name", ['a"; DROP', "A", "-a", "a b", "", "a" * 64])
def test_names_that_are_not_taken(name: str) -> None:
    assert not module.NAME.fullmatch(name)
