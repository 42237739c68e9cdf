"""The lab of somebody at a terminal: runs that are killed and run again, a browser over SOCKS."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.lab.fleet.client import HeldFleet
from tests.lab.whole.institution import Institution
from tests.lab.whole.operator import Operator
from tests.lab.whole.student import Student, browser_over_socks
from tests.rig.checkout import PROJECT
from tests.rig.hub import until

# In the middle of what takes its time, in every layer.
POINTS = (
    "base : Install packages",
    "directory_client : Install SSSD",
    "slurm_database : Install slurmdbd and MariaDB",
    "homes_server : Have the file system",
    "jupyter_environment : Have the environment",
    "hub : Have the hub's environment",
    "hub : Have the hub run",
    "prometheus : Install the package",
)


class ByHand:
    """What `script/lab up` made, and all that it said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = _lab("up", folder)

    @property
    def site(self) -> Institution:
        """The same, for tests."""
        return Institution(self.folder, HeldFleet("lab"))

    def types(self, line: str) -> str:
        """Type a line that it said, with the PATH that it said; what comes."""
        assert f"    {line}\n" in self.said, self.said
        path = re.findall(r"export PATH=(\S+):\$PATH", self.said)
        return _run(
            ["sh", "-c", line],
            cwd=self.folder,
            env={**os.environ, "PATH": f"{path[0]}:{os.environ['PATH']}"},
        )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    """A lab of empty hosts."""
    folder = tmp_path_factory.mktemp("hand") / "lab-site"
    try:
        yield ByHand(folder)
    finally:
        assert "The lab is gone." in _lab("down")


def test_what_it_says_can_be_typed(lab: ByHand) -> None:
    assert "site.yml" in lab.types("slurmhub check")


def test_a_run_that_is_killed_is_run_again_to_the_same_end(lab: ByHand) -> None:
    operator = Operator(lab.site)
    for point in POINTS:
        underway = operator.begin("up", "--yes", "--no-smoke")
        underway.wait_for_task(point)
        underway.kill()
    operator.run("up", "--yes", "--no-smoke")
    assert "knows the hub now" in lab.types(f"{PROJECT / 'script/lab'} register {lab.folder}")
    (line,) = re.findall(r"^    (.* slurmhub smoke .*)$", lab.said, re.MULTILINE)
    lab.types(line)
    assert "Nothing was changed." in operator.run("up", "--yes")


def test_a_browser_gets_there_over_socks(lab: ByHand, playwright: Playwright) -> None:
    (line,) = re.findall(r"^    (ssh .* -D \d+ hub)$", lab.said, re.MULTILINE)
    port = int(line.split()[-2])
    way = subprocess.Popen(line.split(), stdin=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port), what="the way over SOCKS")
        with browser_over_socks(playwright, port) as page:
            alice = Student(page, "alice")
            alice.sign_in()
            alice.start("Notebook")
            assert alice.computes("print(6 * 7)") == "42"
            alice.stop()
    finally:
        way.terminate()
        way.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def _lab(*argv: str | Path) -> str:
    return _run(["script/lab", *map(str, argv)], cwd=PROJECT, env=dict(os.environ))


def _run(argv: list[str], *, cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}"
    return done.stdout
