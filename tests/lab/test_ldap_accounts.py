"""slurmhub-account with a real OpenLDAP: one number on every host, whoever asks and how often."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attack.account_site import HIGHEST, LOWEST, OTHER_TOKEN, TOKEN, AccountSite, account_site
from tests.rig.slapd import ADMIN, GROUPS, PASSWORD, PEOPLE, Slapd, running_slapd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes accounts and a sudoers line")


@pytest.fixture(scope="module")
def installed() -> Iterator[AccountSite]:
    with account_site() as made:
        yield made


@pytest.fixture
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with running_slapd(tmp_path_factory.mktemp("ldap")) as running:
        yield running


@pytest.fixture
def site(installed: AccountSite, slapd: Slapd) -> Iterator[AccountSite]:
    program, settings = installed.program.read_text(), installed.settings.read_bytes()
    installed.set(directory="ldap", ldap=slapd.settings(), group="students")
    yield installed
    installed.program.write_text(program)
    installed.settings.write_bytes(settings)
    installed.remove_accounts()


@contextmanager
def killed_at(site: AccountSite, line: str) -> Iterator[None]:
    """Meanwhile the program kills itself before this line."""
    before = site.program.read_text()
    assert before.count(line) == 1
    indent = " " * (len(line) - len(line.lstrip()))
    site.program.write_text(before.replace(line, f"{indent}os.kill(os.getpid(), 9)\n{line}"))
    yield
    site.program.write_text(before)


def another_host(site: AccountSite) -> None:
    """What this host remembers is not there: the next call is as from another host."""
    site.register.rename(site.register.with_name(f"aside-{os.urandom(4).hex()}"))


def test_an_account_as_rfc_2307_has_it(site: AccountSite, slapd: Slapd) -> None:
    made = site.ensure(gecos="Zoë Müller")
    name, uid = site.name(), str(made["uid"])
    assert LOWEST <= made["uid"] <= HIGHEST
    (person,) = slapd.search(f"(uid={name})")
    assert person == {
        "dn": [f"uid={name},{PEOPLE}"],
        "objectClass": ["account", "posixAccount", "shadowAccount"],
        "uid": [name],
        "cn": ["Zoë Müller"],
        "uidNumber": [uid],
        "gidNumber": [uid],
        "homeDirectory": [made["home"]],
        "loginShell": ["/bin/bash"],
        "description": [f"slurmhub-account {TOKEN}"],
        "gecos": ["Zo Mller"],
    }
    (group,) = slapd.search(f"(cn={name})", GROUPS)
    assert (group["gidNumber"], group["objectClass"]) == ([uid], ["posixGroup"])
    (students,) = slapd.search("(cn=students)")
    assert students["memberUid"] == [name]
    assert Path(made["home"]).stat().st_uid == made["uid"]
    assert site.ensure() == {**made, "made": False}
    assert site.ask({"verb": "find", "name": name})["uid"] == made["uid"]


def test_lock_unlock_erase_rename(site: AccountSite, slapd: Slapd) -> None:
    made = site.ensure(gecos="Zoë Müller")
    name = site.name()
    assert site.about("lock")["ok"]
    assert slapd.search(f"(uid={name})")[0]["shadowExpire"] == ["1"]
    assert site.ensure()["kind"] == "locked"
    assert site.about("unlock")["ok"]
    assert site.about("unlock")["ok"]
    assert "shadowExpire" not in slapd.search(f"(uid={name})")[0]
    assert site.about("rename", to=site.name("b"))["ok"]
    assert slapd.search(f"(uid={name})") == []
    assert site.ensure("b") == {**made, "made": False}
    assert slapd.search("(cn=students)")[0]["memberUid"] == [site.name("b")]
    assert site.about("erase", "b")["ok"]
    (person,) = slapd.search(f"(uid={site.name('b')})")
    assert (person["cn"], "gecos" in person) == ([site.name("b")], False)
    assert site.ensure("b")["kind"] == "erased"
    assert person.pop("homeDirectory") == [made["home"]]  # the home is the operators' matter
    assert name not in json.dumps(person)


def test_hubs_that_share_a_directory_never_share_a_number(site: AccountSite) -> None:
    first = site.ensure("a")["uid"]
    another_host(site)
    # Somebody of the other hub who is called the same, and one who is not.
    assert site.ensure("a", token=OTHER_TOKEN)["kind"] == "taken"
    assert site.ensure("b", token=OTHER_TOKEN)["uid"] > first


def test_numbers_are_counted_by_the_directory_for_all_hosts(site: AccountSite) -> None:
    """Ten calls at once, each with a register of its own: as from ten hosts."""

    def from_a_host(number: int) -> int:
        folder = site.folder / f"host{number}"
        folder.mkdir(mode=0o755)
        settings = {
            **json.loads(site.settings.read_text()),
            "register": str(folder / "register"),
            "make_homes": False,
        }
        own = folder / "account.json"
        own.write_text(json.dumps(settings))
        program = folder / "program"
        program.write_text(site.program.read_text().replace(str(site.settings), str(own)))
        program.chmod(0o755)
        request = {"verb": "ensure", "name": site.name(f"h{number}"), "token": TOKEN}
        done = subprocess.run(
            [str(program)], input=json.dumps(request).encode(), capture_output=True, check=False
        )
        return int(json.loads(done.stdout)["uid"])

    with ThreadPoolExecutor(10) as pool:
        uids = list(pool.map(from_a_host, range(10)))
    assert len(set(uids)) == 10


def test_a_rebuilt_host_finds_its_accounts_again(site: AccountSite) -> None:
    made = site.ensure("a")
    another_host(site)
    assert site.ensure("a")["kind"] == "taken"  # the number must be known as well
    assert site.ensure("a", uid=made["uid"] + 1)["kind"] == "taken"
    again = site.ensure("a", uid=made["uid"])
    assert (again["ok"], again["uid"]) == (True, made["uid"])
    assert site.ensure("b")["uid"] > made["uid"]


def test_accounts_of_others_are_let_be(site: AccountSite, slapd: Slapd) -> None:
    name = site.name("theirs")
    entry = f"""
dn: uid={name},{PEOPLE}
objectClass: account
objectClass: posixAccount
uid: {name}
cn: {name}
uidNumber: {LOWEST}
gidNumber: {LOWEST}
homeDirectory: /home/{name}
"""
    slapd.add(entry)
    before = slapd.search(f"(uid={name})")
    assert site.ensure("theirs")["kind"] == "taken"
    assert site.ensure("theirs", uid=LOWEST)["kind"] == "taken"
    for verb in ("lock", "unlock", "erase"):
        assert site.about(verb, "theirs")["kind"] == "unknown"
    assert slapd.search(f"(uid={name})") == before
    assert site.ensure("a")["uid"] == LOWEST + 1  # the number of theirs is not given


@pytest.mark.parametrize(
    "line",
    [
        "        found = self._one(self._group(name))",
        "        made = self.find(name)\n        if made is None",
        '        directory.join(name, settings["group"])\n    have_home(',
        "        make_home(name, record, settings)",
        '        register.write(name, {**record, "state": "made"})',
    ],
)
def test_what_is_half_made_is_finished(site: AccountSite, slapd: Slapd, line: str) -> None:
    request = {"verb": "ensure", "name": site.name(), "token": TOKEN}
    with killed_at(site, line):
        done = site.sudo(str(site.program), stdin=json.dumps(request).encode())
        assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
    made = site.ensure()
    assert made["made"] is True
    (person,) = slapd.search(f"(uid={site.name()})")
    assert person["uidNumber"] == [str(made["uid"])]
    assert slapd.search("(cn=students)")[0]["memberUid"] == [site.name()]


def test_a_password_file(site: AccountSite, slapd: Slapd) -> None:
    secret = site.folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    bind = {"bind_dn": ADMIN, "password_file": str(secret)}
    site.set(ldap=slapd.settings(**bind))
    assert site.ensure()["kind"] == "forbidden"  # others could read it
    secret.chmod(0o600)
    assert site.ensure()["ok"]
    secret.write_text("wrong")
    answer = site.ensure("b")
    assert (answer["kind"], "Invalid credentials" in answer["message"]) == ("failed", True)
    # Never in the clear over a network: this directory has no TLS.
    secret.write_text(PASSWORD)
    site.set(ldap=slapd.settings(uri=slapd.tcp, **bind))
    assert site.ensure("b")["kind"] in ("failed", "away")
    assert slapd.search(f"(uid={site.name('b')})") == []


def test_a_directory_that_does_not_answer(site: AccountSite, slapd: Slapd) -> None:
    site.set(ldap=slapd.settings(uri="ldapi://%2Fnowhere%2Fldapi"))
    answer = site.ensure()
    assert answer["kind"] == "away"
    site.set(ldap=slapd.settings())
    assert site.ensure()["made"] is True


def test_a_full_directory(site: AccountSite, tmp_path: Path) -> None:
    with running_slapd(tmp_path / "small", size=192 * 1024) as small:
        site.set(ldap=small.settings(), group=None)
        kinds = []
        for number in range(200):
            answer = site.ensure(f"n{number}", gecos="x" * 100)
            kinds.append(answer.get("kind", "made"))
            if not answer["ok"]:
                break
        assert kinds[-1] == "failed"
        assert "made" in kinds
        assert site.ensure("n0")["ok"]
