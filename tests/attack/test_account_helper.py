"""slurmhub-account under attack: who may ask it, for what, and from where it may be run.

As root, with the real sudo and the real useradd. Each refusal stands beside a case that works.
"""

from __future__ import annotations

import fcntl
import grp
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slurmhub_deploy import account_install
from tests.attack.account_site import (
    HIGHEST,
    LOWEST,
    OTHER_TOKEN,
    TOKEN,
    AccountSite,
    account_site,
    exists,
)
from tests.attack.helper_site import identity
from tests.attack.test_helper import HOSTILE_ENVIRONMENT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes accounts and a sudoers line")


@pytest.fixture(scope="module")
def installed() -> Iterator[AccountSite]:
    with account_site() as made:
        yield made


@pytest.fixture
def site(installed: AccountSite) -> Iterator[AccountSite]:
    before = installed.settings.read_bytes()
    yield installed
    installed.settings.write_bytes(before)
    installed.remove_accounts()


# What must work


def test_an_account_is_made_and_found_again(site: AccountSite) -> None:
    made = site.ensure(gecos="Alice Smith")
    home = site.homes / site.name()
    uid = made["uid"]
    assert made == {"ok": True, "uid": uid, "gid": uid, "home": str(home), "made": True}
    assert LOWEST <= uid <= HIGHEST
    entry = pwd.getpwnam(site.name())
    assert (entry.pw_uid, entry.pw_gid, entry.pw_gecos) == (uid, uid, "Alice Smith")
    assert (entry.pw_dir, entry.pw_shell) == (str(home), "/bin/bash")
    assert grp.getgrnam(site.name()).gr_gid == uid
    found = home.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o700, uid, uid)
    skeleton = {each.name for each in Path("/etc/skel").iterdir()}
    assert {each.name for each in home.iterdir()} == skeleton
    assert all(each.lstat().st_uid == uid for each in home.iterdir())
    assert site.ensure() == {**made, "made": False}
    assert site.ensure(uid=uid) == {**made, "made": False}
    answer = site.ask({"verb": "find", "name": site.name()})
    assert answer == {"ok": True, "found": True, "uid": uid, "state": "made"}
    assert stat.S_IMODE(Path("/etc/passwd").stat().st_mode) == 0o644


def test_an_account_is_locked_unlocked_erased(site: AccountSite) -> None:
    uid = site.ensure(gecos="Alice Smith")["uid"]
    assert site.about("lock") == {"ok": True}
    assert _shadow(site.name())[7] == "1"
    assert site.ensure()["kind"] == "locked"
    assert site.about("unlock") == {"ok": True}
    assert _shadow(site.name())[7] == ""
    assert site.ensure()["ok"]
    erased = site.about("erase")
    assert (erased["ok"], erased["home"]) == (True, str(site.homes / site.name()))
    assert pwd.getpwnam(site.name()).pw_gecos == ""
    assert _shadow(site.name())[7] == "1"
    for verb in ("ensure", "unlock", "lock"):
        assert site.about(verb)["kind"] == "erased"
    assert site.about("erase")["ok"]
    # Name and number stay taken, also when an administrator removes the account.
    subprocess.run(["userdel", site.name()], check=True, capture_output=True)
    assert site.ensure()["kind"] == "erased"
    assert site.ensure(token=OTHER_TOKEN)["kind"] == "taken"
    assert site.ensure("b")["uid"] == uid + 1


def _shadow(name: str) -> list[str]:
    lines = Path("/etc/shadow").read_text().splitlines()
    return next(line.split(":") for line in lines if line.startswith(f"{name}:"))


def test_an_account_is_renamed(site: AccountSite) -> None:
    made = site.ensure("old", gecos="Old Name")
    renamed = site.about("rename", "old", to=site.name("new"))
    assert renamed == {"ok": True}
    entry = pwd.getpwnam(site.name("new"))
    assert (entry.pw_uid, entry.pw_gecos, entry.pw_dir) == (made["uid"], "", made["home"])
    assert grp.getgrgid(made["uid"]).gr_name == site.name("new")
    assert site.ensure("new") == {**made, "made": False}
    assert not exists(site.name("old"))
    assert site.ensure("old")["kind"] == "taken"
    assert site.about("rename", "old", to=site.name("newer"))["kind"] == "unknown"
    assert site.about("rename", "new", to=site.name("old"))["kind"] == "taken"


def test_people_join_the_sites_group(site: AccountSite) -> None:
    group = site.name("people")
    site.set(group=group)
    assert site.ensure()["kind"] == "failed"
    subprocess.run(["groupadd", "--gid", str(HIGHEST - 1), group], check=True)
    assert site.ensure()["made"] is True
    assert site.name() in grp.getgrnam(group).gr_mem


# Whose accounts it touches


def test_another_persons_account_is_never_given(site: AccountSite) -> None:
    made = site.ensure()
    for token in (OTHER_TOKEN, "0" * 32):
        for verb in ("ensure", "lock", "unlock", "erase"):
            answer = site.about(verb, token=token)
            assert (answer["kind"], "uid" in answer) == ("taken", False)
        assert site.about("rename", token=token, to=site.name("z"))["kind"] == "taken"
    assert site.ensure() == {**made, "made": False}


def test_accounts_that_it_did_not_make_are_let_be(site: AccountSite) -> None:
    stranger = site.name("stranger")
    subprocess.run(["useradd", "--no-create-home", stranger], check=True, capture_output=True)
    before = _passwd(site)
    for name in (stranger, site.hub.pw_name, "root", "daemon", "nobody", "slurm"):
        for verb, kind in (("ensure", "taken"), ("lock", "unknown"), ("erase", "unknown")):
            answer = site.ask({"verb": verb, "name": name, "token": TOKEN})
            assert answer["kind"] == kind, (name, verb)
        uid = pwd.getpwnam(stranger).pw_uid
        assert not site.ask({"verb": "ensure", "name": name, "token": TOKEN, "uid": uid})["ok"]
        renaming = {"verb": "rename", "name": name, "token": TOKEN, "to": site.name("mine")}
        assert site.ask(renaming)["kind"] == "unknown"
    assert site.ensure()["ok"]
    assert site.about("rename", to=stranger)["kind"] == "taken"
    assert site.about("rename", to="postgres")["kind"] == "taken"
    subprocess.run(["groupadd", site.name("grp")], check=True, capture_output=True)
    assert site.ensure("grp")["kind"] == "taken"
    assert before <= _passwd(site)


def _passwd(site: AccountSite) -> set[str]:
    """The lines of this test's accounts and the system's; tests beside it have theirs."""
    lines = Path("/etc/passwd").read_text().splitlines()
    return {line for line in lines if line.startswith(site.mark) or int(line.split(":")[2]) < 100}


@pytest.mark.parametrize(
    "uid",
    [-1, 0, 1, 999, LOWEST - 1, HIGHEST + 1, 65534, 2**32, 2**64],
    ids=["-1", "0", "1", "999", "one less", "one more", "nobody", "2^32", "2^64"],
)
def test_numbers_that_are_not_for_people(site: AccountSite, uid: int) -> None:
    assert site.ensure(uid=uid)["kind"] == "mismatch"
    assert not exists(site.name())
    assert site.ensure(uid=LOWEST + 5)["uid"] == LOWEST + 5


def test_a_number_is_given_once(site: AccountSite) -> None:
    first = site.ensure("a")["uid"]
    assert site.ensure("b", uid=first)["kind"] == "mismatch"
    subprocess.run(["userdel", site.name("a")], check=True, capture_output=True)
    assert site.ensure("b", uid=first)["kind"] == "mismatch"
    assert site.ensure("b")["uid"] != first
    # It is made again for whom it was made.
    again = site.ensure("a", uid=first)
    assert (again["ok"], again["uid"]) == (True, first)
    assert pwd.getpwnam(site.name("a")).pw_uid == first
    assert site.ensure("a", uid=first + 1)["kind"] == "mismatch"


def test_numbers_run_out(site: AccountSite) -> None:
    site.set(max_uid=LOWEST + 1)
    assert [site.ensure(name)["ok"] for name in "ab"] == [True, True]
    answer = site.ensure("c")
    assert answer["kind"] == "full"
    assert not exists(site.name("c"))
    site.set(max_uid=HIGHEST)
    assert site.ensure("c")["ok"]


# Who may ask, and how it is started


def test_only_the_hub_may_ask(site: AccountSite) -> None:
    data = json.dumps({"verb": "ensure", "name": site.name(), "token": TOKEN}).encode()
    nobody = pwd.getpwnam("nobody")
    for account in (site.mallory, nobody):
        done = site.sudo(str(site.program), stdin=data, **identity(account))
        assert (done.returncode != 0, done.stdout) == (True, b"")
        started = subprocess.run(
            [str(site.program)], input=data, capture_output=True, check=False, **identity(account)
        )
        assert json.loads(started.stdout)["kind"] == "forbidden"
    assert not exists(site.name())
    assert site.ask(data)["ok"]


def test_sudo_passes_no_arguments_and_runs_nothing_else(site: AccountSite) -> None:
    program = str(site.program)
    copy = site.folder / "slurmhub-account"
    shutil.copy(site.program, copy)
    for argv in (
        [program, "--settings", "{}"],
        [program, "-h"],
        [program, ""],
        ["-u", "daemon", program],
        ["-g", "shadow", program],
        ["/bin/sh", "-c", "id"],
        ["/usr/bin/python3", "-IS", program],
        ["/usr/sbin/useradd", site.name()],
        [str(copy)],
        ["-s"],
        ["-e", "/etc/hosts"],
        ["-D", "/tmp", program],
        ["-C", "300", program],
        ["-E", program],
        ["PATH=/tmp", program],
        ["LD_PRELOAD=/tmp/x", program],
    ):
        done = site.sudo(*argv, stdin=b"{}")
        assert (done.returncode != 0, done.stdout) == (True, b""), argv
    done = subprocess.run(
        [program, "--settings", "{}"], input=b"{}", capture_output=True, check=False
    )
    assert json.loads(done.stdout)["kind"] == "invalid"
    assert site.ensure()["ok"]


@pytest.fixture
def traps(site: AccountSite) -> Iterator[Path]:
    """A folder of the hub's with programs and modules of the names that are needed."""
    folder = site.folder / "traps"
    folder.mkdir()
    for name in ("useradd", "groupadd", "usermod", "python3", "ldapadd"):
        (folder / name).write_text(f"#!/bin/sh\ntouch {folder}/trapped\n")
        (folder / name).chmod(0o755)
    for name in ("json", "os", "subprocess", "pwd", "sitecustomize", "usercustomize"):
        (folder / f"{name}.py").write_text(f"open('{folder}/trapped', 'w')\n")
    yield folder
    assert not (folder / "trapped").exists()
    shutil.rmtree(folder)


def test_environment_and_directory_of_the_caller_count_for_nothing(
    site: AccountSite, traps: Path
) -> None:
    hostile = {
        **HOSTILE_ENVIRONMENT,
        "PATH": str(traps),
        "PYTHONPATH": str(traps),
        "LDAPURI": "ldap://127.0.0.1:1",
        "LDAPRC": "x",
    }
    request = {"verb": "ensure", "name": site.name(), "token": TOKEN}
    assert site.ask(request, env=hostile, cwd=traps)["ok"]
    harmless = {name: value for name, value in hostile.items() if not name.startswith("LD_")}
    request["name"] = site.name("b")
    done = subprocess.run(
        [str(site.program)],
        input=json.dumps(request).encode(),
        capture_output=True,
        check=False,
        env=harmless,
        cwd=traps,
    )
    assert json.loads(done.stdout)["ok"]
    assert pwd.getpwnam(site.name("b")).pw_shell == "/bin/bash"


def test_files_signals_and_masks_of_the_caller_count_for_nothing(site: AccountSite) -> None:
    def hostile() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM})
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        os.umask(0o777)

    request = {"verb": "ensure", "name": site.name(), "token": TOKEN}
    with open("/etc/shadow", "rb") as secret:
        copies = [fcntl.fcntl(secret, fcntl.F_DUPFD, number) for number in (5, 50)]
        try:
            options: dict[str, Any] = {"preexec_fn": hostile, "pass_fds": copies}
            assert site.ask(request, **options)["made"] is True
        finally:
            for copy in copies:
                os.close(copy)
    assert stat.S_IMODE((site.homes / site.name()).stat().st_mode) == 0o700
    for path, mode in (("/etc/passwd", 0o644), ("/etc/group", 0o644)):
        assert stat.S_IMODE(Path(path).stat().st_mode) == mode
    record = site.register / "names" / site.name()
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_nothing_of_a_real_installation_is_touched(site: AccountSite) -> None:
    assert site.program != account_install.PROGRAM
    assert not str(site.settings).startswith("/etc")
