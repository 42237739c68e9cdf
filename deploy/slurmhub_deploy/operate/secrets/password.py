"""The password of the vault: from the site file's source, a file, or whoever is at the terminal."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.operate.secrets.sources import from_command
from slurmhub_deploy.site.secret_source import SecretSource

VARIABLE = "SLURMHUB_VAULT_PASSWORD_FILE"


def vault_password(source: SecretSource | None, vault: Path, folder: Path) -> str:
    """The password of this vault; one that is made now is asked for twice. Raises OperateError.

    `source` is `vault.password` of the site file and goes first, then the file that the
    environment's SLURMHUB_VAULT_PASSWORD_FILE names, then the terminal. `folder` is that of the
    site file.
    """
    if source is not None:
        if not source.from_command:
            raise OperateError(
                "The vault's password cannot be in the vault.",
                remedy="Give `vault.password` as `from_command`, or leave it out.",
                status=UNUSABLE,
            )
        return from_command(source, "The vault's password", folder)
    named = os.environ.get(VARIABLE)
    if named:
        return _from_file(Path(named))
    if not sys.stdin.isatty():
        raise OperateError(
            f"The password of the vault {vault} is needed, and there is no terminal to ask at.",
            remedy=f"Set {VARIABLE} to a file that holds it, or `vault.password` in the site file.",
            status=UNUSABLE,
        )
    return _asked(vault)


def _from_file(path: Path) -> str:
    try:
        password = path.read_text().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise OperateError(
            f"The password file {path}, which {VARIABLE} names, cannot be read: {reason}.",
            remedy="Name a file with the password and nothing else.",
            status=UNUSABLE,
        ) from error
    if not password:
        raise OperateError(
            f"The password file {path}, which {VARIABLE} names, is empty.",
            remedy="Write the vault's password into it.",
            status=UNUSABLE,
        )
    return password


def _asked(vault: Path) -> str:
    if vault.exists():
        return getpass.getpass(f"Password of the vault {vault}: ")
    print(f"The vault {vault} is made now. Keep its password: nothing opens it without.")
    password = getpass.getpass("Its password: ")
    if not password or password != getpass.getpass("Again: "):
        raise OperateError(
            "The two are not alike, or there is nothing in them.", remedy="Run this again."
        )
    return password
