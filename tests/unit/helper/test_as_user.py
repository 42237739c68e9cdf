"""The as-user helper's judgement of requests, in this process, by the thousand."""

from __future__ import annotations

import ast
import errno
import json
import os
import pwd
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slurmhub.assets import asset
from tests.unit.helper.loaded import load_helper

helper = load_helper()
SETTINGS = {"bin_dir": "/opt/slurm/bin", "slurm_conf": None, "min_uid": 1000}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
SBATCH = b"sbatch: error: Batch job submission failed: "
SCANCEL = "scancel: error: Kill job error on job id 9: "
SUBMIT = ("script", "payload", "directories", "deadline")


class Calls:
    """Stands where Slurm's programs are run."""

    def __init__(self) -> None:
        self.made: list[tuple[list[str], dict[bytes, bytes], bytes]] = []
        self.answer: tuple[int, bytes, bytes] = (0, b"4711\n", b"")

    def __call__(
        self, found: object, argv: list[str], environment: dict[bytes, bytes], stdin: bytes
    ) -> tuple[int, bytes, bytes]:
        self.made.append((argv, environment, stdin))
        return self.answer


@pytest.fixture
def account(tmp_path: Path) -> pwd.struct_passwd:
    me = pwd.getpwuid(os.getuid())
    return pwd.struct_passwd((me.pw_name, "x", me.pw_uid, me.pw_gid, "", str(tmp_path), "/bin/sh"))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Calls]:
    made, before, mask = Calls(), Path.cwd(), os.umask(0o022)
    monkeypatch.setattr(helper, "call", made)
    yield made
    os.chdir(before)
    os.umask(mask)


def _request(**changes: Any) -> dict[str, Any]:
    request = {
        "script": "#!/bin/sh\n",
        "payload": "secret",
        "directories": [],
        "deadline": time.time() + 60,
    }
    return {**request, **changes}


def _refusal(function: Any, *arguments: Any) -> Any:
    with pytest.raises(helper.Refusal) as refused:
        function(*arguments)
    return refused.value.answer


def _answer(function: Any, *arguments: Any) -> Any:
    """What the function returns, or the refusal; any other exception is a failure."""
    try:
        return function(*arguments)
    except helper.Refusal as refusal:
        return refusal.answer


def test_is_a_program_of_the_standard_library_for_python_3_8() -> None:
    source = asset("libexec/slurmhub-as-user").read_text()
    tree = ast.parse(source, feature_version=(3, 8))
    modules = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        + [alias.name for alias in node.names if isinstance(node, ast.Import)]
    }
    assert modules <= set(sys.stdlib_module_names)
    # -I: nothing of the environment or the working directory; -S: no .pth files either.
    assert source.startswith("#!/usr/bin/python3 -IS\n")
    assert "os.environ" not in source
    assert os.access(asset("libexec/slurmhub-as-user"), os.X_OK)


def test_submits(calls: Calls, account: pwd.struct_passwd) -> None:
    request = _request(script="#!/bin/sh\né", payload="tokén")
    assert helper.submit(request, SETTINGS, account) == {"ok": True, "job_id": 4711}
    argv, environment, stdin = calls.made[0]
    assert argv == ["sbatch", "--parsable"]
    assert stdin == "#!/bin/sh\né".encode()
    assert environment == {
        b"PATH": b"/usr/local/bin:/usr/bin:/bin",
        b"HOME": account.pw_dir.encode(),
        b"USER": account.pw_name.encode(),
        b"LOGNAME": account.pw_name.encode(),
        b"SHELL": b"/bin/sh",
        b"LANG": b"C.UTF-8",
        b"SLURMHUB_JOB": "tokén".encode(),
    }


def test_a_folder_that_takes_no_file_is_told_before_anything_is_submitted(
    calls: Calls, account: pwd.struct_passwd, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = Path(account.pw_dir, "deep", "logs")
    # One that an end by force left is in nobody's way.
    logs.mkdir(parents=True)
    (logs / f".slurmhub-{os.getpid()}").touch()
    request = {**_request(), "directories": [str(logs)]}
    assert helper.submit(request, SETTINGS, account)["ok"]
    assert list(logs.iterdir()) == []
    real = os.open

    def full(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        return real(path, flags, *more, **named)

    monkeypatch.setattr(helper.os, "open", full)
    with pytest.raises(helper.Refusal) as caught:
        helper.submit(request, SETTINGS, account)
    assert "Disk quota exceeded" in str(vars(caught.value)) + str(caught.value)
    assert len(calls.made) == 1


def test_tells_slurm_its_configuration(calls: Calls, account: pwd.struct_passwd) -> None:
    helper.submit(_request(), {**SETTINGS, "slurm_conf": "/etc/my.conf"}, account)
    assert calls.made[0][1][b"SLURM_CONF"] == b"/etc/my.conf"


def test_files_that_a_job_makes_are_not_hidden_from_its_group(
    calls: Calls, account: pwd.struct_passwd
) -> None:
    """Slurm hands the umask of sbatch on to the job."""
    os.umask(0o077)
    helper.submit(_request(), SETTINGS, account)
    assert os.umask(0o022) == 0o022


@pytest.mark.parametrize(
    ("out", "job_id"),
    [(b"123\n", 123), (b"123;cluster\n", 123), (b"a word of the site\n7\n", 7), (b" 8 ", 8)],
)
def test_reads_the_job_id(
    calls: Calls, account: pwd.struct_passwd, out: bytes, job_id: int
) -> None:
    calls.answer = (0, out, b"")
    assert helper.submit(_request(), SETTINGS, account)["job_id"] == job_id


@pytest.mark.parametrize("out", [b"", b"\n", b"Submitted batch job\n", b"-1", b"1" * 30, b"\xff"])
def test_success_without_a_job_id_leaves_things_open(
    calls: Calls, account: pwd.struct_passwd, out: bytes
) -> None:
    calls.answer = (0, out, b"")
    assert _refusal(helper.submit, _request(), SETTINGS, account)["kind"] == "timeout"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (SBATCH + b"Invalid partition name specified", "refused"),
        (SBATCH + b"Unable to contact slurm controller", "refused"),
        (SBATCH + b"Socket timed out on send/recv operation", "timeout"),
        (SBATCH + b"Zero Bytes were transmitted or received", "timeout"),
    ],
)
def test_a_refusal_of_sbatch(
    calls: Calls, account: pwd.struct_passwd, words: bytes, kind: str
) -> None:
    calls.answer = (1, b"", words + b"\n")
    answer = _refusal(helper.submit, _request(), SETTINGS, account)
    assert answer == {"ok": False, "kind": kind, "message": words.decode(), "exit": 1}


def test_after_the_deadline_nothing_is_submitted(calls: Calls, account: pwd.struct_passwd) -> None:
    late = _request(deadline=time.time() - 1)
    assert _refusal(helper.submit, late, SETTINGS, account)["kind"] == "late"
    assert calls.made == []


@pytest.mark.parametrize(
    "changes",
    [
        {"script": ""},
        {"script": "echo no interpreter"},
        {"script": "#!/bin/sh\n\0"},
        {"script": "#!/bin/sh\n\ud800"},
        {"script": None},
        {"script": ["#!/bin/sh"]},
        {"payload": ""},
        {"payload": "a\0b"},
        {"payload": {}},
        {"payload": "x" * 131072},
        {"directories": None},
        {"directories": "/home/x"},
        {"directories": [1]},
        {"directories": ["relative"]},
        {"directories": ["/a/../b"]},
        {"directories": ["/a\nb"]},
        {"directories": ["/a\0b"]},
        {"directories": ["/" + "x" * 5000]},
        {"directories": ["/elsewhere"]},
        {"deadline": None},
        {"deadline": True},
        {"deadline": "tomorrow"},
        {"deadline": float("nan")},
        {"deadline": float("inf")},
        {"deadline": -1},
        {"deadline": 10**30},
        {"arguments": ["--uid=0"]},
    ],
)
def test_requests_that_are_none(
    calls: Calls, account: pwd.struct_passwd, changes: dict[str, Any]
) -> None:
    answer = _refusal(helper.submit, _request(**changes), SETTINGS, account)
    assert answer["kind"] == "invalid"
    assert calls.made == []


@pytest.mark.parametrize("missing", SUBMIT)
def test_nothing_may_be_missing(calls: Calls, account: pwd.struct_passwd, missing: str) -> None:
    request = _request()
    del request[missing]
    assert _refusal(helper.submit, request, SETTINGS, account)["kind"] == "invalid"


def test_the_largest_payload_fits(calls: Calls, account: pwd.struct_passwd) -> None:
    payload = "x" * helper.LONGEST_PAYLOAD
    assert helper.submit(_request(payload=payload), SETTINGS, account)["ok"]
    # As the kernel counts it: name, "=", value and NUL.
    assert len(f"SLURMHUB_JOB={payload}\0") == 131072


@settings(
    max_examples=500,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(st.sampled_from([*SUBMIT, "verb", "x"]), JSON))
def test_hostile_submissions_are_refused_and_nothing_else(
    calls: Calls, account: pwd.struct_passwd, changes: dict[str, Any]
) -> None:
    calls.made.clear()
    answer = _answer(helper.submit, _request(**changes), SETTINGS, account)
    assert answer.get("kind") in (None, "invalid", "late", "home")
    assert answer["ok"] == bool(calls.made)
    for argv, environment, _ in calls.made:
        assert argv == ["sbatch", "--parsable"]
        assert len(environment) == 7


@settings(max_examples=500, deadline=None)
@given(JSON)
def test_hostile_cancellations_are_refused_and_nothing_else(value: Any) -> None:
    account = pwd.getpwuid(os.getuid())
    made = Calls()
    made.answer = (0, b"", b"")
    before, helper.call = helper.call, made
    try:
        for request in ({"job_id": value}, {"job_id": 1, "x": value}):
            usable = request == {"job_id": value} and type(value) is int and 0 < value < 2**32
            if usable:
                assert helper.cancel(request, SETTINGS, account) == {"ok": True}
                assert made.made.pop()[0] == ["scancel", "--verbose", str(value)]
            else:
                assert _refusal(helper.cancel, request, SETTINGS, account)["kind"] == "invalid"
        assert made.made == []
    finally:
        helper.call = before


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (0, "scancel: Terminating job 9\n", None),
        (0, SCANCEL + "Job/step already completing or completed", None),
        (0, SCANCEL + "Invalid job id specified", "unknown-job"),
        (1, SCANCEL + "Invalid job id specified", "unknown-job"),
        (210, SCANCEL + "Access/permission denied", "refused"),
        (1, SCANCEL + "Socket timed out on send/recv operation", "unreachable"),
        (
            1,
            "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
            "unreachable",
        ),
        (1, "scancel: error: If munged is up, restart with --num-threads=10", "unreachable"),
        (2, "", "refused"),
    ],
)
def test_the_answers_of_scancel(
    calls: Calls, account: pwd.struct_passwd, status: int, words: str, kind: str | None
) -> None:
    calls.answer = (status, b"", words.encode())
    if kind is None:
        assert helper.cancel({"job_id": 9}, SETTINGS, account) == {"ok": True}
    else:
        assert _refusal(helper.cancel, {"job_id": 9}, SETTINGS, account)["kind"] == kind


STARTS = (
    b"sbatch: Job 7 to start at 1795277040 using 1 processors on nodes n[1-2] in partition cpu\n"
)
SCRIPTS = st.dictionaries(
    st.sampled_from(["script", "payload", "x"]), JSON | st.text().map("#!".__add__)
)


@pytest.mark.parametrize("words", [STARTS, STARTS.replace(b" using", b" a using")])
def test_estimates_and_submits_nothing(
    calls: Calls, account: pwd.struct_passwd, words: bytes
) -> None:
    calls.answer = (0, b"", words)
    answer = helper.estimate({"script": "#!/bin/sh\n"}, SETTINGS, account)
    assert answer == {"ok": True, "start": 1795277040, "nodes": "n[1-2]"}
    argv, environment, stdin = calls.made[0]
    assert argv == ["sbatch", "--test-only"]
    assert stdin == b"#!/bin/sh\n"
    assert environment[b"SLURM_TIME_FORMAT"] == b"%s"
    assert b"SLURMHUB_JOB" not in environment


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (1, b"allocation failure: Requested node configuration is not available", "refused"),
        (1, b"sbatch: error: invalid partition specified: nope", "refused"),
        (1, b"allocation failure: Unable to contact slurm controller", "unreachable"),
        (1, b"allocation failure: Socket timed out on send/recv operation", "unreachable"),
        (0, b"", "refused"),
        (0, b"sbatch: Job 7 to start at 2026-11-21T10:00:00 using 1 processors", "refused"),
        (0, b"sbatch: Job 7 to start at -1 using 1 processors on nodes n1", "refused"),
        (0, b"sbatch: Job 7 to start at " + b"9" * 50 + b" using 1", "refused"),
    ],
)
def test_what_sbatch_says_that_is_no_estimate(
    calls: Calls, account: pwd.struct_passwd, status: int, words: bytes, kind: str
) -> None:
    calls.answer = (status, b"", words)
    answer = _refusal(helper.estimate, {"script": "#!/bin/sh\n"}, SETTINGS, account)
    assert answer["kind"] == kind


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(SCRIPTS)
def test_hostile_estimates_are_refused_and_nothing_else(
    calls: Calls, account: pwd.struct_passwd, request_: dict[str, Any]
) -> None:
    calls.made.clear()
    calls.answer = (0, b"", STARTS)
    answer = _answer(helper.estimate, request_, SETTINGS, account)
    assert answer.get("kind") in (None, "invalid")
    assert answer["ok"] == bool(calls.made)
    for argv, _, stdin in calls.made:
        assert argv == ["sbatch", "--test-only"]
        assert stdin.startswith(b"#!")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(data: bytes) -> None:
    answer = _answer(helper.parse, data, "the request")
    assert answer.get("kind", "invalid") == "invalid"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"submit"',
        b"null",
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'{"verb": "submit", "verb": "cancel"}',
        b'{"a": ' + b"9" * 100_000 + b"}",
        b'{"a": "\xff"}',
        b"\x00{}",
        b'{"a": 1}{"a": 2}',
        b'\xef\xbb\xbf{"a": ',
    ],
)
def test_json_that_is_no_request(data: bytes) -> None:
    began = time.monotonic()
    assert _refusal(helper.parse, data, "the request")["kind"] == "invalid"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"bin_dir": "bin"}',
        '{"bin_dir": null}',
        '{"bin_dir": ["/usr/bin"]}',
        '{"slurm_conf": "slurm.conf"}',
        '{"slurm_conf": "/a/../b"}',
        '{"min_uid": 0}',
        '{"min_uid": true}',
        '{"min_uid": "1000"}',
        '{"path": "/usr/bin"}',
    ],
)
def test_settings_that_are_none(text: str) -> None:
    assert _refusal(helper.read_settings, ["--settings", text])["kind"] == "invalid"


def test_settings_given_by_a_hub_that_needs_no_sudo() -> None:
    given_ = {"bin_dir": "/opt/slurm/bin", "slurm_conf": "/etc/my.conf"}
    found = helper.read_settings(["--settings", json.dumps(given_)])
    assert found == {**given_, "min_uid": 1000}
    for arguments in (["--settings"], ["--settings", "{}", "x"], ["--config", "/etc/x"], [""]):
        assert _refusal(helper.read_settings, arguments)["kind"] == "invalid"


def test_words_of_programs_are_shown_without_control_characters() -> None:
    assert helper.plain(b"\x1b[31mred\x07\xff\n ok \n") == "\ufffd[31mred\ufffd\ufffd\n ok"
