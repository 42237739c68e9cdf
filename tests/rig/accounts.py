"""Unix accounts that a test makes and removes again."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Two runs of the tests on one machine must not meet.
PREFIX = f"shub{os.getpid()}-"


def account(name: str) -> str:
    """The Unix account of one of the tests' people."""
    return f"{PREFIX}{name}"


@contextmanager
def unix_accounts(homes: Path, *names: str) -> Iterator[dict[str, str]]:
    """Make an account for each name, with a home below `homes`; yields name to account name."""
    made: dict[str, str] = {}
    try:
        for name in names:
            _useradd(account(name), homes / name)
            made[name] = account(name)
        yield made
    finally:
        for each in made.values():
            subprocess.run(["userdel", "--force", each], check=False, capture_output=True)
        shutil.rmtree(homes, ignore_errors=True)


def _useradd(name: str, home: Path) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(
            ["useradd", "--create-home", "--home-dir", str(home), "--shell", "/bin/bash", name],
            check=True,
            capture_output=True,
        )
        home.chmod(0o700)
        return
    raise RuntimeError(
        f"The account {name} exists already. Run 'userdel {name}' if a test left it."
    )
