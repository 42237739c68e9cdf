"""One fresh host for the tests of this folder: they meet it in the order of their names."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Playwright, sync_playwright
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from tests.lab.host import Host
from tests.lab.site import Site
from tests.lab.whole.institution import HUB, Institution, institution
from tests.lab.whole.operator import Operator
from tests.lab.whole.student import Enter, Student, browser

_ON_ONE_HOST = ("test_fresh_debian.py", "test_front_host.py", "test_services.py")
_ON_ONE_SITE = "test_whole_"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests of one file stay together, and so do those that share a host, its name and ports."""
    if config.getvalue("dist") != "loadfile":
        return None
    scheduler = LoadFileScheduling(config, log)
    by_file = scheduler._split_scope

    def scope(nodeid: str) -> str:
        file = Path(by_file(nodeid))
        if file.parent.name == "lab" and file.name in _ON_ONE_HOST:
            return str(file.parent)
        if file.parent.name == "lab" and file.name.startswith(_ON_ONE_SITE):
            return str(file.parent / _ON_ONE_SITE)
        return str(file)

    scheduler._split_scope = scope
    return scheduler


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """A Debian 12 that has just been installed."""
    host = Host(Path(tempfile.mkdtemp(prefix="shub-host-", dir="/tmp")))
    try:
        host.boot()
        yield host
    finally:
        host.remove()


@pytest.fixture(scope="session")
def installed(host: Host) -> Site:
    """Slurm, hub and proxy on it, set up as the operators' page says."""
    site = Site(host)
    site.install()
    return site


@pytest.fixture(scope="module")
def site(installed: Site) -> Iterator[Site]:
    """Hub and proxy, running."""
    installed.start()
    yield installed
    installed.stop()


def _as_long_as_needed(fixture_name: str, config: pytest.Config) -> Literal["module", "session"]:
    """One site for all files of a run of its own; among all checks it makes room for others."""
    return "module" if config.getoption("numprocesses", None) else "session"


@pytest.fixture(scope=_as_long_as_needed)
def whole() -> Iterator[Institution]:
    """Empty hosts and an institution's sign-in, with a folder for the operator."""
    with institution(f"test-{os.getpid()}") as prepared:
        yield prepared


@pytest.fixture(scope=_as_long_as_needed)
def up(whole: Institution, record_testsuite_property: Callable[[str, object], None]) -> Operator:
    """The hosts are what the site file says, and the institution knows the hub."""
    operator = Operator(whole)
    began = time.monotonic()
    operator.run("up", "--yes", "--no-smoke")
    record_testsuite_property("up", round(time.monotonic() - began))
    assert whole.register() == 1
    return operator


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """What starts browsers: one at a time for each process, whatever the number of browsers."""
    with sync_playwright() as started:
        yield started


@pytest.fixture
def enter(up: Operator, whole: Institution, playwright: Playwright) -> Iterator[Enter]:
    """Have somebody sign in, each with a browser of their own; at the end their servers end."""
    with ExitStack() as stack:

        def signed_in(name: str, hub: str = HUB) -> Student:
            student = Student(stack.enter_context(browser(playwright, whole, hub)), name)
            student.sign_in()
            stack.callback(student.stop)
            return student

        yield signed_in
