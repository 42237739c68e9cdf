"""A hub with the courses service, which all tests of a file share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.courses_service import GROUPS, ServiceUnderTest, service_settings
from tests.rig.hub import HubUnderTest


@pytest.fixture(scope="module")
def service(ground: Path, code: Path, proxy_command: list[str]) -> Iterator[ServiceUnderTest]:
    """The service, run by a hub with a proxy; there is no cluster."""
    folder = Path(tempfile.mkdtemp(prefix="s", dir=ground))
    settings, port, database = service_settings(folder, GROUPS)
    hub = HubUnderTest(folder, settings, proxy_command, code=code)
    try:
        hub.start()
        running = ServiceUnderTest(hub, database, port)
        running.wait()
        yield running
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)
