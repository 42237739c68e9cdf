"""The tag by which the hub finds its jobs again: a job's comment.

A tag helps to find jobs and proves nothing, since owners can edit comments.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from slurmhub.errors import SlurmhubError

_PREFIX = "slurmhub:v1:"
_NONCE = re.compile(r"[0-9a-f]{32}")
# slurmctld refuses a comment of more than 1024 characters; three names, a nonce and the
# prefix must fit, whatever the names are.
_LONGEST_NAME = 300


class BadTag(SlurmhubError):
    """A tag was to be made from a nonce that is none."""


@dataclass(frozen=True)
class JobTag:
    """Whose server a job is: the hub's name, the user's, the server's ("" is the default one).

    `nonce` is 32 hex digits, one per submission. Raises BadTag for another nonce.
    """

    hub: str
    user: str
    server: str
    nonce: str

    def __post_init__(self) -> None:
        if not _NONCE.fullmatch(self.nonce):
            raise BadTag(
                f"A job's nonce must be 32 hex digits, not {self.nonce[:40]!r}.",
                remedy="Make it with secrets.token_hex(16).",
            )

    def comment(self) -> str:
        """The text for sbatch's --comment: ASCII without spaces or quotes, at most 1024 long."""
        names = ":".join(_encoded(name) for name in (self.hub, self.user, self.server))
        return f"{_PREFIX}{names}:{self.nonce}"

    @classmethod
    def from_comment(cls, text: str) -> JobTag | None:
        """The tag in a job's comment; None if it is no tag of ours.

        A name that was too long for a comment comes back as "~" and its digest, as `comment`
        wrote it: compare such tags by their nonce.
        """
        if not text.startswith(_PREFIX):
            return None
        fields = text[len(_PREFIX) :].split(":")
        if len(fields) != 4 or not _NONCE.fullmatch(fields[3]):
            return None
        try:
            hub, user, server = (unquote(field, errors="surrogatepass") for field in fields[:3])
        except UnicodeDecodeError:
            return None
        return cls(hub=hub, user=user, server=server, nonce=fields[3])


def _encoded(name: str) -> str:
    raw = name.encode("utf-8", "surrogatepass")
    # "~" is ours: it starts the digest that stands for a name too long to carry.
    text = quote(raw, safe="").replace("~", "%7E")
    if len(text) <= _LONGEST_NAME:
        return text
    return "~" + hashlib.sha256(raw).hexdigest()
