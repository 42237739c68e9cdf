"""One hub for all attacks of a module."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker, hub_settings
from tests.rig.hub import HubUnderTest


@pytest.fixture(scope="module")
def open_hub(ground: Path, stub: Path, proxy_command: list[str]) -> Iterator[HubMaker]:
    """Start hubs that live as long as the module."""
    with ExitStack() as stack:

        def start(cluster: EmbeddedCluster, extra: str = "", **options: object) -> HubUnderTest:
            folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
            hub = HubUnderTest(
                folder,
                hub_settings(cluster, stub, extra),
                proxy_command,
                **options,  # type: ignore[arg-type]
            )
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.callback(hub.stop)
            hub.start()
            return hub

        yield start
