"""Secrets that a command prints: run without a shell, on the machine of whoever runs slurmhub."""

from __future__ import annotations

import subprocess
from pathlib import Path

from slurmhub_deploy.operate.errors import OperateError
from slurmhub_deploy.site.secret_source import SecretSource

TIMEOUT = 120.0
"""Seconds; somebody may have to unlock a password store first."""


def from_command(source: SecretSource, what: str, folder: Path, *, timeout: float = TIMEOUT) -> str:
    """What the command prints, without the line end; `what` names the secret in errors.

    It runs in `folder`, that of the site file, and has this terminal, so that it can ask. Raises
    OperateError.
    """
    argv = list(source.from_command)
    try:
        # stdin and stderr stay the person's: `pass` and `gpg` ask there.
        ran = subprocess.run(argv, cwd=folder, stdout=subprocess.PIPE, timeout=timeout, check=False)
    except FileNotFoundError as error:
        raise OperateError(
            f"{what}: there is no program {argv[0]}.",
            remedy="Install it, or name another one in the site file.",
        ) from error
    except OSError as error:
        raise OperateError(
            f"{what}: {argv[0]} cannot be run: {error.strerror}.",
            remedy="Name a program that this account may run in the site file.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise OperateError(
            f"{what}: {argv[0]} did not end within {timeout:.0f} seconds.",
            remedy="Run it by hand; if it waits for a password store, unlock that first.",
        ) from error
    if ran.returncode != 0:
        raise OperateError(
            f"{what}: {argv[0]} ended with status {ran.returncode}.",
            remedy="Run it by hand; what it says against it is above.",
        )
    return _text(ran.stdout, what, argv[0])


def _text(output: bytes, what: str, program: str) -> str:
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        raise OperateError(
            f"{what}: what {program} prints is not UTF-8.",
            remedy="Let it print base64 if the secret is bytes.",
        ) from error
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise OperateError(
            f"{what}: {program} printed nothing.", remedy="Run it by hand; it is to print it."
        )
    return text
