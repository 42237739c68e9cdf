"""The demo's passwords: made at its start, shown once, kept as salted hashes."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

# No letters that look alike: these passwords are read from a terminal.
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 12
_NOBODY = {"salt": "00" * 16, "hash": "00" * 32}


def new_passwords(names: tuple[str, ...]) -> dict[str, str]:
    """A random password for each name: 69 bits."""
    return {name: "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for name in names}


def write_hashes(passwords: Mapping[str, str], path: Path) -> None:
    """Keep what is needed to check them, in a file for its owner only."""
    entries = {}
    for name, password in passwords.items():
        salt = secrets.token_bytes(16)
        entries[name] = {"salt": salt.hex(), "hash": _hash(password, salt).hex()}
    path.touch(mode=0o600)
    path.write_text(json.dumps(entries))


def right_name(name: str, password: str, path: Path) -> str | None:
    """The name, if this is its password; an unknown name takes as long as a known one."""
    entries = json.loads(path.read_text())
    entry = entries.get(name, _NOBODY)
    found = _hash(password, bytes.fromhex(entry["salt"]))
    same = hmac.compare_digest(found, bytes.fromhex(entry["hash"]))
    return name if same and name in entries else None


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
