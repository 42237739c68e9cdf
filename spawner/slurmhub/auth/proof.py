"""The front proves itself: a secret from a file that only it and the hub can read."""

from __future__ import annotations

import hmac
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from tornado.httputil import HTTPHeaders

from slurmhub.auth.headers import FRONT
from slurmhub.auth.refusals import FrontUnproven, SecretUnusable
from slurmhub.errors import SlurmhubError

LEAST_CHARACTERS = 32
"""Of a secret; 32 characters of the URL-safe alphabet are 192 bits."""

MOST_SECRETS = 2
"""A second line holds the old secret while front and hub change to the new one."""

_MOST_BYTES = 4096
_SECRET = re.compile(rf"[A-Za-z0-9_-]{{{LEAST_CHARACTERS},512}}")


class FrontSecretWrong(SlurmhubError):
    """The file of the front's secret cannot be used."""


@dataclass(frozen=True)
class _Seen:
    """What tells one state of the file from another."""

    inode: int
    changed: int
    size: int

    @classmethod
    def of(cls, status: os.stat_result) -> _Seen:
        return cls(status.st_ino, status.st_mtime_ns, status.st_size)


class FrontSecret:
    """The secret of a file, read again whenever the file changes.

    To rotate it without refusing anybody, write the new secret and below it the old one, change
    the front, then take the old line away. A file that has become unusable proves nobody.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: _Seen | None = None
        self._secrets: tuple[bytes, ...] = ()

    def check(self) -> None:
        """Read the file. Raises FrontSecretWrong."""
        self._seen, self._secrets = _read(self._path)

    def prove(self, headers: HTTPHeaders) -> None:
        """Raise SignInRefused unless these headers hold the secret, exactly once."""
        said = headers.get_list(FRONT)
        if len(said) != 1:
            times = "not at all" if not said else f"{len(said)} times"
            raise FrontUnproven(f"the header {FRONT} came {times}")
        given = said[0].encode("utf-8", "surrogatepass")
        # All of them are compared, so that the time says nothing of which one it was.
        right = [hmac.compare_digest(given, secret) for secret in self._current()]
        if not any(right):
            raise FrontUnproven(f"the header {FRONT} is not the secret of {self._path}")

    def _current(self) -> tuple[bytes, ...]:
        try:
            if self._seen is None or _Seen.of(os.lstat(self._path)) != self._seen:
                self.check()
        except OSError as error:
            self._seen = None
            raise SecretUnusable(f"{self._path}: {error.strerror}") from error
        except FrontSecretWrong as error:
            self._seen = None
            raise SecretUnusable(str(error)) from error
        return self._secrets


def _read(path: Path) -> tuple[_Seen, tuple[bytes, ...]]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise FrontSecretWrong(
            f"The front's secret {path} cannot be read ({error.strerror}).",
            remedy="Set c.ShibbolethAuthenticator.front_secret_file to the file that the front "
            "has; the hub's account must be able to read it.",
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        _check_owner(path, status)
        text = file.read(_MOST_BYTES + 1)
    lines = text.decode("ascii", "replace").split("\n")
    secrets = [line for line in lines if line]
    usable = len(text) <= _MOST_BYTES and 1 <= len(secrets) <= MOST_SECRETS
    if not usable or not all(_SECRET.fullmatch(secret) for secret in secrets):
        raise FrontSecretWrong(
            f"The front's secret {path} does not hold one or two lines of at least "
            f"{LEAST_CHARACTERS} letters, digits, '-' and '_'.",
            remedy="Make it with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return _Seen.of(status), tuple(secret.encode() for secret in secrets)


def _check_owner(path: Path, status: os.stat_result) -> None:
    private = stat.S_ISREG(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o027
    if not private or status.st_uid not in (0, os.geteuid()):
        raise FrontSecretWrong(
            f"The front's secret {path} is open to other accounts.",
            remedy="Make it a plain file of root or of the hub's account with mode 0600, or 0640 "
            "where the hub reads it by its group. If others may have read it, make a new one.",
        )
