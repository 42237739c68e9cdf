"""An account for a hub that is not root, set up as the operators' page says."""

from __future__ import annotations

import fcntl
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.helper import PROGRAM, SETTINGS, SUDOERS, HelperPlan, install
from tests.rig.accounts import account

_TURN = Path("/var/cache/slurmhub/helper.lock")


@contextmanager
def installed_hub_account(
    cluster: EmbeddedCluster, accounts: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """A system account and the helper for it; alice and bob may have servers, mallory not.

    Yields what makes a process that account's, as subprocess.Popen takes it.
    """
    name, people = account("hub"), account("people")
    with ExitStack() as stack:
        # There is one place for it on a machine: tests that run side by side take turns.
        fcntl.flock(stack.enter_context(_TURN.open("w")), fcntl.LOCK_EX)
        for path in (PROGRAM, SETTINGS, SUDOERS):
            assert not path.exists(), f"{path} exists: this would replace a real installation"
        _run("groupadd", people)
        stack.callback(_run, "groupdel", people)
        _run("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name)
        stack.callback(_run, "userdel", name)
        for person in ("alice", "bob"):
            _run("usermod", "--append", "--groups", people, accounts[person])
        stack.callback(_uninstall)
        install(HelperPlan(name, people, bin_dir=cluster.bin_dir, slurm_conf=cluster.conf))
        entry = pwd.getpwnam(name)
        yield {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


def _uninstall() -> None:
    for path in (SUDOERS, SETTINGS, PROGRAM):
        path.unlink(missing_ok=True)
    for folder in (SETTINGS.parent, PROGRAM.parent):
        shutil.rmtree(folder, ignore_errors=True)
