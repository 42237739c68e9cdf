"""What was intended and what became of it: the hub's own memory of every job.

The ledger is written before Slurm is asked for anything, so that a hub killed
at any point finds its jobs again. It has its own tables, apart from
JupyterHub's, so that a lost hub database loses no running server.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from slurmhub import metrics
from slurmhub.database import first_line, migrate, open_engine
from slurmhub.errors import SlurmhubError

metadata = sa.MetaData()

intents = sa.Table(
    "slurmhub_intent",
    metadata,
    sa.Column("nonce", sa.String(32), primary_key=True),
    sa.Column("username", sa.Unicode(255), nullable=False),
    sa.Column("server", sa.Unicode(255), nullable=False),
    sa.Column("account", sa.Unicode(255), nullable=False),
    sa.Column("uid", sa.BigInteger, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("script", sa.UnicodeText, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("deadline", sa.Float, nullable=False),
    sa.Column("job_id", sa.BigInteger, index=True),
    sa.Column("seen_under", sa.Unicode(1024)),
    sa.Column("restarts", sa.Integer, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("node", sa.Unicode(255)),
    sa.Column("address", sa.Unicode(255)),
    sa.Column("port", sa.Integer),
    sa.Column("cancel_requested", sa.Float),
    sa.Column("confirmed_gone", sa.Boolean, nullable=False),
    sa.Column("ended", sa.Float),
    sa.Column("outcome", sa.JSON),
    sa.Column("usage", sa.JSON),
    sa.Column("time_limit", sa.Integer),
    sa.Column("extended", sa.Integer, nullable=False, server_default="0"),
    sa.Column("alternative_to", sa.String(32)),
    sa.Column("idle_warned", sa.Float),
    sa.Index("slurmhub_intent_server", "username", "server"),
)

accepted_options = sa.Table(
    "slurmhub_accepted_options",
    metadata,
    sa.Column("username", sa.Unicode(255), primary_key=True),
    sa.Column("server", sa.Unicode(255), primary_key=True),
    sa.Column("options", sa.JSON, nullable=False),
)

presets = sa.Table(
    "slurmhub_preset",
    metadata,
    sa.Column("username", sa.Unicode(255), primary_key=True),
    sa.Column("name", sa.Unicode(64), primary_key=True),
    sa.Column("options", sa.JSON, nullable=False),
)

notices = sa.Table(
    "slurmhub_notice",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("partition", sa.Unicode(255)),
    sa.Column("text", sa.UnicodeText, nullable=False),
    sa.Column("drains", sa.Boolean, nullable=False),
    sa.Column("since", sa.Float),
    sa.Column("until", sa.Float),
    sa.Column("author", sa.Unicode(255), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)

# One row for each POSIX account that was ever given or matched; none is ever deleted, so that a
# name and a number belong to one person for ever. The states are in slurmhub.auth.people.
people = sa.Table(
    "slurmhub_person",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Unicode(255), nullable=False, unique=True),
    sa.Column("uid", sa.BigInteger, unique=True),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("token", sa.String(32)),
    sa.Column("created", sa.Float),
    sa.Column("seen", sa.Float),
)

# One subject of one identity provider, by entityID; an administrator may link several to a person.
identities = sa.Table(
    "slurmhub_identity",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("person", sa.Integer, sa.ForeignKey("slurmhub_person.id"), nullable=False),
    sa.Column("idp", sa.Unicode(1024), nullable=False),
    sa.Column("linked", sa.Boolean, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Index("slurmhub_identity_person", "person"),
)

# What identifies a subject. The digest is that of entityID, kind and value, and says that no two
# subjects have the same one, on every database.
identifiers = sa.Table(
    "slurmhub_identifier",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("identity", sa.Integer, sa.ForeignKey("slurmhub_identity.id"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("value", sa.Unicode(1024), nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Index("slurmhub_identifier_identity", "identity"),
)


class LedgerUnwritable(SlurmhubError):
    """The ledger's database refused a write, so nothing was asked of Slurm."""


@dataclass(frozen=True)
class Outcome:
    """How a job ended: a kind for metrics, and words for the person it ran for."""

    kind: str
    plain: str
    remedy: str
    detail: str = ""
    exit_code: int | None = None


@dataclass
class Intent:
    """One server that was asked for, from before its submission until Slurm confirms it gone.

    Times are seconds since the epoch. `job_id` is None until Slurm's answer was
    heard. `seen_under` is the fingerprint of Slurm's configuration under which
    this hub's account has seen the job. `address` and `port` are those of the
    announced server of incarnation `restarts`. `ended` says when the server was
    found gone; `confirmed_gone` says that Slurm itself agreed.

    `usage` is what the job last told of its use, `time_limit` its limit in minutes as Slurm has it
    now, `extended` how many minutes of that were granted later. `alternative_to` is the nonce of
    the job that this one is to replace once its server listens, None for what is the server.
    `idle_warned` is when its owner was told that the server is idle.
    """

    nonce: str
    username: str
    server: str
    account: str
    uid: int
    request: dict[str, Any]
    script: str
    deadline: float
    created: float = field(default_factory=time.time)
    job_id: int | None = None
    seen_under: str | None = None
    restarts: int = 0
    started: float | None = None
    node: str | None = None
    address: str | None = None
    port: int | None = None
    cancel_requested: float | None = None
    confirmed_gone: bool = False
    ended: float | None = None
    outcome: Outcome | None = None
    usage: dict[str, Any] | None = None
    time_limit: int | None = None
    extended: int = 0
    alternative_to: str | None = None
    idle_warned: float | None = None

    @property
    def live(self) -> bool:
        """True while this is the server its owner has: neither ended nor being cancelled."""
        return self.ended is None and self.cancel_requested is None

    def serves(self, username: str, server: str) -> bool:
        """True while this is that server, and not a mere alternative to the job that is."""
        ours = (self.username, self.server) == (username, server)
        return ours and self.live and self.alternative_to is None


# An ended server's outcome is kept until its next start, and at most this long.
RETENTION_SECONDS = 90 * 24 * 3600


class Ledger:
    """The tables behind `Intent` and the last accepted options.

    A new intent that cannot be written raises `LedgerUnwritable`: nothing may
    be submitted that a killed hub would forget. What is learnt later is kept in
    memory and written again at the next chance, so a full disk loses nothing
    that the hub still knows.
    """

    def __init__(self, url: str, *, log: logging.Logger) -> None:
        self._log = log
        self._unsaved: dict[str, Intent] = {}
        self._engine = _opened(url)
        self._url = url
        self._migrate()

    def close(self) -> None:
        """Give the database connections back."""
        self._engine.dispose()

    @property
    def engine(self) -> sa.Engine:
        """The database, for what has a table here and a module of its own."""
        return self._engine

    def begin(self, intent: Intent) -> None:
        """Write a new intent down; raises `LedgerUnwritable` when that fails."""
        try:
            with self._engine.begin() as connection:
                connection.execute(intents.insert().values(_row(intent)))
        except sa.exc.SQLAlchemyError as error:
            raise LedgerUnwritable(
                f"The hub could not write to its job ledger ({first_line(error)}), "
                "so no job was submitted.",
                remedy="Please tell the operator: the disk of the hub may be full.",
            ) from error

    def hold(self, intent: Intent) -> None:
        """Take an intent into the next write, so that two are changed at once or neither is."""
        self._unsaved[intent.nonce] = intent

    def note(self, intent: Intent) -> None:
        """Write down what was learnt of an intent; kept for later when the write fails."""
        self._unsaved[intent.nonce] = intent
        self.flush()

    def flush(self) -> None:
        """Write everything that an earlier failure left unwritten."""
        if not self._unsaved:
            return
        try:
            with self._engine.begin() as connection:
                for intent in self._unsaved.values():
                    connection.execute(
                        intents.update().where(intents.c.nonce == intent.nonce).values(_row(intent))
                    )
        except sa.exc.SQLAlchemyError as error:
            metrics.LEDGER_UNWRITTEN.set(len(self._unsaved))
            self._log.error(
                "The job ledger at %s could not be written (%s). %d entries are kept in memory "
                "and tried again; free the disk or restore the database before restarting the hub.",
                make_url(self._url).render_as_string(hide_password=True),
                first_line(error),
                len(self._unsaved),
            )
        else:
            self._unsaved.clear()
            metrics.LEDGER_UNWRITTEN.set(0)

    def open_intents(self) -> list[Intent]:
        """Every intent that Slurm has not yet confirmed gone, oldest first."""
        query = (
            sa.select(intents)
            .where(intents.c.confirmed_gone.is_(False))
            .order_by(intents.c.created)
        )
        return self._read(query)

    def last(self, username: str, server: str) -> Intent | None:
        """The newest intent of this server, running or ended.

        One that is or was only an alternative to another never became the server.
        """
        query = (
            sa.select(intents)
            .where(
                intents.c.username == username,
                intents.c.server == server,
                intents.c.alternative_to.is_(None),
            )
            .order_by(intents.c.created.desc())
            .limit(1)
        )
        found = self._read(query)
        return found[0] if found else None

    def accepted(self, username: str, server: str) -> dict[str, Any] | None:
        """The options this server was last accepted with."""
        query = sa.select(accepted_options.c.options).where(
            accepted_options.c.username == username, accepted_options.c.server == server
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return dict(row.options) if row else None

    def accept(self, username: str, server: str, options: Mapping[str, Any]) -> None:
        """Keep options that passed validation, for the next form of this server.

        Only a convenience is lost when they cannot be written.
        """
        key = (accepted_options.c.username == username) & (accepted_options.c.server == server)
        try:
            with self._engine.begin() as connection:
                connection.execute(accepted_options.delete().where(key))
                row = {"username": username, "server": server, "options": dict(options)}
                connection.execute(accepted_options.insert().values(row))
        except sa.exc.SQLAlchemyError as error:
            self._log.error("The last options could not be kept (%s).", first_line(error))

    def forget_old(self) -> int:
        """Delete what ended longer ago than the retention; returns how many."""
        before = time.time() - RETENTION_SECONDS
        with self._engine.begin() as connection:
            result = connection.execute(
                intents.delete().where(intents.c.confirmed_gone.is_(True), intents.c.ended < before)
            )
        return int(result.rowcount)

    def _read(self, query: sa.Select[Any]) -> list[Intent]:
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [self._unsaved.get(row["nonce"]) or _intent(dict(row)) for row in rows]

    def _migrate(self) -> None:
        try:
            migrate(self._engine, Path(__file__).parent / "migrations")
        except sa.exc.OperationalError as error:
            raise LedgerUnwritable(
                f"The job ledger {self._engine.url.render_as_string()} cannot be opened "
                f"({first_line(error)}).",
                remedy="Check c.SlurmHubSpawner.ledger_url and that the hub's account may "
                "write there.",
            ) from error


def _opened(url: str) -> sa.Engine:
    try:
        return open_engine(url)
    except OSError as error:
        raise LedgerUnwritable(
            f"The job ledger {make_url(url).database} cannot be opened ({error.strerror}).",
            remedy="Check c.SlurmHubSpawner.ledger_url and that the hub's account may write there.",
        ) from error


def _row(intent: Intent) -> dict[str, Any]:
    row = {item.name: getattr(intent, item.name) for item in fields(intent)}
    row["outcome"] = asdict(intent.outcome) if intent.outcome else None
    row["request"] = json.loads(json.dumps(intent.request))
    return row


def _intent(row: Mapping[str, Any]) -> Intent:
    values = dict(row)
    outcome = values.pop("outcome")
    return replace(Intent(**values), outcome=Outcome(**outcome) if outcome else None)
