"""slurmhub_ldap_entry on a real slapd: entries, numbers, passwords, settings with an order."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rig.slapd import GROUPS, PEOPLE, SUFFIX, Slapd, running_slapd
from tests.unit.ansible.modules import load

module = load("slurmhub_ldap_entry")


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with running_slapd(tmp_path_factory.mktemp("slapd") / "d") as running:
        yield running


def ensure(slapd: Slapd, dn: str, *, dry: bool = False, **given: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "dn": dn,
        "attributes": {},
        "first": {},
        "passwords": {},
        "number": None,
    }
    result: dict[str, Any] = module.ensure(usual | given, module.Server(slapd.socket), dry=dry)
    return result


def the_entry(slapd: Slapd, dn: str) -> dict[str, list[str]] | None:
    found: dict[str, list[str]] | None = module.Server(slapd.socket).entry(dn)
    return found


def test_an_entry_is_added_once(slapd: Slapd) -> None:
    dn = f"ou=services,{SUFFIX}"
    given: dict[str, Any] = {"attributes": {"objectClass": "organizationalUnit", "ou": "services"}}
    would = ensure(slapd, dn, dry=True, **given)
    assert (would["changed"], would["added"]) == (True, True)
    assert the_entry(slapd, dn) is None, "check mode changes nothing"
    assert ensure(slapd, dn, **given)["changed"]
    again = ensure(slapd, dn, **given)
    assert (again["changed"], again["added"]) == (False, False)


def test_only_what_is_named_changes(slapd: Slapd) -> None:
    dn = f"cn=course,{GROUPS}"
    first = {"objectClass": "posixGroup", "gidNumber": 31000, "memberUid": ["alice", "bob"]}
    ensure(slapd, dn, first=first, attributes={"description": "before"})
    result = ensure(slapd, dn, first={**first, "gidNumber": 1}, attributes={"description": "zoë"})
    assert result["attributes"] == ["description"]
    assert result["diff"]["before"] == "description: before\n"
    found = the_entry(slapd, dn)
    assert found is not None
    assert (found["description"], found["gidnumber"]) == (["zoë"], ["31000"])
    assert found["memberuid"] == ["alice", "bob"]


def test_a_number_that_nobody_has(slapd: Slapd) -> None:
    number = {"attribute": "gidNumber", "base": SUFFIX, "lowest": 40000, "highest": 40001}
    for name in ("one", "two"):
        ensure(slapd, f"cn={name},{GROUPS}", first={"objectClass": "posixGroup"}, number=number)
    assert the_entry(slapd, f"cn=two,{GROUPS}")["gidnumber"] == ["40001"]  # type: ignore[index]
    again = ensure(slapd, f"cn=two,{GROUPS}", first={"objectClass": "posixGroup"}, number=number)
    assert not again["changed"]
    with pytest.raises(module.Trouble, match="no gidNumber is free up to 40001"):
        ensure(slapd, f"cn=three,{GROUPS}", first={"objectClass": "posixGroup"}, number=number)


def test_a_password_is_hashed_and_shown_to_nobody(slapd: Slapd) -> None:
    dn = f"cn=reader,{SUFFIX}"
    first = {"objectClass": ["organizationalRole", "simpleSecurityObject"]}
    made = ensure(slapd, dn, first=first, passwords={"userPassword": "not-a-secret-1"})
    stored = the_entry(slapd, dn)["userpassword"][0]  # type: ignore[index]
    assert stored.startswith("{SSHA}")
    assert "not-a-secret" not in stored + str(made)
    assert not ensure(slapd, dn, passwords={"userPassword": "not-a-secret-1"})["changed"]
    changed = ensure(slapd, dn, passwords={"userPassword": "not-a-secret-2"})
    assert changed["changed"]
    assert "SSHA" not in str(changed)
    assert module.fits("not-a-secret-2", the_entry(slapd, dn)["userpassword"][0])  # type: ignore[index]


def test_a_server_that_hashed_it_lets_in_who_knows_it(slapd: Slapd, tmp_path: Path) -> None:
    dn = f"cn=hub-main,{SUFFIX}"
    first = {"objectClass": ["organizationalRole", "simpleSecurityObject"]}
    ensure(slapd, dn, first=first, passwords={"userPassword": "not-a-secret-3"})
    file = tmp_path / "password"
    file.write_text("not-a-secret-3")
    # ldapwhoami binds as that entry; run() asserts its exit status.
    assert dn in _whoami(slapd, dn, file)


def _whoami(slapd: Slapd, dn: str, password: Path) -> str:
    argv = ["ldapwhoami", "-x", "-D", dn, "-y", str(password), "-H", slapd.tcp]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def test_what_the_directory_says_is_passed_on(slapd: Slapd) -> None:
    with pytest.raises(module.Trouble, match="Object class violation") as found:
        ensure(slapd, f"uid=x,{PEOPLE}", first={"objectClass": "posixAccount", "uid": "x"})
    assert found.value.status == 65


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    server = module.Server(f"ldapi://{str(tmp_path / 'none').replace('/', '%2F')}")
    with pytest.raises(module.Trouble) as found:
        server.entry(SUFFIX)
    assert found.value.status in (-1, 255)


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (["{0}to * by b", "{1}to * by a"], ["to * by b", "to * by a"], True),
        (["{1}to * by b", "{0}to * by a"], ["to * by b", "to * by a"], False),
        (["{1}mdb"], ["mdb"], True),
        (["uid eq", "cn eq"], ["cn eq", "uid eq"], True),
        (["a"], ["a", "b"], False),
    ],
)
def test_order_counts_where_the_server_counts(
    found: list[str], wanted: list[str], expected: bool
) -> None:
    assert module.same(found, wanted) is expected
