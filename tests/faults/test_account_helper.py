"""slurmhub-account when it is killed, called twice at once, or short of disk: nothing is lost."""

from __future__ import annotations

import grp
import json
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attack.account_site import LOWEST, TOKEN, AccountSite, account_site, exists
from tests.attack.helper_site import SUDO, identity

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes accounts and a sudoers line")

# Where the program is killed: before the line that it holds in its source.
PLACES = {
    "before anything is kept": "    register.claim_uid(wanted, name)",
    "when the number is kept": "    register.write(name, record)\n    return record",
    "before the group": '            self._run(["groupadd", "--gid", str(uid), name])',
    "before the account": '            self._run([*argv, "--comment", gecos, name])',
    "before the home": "        make_home(name, record, settings)",
    "in the home": "        os.chown(new, uid, gid)",
    "before the home is in place": '        os.rename(new, record["home"])',
    "before it says so": '        register.write(name, {**record, "state": "made"})',
}


@pytest.fixture(scope="module")
def installed() -> Iterator[AccountSite]:
    with account_site() as made:
        yield made


@pytest.fixture
def site(installed: AccountSite) -> Iterator[AccountSite]:
    program, settings = installed.program.read_text(), installed.settings.read_bytes()
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


def kill(site: AccountSite, name: str = "a", **request: object) -> None:
    done = site.sudo(
        str(site.program),
        stdin=json.dumps(
            {"verb": "ensure", "name": site.name(name), "token": TOKEN, **request}
        ).encode(),
    )
    assert done.returncode == -signal.SIGKILL or done.returncode == 128 + signal.SIGKILL
    assert done.stdout == b""


@pytest.mark.parametrize("place", PLACES)
def test_what_is_half_made_is_finished(site: AccountSite, place: str) -> None:
    with killed_at(site, PLACES[place]):
        kill(site)
        kill(site)  # the same again
    made = site.ensure()
    entry = pwd.getpwnam(site.name())
    home = Path(made["home"])
    assert (made["made"], entry.pw_uid) == (True, made["uid"])
    assert (home.stat().st_uid, (home / ".bashrc").stat().st_uid) == (entry.pw_uid,) * 2
    assert sorted(each.name for each in site.homes.iterdir()) == [site.name()]
    assert site.ensure() == {**made, "made": False}
    assert site.ensure("b")["uid"] > made["uid"]


@pytest.mark.parametrize(
    "line",
    [
        '    directory.rename(name, to, settings["group"])',
        '            self._run(["groupmod", "--new-name", to, name])',
        "    directory.forget(to)",
        '    register.write(name, {**record, "state": "former", "to": to})',
        '    register.write(to, {**final, "state": final["then"]})',
    ],
)
def test_a_rename_that_was_killed_is_finished(site: AccountSite, line: str) -> None:
    made = site.ensure("a")
    request = {"verb": "rename", "to": site.name("b")}
    with killed_at(site, line):
        kill(site, "a", **request)
    # Neither name can be used until it is finished, and nobody else gets either.
    assert site.ensure("b")["kind"] == "taken"
    assert site.about("rename", "a", to=site.name("b")) == {"ok": True}
    assert site.ensure("b") == {**made, "made": False}
    assert not exists(site.name("a"))
    assert site.ensure("a")["kind"] == "taken"


@pytest.mark.parametrize("place", ["before the group", "before the account"])
def test_a_number_that_somebody_else_took_meanwhile(site: AccountSite, place: str) -> None:
    with killed_at(site, PLACES[place]):
        kill(site)
    record = json.loads((site.register / "names" / site.name()).read_text())
    other, uid = site.name("other"), record["uid"]
    if place == "before the group":
        subprocess.run(["groupadd", "--gid", str(uid), other], check=True)
    else:
        argv = ["useradd", "--no-create-home", "--uid", str(uid), "--gid", "100", other]
        subprocess.run(argv, check=True, capture_output=True)
    made = site.ensure()
    assert (made["made"], made["uid"]) == (True, uid + 1)
    assert (pwd.getpwnam(site.name()).pw_gid, grp.getgrnam(site.name()).gr_gid) == (uid + 1,) * 2
    assert Path(made["home"]).stat().st_uid == uid + 1


def test_ten_at_once_make_one_account(site: AccountSite) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: site.ensure(), range(10)))
    assert sorted(answer.pop("made") for answer in answers) == [False] * 9 + [True]
    assert len({json.dumps(answer) for answer in answers}) == 1
    lines = Path("/etc/passwd").read_text().splitlines()
    assert sum(line.startswith(f"{site.name()}:") for line in lines) == 1


def test_ten_people_at_once_get_ten_numbers(site: AccountSite) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda number: site.ensure(f"p{number}"), range(10)))
    assert sorted(answer["uid"] for answer in answers) == list(range(LOWEST, LOWEST + 10))


def test_who_waits_too_long_is_told(site: AccountSite) -> None:
    text = site.program.read_text()
    site.program.write_text(text.replace("LOCK_SECONDS = 30.0", "LOCK_SECONDS = 0.3"))
    assert site.ensure()["ok"]
    holder = subprocess.Popen(
        ["flock", str(site.register / "lock"), "sleep", "30"], start_new_session=True
    )
    try:
        end = time.monotonic() + 5
        while site.ensure()["ok"]:
            assert time.monotonic() < end
        assert site.ensure()["kind"] == "busy"
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()
    assert site.ensure()["ok"]


def test_a_useradd_that_hangs_is_ended(site: AccountSite) -> None:
    text = site.program.read_text()
    slow = site.folder / "slow"
    slow.mkdir()
    for name in ("groupadd", "useradd"):
        (slow / name).write_text("#!/bin/sh\nsleep 60 & wait\n")
        (slow / name).chmod(0o755)
    edited = text.replace('"/usr/sbin/" + argv[0]', f'"{slow}/" + argv[0]')
    edited = edited.replace("PROGRAM_SECONDS = 20.0", "PROGRAM_SECONDS = 0.5")
    site.program.write_text(edited)
    began = time.monotonic()
    assert site.ensure()["kind"] == "away"
    assert time.monotonic() - began < 10
    site.program.write_text(text)
    assert site.ensure()["made"] is True
    shutil.rmtree(slow)


def test_a_caller_that_hangs_up_does_no_harm(site: AccountSite) -> None:
    request = {"verb": "ensure", "name": site.name(), "token": TOKEN}
    with subprocess.Popen(
        [SUDO, "-n", str(site.program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={},
        cwd="/",
        **identity(site.hub),
    ) as asking:
        assert asking.stdin is not None
        assert asking.stdout is not None
        asking.stdout.close()
        asking.stdin.write(json.dumps(request).encode())
        asking.stdin.close()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            asking.send_signal(number)
    made = site.ensure()
    assert (made["ok"], Path(made["home"]).is_dir()) == (True, True)


# Full disks


@contextmanager
def small_disk(folder: Path, *, filled: bool, size: str = "64k") -> Iterator[Path]:
    """A disk of a few pages in place of a folder; yields what fills it."""
    folder.mkdir(exist_ok=True)
    options = f"size={size},mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    filler = folder / "filler"
    try:
        if filled:
            fill(filler)
        yield filler
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> None:
    subprocess.run(["dd", "if=/dev/zero", f"of={path}", "bs=4k"], check=False, capture_output=True)


def test_a_full_disk_of_homes(site: AccountSite) -> None:
    with small_disk(site.homes, filled=True) as filler:
        answer = site.ensure()
        assert answer["kind"] == "full"
        assert [each.name for each in site.homes.iterdir()] == ["filler"]
        filler.unlink()
        assert site.ensure()["made"] is True
        assert (site.homes / site.name() / ".bashrc").stat().st_size > 0


def test_a_full_disk_of_the_register(site: AccountSite) -> None:
    site.register.parent.mkdir(mode=0o755, exist_ok=True)
    with small_disk(site.register.parent, filled=False) as filler:
        assert site.ensure("a")["ok"]
        fill(filler)
        answer = site.ensure("b")
        assert answer["kind"] == "full"
        assert not exists(site.name("b"))
        assert site.ensure("a")["ok"]  # who is there already is told so
        filler.unlink()
        assert site.ensure("b")["made"] is True


def test_a_full_disk_of_passwd(site: AccountSite) -> None:
    """In a mount namespace of its own, with an /etc that has no page left."""
    etc = site.folder / "etc"
    request = json.dumps({"verb": "ensure", "name": site.name(), "token": TOKEN})
    with small_disk(etc, filled=False, size="256k") as filler:
        for name in ("passwd", "group", "shadow", "gshadow", "login.defs", "nsswitch.conf"):
            shutil.copy2(Path("/etc", name), etc / name)
        (etc / "ld.so.cache").write_bytes(b"")
        fill(filler)
        inside = f"mount --bind {etc} /etc && exec {site.program}"

        def ask() -> dict[str, object]:
            done = subprocess.run(
                ["unshare", "--mount", "sh", "-c", inside],
                input=request.encode(),
                capture_output=True,
                check=False,
            )
            return dict(json.loads(done.stdout))

        before = (etc / "passwd").read_bytes()
        answer = ask()
        assert answer["kind"] == "full", answer
        assert (etc / "passwd").read_bytes() == before
        filler.unlink()
        assert ask()["made"] is True
        assert site.name() in (etc / "passwd").read_text()
