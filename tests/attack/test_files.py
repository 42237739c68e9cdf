"""The as-user helper's verbs for files, under attack by the owner of a home and by requests."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tests.attack.helper_site import Site, identity, site_under_attack

HOSTILE = [
    b"line\nend",
    b"quote\"and'",
    b"back\\slash",
    b"\xff\xfe not text",
    b"-rf",
    b"$(touch hacked)",
    b"<script>alert(1)<!--",
    b"x" * 255,
    "é\u202eexe.txt".encode(),
    b" ",
    b"...",
]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with site_under_attack() as made:
        yield made


@pytest.fixture
def home(site: Site) -> Iterator[Path]:
    """A folder in alice's home, hers, gone after the test."""
    folder = Path(site.alice.pw_dir, "here")
    as_alice(site, "mkdir", str(folder))
    yield folder
    shutil.rmtree(folder)


def as_alice(site: Site, *argv: str) -> None:
    subprocess.run(argv, check=True, env={"PATH": "/bin:/usr/bin"}, **identity(site.alice))


def text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def listed(site: Site, path: str = "here") -> dict[str, list[Any]]:
    answer = site.ask({"verb": "list", "path": path})
    assert answer["ok"], answer
    return {entry[0]: entry[1:] for entry in answer["entries"]}


def read(site: Site, path: str, most: int = 10**9) -> tuple[dict[str, Any], bytes]:
    request = json.dumps({"verb": "read", "path": path, "most": most}).encode()
    done = site.sudo("-u", site.alice.pw_name, str(site.program), stdin=request)
    line, _, rest = done.stdout.partition(b"\n")
    return json.loads(line), rest


def write(site: Site, path: str, data: bytes, offset: int = 0) -> dict[str, Any]:
    encoded = base64.b64encode(data).decode()
    return site.ask({"verb": "write", "path": path, "offset": offset, "data": encoded})


def kind(answer: dict[str, Any]) -> str:
    assert answer["ok"] is False, answer
    return str(answer["kind"])


def test_whatever_a_file_is_called_it_can_be_reached(site: Site, home: Path) -> None:
    for name in HOSTILE:
        path = "here/" + text(name)
        assert write(site, path, name)["ok"], name
        answer, rest = read(site, path)
        assert (answer["size"], rest) == (len(name), name)
    assert sorted(map(os.fsencode, os.listdir(home))) == sorted(HOSTILE)
    assert sorted(listed(site)) == sorted(map(text, HOSTILE))
    for name in HOSTILE:
        assert site.ask({"verb": "delete", "path": "here/" + text(name)})["removed"] == 1
    assert os.listdir(home) == []


def test_no_link_leads_anywhere(site: Site, home: Path) -> None:
    as_alice(site, "ln", "-s", "/etc", str(home / "folder"))
    as_alice(site, "ln", "-s", "/etc/passwd", str(home / "file"))
    as_alice(site, "ln", "-s", "..", str(home / "up"))
    assert {name: found[0] for name, found in listed(site).items()} == dict.fromkeys(
        ("folder", "file", "up"), "link"
    )
    for path in ("here/folder", "here/up", "here/folder/passwd", "here/up/here"):
        assert kind(site.ask({"verb": "list", "path": path})) == "not-folder", path
    assert kind(read(site, "here/file")[0]) == "not-file"
    assert kind(read(site, "here/folder/passwd")[0]) == "not-folder"
    assert kind(write(site, "here/folder/new", b"x")) == "not-folder"
    assert kind(write(site, "here/file", b"x")) == "exists"
    assert kind(write(site, "here/file", b"x", offset=1)) == "not-file"
    # A link is deleted itself, and what it leads to stays.
    for name in ("folder", "file", "up"):
        assert site.ask({"verb": "delete", "path": f"here/{name}"})["finished"]
    assert os.listdir(home) == []
    assert Path("/etc/passwd").exists()


def test_a_folder_full_of_links_is_deleted_without_following_one(site: Site, home: Path) -> None:
    kept = Path(site.alice.pw_dir, "kept")
    as_alice(site, "mkdir", "-p", str(kept))
    as_alice(site, "touch", str(kept / "file"))
    as_alice(site, "mkdir", str(home / "full"))
    as_alice(site, "ln", "-s", str(kept), str(home / "full" / "link"))
    as_alice(site, "ln", "-s", "/", str(home / "full" / "root"))
    answer = site.ask({"verb": "delete", "path": "here/full"})
    assert (answer["removed"], answer["finished"]) == (3, True)
    assert (kept / "file").exists()


@pytest.mark.parametrize(
    "path",
    ["..", "../x", "here/../..", "/etc", "here//x", "here/", "./here", "a\0b", "x/" * 101 + "x"],
)
def test_paths_that_climb_are_refused(site: Site, home: Path, path: str) -> None:
    for verb, more in (
        ("list", {}),
        ("delete", {}),
        ("read", {"most": 10}),
        ("write", {"offset": 0, "data": ""}),
    ):
        assert kind(site.ask({"verb": verb, "path": path, **more})) == "invalid", verb


@pytest.mark.parametrize(
    "request_",
    [
        {"verb": "list"},
        {"verb": "list", "path": 1},
        {"verb": "list", "path": "here", "more": 1},
        {"verb": "list", "path": "\ud800"},
        {"verb": "delete", "path": ""},
        {"verb": "read", "path": "here", "most": "1"},
        {"verb": "write", "path": "here/x", "offset": -1, "data": ""},
        {"verb": "write", "path": "here/x", "offset": 0, "data": "?"},
        {"verb": "write", "path": "here/x", "offset": 0, "data": 1},
        {"verb": "write", "path": "here/x", "offset": True, "data": ""},
        {"verb": "write", "path": "here/x", "offset": 0, "data": "AAAA" * 180_000},
    ],
)
def test_requests_of_another_kind_are_refused(
    site: Site, home: Path, request_: dict[str, Any]
) -> None:
    assert kind(site.ask(request_)) == "invalid"
    assert os.listdir(home) == []


def test_pipes_devices_and_folders_are_not_read(site: Site, home: Path) -> None:
    as_alice(site, "mkfifo", str(home / "pipe"))
    begun = time.monotonic()
    assert kind(read(site, "here/pipe")[0]) == "not-file"
    assert kind(read(site, "here")[0]) == "not-file"
    assert kind(write(site, "here/pipe", b"x", offset=1)) in ("changed", "failed")
    assert time.monotonic() - begun < 10
    assert listed(site)["pipe"][0] == "other"


def test_what_others_closed_stays_closed(site: Site, home: Path) -> None:
    secret = home / "secret"
    secret.write_text("of root")
    secret.chmod(0o600)
    locked = home / "locked"
    locked.mkdir(0o700)
    assert kind(read(site, "here/secret")[0]) == "denied"
    assert kind(site.ask({"verb": "list", "path": "here/locked"})) == "denied"
    assert kind(write(site, "here/locked/x", b"x")) == "denied"
    (locked / "x").touch()
    assert kind(site.ask({"verb": "delete", "path": "here/locked"})) == "denied"
    secret.unlink()
    (locked / "x").unlink()


def test_nothing_is_replaced_and_only_ones_own_beginning_goes_on(site: Site, home: Path) -> None:
    assert write(site, "here/a", b"first")["ok"]
    assert kind(write(site, "here/a", b"again")) == "exists"
    assert kind(write(site, "here/a", b"x", offset=4)) == "changed"
    assert write(site, "here/a", b" more", offset=5)["ok"]
    assert (home / "a").read_bytes() == b"first more"
    assert (home / "a").stat().st_mode & 0o777 == 0o600
    assert kind(read(site, "here/a", most=9)[0]) == "too-large"
    assert kind(read(site, "here/b")[0]) == "no-file"
    assert kind(site.ask({"verb": "delete", "path": "here/b"})) == "no-file"


def test_a_race_of_links_against_a_path_leads_nowhere(site: Site, home: Path) -> None:
    """A folder that turns into a link and back, as fast as its owner can."""
    outside = site.folder / "outside"
    outside.mkdir(exist_ok=True)
    os.chown(outside, site.alice.pw_uid, site.alice.pw_gid)
    (outside / "treasure").write_text("x")
    as_alice(site, "mkdir", str(home / "real"))
    as_alice(site, "ln", "-s", str(outside), str(home / "false"))
    over = Event()

    def swap() -> None:
        while not over.is_set():
            for name in ("real", "false"):
                os.rename(home / name, home / "it")
                time.sleep(0.0005)
                os.rename(home / "it", home / name)

    racer = Thread(target=swap)
    racer.start()
    try:
        answers = [site.ask({"verb": "list", "path": "here/it"}) for _ in range(40)]
        deleted = [site.ask({"verb": "delete", "path": "here/it/treasure"}) for _ in range(20)]
    finally:
        over.set()
        racer.join()
    assert not [one for one in answers if one["ok"] and one["entries"]]
    assert not [one for one in deleted if one["ok"]]
    assert (outside / "treasure").exists()


def test_large_and_deep_folders_come_to_an_end(site: Site, home: Path) -> None:
    many = home / "many"
    many.mkdir()
    for number in range(1200):
        (many / f"{number}").touch()
    deep = home / "deep"
    deepest = str(deep / "/".join(["d"] * 150))
    subprocess.run(["mkdir", "-p", deepest], check=True)
    subprocess.run(["chown", "-R", str(site.alice.pw_uid), str(home)], check=True)
    answer = site.ask({"verb": "list", "path": "here/many"})
    assert (len(answer["entries"]), answer["more"]) == (1000, True)
    assert site.ask({"verb": "delete", "path": "here/many"})["removed"] == 1201
    assert kind(site.ask({"verb": "delete", "path": "here/deep"})) == "failed"


def test_folders_that_a_program_has_locked_are_deleted(site: Site, home: Path) -> None:
    as_alice(site, "mkdir", str(home / "cache"))
    as_alice(site, "touch", str(home / "cache" / "file"))
    as_alice(site, "chmod", "0555", str(home / "cache"))
    assert site.ask({"verb": "delete", "path": "here/cache"})["removed"] == 2


def test_a_full_disk_can_be_emptied(site: Site, home: Path) -> None:
    small = home / "small"
    small.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size=1m,uid={site.alice.pw_uid}", "none", str(small)],
        check=True,
    )
    try:
        for number in range(4):
            answer = write(site, f"here/small/{number}", b"x" * 400_000)
            if not answer["ok"]:
                break
        assert kind(answer) == "full"
        assert sorted(os.listdir(small)) == ["0", "1"], "half a file was left"
        assert site.ask({"verb": "list", "path": "here/small"})["free"] < 400_000
        assert read(site, "here/small/0")[1] == b"x" * 400_000
        (small / "rest").write_bytes(b"x" * 200_000)
        assert site.ask({"verb": "delete", "path": "here/small/0"})["removed"] == 1
        assert write(site, "here/small/2", b"x" * 400_000)["ok"]
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_reader_who_goes_away_leaves_no_helper(site: Site, home: Path) -> None:
    (home / "large").write_bytes(b"x" * 50_000_000)
    os.chown(home / "large", site.alice.pw_uid, site.alice.pw_gid)
    request = json.dumps({"verb": "read", "path": "here/large", "most": 10**9}).encode()
    process = subprocess.Popen(
        ["/usr/bin/sudo", "-n", "-u", site.alice.pw_name, str(site.program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={},
        cwd="/",
        **identity(site.hub),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(request)
    process.stdin.close()
    assert json.loads(process.stdout.readline())["size"] == 50_000_000
    process.stdout.close()
    assert process.wait(10) is not None
