"""How hosts are reached: the argv of ssh."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from slurmhub_deploy.operate import reaching
from slurmhub_deploy.operate.errors import OperateError
from slurmhub_deploy.operate.reaching import as_root, run_there, ssh_argv

HOST = {"ansible_host": "192.0.2.1", "ansible_port": 22, "ansible_user": "root"}
OPS = {**HOST, "ansible_user": "ops", "ansible_become": True}


def test_a_shell() -> None:
    argv = ssh_argv(HOST, ask=True)
    assert argv[-2:] == ["--", "192.0.2.1"]
    assert argv[argv.index("-l") : argv.index("-l") + 2] == ["-l", "root"]
    assert "BatchMode=yes" not in argv


def test_nobody_is_asked_where_nobody_is() -> None:
    assert "BatchMode=yes" in ssh_argv(HOST, ["true"])


def test_a_command_comes_over_whole_whatever_is_in_it() -> None:
    words = ["echo", "a b", "$(id)", "it's", ";", "*"]
    assert shlex.split(ssh_argv(HOST, words)[-1]) == words


def test_it_runs_as_root_by_sudo() -> None:
    assert ssh_argv(OPS, ["id"])[-1] == "sudo -n -- id"
    assert ssh_argv(OPS, ["id"], become=False)[-1] == "id"
    assert ssh_argv(OPS, ["id"], ask=True)[-1] == "sudo -- id"
    assert as_root(HOST) == []


def test_the_site_s_own_words_for_ssh() -> None:
    argv = ssh_argv({**HOST, "ansible_ssh_common_args": "-F '/a b/ssh_config' -J gate"}, ["id"])
    assert argv[argv.index("-F") + 1] == "/a b/ssh_config"
    assert argv[argv.index("-J") + 1] == "gate"


def test_terminals() -> None:
    assert "-t" in ssh_argv(HOST, ["top"], terminal=True)
    assert "-T" in ssh_argv(HOST, ["top"], terminal=False)


def test_a_host_that_does_not_answer_in_time_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\nexec sleep 60\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(reaching, "_SECONDS", 0.2)
    with pytest.raises(OperateError, match=r"192\.0\.2\.1 did not answer"):
        run_there(ssh_argv(HOST, ["true"]), "")


def test_what_is_read_there_is_what_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\nexec cat\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert run_there(ssh_argv(HOST, ["true"]), "asked").stdout == "asked"
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(OperateError, match="no ssh"):
        run_there(ssh_argv(HOST, ["true"]), "asked")
