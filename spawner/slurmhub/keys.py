"""The key of this hub's jobs, and the token that each job derives from it.

A server's API token is an HMAC of the job's nonce under a key that is kept
beside JupyterHub's cookie secret. The hub can therefore recognise a running
server even after its database was lost.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

from slurmhub.errors import SlurmhubError

KEY_BYTES = 32
_HEX = re.compile(rb"[0-9a-f]{64}")


class KeyUnusable(SlurmhubError):
    """The key file cannot be trusted or made."""


def new_nonce() -> str:
    """A fresh name for one submission: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def server_token(key: bytes, nonce: str) -> str:
    """The API token of the server whose job carries `nonce`."""
    return hmac.new(key, b"slurmhub server token:" + nonce.encode(), hashlib.sha256).hexdigest()


def load_key(path: Path) -> bytes:
    """Read the key file, or make it with mode 0600.

    It holds the 32 bytes themselves, or, where a person or a program put it there as text, a line
    of 64 hexadecimal digits. Raises `KeyUnusable` when the file is readable by others, of the
    wrong length, or cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return _make_key(path)
    except OSError as error:
        raise KeyUnusable(
            f"The key file {path} cannot be read ({error.strerror}).",
            remedy="Make it a plain file that belongs to the hub's account, with mode 0600.",
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        key = _key_in(file.read(2 * KEY_BYTES + 2))
    if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid():
        raise KeyUnusable(
            f"The key file {path} is open to other accounts.",
            remedy=f"Run 'chown $(id -un) {path}; chmod 600 {path}' as the hub's account; "
            "if others may have read it, delete it once no server is running.",
        )
    if len(key) != KEY_BYTES:
        raise KeyUnusable(
            f"The key file {path} does not hold {KEY_BYTES} bytes, nor as many in hexadecimal.",
            remedy="Restore it from the backup; without one delete it: running servers then "
            "have to be started again.",
        )
    return key


def _key_in(content: bytes) -> bytes:
    """The key that a file holds; what is no key is returned as it is."""
    line = content.removesuffix(b"\n")
    if _HEX.fullmatch(line):
        return bytes.fromhex(line.decode("ascii"))
    return content


def _make_key(path: Path) -> bytes:
    key = secrets.token_bytes(KEY_BYTES)
    # Written whole under another name first, so that a full disk leaves no short key behind.
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise KeyUnusable(
            f"The key file {path} cannot be made ({error.strerror}).",
            remedy="Let the hub's account write to that folder, or set c.SlurmHubSpawner.key_file.",
        ) from error
    return key
