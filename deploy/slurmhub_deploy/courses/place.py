"""Which hub, and as whom: an address, and a token that never stands on a command line."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from slurmhub_deploy.courses.client import CourseClient, HubPlace
from slurmhub_deploy.operate.errors import UNUSABLE, OperateError

TOKEN = "SLURMHUB_TOKEN"  # noqa: S105 - the name of a variable

HubUrl = Annotated[
    str | None,
    typer.Option("--hub", envvar="SLURMHUB_HUB", help="The hub's address: https://hub.example.ca."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        envvar="SLURMHUB_TOKEN_FILE",
        help=f"A file with your token, which only you may read; {TOKEN} is taken if absent.",
    ),
]

_HERE = ("localhost", "127.0.0.1", "::1")


def open_hub(hub: str | None, token_file: Path | None) -> CourseClient:
    """A client for this hub; raises OperateError."""
    return CourseClient(HubPlace(_address(hub), _token(token_file)))


def _address(hub: str | None) -> str:
    if not hub:
        raise OperateError(
            "No hub is named.",
            remedy="Give its address with --hub, or set SLURMHUB_HUB.",
            status=UNUSABLE,
        )
    parts = urlsplit(hub if "://" in hub else f"https://{hub}")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise OperateError(
            f"{hub} is no address that a token may be sent to.",
            remedy="Write it with https://; http:// is for a hub on this machine.",
            status=UNUSABLE,
        )
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise OperateError(
            f"{hub} is not the address of a hub.",
            remedy="Write it as https://hub.example.ca, with its base_url if it has one.",
            status=UNUSABLE,
        )
    # People copy what the browser shows.
    path = parts.path.rstrip("/").removesuffix("/hub/home").removesuffix("/hub")
    return f"{parts.scheme}://{parts.netloc}{path}/"


def _token(file: Path | None) -> str:
    token = os.environ.get(TOKEN, "") if file is None else _read(file)
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable():
        raise OperateError(
            "There is no token." if not token else "What is given is no token.",
            remedy=f"Make one on the hub's page Token, and put it into a file that only you may"
            f" read (--token-file) or into {TOKEN}.",
            status=UNUSABLE,
        )
    return token


def _read(file: Path) -> str:
    try:
        with file.open() as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            text = opened.read(10_000)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise OperateError(
            f"The token in {file} cannot be read: {reason}.",
            remedy="Name the file that has it.",
            status=UNUSABLE,
        ) from error
    if mode & 0o077:
        raise OperateError(
            f"Others may read the token in {file}.",
            remedy=f"chmod 600 {file}",
            status=UNUSABLE,
        )
    return text
