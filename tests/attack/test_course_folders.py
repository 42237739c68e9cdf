"""slurmhub-course-folders under attack: by its caller, and by those who work in the folders.

As root, on a real disk, with the real sudo. Each refusal stands beside a case that works.
"""

from __future__ import annotations

import io
import json
import os
import pwd
import signal
import stat
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slurmhub_deploy.course_folders_install import sudoers_text
from tests.attack.helper_site import SUDO, identity, run_tool
from tests.attack.test_helper import HOSTILE_ENVIRONMENT
from tests.rig.course_folders import (
    ALICE,
    ALL,
    BOB,
    PROF,
    STAFF,
    STRANGER,
    STUDENTS,
    TA,
    CourseFolders,
    course_folders,
    flags,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes folders as root")

REQUEST: dict[str, Any] = {
    "verb": "ensure",
    "course": "phys101",
    "frozen": False,
    "folders": ALL,
    "staff": STAFF,
    "students": STUDENTS,
    "quota": None,
}


@pytest.fixture
def site() -> Iterator[CourseFolders]:
    with course_folders() as made:
        yield made


@pytest.fixture
def outside(site: CourseFolders) -> Path:
    """What nobody in a course may reach: a file of root's, beside the folder of all courses."""
    place = site.folder / "outside"
    place.mkdir(mode=0o700)
    (place / "secret").write_text("secret")
    (place / "secret").chmod(0o600)
    return place


def ask(site: CourseFolders, request: Any) -> dict[str, Any]:
    done = site.run(request)
    assert done.stderr == b"", done.stderr.decode()
    return dict(json.loads(done.stdout))


def untouched(outside: Path) -> None:
    found = (outside / "secret").lstat()
    assert (outside / "secret").read_text() == "secret"
    assert (found.st_uid, stat.S_IMODE(found.st_mode), found.st_nlink) == (0, 0o600, 1)
    assert "i" not in flags(outside / "secret")
    assert stat.S_IMODE(outside.stat().st_mode) == 0o700
    assert not [each for each in os.listxattr(outside) if "acl" in each]


# The caller


@pytest.mark.parametrize(
    "changes",
    [
        {"course": "../phys101"},
        {"course": "phys101/../../etc"},
        {"course": ".slurmhub"},
        {"course": "-rf"},
        {"course": ""},
        {"course": "Phys101"},
        {"course": "phys101\n"},
        {"course": 7},
        {"folders": ["shared", ".."]},
        {"folders": "shared"},
        {"folders": [["shared"]]},
        {"frozen": 1},
        {"frozen": "no"},
        {"staff": []},
        {"staff": {"../prof": PROF}},
        {"staff": {"": PROF}},
        {"students": {".hidden": ALICE}},
        {"students": {"a/b": ALICE}},
        {"students": {"..": ALICE}},
        {"students": {"a\n": ALICE}},
        {"students": {"alice": str(ALICE)}},
        {"students": {"alice": True}},
        {"students": {"alice": ALICE, "alice2": ALICE}},
        {"students": {"prof2": PROF}},
        {"students": {f"s{n}": 100_000 + n for n in range(20_001)}},
        {"quota": -1},
        {"quota": 1},
        {"quota": "10G"},
        {"quota": 2**70},
        {"more": 1},
        {"verb": "make"},
        {"verb": None},
        {"verb": "__class__"},
    ],
)
def test_requests_that_are_none(site: CourseFolders, changes: dict[str, Any]) -> None:
    answer = ask(site, {**REQUEST, **changes})
    assert (answer["ok"], answer["kind"]) == (False, "invalid")
    assert [each for each in site.base.iterdir() if each.name != ".slurmhub"] == []
    assert ask(site, REQUEST)["ok"]


@pytest.mark.parametrize(
    "people",
    [{"root": 0}, {"daemon": 1}, {"low": 999}, {"nobody": 65534}, {"minus": -1}, {"high": 2**31}],
)
@pytest.mark.parametrize("kind", ["staff", "students"])
def test_numbers_that_are_no_persons(
    site: CourseFolders, kind: str, people: dict[str, int]
) -> None:
    assert ask(site, {**REQUEST, kind: people})["kind"] == "forbidden"
    site.set(min_uid=70000, max_uid=70199)
    assert ask(site, {**REQUEST, kind: {"someone": 70200}})["kind"] == "forbidden"
    assert ask(site, REQUEST)["ok"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b'{"verb": "list", "verb": "remove"}',
        b"[" * 100_000,
        b'{"verb": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b" " * (5 * 1024 * 1024),
    ],
)
def test_no_json(site: CourseFolders, data: bytes) -> None:
    assert ask(site, data)["kind"] == "invalid"


@pytest.mark.parametrize("words", [(), ("main", "main"), ("../main",), ("/etc/passwd",), ("-h",)])
def test_other_arguments(site: CourseFolders, words: tuple[str, ...]) -> None:
    done = site.run({"verb": "list"}, str(site.program), *words)
    assert json.loads(done.stdout)["kind"] == "invalid"
    assert json.loads(site.run({"verb": "list"}, str(site.program), "nowhere").stdout)["kind"] == (
        "forbidden"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"folder": "courses"},
        {"folder": "/opt/../etc"},
        {"folder": None},
        {"mount": 1},
        {"min_uid": 0},
        {"keep_days": -1},
        {"keep_days": "7"},
        {"unknown": 1},
    ],
)
def test_settings_that_are_refused(site: CourseFolders, changes: dict[str, Any]) -> None:
    site.set(**changes)
    assert ask(site, REQUEST)["kind"] == "forbidden"


def test_settings_and_folders_that_somebody_else_may_change(site: CourseFolders) -> None:
    site.settings.chmod(0o666)
    assert ask(site, REQUEST)["kind"] == "forbidden"
    site.settings.chmod(0o644)
    site.base.chmod(0o777)
    assert ask(site, REQUEST)["kind"] == "forbidden"
    site.base.chmod(0o755)
    link = site.folder / "link"
    link.symlink_to(site.base)
    site.set(folder=str(link))
    assert ask(site, REQUEST)["kind"] == "forbidden"
    site.set(folder=str(site.base))
    assert ask(site, REQUEST)["ok"]


def test_folders_that_were_not_made_here(site: CourseFolders) -> None:
    theirs = site.base / "phys101"
    theirs.mkdir()
    (theirs / "thesis").write_text("years of work")
    for verb in (REQUEST, {"verb": "remove", "course": "phys101"}):
        assert ask(site, verb)["kind"] == "taken"
    assert ask(site, {"verb": "export", "course": "phys101", "folders": ALL})["kind"] == "taken"
    assert ask(site, {"verb": "list"})["courses"] == []
    assert (theirs / "thesis").read_text() == "years of work"
    for path, make in (("chem101", lambda p: p.write_text("")), ("bio101", _link)):
        make(site.base / path)
        assert ask(site, {**REQUEST, "course": path})["kind"] == "taken"
        assert ask(site, {"verb": "remove", "course": path})["kind"] == "taken"
    assert ask(site, {"verb": "remove", "course": "never"}) == {
        "ok": True,
        "done": True,
        "until": None,
    }


def _link(path: Path) -> None:
    path.symlink_to("/etc")


def test_sudo_lets_the_hub_ask_this_and_nothing_else(site: CourseFolders) -> None:
    names = [f"{site.folder.name}{who}" for who in ("hub", "mal")]
    sudoers = Path("/etc/sudoers.d") / site.folder.name
    try:
        for name in names:
            run_tool("useradd", "--system", "--no-create-home", name)
        sudoers.write_text(sudoers_text(names[0], "main", site.program))
        sudoers.chmod(0o440)
        hub, mallory = (pwd.getpwnam(name) for name in names)

        def sudo(who: Any, *words: str, **env: str) -> subprocess.CompletedProcess[bytes]:
            return subprocess.run(
                [SUDO, "-n", *words],
                input=json.dumps(REQUEST).encode(),
                capture_output=True,
                check=False,
                timeout=60,
                cwd="/",
                env=env,
                **identity(who),
            )

        program = str(site.program)
        assert json.loads(sudo(hub, program, "main").stdout)["ok"]
        hostile = {**HOSTILE_ENVIRONMENT, "PYTHONPATH": "/tmp", "LD_PRELOAD": "/tmp/x.so"}
        assert json.loads(sudo(hub, program, "main", **hostile).stdout)["ok"]
        for words in ((program,), (program, "other"), (program, "main", "x"), ("/bin/sh",)):
            assert sudo(hub, *words).returncode != 0
            assert sudo(hub, *words).stdout == b""
        assert sudo(hub, "-u", mallory.pw_name, program, "main").returncode != 0
        assert sudo(hub, "-E", program, "main").returncode != 0
        assert sudo(mallory, program, "main").stdout == b""
    finally:
        sudoers.unlink(missing_ok=True)
        for name in names:
            subprocess.run(["userdel", "--force", name], check=False, capture_output=True)


def test_nobody_else_runs_it_with_rights(site: CourseFolders) -> None:
    done = site.as_person(ALICE, f'echo \'{{"verb": "list"}}\' | {site.program} main')
    assert json.loads(done.stdout)["kind"] == "forbidden"


# Those who work in it


def test_links_lead_nowhere(site: CourseFolders, outside: Path) -> None:
    site.settled()
    script = f"ln -s {outside} {{0}}/dir; ln -s {outside}/secret {{0}}/file; ln -s . {{0}}/loop"
    assert site.can(ALICE, script.format("phys101/drop/alice"))
    assert site.can(PROF, script.format("phys101/shared"))
    assert site.can(PROF, "mkdir phys101/shared/real && echo x >phys101/shared/real/x")
    for _ in range(2):
        site.settled(frozen=True)
        site.settled(frozen=False, staff={"ta": TA})
    status, _, data = site.export()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        kinds = {member.type for member in archive.getmembers()}
        note = archive.extractfile("phys101/NOT-IN-THIS-ARCHIVE.txt")
        assert note is not None
        assert b"drop/alice/dir: a link" in note.read()
    assert (status, kinds) == (0, {tarfile.DIRTYPE, tarfile.REGTYPE})
    assert b"secret" not in data.replace(b"drop/alice/file", b"").replace(b"outside/secret", b"")
    site.settled(frozen=True)
    site.removed()
    untouched(outside)


def test_a_file_with_a_second_name_elsewhere(site: CourseFolders, outside: Path) -> None:
    """As a client of NFS can make it, whatever the server's protected_hardlinks says."""
    site.settled()
    theirs = outside / "secret"
    for place in ("shared/grab", "drop/alice/grab"):
        os.link(theirs, site.base / "phys101" / place)
    answer = site.settled(staff={"ta": TA})
    assert answer["left"] == 2
    assert not site.can(TA, "cat phys101/shared/grab")
    assert not site.can(ALICE, "cat phys101/drop/alice/grab")
    assert site.settled(frozen=True)["left"] == 2
    assert "i" not in flags(theirs)
    site.removed()
    untouched(outside)


def test_a_second_name_keeps_nothing_from_being_frozen(site: CourseFolders) -> None:
    site.settled()
    assert site.can(ALICE, "cd phys101/drop/alice && echo x >a && ln a b")
    site.settled(frozen=True)
    assert not site.can(ALICE, "echo y >phys101/drop/alice/a || echo y >phys101/drop/alice/b")
    site.settled()
    assert site.can(ALICE, "echo y >phys101/drop/alice/a")


def test_very_deep_trees(site: CourseFolders) -> None:
    site.settled()
    dig = (
        "import os\nos.chdir('phys101/drop/alice')\n"
        "for _ in range(1500):\n os.mkdir('d' * 200); os.chdir('d' * 200)\n"
        "open('f', 'w').write('x')\n"
    )
    assert site.can(ALICE, f'/usr/bin/python3 -c "{dig}"')
    answer = site.settled(frozen=True)
    assert answer["left"] == 1
    status, _, data = site.export()
    assert status == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames()[-1] == "phys101/NOT-IN-THIS-ARCHIVE.txt"
    site.settled(frozen=False)
    assert site.removed()["done"]
    assert list((site.base / ".slurmhub/gone").iterdir()) == []


def test_files_that_are_no_files(site: CourseFolders) -> None:
    site.settled()
    make = (
        "import os,socket\nos.chdir('phys101/drop/alice')\nos.mkfifo('fifo')\n"
        "s = socket.socket(socket.AF_UNIX); s.bind('socket')\n"
        "open(b'\\xff\\xfe\\n', 'w').write('bytes'); os.mkdir('-rf')\n"
        "open('new\\nline', 'w'); f = open('holes', 'w'); f.truncate(2**40)\n"
    )
    assert site.can(ALICE, f'/usr/bin/python3 -c "{make}"')
    site.settled(frozen=True)
    status, _, data = site.export()
    assert status == 0
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
        names = archive.getnames()
        note = archive.extractfile("phys101/NOT-IN-THIS-ARCHIVE.txt")
        assert note is not None
        lines = note.read().decode().splitlines()
    assert "phys101/drop/alice/\udcff\udcfe\n" in names
    assert any("holes: 1099511627776 bytes, nearly all of them holes" in line for line in lines)
    assert len(lines) == 4, lines
    site.removed()


def test_a_file_that_changes_while_it_is_exported(site: CourseFolders) -> None:
    site.settled()
    assert site.can(ALICE, "head -c 3000000 /dev/urandom >phys101/drop/alice/f")
    path = site.base / "phys101/drop/alice/f"
    with site.changed(
        "        data = Exactly(descriptor, found.st_size)\n",
        f"        data = Exactly(descriptor, found.st_size)\n        os.truncate('{path}', 1000)\n",
    ):
        status, _, data = site.export()
    assert status == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getmember("phys101/drop/alice/f").size == 3_000_000
        note = archive.extractfile("phys101/NOT-IN-THIS-ARCHIVE.txt")
        assert note is not None
        assert b"drop/alice/f: changed while it was read" in note.read()


def test_an_archive_that_nobody_reads_any_more(site: CourseFolders) -> None:
    site.settled()
    assert site.can(ALICE, "head -c 3000000 /dev/zero >phys101/drop/alice/f")
    request = {"verb": "export", "course": "phys101", "folders": ALL}
    with subprocess.Popen(
        site.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as reading:
        assert reading.stdin is not None
        assert reading.stdout is not None
        assert reading.stderr is not None
        reading.stdin.write(json.dumps(request).encode())
        reading.stdin.close()
        reading.stdout.read(100_000)
        reading.stdout.close()
        assert reading.wait(20) == 1
        assert reading.stderr.read() == b""


def test_whoever_has_it_open_cannot_write_into_what_is_frozen(site: CourseFolders) -> None:
    site.settled()
    hold = (
        "import os,sys\nos.chdir('phys101/drop/alice'); os.mkdir('d'); os.chdir('d')\n"
        "f = open('f', 'w'); f.write('before'); f.flush(); print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "for what in (lambda: (f.write('after'), f.flush()), lambda: open('g', 'w'),\n"
        "             lambda: os.rename('f', 'h'), lambda: os.unlink('f'),\n"
        "             lambda: os.chmod('.', 0o700), lambda: os.symlink('x', 'y')):\n"
        "    try:\n        what()\n    except OSError: print('no', flush=True)\n"
        "    else: print('YES', flush=True)\n"
        "os._exit(0)\n"
    )
    who = ["setpriv", f"--reuid={ALICE}", f"--regid={ALICE}", "--clear-groups", "--"]
    with subprocess.Popen(
        [*who, "/usr/bin/python3", "-c", hold],
        cwd=site.base,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        site.settled(frozen=True)
        holder.stdin.write("\n")
        holder.stdin.close()
        assert holder.stdout.read().split() == ["no"] * 6
    assert (site.base / "phys101/drop/alice/d/f").read_text() == "before"


MOVING = """
import os, sys
os.chdir(sys.argv[1])
os.makedirs('a/b/c', exist_ok=True)
print('ready', flush=True)
while True:
    for step in (lambda: os.rename('a/b', 'b'), lambda: os.symlink(sys.argv[2], 'a/b'),
                 lambda: os.unlink('a/b'), lambda: os.rename('b', 'a/b'),
                 lambda: open('a/b/c/f', 'w').write('x'), lambda: os.unlink('a/b/c/f')):
        try: step()
        except OSError: pass
"""


@pytest.mark.parametrize("place", ["drop/alice", "shared"])
def test_folders_that_turn_into_links_all_the_time(
    site: CourseFolders, outside: Path, place: str
) -> None:
    site.settled()
    uid = ALICE if place == "drop/alice" else PROF
    who = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--", "nice", "-n1"]
    argv = [*who, "/usr/bin/python3", "-c", MOVING, f"phys101/{place}", str(outside)]
    with subprocess.Popen(argv, cwd=site.base, stdout=subprocess.PIPE) as mover:
        assert mover.stdout is not None
        mover.stdout.readline()
        try:
            end = time.monotonic() + 6
            while time.monotonic() < end:
                assert site.ensure(staff={"prof": PROF, "ta": TA})["ok"]
                assert site.ensure(frozen=True)["ok"]
                assert site.ensure()["ok"]
                assert site.export()[0] in (0, 1)
        finally:
            mover.send_signal(signal.SIGSTOP)
        site.settled(frozen=True)
        mover.send_signal(signal.SIGCONT)
        assert not site.can(uid, f"touch phys101/{place}/new")
        # Also while it is going away, from inside.
        for _ in range(50):
            answer = site.ask("remove", course="phys101")
            assert answer["ok"], answer
            if answer["done"]:
                break
        mover.kill()
    site.removed()
    untouched(outside)


def test_nothing_that_is_mounted_inside_is_touched(site: CourseFolders, outside: Path) -> None:
    site.settled()
    (site.base / "phys101/data/big").mkdir()
    inside = site.base / "phys101/data/big"
    subprocess.run(["mount", "--bind", str(outside), str(inside)], check=True)
    try:
        for request in ({**REQUEST, "staff": {"ta": TA}}, {**REQUEST, "frozen": True}):
            assert ask(site, request)["kind"] == "busy"
        assert ask(site, {"verb": "remove", "course": "phys101"})["kind"] == "busy"
        untouched(outside)
    finally:
        moved = site.base / ".slurmhub/gone/phys101/data/big"
        there = [each for each in (inside, moved) if os.path.ismount(each)]
        found = there or [Path(line.split()[4]) for line in mounts() if str(site.base) in line]
        subprocess.run(["umount", str(found[0])], check=True)
    site.removed()
    untouched(outside)


def mounts() -> list[str]:
    return Path("/proc/self/mountinfo").read_text().splitlines()


def test_a_folder_of_the_course_itself_that_is_mounted(site: CourseFolders, outside: Path) -> None:
    site.settled()
    inside = site.base / "phys101/data"
    subprocess.run(["mount", "--bind", str(outside), str(inside)], check=True)
    try:
        assert ask(site, REQUEST)["kind"] == "busy"
        assert ask(site, {"verb": "remove", "course": "phys101"})["kind"] == "busy"
        untouched(outside)
    finally:
        (place,) = (Path(line.split()[4]) for line in mounts() if str(site.base) in line)
        subprocess.run(["umount", str(place)], check=True)
    site.removed()


def test_a_name_that_was_another_persons(site: CourseFolders) -> None:
    site.settled()
    assert site.can(ALICE, "echo hers >phys101/drop/alice/f")
    answer = site.settled(students={"alice": STRANGER, "bob": BOB})
    assert list(answer["troubles"]) == ["alice"]
    assert not site.can(STRANGER, "ls phys101/drop/alice")
    assert site.can(BOB, "echo x >phys101/drop/bob/f")
    assert not site.can(ALICE, "cat phys101/drop/alice/f")


def test_an_exchange_that_students_cannot_take_over(site: CourseFolders) -> None:
    site.settled()
    box = "phys101/exchange"
    assert stat.S_IMODE((site.base / box).stat().st_mode) == 0o1777
    assert site.can(
        PROF, f"mkdir {box}/phys101/outbound/ps1 && echo q >{box}/phys101/outbound/ps1/q"
    )
    assert site.can(ALICE, f"cat {box}/phys101/outbound/ps1/q")
    assert site.can(
        ALICE,
        f"mkdir {box}/phys101/inbound/alice+ps1+x && echo a >{box}/phys101/inbound/alice+ps1+x/a",
    )
    assert site.can(PROF, f"ls {box}/phys101/inbound && cat {box}/phys101/inbound/alice+ps1+x/a")
    for attack in (
        f"ls {box}/phys101/inbound",
        f"ls {box}/phys101/feedback",
        f"cat {box}/phys101/inbound/alice+ps1+x/a",
        f"mv {box}/phys101 {box}/mine",
        f"rmdir {box}/phys101/inbound",
        f"echo x >{box}/phys101/outbound/x",
        f"echo x >{box}/phys101/feedback/x",
        f"chmod 777 {box}/phys101",
        "rm -r phys101/drop/bob",
        "mv phys101/drop/bob phys101/drop/carol",
        "chmod 777 phys101/drop/bob",
        "setfacl -b phys101/drop/bob || mkdir phys101/mine",
    ):
        assert not site.can(BOB, attack), attack
    for gone in ("shared", "exchange/phys101", "drop/bob"):
        assert (site.base / "phys101" / gone).is_dir()
