"""Names of files, which are bytes: in addresses and forms, and as a person reads them."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

from slurmhub.errors import SlurmhubError

LONGEST_PATH = 4096
LONGEST_NAME = 255
"""Bytes, as Linux has it (NAME_MAX)."""


class NameInvalid(SlurmhubError):
    """A path that leads nowhere below a home."""


def written(path: bytes) -> str:
    """A path as plain ASCII, which `path_of` reads again: forms and addresses carry text only."""
    return quote(path, safe="/")


def path_of(text: str) -> bytes:
    """The path that `written` wrote; raises NameInvalid for what climbs, is empty or too long."""
    path = unquote_to_bytes(text.encode("utf-8", "replace"))
    parts = path.split(b"/") if path else []
    if any(part in (b"", b".", b"..") or len(part) > LONGEST_NAME for part in parts):
        raise NameInvalid("There is no such file.", remedy="Choose one from the list.")
    if b"\0" in path or len(path) > LONGEST_PATH:
        raise NameInvalid("There is no such file.", remedy="Choose one from the list.")
    return path


def name_of(text: str) -> bytes:
    """The name for a file that is taken in; raises NameInvalid.

    Some browsers send the whole path that it has on the person's own computer.
    """
    name = text.replace("\\", "/").rpartition("/")[2].strip()
    encoded = name.encode("utf-8", "replace")
    if not name or name in (".", "..") or not name.isprintable() or len(encoded) > LONGEST_NAME:
        raise NameInvalid(
            "A file of this name cannot be taken in.", remedy="Give it a short, plain name first."
        )
    return encoded


def shown(name: bytes) -> str:
    """A name on one line; what cannot be shown is written as an escape."""
    text = name.decode("utf-8", "surrogateescape")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def disposition(name: bytes) -> str:
    """The header that makes a browser keep a file under its name, and never show it.

    RFC 6266; quote marks, line ends and bytes that are no text cannot leave the quoted part.
    """
    text = name.decode("utf-8", "replace")
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in text)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(text, safe='')}"
