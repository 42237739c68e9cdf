"""The Unix accounts of a demo that root runs: made at its start, gone at its end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.processes import end_all, processes_of_account

PEOPLE = ("student", "instructor", "operator")

_PREFIX = "slurmhub-demo-"
_COMMENT = "slurmhub demo"
# Where any account may leave files.
_SHARED_FOLDERS = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108


def account_of(person: str) -> str:
    """The Unix account of one of the demo's people; nobody else's can have this name by chance."""
    return _PREFIX + person


def make_accounts(homes: Path) -> None:
    """Make an account and a home, closed to the others, for each of the demo's people.

    Raises DeployError when an account of that name exists which no demo made.
    """
    homes.mkdir(mode=0o711, exist_ok=True)
    homes.chmod(0o711)
    for person in PEOPLE:
        name = account_of(person)
        entry = _entry(name)
        if entry is not None and not _is_ours(entry, homes):
            raise DeployError(
                f"There is an account {name} which this demo did not make.",
                remedy=f"Remove it if it is not needed: userdel {name}",
            )
        if entry is None:
            entry = _make(name, homes / person)
        home = Path(entry.pw_dir)
        home.mkdir(mode=0o700, exist_ok=True)
        os.chown(home, entry.pw_uid, entry.pw_gid)


def remove_accounts(homes: Path) -> None:
    """End every process of the demo's accounts, and remove them with what they left in /tmp."""
    for person in PEOPLE:
        entry = _entry(account_of(person))
        if entry is None or not _is_ours(entry, homes):
            continue
        end_all(processes_of_account(entry.pw_uid), grace=0.5)
        _run(["userdel", entry.pw_name], f"The account {entry.pw_name} cannot be removed")
        _remove_files_of(entry.pw_uid)


def _is_ours(entry: pwd.struct_passwd, homes: Path) -> bool:
    return entry.pw_gecos == _COMMENT and Path(entry.pw_dir).parent == homes


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make(name: str, home: Path) -> pwd.struct_passwd:
    options = ["--no-create-home", "--no-log-init", "--shell", "/bin/bash"]
    _run(
        ["useradd", *options, "--comment", _COMMENT, "--home-dir", str(home), name],
        f"The account {name} cannot be made",
    )
    return pwd.getpwnam(name)


def _remove_files_of(uid: int) -> None:
    for folder in _SHARED_FOLDERS:
        for entry in os.scandir(folder):
            if entry.stat(follow_symlinks=False).st_uid != uid:
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                Path(entry.path).unlink(missing_ok=True)


def _run(argv: list[str], what: str) -> None:
    done = subprocess.run(
        argv,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # Ctrl-C is for the demo
    )
    if done.returncode != 0:
        raise DeployError(
            f"{what}: {done.stderr.strip()}", remedy="Is /etc writable, and is this really root?"
        )
