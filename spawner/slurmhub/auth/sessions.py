"""Who is signed in: each browser's session on its own, so that each can end on its own.

JupyterHub's own cookie is the same for all browsers of a person and good until it expires, also
after a sign-out. So each sign-in gets a second, random cookie, of which the hub keeps a digest
with what it is good for; when the session ends, both are worth nothing. The table survives a
restart of the hub, and a logout that the front reports finds the session by the front's own id.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from slurmhub.ledger import metadata

COOKIE = "slurmhub-session"
"""Its path is the hub's, so that no person's server ever gets it."""

sessions = sa.Table(
    "slurmhub_session",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("username", sa.Unicode(255), nullable=False),
    sa.Column("front_session", sa.Unicode(255), nullable=False),
    sa.Column("hub_session", sa.String(64), nullable=False),
    sa.Column("terms", sa.Unicode(64), nullable=False),
    sa.Column("began", sa.Float, nullable=False),
    sa.Index("slurmhub_session_front", "front_session"),
)

# A sign-in takes no longer than this, also when an account is made for it.
_OVER_SECONDS = 3600.0


@dataclass(frozen=True)
class Session:
    """One browser in which one person is signed in.

    `digest` is that of the cookie, `front_session` the SP's id, `hub_session` what JupyterHub
    knows the tokens of this browser by, `terms` the version that was accepted when it `began`, in
    seconds since the epoch.
    """

    digest: str
    username: str
    front_session: str
    hub_session: str
    terms: str
    began: float


class Sessions:
    """The sessions that live. `lifetime` is in seconds, `terms` the version that must be accepted.

    All of them are in memory too, since each request of a browser asks.
    """

    def __init__(self, engine: sa.Engine, *, lifetime: float, terms: str = "") -> None:
        self._engine = engine
        self._lifetime = lifetime
        self._terms = terms
        with engine.connect() as connection:
            rows = connection.execute(sa.select(sessions)).mappings().all()
        self._live = {row["digest"]: Session(**row) for row in rows}
        self._unwritten: set[str] = set()
        self._over: dict[str, float] = {}

    def begin(self, username: str, *, front_session: str, hub_session: str) -> str:
        """A new session of this person; returns the value of its cookie.

        Raises SQLAlchemyError when it cannot be written down.
        """
        cookie = secrets.token_urlsafe(32)
        session = Session(
            digest=_digest(cookie),
            username=username,
            front_session=front_session,
            hub_session=hub_session,
            terms=self._terms,
            began=time.time(),
        )
        with self._engine.begin() as connection:
            connection.execute(sessions.insert().values(asdict(session)))
        self._live[session.digest] = session
        return cookie

    def find(self, cookie: str | None) -> Session | None:
        """The living session of this cookie."""
        session = self._live.get(_digest(cookie)) if cookie else None
        return session if session is not None and self._holds(session) else None

    def over(self, front_session: str) -> list[Session]:
        """The SP has ended this session: those that began with it, and none will any more."""
        now = time.monotonic()
        self._over = {one: at for one, at in self._over.items() if now - at < _OVER_SECONDS}
        self._over[front_session] = now
        return [one for one in self._live.values() if one.front_session == front_session]

    def is_over(self, front_session: str) -> bool:
        """Whether the SP has just ended this session, perhaps while it led to a sign-in."""
        return front_session in self._over

    def of_person(self, username: str) -> list[Session]:
        """Every session of a person."""
        return [one for one in self._live.values() if one.username == username]

    def overdue(self) -> list[Session]:
        """Those that are too old, or whose person has not accepted the terms as they are now."""
        return [one for one in self._live.values() if not self._holds(one)]

    def end(self, ended: Iterable[Session]) -> None:
        """Let these be over from this moment on.

        Raises SQLAlchemyError when that cannot be written down; in memory they are over then, too,
        and `flush` tries again.
        """
        for session in ended:
            self._live.pop(session.digest, None)
            self._unwritten.add(session.digest)
        self.flush()

    def flush(self) -> None:
        """Write down every end that is not written yet. Raises SQLAlchemyError."""
        if self._unwritten:
            with self._engine.begin() as connection:
                connection.execute(
                    sessions.delete().where(sessions.c.digest.in_(sorted(self._unwritten)))
                )
            self._unwritten.clear()

    def _holds(self, session: Session) -> bool:
        age = time.time() - session.began
        # A clock that was set back must not make a session last for ever.
        return session.terms == self._terms and -60 <= age < self._lifetime


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
