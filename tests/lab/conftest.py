"""One fresh host for the tests of this folder: they meet it in the order of their names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.host import Host


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """A Debian 12 that has just been installed."""
    host = Host(Path(tempfile.mkdtemp(prefix="shub-host-", dir="/tmp")))
    try:
        host.boot()
        yield host
    finally:
        host.remove()
