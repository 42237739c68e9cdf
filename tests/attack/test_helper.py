"""slurmhub-as-user under attack: for whom, for what and from where it may be run.

As root, with accounts of its own and the real sudo. Each refusal stands beside a case that works.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slurmhub_deploy import helper as installing
from tests.attack.helper_site import (
    SECRET,
    Site,
    directly,
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


# What must work


def test_a_job_is_submitted_as_the_person(site: Site) -> None:
    assert site.ask(request_of()) == {"ok": True, "job_id": 4711}
    record = site.record()
    alice = site.alice
    assert record["ids"] == [
        [alice.pw_uid] * 3,
        [alice.pw_gid] * 3,
        sorted(os.getgrouplist(alice.pw_name, alice.pw_gid)),
    ]
    assert record["argv"] == ["--parsable"]
    assert record["script"].startswith("#!/bin/bash\n")
    assert record["directory"] == alice.pw_dir
    assert record["descriptors"] == [0, 1, 2, 3]  # the last is the listing's own
    assert record["umask"] == 0o022
    assert record["blocked"] == []
    assert record["handled"] == [True] * 3
    assert record["environment"] == {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": alice.pw_dir,
        "USER": alice.pw_name,
        "LOGNAME": alice.pw_name,
        "SHELL": alice.pw_shell,
        "LANG": "C.UTF-8",
        "SLURMHUB_JOB": SECRET,
    }


def test_a_job_is_cancelled_as_the_person(site: Site) -> None:
    assert site.ask({"verb": "cancel", "job_id": 123}) == {"ok": True}
    assert Path(site.alice.pw_dir, "cancelled").read_text() == "--verbose 123 "
    assert site.ask({"verb": "cancel", "job_id": 404})["kind"] == "unknown-job"


def test_words_and_clusters_of_sbatch(site: Site) -> None:
    assert site.ask(request_of("cluster"))["job_id"] == 4711
    refused = site.ask(request_of("refuse"))
    assert (refused["kind"], refused["exit"]) == ("refused", 1)
    assert "Invalid account" in refused["message"]
    assert "\x1b" not in refused["message"]


# Whom it may act for


def test_acts_for_nobody_outside_the_group(site: Site) -> None:
    for who in (site.mallory.pw_name, "root", "nobody", "daemon", "#0", "#-1", "#4294967295"):
        done = site.sudo("-u", who, str(site.program), stdin=json.dumps(request_of()).encode())
        assert done.returncode != 0, who
        assert done.stdout == b"", who
        assert done.stderr, who
    assert site.nothing_submitted()
    assert site.ask(request_of())["ok"]


def test_acts_for_no_system_account_in_the_group(site: Site) -> None:
    answer = site.ask(request_of(), who=site.system.pw_name)
    assert answer["kind"] == "forbidden"
    assert not Path(site.system.pw_dir, "record").exists()


@pytest.mark.parametrize("group", ["root", "#0", "shadow"])
def test_lends_no_other_group(site: Site, group: str) -> None:
    arguments = ("-u", site.alice.pw_name, "-g", group, str(site.program))
    done = site.sudo(*arguments, stdin=json.dumps(request_of()).encode())
    assert done.returncode != 0
    assert site.nothing_submitted()


def test_only_the_hub_may_ask(site: Site) -> None:
    arguments = ["-u", site.alice.pw_name, str(site.program)]
    for account in (site.mallory, site.system):
        done = site.sudo(*arguments, stdin=json.dumps(request_of()).encode(), **identity(account))
        assert done.returncode != 0
    assert site.nothing_submitted()
    assert site.ask(request_of())["ok"]


@pytest.mark.parametrize(
    "identity",
    [
        {"user": 0, "group": 0, "extra_groups": []},
        {"user": 1, "group": 1, "extra_groups": []},
        {"user": 65534, "group": 65534, "extra_groups": []},
        {"user": 999_999_999, "group": 999_999_999, "extra_groups": []},
    ],
)
def test_started_directly_under_an_account_that_it_must_not_serve(
    site: Site, identity: dict[str, Any]
) -> None:
    assert directly(site, request_of(), **identity)["kind"] == "forbidden"
    assert site.nothing_submitted()


def test_started_with_groups_left_over_from_root(site: Site) -> None:
    alice = identity(site.alice)
    assert directly(site, request_of(), **{**alice, "group": 0})["kind"] == "forbidden"
    assert directly(site, request_of(), **{**alice, "extra_groups": [0]})["kind"] == "forbidden"
    assert site.nothing_submitted()
    assert directly(site, request_of(), **alice)["ok"]


def test_started_with_ids_that_differ(site: Site) -> None:
    for option in ("--ruid", "--euid"):
        argv = ["/usr/bin/setpriv", option, str(site.alice.pw_uid), "--clear-groups"]
        done = subprocess.run(
            [*argv, str(site.program)], input=b"{}", capture_output=True, check=False, env={}
        )
        assert json.loads(done.stdout)["kind"] == "forbidden"


# What may be run


def test_sudo_passes_no_arguments(site: Site) -> None:
    alice = ("-u", site.alice.pw_name)
    settings = json.dumps({"bin_dir": str(site.folder / "hub"), "min_uid": 1})
    for arguments in (["--settings", settings], ["--config", "/tmp/x"], ["-h"], [""], [" "]):
        done = site.sudo(*alice, str(site.program), *arguments, stdin=b"{}")
        assert done.returncode != 0
        assert done.stdout == b""
    assert site.nothing_submitted()


def test_sudo_runs_no_other_program(site: Site) -> None:
    alice = ("-u", site.alice.pw_name)
    copy = Path(site.hub.pw_dir, "slurmhub-as-user")
    shutil.copy(site.program, copy)
    copy.chmod(0o755)
    Path(site.hub.pw_dir).chmod(0o755)
    for argv in (
        ["/bin/sh", "-c", "id"],
        ["/usr/bin/python3", "-IS", str(site.program)],
        [str(copy)],
        [str(site.bin_dir / "sbatch")],
        ["-s"],
        ["-i"],
    ):
        done = site.sudo(*alice, *argv, stdin=b"{}")
        assert done.returncode != 0, argv
        assert done.stdout == b"", argv
    done = site.sudo("-u", site.alice.pw_name, "-e", "/etc/hosts")
    assert done.returncode != 0


# What the caller might set


HOSTILE_ENVIRONMENT = {
    "LD_PRELOAD": "/nowhere/evil.so",
    "LD_LIBRARY_PATH": "/tmp",
    "LD_DEBUG": "all",
    "PYTHONPATH": "/tmp",
    "PYTHONHOME": "/tmp",
    "PYTHONSTARTUP": "/tmp/x.py",
    "PYTHONINSPECT": "1",
    "PYTHONVERBOSE": "1",
    "PYTHONWARNINGS": "error",
    "BASH_ENV": "/tmp/x",
    "ENV": "/tmp/x",
    "IFS": "x",
    "HOME": "/tmp",
    "USER": "root",
    "LOGNAME": "root",
    "SHELL": "/bin/false",
    "LANG": "de_DE.UTF-8",
    "LC_ALL": "C",
    "TZ": "/etc/shadow",
    "TERM": "xterm",
    "SLURM_CONF": "/tmp/slurm.conf",
    "SBATCH_ACCOUNT": "theirs",
    "SBATCH_EXPORT": "NONE",
    "SLURMHUB_JOB": "forged",
    "SUDO_UID": "0",
    "XDG_CONFIG_HOME": "/tmp",
}


@pytest.fixture
def traps(site: Site) -> Path:
    """A folder of the hub's with programs and modules of the names that are needed."""
    folder = Path(site.hub.pw_dir, "traps")
    folder.mkdir(exist_ok=True)
    for name in ("sbatch", "scancel", "python3", "env"):
        (folder / name).write_text('#!/bin/sh\necho trapped >"$HOME/trapped"\n')
        (folder / name).chmod(0o755)
    for name in ("json", "os", "subprocess", "pwd", "sitecustomize", "usercustomize"):
        (folder / f"{name}.py").write_text("raise SystemExit('trapped')\n")
    Path(site.hub.pw_dir).chmod(0o755)
    return folder


def test_the_environment_of_the_caller_counts_for_nothing(site: Site, traps: Path) -> None:
    hostile = {**HOSTILE_ENVIRONMENT, "PATH": str(traps), "PYTHONPATH": str(traps)}
    assert site.ask(request_of())["ok"]
    expected = site.record()["environment"]
    assert site.ask(request_of(), env=hostile)["ok"]
    assert site.record()["environment"] == expected
    # A hub that needs no sudo sets no LD_*; Python's own variables are cut off by -I.
    harmless = {name: value for name, value in hostile.items() if not name.startswith("LD_")}
    assert directly(site, request_of(), env=harmless)["ok"]
    assert site.record()["environment"] == expected
    assert not Path(site.alice.pw_dir, "trapped").exists()


def test_sudo_keeps_no_variable(site: Site) -> None:
    alice = ["-u", site.alice.pw_name]
    for option in (["-E"], ["--preserve-env=SLURM_CONF"], ["SLURM_CONF=/x"], ["LD_PRELOAD=x"]):
        done = site.sudo(*alice, *option, str(site.program), stdin=b"{}", env=HOSTILE_ENVIRONMENT)
        assert done.returncode != 0, option
        assert done.stdout == b"", option


def test_the_working_directory_of_the_caller_counts_for_nothing(site: Site, traps: Path) -> None:
    assert site.ask(request_of(), cwd=traps)["ok"]
    assert site.record()["directory"] == site.alice.pw_dir
    assert directly(site, request_of(), cwd=traps)["ok"]
    for option in (["-D", str(traps)], ["-R", str(site.folder)]):
        done = site.sudo("-u", site.alice.pw_name, *option, str(site.program), stdin=b"{}")
        assert done.returncode != 0


def test_open_files_of_the_caller_are_not_passed_on(site: Site) -> None:
    with open("/etc/shadow", "rb") as secret:
        copies = [fcntl.fcntl(secret, fcntl.F_DUPFD, number) for number in (5, 50, 500)]
        try:
            for ask in (site.ask, lambda *a, **k: directly(site, *a, **k)):
                assert ask(request_of(), pass_fds=copies)["ok"]
                assert site.record()["descriptors"] == [0, 1, 2, 3]
        finally:
            for copy in copies:
                os.close(copy)
    done = site.sudo("-C", "300", "-u", site.alice.pw_name, str(site.program), stdin=b"{}")
    assert done.returncode != 0


def test_signals_and_masks_of_the_caller_are_not_passed_on(site: Site) -> None:
    def hostile() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM})
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        os.umask(0o777)

    for ask in (site.ask, lambda *a, **k: directly(site, *a, **k)):
        assert ask(request_of("refuse"), preexec_fn=hostile)["exit"] == 1
        record = site.record()
        assert (record["blocked"], record["handled"]) == ([], [True] * 3)
        assert record["umask"] == 0o022


def test_everything_is_removed_again(site: Site) -> None:
    """The names are unique, so that nothing of a real installation can be touched."""
    assert site.program != installing.PROGRAM
    assert not str(site.settings).startswith("/etc")
