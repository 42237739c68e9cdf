"""Our own tables: how their database is opened and migrated, and what one transaction is.

SQLite for one host, PostgreSQL for more; several processes may use either at the same time. All of
it waits for the database: call it in a thread where something else must go on meanwhile.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

# How often a transaction that met another one begins again.
_TRIES = 8
# Seconds that SQLite waits for another process to end its transaction.
_PATIENCE = 30.0
T = TypeVar("T")


def open_engine(url: str) -> sa.Engine:
    """The database at this SQLAlchemy URL; a file is closed to other accounts, but for the group of
    a folder that is made for one (set-group-ID, and writable by the group).

    Raises OSError when the file cannot be made; a server is asked at the first query only.
    """
    _close_to_others(url)
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    # A connection may be opened in one thread and used in another, never in two at once.
    engine = sa.create_engine(url, connect_args={"check_same_thread": False, "timeout": _PATIENCE})
    sa.event.listen(engine, "connect", _tune_sqlite)
    return engine


def migrate(engine: sa.Engine, scripts: Path, *, version_table: str = "alembic_version") -> None:
    """Bring the tables to the newest form; processes that do this at once do it in turn.

    Raises sqlalchemy.exc.SQLAlchemyError.
    """
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["version_table"] = version_table
    with closing(engine.connect()) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif engine.dialect.name == "postgresql":
            lock = sa.func.pg_advisory_xact_lock(zlib.crc32(version_table.encode()))
            connection.execute(sa.select(lock))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def in_transaction(
    engine: sa.Engine,
    write: Callable[[sa.Connection], T],
    *,
    away: Callable[[sa.exc.SQLAlchemyError], Exception],
) -> T:
    """All that `write` does, or nothing of it; again when another transaction was faster.

    Raises what `away` makes of a failure of the database, and whatever `write` raises.
    """
    for attempt in range(_TRIES):
        try:
            with engine.connect() as connection:
                if engine.dialect.name == "sqlite":
                    # Waits for its turn here; a lock that is only asked for later may be refused.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                result = write(connection)
                connection.commit()
                return result
        except sa.exc.IntegrityError as error:
            if attempt == _TRIES - 1:
                raise away(error) from error
        except sa.exc.SQLAlchemyError as error:
            raise away(error) from error
    raise AssertionError("unreachable: the last attempt returns or raises")


def first_line(error: Exception) -> str:
    """What the database said, without the statement."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _close_to_others(url: str) -> None:
    name = make_url(url).database
    if not url.startswith("sqlite") or not name or name == ":memory:":
        return
    folder = os.stat(os.path.dirname(os.path.abspath(name))).st_mode
    # Of a folder whose files are its group's, that group is one of ours: a hub and its service.
    shared = folder & stat.S_ISGID and folder & stat.S_IWGRP
    mode = 0o660 if shared else 0o600
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT, mode)
    try:
        # Only the owner may, and has; SQLite's files beside it have the same mode.
        if os.fstat(descriptor).st_uid == os.geteuid():
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _tune_sqlite(connection: Any, _record: object) -> None:
    # A write-ahead log survives a killed process and spares the event loop an fsync per write.
    with closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
