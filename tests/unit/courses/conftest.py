"""Every test of the store runs on SQLite; with SLURMHUB_TEST_POSTGRESQL=yes on PostgreSQL, too.

`script/test` sets it, and installs PostgreSQL; `script/test --fast` does not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from slurmhub.courses.store import Courses, open_courses
from slurmhub.courses.tables import metadata, revision
from tests.rig.postgresql import postgresql
from tests.unit.courses.world import POLICY, Clock

KINDS = ["sqlite", "postgresql"] if os.environ.get("SLURMHUB_TEST_POSTGRESQL") else ["sqlite"]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """One PostgreSQL for all tests."""
    with postgresql() as url:
        open_courses(url, POLICY).close()
        yield url


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without courses."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/courses.sqlite"
    found: str = request.getfixturevalue("server")
    engine = sa.create_engine(found)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        connection.execute(revision.insert().values(id=1, number=0))
    engine.dispose()
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def courses(url: str, clock: Clock) -> Iterator[Courses]:
    found = open_courses(url, POLICY, clock=clock)
    yield found
    found.close()
