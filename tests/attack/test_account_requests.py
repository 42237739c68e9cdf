"""slurmhub-account under attack: what it is asked, its settings, and the homes that it makes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack.account_site import LOWEST, TOKEN, AccountSite, account_site, exists

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes accounts and a sudoers line")


@pytest.fixture(scope="module")
def installed() -> Iterator[AccountSite]:
    with account_site() as made:
        yield made


@pytest.fixture
def site(installed: AccountSite) -> Iterator[AccountSite]:
    before = installed.settings.read_bytes()
    yield installed
    if installed.settings.is_dir():
        installed.settings.rmdir()
    else:
        installed.settings.unlink(missing_ok=True)
    installed.settings.write_bytes(before)
    installed.settings.chmod(0o644)
    installed.remove_accounts()


def ours(site: AccountSite) -> list[str]:
    """Accounts and groups of this test that were made."""
    texts = Path("/etc/passwd").read_text(), Path("/etc/group").read_text()
    names = {line.split(":")[0] for text in texts for line in text.splitlines()}
    return sorted(
        name
        for name in names - {site.hub.pw_name, site.mallory.pw_name}
        if name.startswith(site.mark)
    )


# What it is asked


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        b"{",
        b"[]",
        b"[" * 60_000,
        b"{}",
        b'{"verb": "ensure"}',
        b'{"verb": "useradd", "name": "NAME", "token": "TOKEN"}',
        b'{"verb": ["ensure"], "name": "NAME", "token": "TOKEN"}',
        b'{"verb": "ensure", "verb": "ensure", "name": "NAME", "token": "TOKEN"}',
        b'{"verb": "ensure", "name": "NAME"}',
        b'{"verb": "ensure", "name": "NAME", "token": null}',
        b'{"verb": "ensure", "name": "NAME", "token": "TOKEN", "home": "/root"}',
        b'{"verb": "ensure", "name": "NAME", "token": "TOKEN", "shell": "/bin/sh"}',
        b'{"verb": "ensure", "name": "NAME", "token": "TOKEN", "uid": "0"}',
        b'{"verb": "ensure", "name": "NAME", "token": "TOKEN", "uid": true}',
        b'{"verb": "ensure", "name": "NAME", "token": "TOKEN", "uid": 41000.0}',
        b'{"verb": "ensure", "name": "NAME", "token": "TOKEN", "uid": ' + b"9" * 5000 + b"}",
        b'{"verb": "ensure", "name": "NAME", "token": "../../../etc/passwd"}',
        b'{"verb": "ensure", "name": "NAME", "token": "TOKEN", "gecos": "a:0:0::/root:/bin/sh"}',
        b'{"verb": "ensure", "name": "NAME", "token": "TOKEN", "gecos": "a\\nroot::0:0"}',
        b'{"verb": "ensure", "name": "NAME", "token": "TOKEN", "gecos": "a\\u0000"}',
        b'{"verb": "ensure", "name": "NAME", "token": "TOKEN", "gecos": ["a"]}',
        b'{"verb": "rename", "name": "NAME", "token": "TOKEN", "to": "-x"}',
        b'{"verb": "find", "name": "NAME", "token": "TOKEN"}',
        b'{"verb": "lock", "name": "NAME"}',
        b'{"verb": "find", "name": "NAME"}' + b" " * 65536,
    ],
)
def test_requests_that_are_none(site: AccountSite, data: bytes) -> None:
    data = data.replace(b"NAME", site.name().encode()).replace(b"TOKEN", TOKEN.encode())
    assert site.ask(data)["kind"] == "invalid"
    assert ours(site) == []


@pytest.mark.parametrize(
    "name",
    [
        *("", "A", "Alice", "0", "1000", "-x", "--help", "a b", "a:b", "a/b", "../a", "a.b", "."),
        *("a\n", "a\nroot::0:0::/:/bin/sh", "a\0", "a,b", "a*", "$(id)", "a$", "\u00e9", "a" * 33),
        *("uid=0", "a)(uid=*", "a\\2a", "#0", "+", "%a", "\u212a", "a\u2028b"),
    ],
)
def test_names_that_are_none(site: AccountSite, name: str) -> None:
    for request in (
        {"verb": "ensure", "name": name, "token": TOKEN},
        {"verb": "find", "name": name},
        {"verb": "rename", "name": site.name(), "token": TOKEN, "to": name},
    ):
        assert site.ask(request)["kind"] == "invalid"
    assert ours(site) == []
    for path in (Path("/etc/passwd"), Path("/etc/group")):
        lines = path.read_text().splitlines()
        assert all(line.count(":") in (3, 6) for line in lines)
        assert name not in {line.split(":")[0] for line in lines}
        assert [line for line in lines if line.split(":")[2] == "0"] == [lines[0]]


@pytest.mark.parametrize("name", ["root", "slurm", "jupyterhub", "munge", "_x", "slurm-x", "null"])
def test_names_that_are_not_for_people(site: AccountSite, name: str) -> None:
    there = exists(name)
    assert site.ask({"verb": "ensure", "name": name, "token": TOKEN})["kind"] == "taken"
    assert exists(name) is there


def test_a_request_that_never_ends(site: AccountSite) -> None:
    program = site.folder / "impatient"
    program.write_text(
        site.program.read_text().replace("READ_SECONDS = 10.0", "READ_SECONDS = 0.3")
    )
    program.chmod(0o755)
    reading, writing = os.pipe()
    try:
        os.write(writing, b'{"verb": "find"')
        done = subprocess.run([str(program)], stdin=reading, capture_output=True, check=False)
    finally:
        os.close(reading)
        os.close(writing)
    assert json.loads(done.stdout)["kind"] == "invalid"


# Its settings


def test_settings_must_be_roots_own(site: AccountSite) -> None:
    settings = site.settings
    good = settings.read_bytes()
    for mode in (0o664, 0o646, 0o666):
        settings.chmod(mode)
        assert site.ensure()["kind"] == "forbidden", oct(mode)
    settings.chmod(0o644)
    os.chown(settings, site.hub.pw_uid, 0)
    assert site.ensure()["kind"] == "forbidden"
    settings.unlink()
    elsewhere = site.folder / "elsewhere.json"
    elsewhere.write_bytes(good)
    settings.symlink_to(elsewhere)
    assert site.ensure()["kind"] == "forbidden"
    settings.unlink()
    assert "helper install" in site.ensure()["message"]
    os.mkfifo(settings)
    assert site.ensure()["kind"] == "forbidden"
    settings.unlink()
    settings.mkdir()
    assert site.ensure()["kind"] == "forbidden"
    settings.rmdir()
    settings.write_bytes(good)
    assert site.ensure()["ok"]


@pytest.mark.parametrize(
    "changes",
    [
        {"min_uid": 999},
        {"min_uid": 0},
        {"min_uid": "1000"},
        {"min_uid": 50000, "max_uid": 40000},
        {"max_uid": 2**32},
        {"home_base": "home"},
        {"home_base": "/home/../etc"},
        {"home_base": 1},
        {"group": "root\nx"},
        {"make_homes": "yes"},
        {"directory": "nis"},
        {"directory": "ldap"},
        {"directory": "ldap", "ldap": {"uri": "http://x", "people": "a=b", "groups": "a=b"}},
        {"directory": "ldap", "ldap": {"people": "a=b", "groups": "a=b", "bind_dn": "a=b"}},
        {"more": 1},
    ],
)
def test_settings_that_cannot_be(site: AccountSite, changes: dict[str, object]) -> None:
    site.set(**changes)
    assert site.ensure()["kind"] == "forbidden"
    assert not exists(site.name())


def test_nobody_is_never_given(site: AccountSite) -> None:
    site.set(min_uid=65534, max_uid=65536)
    assert site.ensure()["uid"] == 65536


# The register and the homes


def test_folders_that_others_may_change_are_refused(site: AccountSite) -> None:
    assert site.ensure("a")["ok"]
    for folder in (site.register, site.register / "names", site.folder, site.homes):
        mode = stat.S_IMODE(folder.stat().st_mode)
        for spoilt in (0o777, 0o1777, 0o775):
            folder.chmod(spoilt)
            assert site.ensure("b")["kind"] == "forbidden", folder
        folder.chmod(mode)
        os.chown(folder, site.hub.pw_uid, 0)
        assert site.ensure("b")["kind"] == "forbidden", folder
        os.chown(folder, 0, 0)
    real = site.folder / "real"
    site.homes.rename(real)
    site.homes.symlink_to(real)
    assert site.ensure("b")["kind"] == "forbidden"
    site.homes.unlink()
    real.rename(site.homes)
    assert site.ensure("b")["ok"]


@pytest.mark.parametrize("spoil", ["root's", "another's", "a link", "a file", "a dangling link"])
def test_a_home_of_somebody_else_is_never_given(site: AccountSite, spoil: str) -> None:
    home, other = site.homes / site.name(), site.homes / "others"
    other.mkdir(mode=0o700)
    os.chown(other, site.mallory.pw_uid, site.mallory.pw_gid)
    if spoil == "a link":
        home.symlink_to(other)
    elif spoil == "a dangling link":
        home.symlink_to(site.homes / "nowhere")
    elif spoil == "a file":
        home.write_text("")
    else:
        home.mkdir()
        (home / "theirs").write_text("secret")
        if spoil == "another's":
            os.chown(home, site.mallory.pw_uid, site.mallory.pw_gid)
    before = home.lstat()
    answer = site.ensure()
    assert answer["kind"] == "home"
    assert str(home) in answer["message"]
    after = home.lstat()
    assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)
    assert other.stat().st_uid == site.mallory.pw_uid
    assert not (site.homes / "nowhere").exists()
    # Once an administrator has looked, the account is finished.
    home.rename(site.homes / "aside")
    assert site.ensure()["ok"]
    assert home.stat().st_uid >= LOWEST


def test_links_in_homes_and_skeletons_lead_nowhere(site: AccountSite) -> None:
    skeleton = site.folder / "skel"
    (skeleton / "sub").mkdir(parents=True)
    (skeleton / "sub" / "file").write_text("text")
    (skeleton / "program").write_text("#!/bin/sh\n")
    (skeleton / "program").chmod(0o4755)
    (skeleton / "link").symlink_to("/etc/shadow")
    os.mkfifo(skeleton / "pipe")
    site.set(skeleton=str(skeleton))
    made = site.ensure()
    home, uid = Path(made["home"]), made["uid"]
    assert {each.name for each in home.iterdir()} == {"sub", "program", "link"}
    assert (home / "link").is_symlink()
    assert (home / "link").lstat().st_uid == uid
    assert Path("/etc/shadow").stat().st_uid == 0
    assert (home / "sub" / "file").stat().st_uid == uid
    assert stat.S_IMODE((home / "program").stat().st_mode) == 0o755
    # A second call leaves alone what is in the home by now.
    (home / ".bashrc").symlink_to("/etc/shadow")
    os.chown(home / ".bashrc", uid, uid, follow_symlinks=False)
    assert site.ensure()["ok"]
    assert (Path("/etc/shadow").stat().st_uid, (home / "sub").stat().st_uid) == (0, uid)


def test_a_hub_that_makes_no_homes(site: AccountSite) -> None:
    site.set(make_homes=False)
    made = site.ensure()
    assert made["ok"]
    assert not Path(made["home"]).exists()
