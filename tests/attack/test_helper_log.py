"""slurmhub-as-user reads logs: its account's own plain files, their end, and nothing else."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attack.helper_site import Site, site_under_attack

LONGEST = 64 * 1024


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with site_under_attack() as made:
        yield made


def of(who: pwd.struct_passwd, path: Path, text: bytes = b"the end\n") -> Path:
    """A file of this person's."""
    path.write_bytes(text)
    os.chown(path, who.pw_uid, who.pw_gid)
    path.chmod(0o600)
    return path


def log(site: Site, path: Path | str, **more: Any) -> dict[str, Any]:
    return site.ask({"verb": "log", "path": str(path), **more})


def test_the_end_of_ones_own_log(site: Site) -> None:
    home = Path(site.alice.pw_dir)
    short = of(site.alice, home / "job.log", "caf\N{LATIN SMALL LETTER E WITH ACUTE}\n".encode())
    assert log(site, short) == {"ok": True, "text": "caf\u00e9\n", "whole": True}
    long = of(site.alice, home / "long.log", b"\xff\x00" + b"x" * LONGEST + b"last")
    answer = log(site, long)
    assert answer["whole"] is False
    assert len(answer["text"]) == LONGEST
    assert answer["text"].endswith("xlast")
    # Bytes that are no text come as marks, at most as many as they were.
    of(site.alice, long, bytes(range(256)) * 300)
    assert len(log(site, long)["text"]) <= LONGEST
    assert log(site, home / "none.log")["kind"] == "no-file"
    assert log(site, home / "no" / "folder.log")["kind"] == "no-file"


def test_nothing_but_a_plain_file_of_ones_own(site: Site, tmp_path: Path) -> None:
    home = Path(site.alice.pw_dir)
    secret = of(site.mallory, home / "mallorys.log")
    secret.chmod(0o644)
    assert log(site, secret)["kind"] == "forbidden"
    os.symlink("/etc/passwd", home / "link.log")
    assert log(site, home / "link.log")["kind"] == "forbidden"
    own = of(site.alice, home / "own.log")
    os.symlink(own, home / "own-link.log")
    assert log(site, home / "own-link.log")["kind"] == "forbidden"
    os.mkfifo(home / "pipe.log")
    os.chown(home / "pipe.log", site.alice.pw_uid, site.alice.pw_gid)
    # At once, though nobody writes into it.
    assert log(site, home / "pipe.log")["kind"] == "forbidden"
    assert log(site, "/proc/self/environ") == {"ok": True, "text": "", "whole": True}
    for path in ("/etc/shadow", "/dev/zero", "/proc/1/environ", "/etc/passwd", str(home)):
        answer = log(site, path)
        assert (answer["ok"], answer["kind"]) == (False, "forbidden"), path
        assert "root:" not in json.dumps(answer)


@pytest.mark.parametrize(
    "request_",
    [
        b'{"verb": "log"}',
        b'{"verb": "log", "path": null}',
        b'{"verb": "log", "path": ["/etc/passwd"]}',
        b'{"verb": "log", "path": ""}',
        b'{"verb": "log", "path": "job.log"}',
        b'{"verb": "log", "path": "~/job.log"}',
        b'{"verb": "log", "path": "/home/../etc/passwd"}',
        b'{"verb": "log", "path": "/tmp/a\\u0000b"}',
        b'{"verb": "log", "path": "/tmp/a\\nb"}',
        b'{"verb": "log", "path": "/tmp/x", "most": 1}',
        b'{"verb": "log", "path": "/tmp/x", "account": "mallory"}',
    ],
)
def test_other_requests_are_no_requests(site: Site, request_: bytes) -> None:
    assert site.ask(request_)["kind"] == "invalid"


def test_logs_are_for_those_the_helper_serves(site: Site) -> None:
    data = json.dumps({"verb": "log", "path": "/etc/passwd"}).encode()
    done = site.sudo("-u", site.mallory.pw_name, str(site.program), stdin=data)
    assert (done.returncode != 0, done.stdout) == (True, b"")
    assert site.ask(data, who=site.system.pw_name)["kind"] == "forbidden"
