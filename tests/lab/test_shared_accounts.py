"""From a sign-in to an account that two hosts show with one number, by a real LDAP directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from slurmhub.auth.account_helper import AccountHelper
from slurmhub.auth.accounts import Accounts
from slurmhub.auth.directory import Directory, Entry
from slurmhub.auth.matching import account_rules
from tests.attack.account_site import AccountSite, account_site
from tests.lab.ldap_client import LdapClient, ldap_client
from tests.rig.slapd import running_slapd
from tests.unit.auth.people import LOG, SFU, asserted, ledger_in

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes hosts and a sudoers line")


class ThatHost(Directory):
    """Accounts as another host shows them."""

    def __init__(self, client: LdapClient) -> None:
        self._client = client

    def find(self, name: str) -> Entry | None:
        line = self._client.getent("passwd", name)
        return Entry(line.split(":")[0], int(line.split(":")[2])) if line else None

    def is_used(self, name: str) -> bool:
        return bool(self._client.getent("passwd", name) or self._client.getent("group", name))


@dataclass
class Shared:
    """The hub's host and a node, of one directory."""

    site: AccountSite
    hub: LdapClient
    node: LdapClient


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("l")
    with (
        account_site() as site,
        running_slapd(folder / "s") as slapd,
        ldap_client(folder / "h", slapd) as hub,
        ldap_client(folder / "n", slapd) as node,
    ):
        site.set(directory="ldap", ldap=slapd.settings(), group="students")
        yield Shared(site, hub, node)


async def test_two_hosts_show_one_number(shared: Shared, tmp_path: Path) -> None:
    accounts = Accounts(
        ledger_in(tmp_path),
        account_rules(source="made"),
        log=LOG,
        helper=AccountHelper(shared.site.program),
        directory=ThatHost(shared.hub),
    )
    eppn = f"{shared.site.mark}alice"
    alice = await accounts.ensure(asserted(subject_id="s1@ubc.ca", eppn=f"{eppn}@ubc.ca"))
    other = await accounts.ensure(asserted(SFU, subject_id="s1@sfu.ca", eppn=f"{eppn}@sfu.ca"))
    assert (alice.account, other.account) == (eppn, f"{eppn}2")
    assert alice.uid != other.uid
    for person in (alice, other):
        lines = {host.getent("passwd", person.account) for host in (shared.hub, shared.node)}
        home = shared.site.homes / person.account
        expected = f"{person.account}:x:{person.uid}:{person.uid}:"
        (line,) = lines
        assert line.startswith(expected)
        assert line.endswith(f":{home}:/bin/bash")
        assert home.stat().st_uid == person.uid
        assert shared.hub.id(person.account) == shared.node.id(person.account)
        assert "(students)" in shared.node.id(person.account)
    again = await accounts.ensure(asserted(subject_id="s1@ubc.ca", eppn=f"{eppn}@ubc.ca"))
    assert again.number == alice.number


async def test_a_name_that_the_directory_has_is_not_given(shared: Shared, tmp_path: Path) -> None:
    """Another ledger, as of a second hub: its people get names and numbers of their own."""
    accounts = Accounts(
        ledger_in(tmp_path),
        account_rules(source="made"),
        log=LOG,
        helper=AccountHelper(shared.site.program),
        directory=ThatHost(shared.hub),
    )
    eppn = f"{shared.site.mark}carol"
    first = shared.site.ensure("carol")
    carol = await accounts.ensure(asserted(subject_id="c1@ubc.ca", eppn=f"{eppn}@ubc.ca"))
    assert (carol.account, carol.uid == first["uid"]) == (f"{eppn}2", False)
