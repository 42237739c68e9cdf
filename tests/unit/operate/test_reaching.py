"""How hosts are reached: the argv of ssh."""

from __future__ import annotations

import shlex

from slurmhub_deploy.operate.reaching import as_root, ssh_argv

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
