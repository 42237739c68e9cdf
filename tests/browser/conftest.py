"""A cluster and a hub for the whole folder, a Chromium, and people who use it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import standard_plan
from tests.browser.axe import Axe
from tests.browser.guest import PATIENCE, Guest
from tests.conftest import hub_settings, running_cluster
from tests.rig import queue
from tests.rig.accounts import PREFIX
from tests.rig.hub import HubUnderTest

expect.set_options(timeout=PATIENCE)

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = {"width": 1280, "height": 720}

# Every test has hub users of its own, so that none sees what another left: "alice-links" works as
# alice, and what follows the name says which server is started. Only plain names get JupyterLab.
SETTINGS = """
import asyncio


async def _server(spawner):
    kind = spawner.user.name.partition("-")[2]
    if not kind:
        spawner.cmd = [{jupyter!r}]
        spawner.default_url = "/lab"
        spawner.environment = {{"JUPYTER_CONFIG_PATH": {config!r}}}
    elif kind == "dies":
        spawner.environment = {{"STUB_BEHAVIOUR": "dies"}}
    elif kind == "saves":
        spawner.environment = {{"STUB_SAVES_FOR": "6"}}
    elif kind == "slow":
        await asyncio.sleep(4)
    elif kind == "breaks":
        await asyncio.sleep(1.5)
        raise RuntimeError("a hook of the site")
    elif kind == "stumbles":
        raise RuntimeError("a hook of the site")


c.Spawner.pre_spawn_hook = _server
c.SlurmHubSpawner.files_page = True
c.SlurmHubSpawner.unix_account = lambda name: {prefix!r} + name.partition("-")[0]
"""

# A JupyterLab that asks nothing of hosts on the internet, and does not ask whether it may.
JUPYTER = {
    "jupyter_server_config.json": {
        "LabApp": {
            "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "extension_manager": "readonly",
            "news_url": None,
        }
    },
    "labconfig/page_config.json": {
        "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}
    },
}


@pytest.fixture(scope="package")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """One cluster for all tests of this folder, with fast scheduling."""
    with running_cluster(ground, standard_plan) as running:
        yield running


@pytest.fixture(scope="package")
def jupyter() -> Path:
    """The single-user server to start: script/test says where, else that of this environment."""
    named = os.environ.get("SLURMHUB_TEST_JUPYTER")
    program = Path(named) if named else Path(sys.executable).parent / "jupyterhub-singleuser"
    if not program.is_file():
        pytest.fail(
            f"There is no single-user server at {program}. "
            "Set SLURMHUB_TEST_JUPYTER to the one that jobs shall start."
        )
    return program


@pytest.fixture(scope="package")
def jupyter_config(ground: Path) -> Path:
    """A folder of Jupyter's configuration that every account can read."""
    folder = ground / "jupyter"
    for name, values in JUPYTER.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    return folder


@pytest.fixture(scope="package")
def shared_hub(
    cluster: EmbeddedCluster,
    ground: Path,
    stub: Path,
    jupyter: Path,
    jupyter_config: Path,
    proxy_command: list[str],
    code: Path,
) -> Iterator[HubUnderTest]:
    """One hub for all tests of this folder."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
    extra = SETTINGS.format(prefix=PREFIX, jupyter=str(jupyter), config=str(jupyter_config))
    hub = HubUnderTest(folder, hub_settings(cluster, stub, extra), proxy_command, code=code)
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def hub(shared_hub: HubUnderTest, cluster: EmbeddedCluster) -> Iterator[HubUnderTest]:
    """The hub, with an empty queue before and after the test."""
    queue.clear(cluster)
    yield shared_hub
    queue.clear(cluster)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; its profile is gone with it."""
    # Until the end of this folder and no longer: while Playwright runs, its event loop is that of
    # the whole thread, and tests elsewhere have their own.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


GuestMaker = Callable[..., Guest]


@pytest.fixture
def guest(chromium: Browser, hub: HubUnderTest, album: Path | None) -> Iterator[GuestMaker]:
    """Bring people to the hub, each with a browser profile of their own.

    At the end nobody's pages may have asked anything of another machine, or had an error.
    """
    with ExitStack() as stack:

        def bring(name: str, *, signed_in: bool = True, **options: Any) -> Guest:
            options.setdefault("viewport", WIDE)
            context = chromium.new_context(base_url=hub.url, **options)
            stack.callback(context.close)
            guest = Guest(context, hub, name, album)
            stack.callback(guest.check_manners)
            if signed_in:
                guest.visit("/hub/login")
                guest.sign_in()
            return guest

        yield bring


@pytest.fixture(scope="package")
def axe() -> Axe:
    """The accessibility checker; script/test says where its axe.min.js was installed."""
    named = os.environ.get("SLURMHUB_TEST_AXE", "")
    if not named or not Path(named).is_file():
        pytest.fail(
            "SLURMHUB_TEST_AXE does not name axe-core's axe.min.js. Install the npm package "
            "axe-core and set it to node_modules/axe-core/axe.min.js, as script/test does."
        )
    return Axe(Path(named).read_text())


@pytest.fixture(scope="package")
def album() -> Path | None:
    """Where pictures of the pages go, when SLURMHUB_TEST_SCREENSHOTS names a folder."""
    named = os.environ.get("SLURMHUB_TEST_SCREENSHOTS")
    if not named:
        return None
    folder = Path(named)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
