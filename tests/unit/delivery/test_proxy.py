"""The archive of the proxy, with a program that stands for npm."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import pytest

from slurmhub_deploy.delivery.proxy import proxy_archive, proxy_digest
from slurmhub_deploy.errors import DeployError

_NPM = """#!/bin/sh
test "$1" = ci -a -f package-lock.json || exit 7
mkdir -p node_modules/.bin node_modules/some/bin
touch node_modules/.package-lock.json
echo 1 >node_modules/some/bin/run && chmod 700 node_modules/some/bin/run
ln -s ../some/bin/run node_modules/.bin/run
"""


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program, in an environment of its own."""
    program = tmp_path / "bin/npm"
    program.parent.mkdir()
    program.write_text(_NPM)
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program.parent / "python"))
    return program


def test_one_lock_is_one_archive(npm: Path, tmp_path: Path) -> None:
    archive = proxy_archive(tmp_path / "cache")
    assert archive.parent.name == f"proxy-{proxy_digest()}"
    npm.write_text("#!/bin/sh\nexit 1\n")
    assert proxy_archive(tmp_path / "cache") == archive
    assert not list((tmp_path / "cache").glob(".building-*"))


def test_everybody_may_read_it_and_its_mark_comes_last(npm: Path, tmp_path: Path) -> None:
    with tarfile.open(proxy_archive(tmp_path)) as archive:
        entries = {entry.name: entry for entry in archive}
    assert list(entries)[-1] == "node_modules/.package-lock.json"
    run = entries["node_modules/some/bin/run"]
    assert (run.uid, run.uname, run.mode) == (0, "root", 0o755)
    assert entries["node_modules/.bin/run"].linkname == "../some/bin/run"


def test_npm_that_fails(npm: Path, tmp_path: Path) -> None:
    npm.write_text("#!/bin/sh\necho no such registry >&2\nexit 1\n")
    with pytest.raises(DeployError, match="no such registry"):
        proxy_archive(tmp_path)
    assert not list(tmp_path.glob("proxy-*/*"))


def test_no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(DeployError, match="npm is not installed on this machine"):
        proxy_archive(tmp_path)
