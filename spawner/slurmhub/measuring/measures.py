"""What was counted of each open job: kept beside the ledger, so that it is counted once.

Counters begin at 0 with each hub process, as Prometheus expects; what the last process had counted
is not counted again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from slurmhub.ledger import metadata

measured = sa.Table(
    "slurmhub_measured",
    metadata,
    sa.Column("nonce", sa.String(32), primary_key=True),
    sa.Column("ready", sa.Float),
    sa.Column("until", sa.Float),
    sa.Column("restarts", sa.Integer, nullable=False),
    sa.Column("cpu_seconds", sa.Float, nullable=False),
)


@dataclass
class Measured:
    """One open job: `ready` is when the hub first served it, None until then.

    What it had and used is counted up to `until`, with `cpu_seconds` of the job's incarnation
    `restarts`. Times are seconds since the epoch.
    """

    nonce: str
    ready: float | None = None
    until: float | None = None
    restarts: int = 0
    cpu_seconds: float = 0.0


class Measures:
    """The measures of all open jobs, by their nonce.

    What cannot be written is kept and written later; only a hub that ends meanwhile counts it
    twice.
    """

    def __init__(self, engine: sa.Engine, *, log: logging.Logger) -> None:
        self._engine = engine
        self._log = log
        self._known: dict[str, Measured] = {}
        self._stored: set[str] = set()
        self._changed: set[str] = set()

    def begin(self, open_nonces: Collection[str]) -> None:
        """Read what the last hub counted of these jobs, and forget all others."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(measured)).mappings().all()
        self._stored = {row["nonce"] for row in rows}
        found = [Measured(**row) for row in rows if row["nonce"] in open_nonces]
        self._known = {each.nonce: each for each in found}
        self._changed = self._stored - self._known.keys()

    def of(self, nonce: str) -> Measured:
        """What is counted of a job so far."""
        return self._known.setdefault(nonce, Measured(nonce))

    def knows(self, nonce: str) -> bool:
        """Whether anything of a job was written down."""
        return nonce in self._known

    def changed(self, nonce: str) -> None:
        """What is counted of a job was changed: it is written with the next `flush`."""
        self._changed.add(nonce)

    def forget(self, nonce: str) -> None:
        """A job is gone; nothing of it will be counted any more."""
        self._known.pop(nonce, None)
        self._changed.add(nonce)

    def flush(self) -> None:
        """Write all changes, in one transaction."""
        if not self._changed:
            return
        kept = [asdict(self._known[nonce]) for nonce in self._changed if nonce in self._known]
        old = [{"of": nonce} for nonce in self._changed & self._stored]
        try:
            with self._engine.begin() as connection:
                if old:
                    key = measured.c.nonce == sa.bindparam("of")
                    connection.execute(measured.delete().where(key), old)
                if kept:
                    connection.execute(measured.insert(), kept)
        except sa.exc.SQLAlchemyError as error:
            self._log.debug("What was counted of %d jobs is written later: %s", len(kept), error)
            return
        self._stored = (self._stored - self._changed) | {row["nonce"] for row in kept}
        self._changed.clear()
