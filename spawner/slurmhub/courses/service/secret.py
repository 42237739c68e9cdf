"""The service's own secret, which outlives its token: join codes and cookies hang on it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url

from slurmhub.courses.service.place import ServiceUnusable
from slurmhub.keys import load_key


def load_secret(file: Path | None, database: str) -> bytes:
    """The secret in this file, made if it is not there; else in one beside an SQLite database.

    Raises ServiceUnusable, KeyUnusable.
    """
    if file is None:
        url = make_url(database)
        if not url.drivername.startswith("sqlite") or url.database in (None, "", ":memory:"):
            raise ServiceUnusable(
                "The settings name no secret_file, and the database is no file beside which the "
                "secret could be.",
                remedy="Name a file, which is made, in a folder of the service's account.",
            )
        file = Path(f"{url.database}.key")
    return load_key(file)
