"""Unix accounts that a test makes and removes again."""

from __future__ import annotations

import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "shub-"


@contextmanager
def unix_accounts(homes: Path, *names: str) -> Iterator[dict[str, str]]:
    """Make an account for each name, with a home below `homes`; yields name to account name."""
    made: dict[str, str] = {}
    try:
        for name in names:
            account = f"{PREFIX}{name}"
            _useradd(account, homes / name)
            made[name] = account
        yield made
    finally:
        for account in made.values():
            subprocess.run(["userdel", "--force", account], check=False, capture_output=True)
        shutil.rmtree(homes, ignore_errors=True)


def _useradd(account: str, home: Path) -> None:
    try:
        pwd.getpwnam(account)
    except KeyError:
        subprocess.run(
            ["useradd", "--create-home", "--home-dir", str(home), "--shell", "/bin/bash", account],
            check=True,
            capture_output=True,
        )
        home.chmod(0o700)
        return
    raise RuntimeError(
        f"The account {account} exists already. Run 'userdel {account}' if a test left it."
    )
