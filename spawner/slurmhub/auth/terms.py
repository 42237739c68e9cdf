"""Terms of use: what a person accepts once, version by version, before the hub is theirs to use."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from slurmhub.auth.assertion import Assertion
from slurmhub.errors import SlurmhubError
from slurmhub.language import LANGUAGES, SOURCE, language
from slurmhub.ledger import metadata

COOKIE = "slurmhub-terms"
"""Of a sign-in that waits for the terms to be accepted."""

PATIENCE = 1800.0
"""How long it waits, in seconds."""

_MOST_WAITING = 1000
_LONGEST = 100_000
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

accepted_terms = sa.Table(
    "slurmhub_terms_accepted",
    metadata,
    sa.Column("username", sa.Unicode(255), primary_key=True),
    sa.Column("version", sa.Unicode(64), primary_key=True),
    sa.Column("accepted", sa.Float, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
)


class TermsWrong(SlurmhubError):
    """The site's terms of use cannot be used."""


class TermsAwaited(Exception):
    """A person is who they are and allowed, and has yet to accept the terms."""


@dataclass(frozen=True)
class Terms:
    """A version of the terms, and its text in some languages; paragraphs are apart by a blank line.

    `version` is empty where the site has none.
    """

    version: str = ""
    texts: Mapping[str, str] | None = None

    @property
    def spoken(self) -> str:
        """The code of the language in which this request is shown them."""
        texts = self.texts or {}
        return next((one for one in (language(), SOURCE) if one in texts), next(iter(texts), ""))

    @property
    def paragraphs(self) -> list[str]:
        """The text in that language."""
        text = (self.texts or {}).get(self.spoken, "")
        return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def read_terms(said: Mapping[str, object]) -> Terms:
    """The site's terms, checked. Raises TermsWrong."""
    if not said:
        return Terms()
    version, text = said.get("version"), said.get("text")
    texts = text if isinstance(text, Mapping) else {SOURCE: text}
    usable = (
        set(said) == {"version", "text"}
        and isinstance(version, str)
        and _VERSION.fullmatch(version)
        and texts
        and set(texts) <= set(LANGUAGES)
        and all(isinstance(one, str) and 0 < len(one.strip()) <= _LONGEST for one in texts.values())
    )
    if not usable:
        raise TermsWrong(
            "c.ShibbolethAuthenticator.terms_of_use cannot be used.",
            remedy='It is, for example, {"version": "2031-1", "text": {"en": "...", "fr": "..."}}; '
            "the version is up to 64 letters, digits, '.', '_' and '-'.",
        )
    return Terms(str(version), {code: str(one) for code, one in texts.items()})


class Acceptances:
    """Who has accepted what, and when; never changed and never removed but with the person."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def has(self, username: str, version: str) -> bool:
        """Whether this person has accepted this version."""
        query = sa.select(accepted_terms.c.accepted).where(
            accepted_terms.c.username == username, accepted_terms.c.version == version
        )
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def add(self, username: str, version: str, shown_in: str) -> None:
        """Write down that this person accepts this version now, as it was shown in a language."""
        if not self.has(username, version):
            with self._engine.begin() as connection:
                connection.execute(
                    accepted_terms.insert().values(
                        username=username, version=version, accepted=time.time(), language=shown_in
                    )
                )


@dataclass(frozen=True)
class Waiting:
    """A sign-in that waits for the terms to be accepted, and where it was going."""

    assertion: Assertion
    username: str
    going_to: str
    since: float


class WaitingRoom:
    """Sign-ins that wait, by the value of their cookie. A restart forgets them: sign in again."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}

    def enter(self, assertion: Assertion, username: str, going_to: str) -> str:
        """Wait; returns the value of the cookie."""
        self._forget_old()
        cookie = secrets.token_urlsafe(32)
        self._waiting[cookie] = Waiting(assertion, username, going_to, time.monotonic())
        return cookie

    def find(self, cookie: str | None) -> Waiting | None:
        """Who waits under this cookie."""
        self._forget_old()
        return self._waiting.get(cookie or "")

    def leave(self, cookie: str | None) -> None:
        """Wait no longer."""
        self._waiting.pop(cookie or "", None)

    def leave_front(self, front_session: str) -> None:
        """Nobody of this session of the SP waits any longer."""
        for cookie, one in list(self._waiting.items()):
            if one.assertion.session == front_session:
                del self._waiting[cookie]

    def _forget_old(self) -> None:
        oldest = time.monotonic() - PATIENCE
        kept = [(cookie, one) for cookie, one in self._waiting.items() if one.since > oldest]
        self._waiting = dict(kept[-_MOST_WAITING:])
