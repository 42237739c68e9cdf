"""What people are told of a run: failures, progress, and no secret."""

from __future__ import annotations

import io
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from slurmhub_deploy.operate.running.events import PlayStarted, TaskEnded, TaskStarted
from slurmhub_deploy.operate.running.failures import failure
from slurmhub_deploy.operate.running.folder import run_folder
from slurmhub_deploy.operate.running.progress import Progress
from slurmhub_deploy.operate.running.redaction import Redaction

FAILED = TaskEnded(
    host="c1", name="Do it", role="base", layer="base", action="apt", status="failed"
)


@pytest.mark.parametrize(
    ("status", "message", "remedy"),
    [
        ("unreachable", "Host key verification failed.", "accept it once with 'slurmhub ssh c1'"),
        ("unreachable", "debian@c1: Permission denied (publickey).", "authorized_keys"),
        ("unreachable", "ssh: connect to host c1 port 22: Connection refused", "Is sshd running"),
        ("unreachable", "ssh: connect to host c1 port 22: Connection timed out", "Is c1 on"),
        ("unreachable", "ssh: Could not resolve hostname c1: Name or service not known", "no such"),
        ("failed", "Missing sudo password", "use sudo without a password"),
        ("failed", "/bin/sh: 1: /usr/bin/python3: not found", "Install python3 on c1"),
        ("failed", "Failed to update apt cache: unknown reason", "slurmhub bundle"),
        ("failed", "E: Could not get lock /var/lib/dpkg/lock-frontend", "Another installation"),
        ("failed", "[Errno 28] No space left on device", "disk of c1 is full"),
        ("failed", "'slurm_x' is undefined", "fault of slurmhub"),
        ("failed", "something else", "run this again"),
    ],
)
def test_what_to_do(status: str, message: str, remedy: str) -> None:
    assert status in ("failed", "unreachable")
    told = failure(replace(FAILED, status=status, message=message))  # type: ignore[arg-type]
    assert (told.host, told.task, told.said) == ("c1", "base: Do it", message)
    assert remedy in told.remedy


def test_our_own_checks_say_it_themselves() -> None:
    one = replace(FAILED, action="assert", message="It lacks. What to do: Give {it}.")
    assert (failure(one).said, failure(one).remedy) == ("It lacks.", "Give {it}.")
    other = replace(FAILED, action="fail", message="It lacks. Give it.")
    assert (failure(other).said, failure(other).remedy) == ("It lacks.", "Give it.")


def test_what_is_long_is_cut_in_the_middle() -> None:
    said = failure(replace(FAILED, message="\n".join(map(str, range(100))))).said.splitlines()
    assert said[0] == "0"
    assert said[-1] == "99"
    assert len(said) < 20


def test_what_says_nothing() -> None:
    assert "It does not say why" in failure(FAILED).said


def shown(*, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=60)
    times = iter([0.0, 61.0, 62.0, 63.0])
    with Progress(console, ["base", "slurm"], clock=lambda: next(times)) as progress:
        progress.show(PlayStarted("Play", "base"))
        progress.show(TaskStarted("Do [it]", "base", handler=False))
        progress.show(replace(FAILED, status="changed", name="Do [it]"))
        progress.show(replace(FAILED, status="ok", name="not shown"))
        progress.show(replace(FAILED, message="bad [/red] words"))
        progress.show(PlayStarted("Another play", "base"))
        progress.show(PlayStarted("Play", "slurm"))
    return out.getvalue()


def test_progress_in_plain_lines() -> None:
    assert shown(terminal=False).splitlines() == [
        "base (1 of 2)  after 1:01",
        "  c1  base: Do [it]  changed",
        "c1: base: Do it",
        "    bad [/red] words",
        "    What to do: Correct that on c1, and run this again; what is done already stays.",
        "slurm (2 of 2)  after 1:02",
    ]


def test_progress_at_a_terminal() -> None:
    text = shown(terminal=True)
    assert "Do [it]" in text
    assert "not shown" not in text


def test_what_takes_long_is_named_again() -> None:
    out = io.StringIO()
    with Progress(Console(file=out), ["base"], still=0.01) as progress:
        progress.show(TaskStarted("Install", "base", handler=False))
        limit = time.monotonic() + 30
        while "still at base: Install" not in out.getvalue():
            assert time.monotonic() < limit
            time.sleep(0.01)


def test_no_secret_is_shown() -> None:
    pem = '-----BEGIN KEY-----\nAbCdEfGhIj"k\n-----END KEY-----\n'
    redaction = Redaction([pem, "short", "a longer secret"])
    said = f'x {json.dumps(pem)} "a longer secret" short -----BEGIN KEY----- AbCdEfGhIj"k'
    assert redaction.text(said) == (
        'x "-----BEGIN KEY-----\\n(a secret)\\n-----END KEY-----\\n" "(a secret)" short'
        " -----BEGIN KEY----- (a secret)"
    )
    assert Redaction([]).text("all") == "all"


def test_the_folder_of_a_run_is_closed_and_goes() -> None:
    odd = "{{ lookup('pipe', 'id') }}"
    with run_folder({"all": {}}, {"slurmhub_secrets": {"a": odd, "b": "plain"}}) as folder:
        assert os.stat(folder.path).st_mode & 0o777 == 0o700
        for file in (folder.inventory, folder.variables):
            assert file.stat().st_mode & 0o777 == 0o600
        text = folder.variables.read_text()
        # Ansible runs no template in what is marked so.
        assert f'a: !unsafe "{odd}"' in text
        assert yaml.safe_load(text.replace("!unsafe ", "")) == {
            "slurmhub_secrets": {"a": odd, "b": "plain"}
        }
        path = folder.path
    assert not path.exists()


def test_what_a_killed_run_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    left, new, other = (tmp_path / n for n in ("slurmhub-run-a", "slurmhub-run-b", "other"))
    for folder in (left, new, other):
        folder.mkdir()
    for folder in (left, other):
        os.utime(folder, (0, 0))
    with run_folder({}, {}) as held:
        os.utime(held.path, (0, 0))
        with run_folder({}, {}):
            # Another run is at work in its own.
            assert held.path.exists()
    assert sorted(tmp_path.iterdir()) == [other, new]


def test_the_folder_goes_after_an_error_too() -> None:
    with pytest.raises(RuntimeError), run_folder({}, {}) as folder:  # noqa: PT012
        path = folder.path
        raise RuntimeError
    assert not path.exists()
