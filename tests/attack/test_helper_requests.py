"""slurmhub-as-user under attack: what it is asked, and the programs and secrets behind it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attack.helper_site import (
    SECRET,
    SUDO,
    Site,
    edit,
    identity,
    request_of,
    site_under_attack,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes accounts and a sudoers line")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with site_under_attack() as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_recorded(site: Site) -> None:
    Path(site.alice.pw_dir, "record").unlink(missing_ok=True)


@pytest.fixture
def edited(site: Site) -> Iterator[Callable[[str, str], None]]:
    """Changes the installed program for one test."""
    before = site.program.read_text()
    yield lambda old, new: edit(site.program, old, new)
    site.program.write_text(before)


# What it is asked


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        b"{",
        b"[]",
        b"[" * 200_000,
        b'{"verb": "submit"}',
        b'{"verb": "cancel", "verb": "cancel", "job_id": 1}',
        b'{"verb": ["cancel"], "job_id": 1}',
        b'{"verb": "cancel", "job_id": true}',
        b'{"verb": "cancel", "job_id": -1}',
        b'{"verb": "cancel", "job_id": "1; id"}',
        b'{"verb": "cancel", "job_id": 1e3}',
        b'{"verb": "cancel", "job_id": ' + b"9" * 5000 + b"}",
        b'{"verb": "cancel", "job_id": 1, "also": 2}',
        b'{"verb": "run", "argv": ["id"]}',
        b'{"verb": "estimate"}',
        b'{"verb": "estimate", "script": "id"}',
        b'{"verb": "estimate", "script": "#!/bin/sh\\u0000"}',
        b'{"verb": "estimate", "script": "#!/bin/sh", "payload": "x"}',
        b'{"verb": "estimate", "script": "#!/bin/sh", "arguments": ["--wrap=id"]}',
        b'{"verb": "cancel", "job_id": 1}' + b" " * 1024 * 1024,
        json.dumps(request_of(script="x" * 2**21)).encode(),
        json.dumps(request_of(script="#!/bin/sh\0")).encode(),
        json.dumps(request_of(payload="a\0SLURM_CONF=/tmp/x")).encode(),
        json.dumps(request_of(payload="x" * 200_000)).encode(),
        json.dumps(request_of(directories=["/etc"])).encode(),
        json.dumps(request_of(arguments=["--uid=0"])).encode(),
    ],
)
def test_requests_that_are_none(site: Site, data: bytes) -> None:
    assert site.ask(data)["kind"] == "invalid"
    assert site.nothing_submitted()


def test_an_estimate_is_never_a_submission(site: Site) -> None:
    script = "#!/bin/bash\n#SBATCH --wait\n#MODE starts\n"
    answer = site.ask({"verb": "estimate", "script": script})
    assert answer == {"ok": True, "start": 1795277040, "nodes": "n1"}
    record = site.record()
    assert record["argv"] == ["--test-only"]
    assert record["script"] == script
    assert record["ids"][0] == [site.alice.pw_uid] * 3
    assert record["environment"]["SLURM_TIME_FORMAT"] == "%s"
    assert "SLURMHUB_JOB" not in record["environment"]


def test_an_estimate_is_for_those_the_helper_serves(site: Site) -> None:
    data = json.dumps({"verb": "estimate", "script": "#!/bin/bash\n"}).encode()
    done = site.sudo("-u", site.mallory.pw_name, str(site.program), stdin=data)
    assert done.returncode != 0
    assert done.stdout == b""
    assert site.ask(data, who=site.system.pw_name)["kind"] == "forbidden"


def test_line_breaks_in_values_stay_values(site: Site) -> None:
    payload = 'a\nLD_PRELOAD=/tmp/x\n"; id; $(id)\r\n'
    assert site.ask(request_of(payload=payload))["ok"]
    environment = site.record()["environment"]
    assert environment["SLURMHUB_JOB"] == payload
    assert "LD_PRELOAD" not in environment


def test_a_request_that_never_ends(site: Site, edited: Callable[[str, str], None]) -> None:
    edited("READ_SECONDS = 10.0", "READ_SECONDS = 0.5")
    reading, writing = os.pipe()
    try:
        os.write(writing, b'{"verb": "cancel"')
        answer = _directly_with(site, reading)
    finally:
        os.close(reading)
        os.close(writing)
    assert answer["kind"] == "invalid"


def _directly_with(site: Site, stdin: int | None) -> dict[str, Any]:
    argv = [str(site.program)] if stdin is not None else ["/bin/sh", "-c", f"{site.program} <&-"]
    done = subprocess.run(
        argv, stdin=stdin, capture_output=True, check=False, env={}, **identity(site.alice)
    )
    return dict(json.loads(done.stdout))


def test_no_standard_input_at_all(site: Site) -> None:
    assert _directly_with(site, None)["kind"] == "invalid"
    assert _directly_with(site, subprocess.DEVNULL)["kind"] == "invalid"


def test_after_the_deadline_nothing_is_submitted(site: Site) -> None:
    assert site.ask(request_of(deadline=time.time() - 1))["kind"] == "late"
    assert site.nothing_submitted()


# Programs that behave badly


def test_a_flood_of_words_is_cut(site: Site) -> None:
    answer = site.ask(request_of("flood"))
    assert answer["kind"] == "refused"
    assert answer["message"].endswith("the last words")
    assert len(answer["message"]) <= 8192


def test_an_sbatch_that_hangs_is_ended_with_all_it_started(
    site: Site, edited: Callable[[str, str], None]
) -> None:
    edited("SLURM_SECONDS = 30.0", "SLURM_SECONDS = 1.0")
    began = time.monotonic()
    assert site.ask(request_of("hang"))["kind"] == "timeout"
    assert time.monotonic() - began < 5
    session = site.record()["pid"]
    left = [
        entry.name
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _session(entry) == session
    ]
    assert left == []


def _session(entry: Path) -> int | None:
    try:
        state, *rest = (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else int(rest[2])


def test_a_submission_under_way_is_finished_and_answered(site: Site) -> None:
    argv = [SUDO, "-n", "-u", site.alice.pw_name, str(site.program)]
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={},
        cwd="/",
        **identity(site.hub),
    ) as asking:
        assert asking.stdin is not None
        assert asking.stdout is not None
        asking.stdin.write(json.dumps(request_of("slow")).encode())
        asking.stdin.close()
        end = time.monotonic() + 10
        while site.nothing_submitted():
            assert time.monotonic() < end
            time.sleep(0.01)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            asking.send_signal(number)
        assert json.loads(asking.stdout.read()) == {"ok": True, "job_id": 4711}


def test_a_caller_that_hangs_up_does_no_harm(site: Site) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{site.program} | :"],
        input=json.dumps(request_of("slow")).encode(),
        capture_output=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
        **identity(site.alice),
    )
    assert done.stderr == b""
    assert site.record()["argv"] == ["--parsable"]


# Secrets


def test_the_payload_is_in_no_argument_list(site: Site) -> None:
    argv = [SUDO, "-n", "-u", site.alice.pw_name, str(site.program)]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}, **identity(site.hub)
    ) as asking:
        assert asking.stdin is not None
        asking.stdin.write(json.dumps(request_of("slow")).encode())
        asking.stdin.close()
        seen = set()
        while asking.poll() is None:
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    try:
                        seen.add((entry / "cmdline").read_bytes())
                    except OSError:
                        continue
            time.sleep(0.05)
    assert any(b"sbatch" in arguments for arguments in seen)
    assert not [arguments for arguments in seen if SECRET.encode() in arguments]


def test_other_people_cannot_read_what_the_job_is_given(site: Site) -> None:
    argv = [SUDO, "-n", "-u", site.alice.pw_name, str(site.program)]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}, **identity(site.hub)
    ) as asking:
        assert asking.stdin is not None
        asking.stdin.write(json.dumps(request_of("slow")).encode())
        asking.stdin.close()
        end = time.monotonic() + 10
        while site.nothing_submitted():
            assert time.monotonic() < end
            time.sleep(0.01)
        environ = f"/proc/{site.record()['pid']}/environ"
        for account, readable in ((site.mallory, False), (site.hub, False), (site.alice, True)):
            read = subprocess.run(
                ["/bin/cat", environ], capture_output=True, check=False, **identity(account)
            )
            assert (SECRET.encode() in read.stdout) is readable, account.pw_name
