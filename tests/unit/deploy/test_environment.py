"""Environments are made once, and never half."""

from __future__ import annotations

import ast
import os
import time
from pathlib import Path

import pytest

from slurmhub_deploy.demo import environment
from slurmhub_deploy.demo.environment import Workshop, proxy_command
from slurmhub_deploy.errors import DeployError

PROJECT = Path(__file__).parents[3]


class Npm:
    """Stands for npm: writes what `npm ci` would, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.calls = 0
        self.fails = fails

    def __call__(self, argv: list[str], *, what: str, remedy: str, cwd: Path | None = None) -> None:
        self.calls += 1
        assert argv[:2] == ["npm", "ci"]
        assert cwd is not None
        assert (cwd / "package-lock.json").exists()
        if self.fails:
            raise DeployError(what, remedy=remedy)
        (cwd / "node_modules").mkdir()


@pytest.fixture(autouse=True)
def nothing_shared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "SHARED_CACHE", tmp_path / "shared")


def workshop(tmp_path: Path, npm: Npm) -> Workshop:
    return Workshop(tmp_path / "cache", Path("/usr/bin/python3"), npm, lambda _: None)


def test_the_second_time_nothing_is_made(tmp_path: Path) -> None:
    npm = Npm()
    first = proxy_command(workshop(tmp_path, npm))
    assert proxy_command(workshop(tmp_path, npm)) == first
    assert npm.calls == 1
    assert Path(first[1]).is_relative_to(tmp_path / "cache")


def test_what_failed_leaves_nothing_and_is_tried_again(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="could not be installed"):
        proxy_command(workshop(tmp_path, Npm(fails=True)))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["proxy.lock"]
    npm = Npm()
    proxy_command(workshop(tmp_path, npm))
    assert npm.calls == 1


def test_one_that_was_killed_while_it_was_made_is_made_anew(tmp_path: Path) -> None:
    made = Path(proxy_command(workshop(tmp_path, Npm()))[1]).parents[3]
    (made / "complete").unlink()
    (made / "node_modules").rmdir()
    npm = Npm()
    proxy_command(workshop(tmp_path, npm))
    assert npm.calls == 1


def test_what_was_not_used_for_weeks_is_removed(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for name, days in (("proxy-old", 15), ("proxy-new", 13), ("hub-old", 15)):
        (cache / name).mkdir(parents=True)
        (cache / name / "complete").touch()
        then = time.time() - days * 86400
        os.utime(cache / name / "complete", (then, then))
    made = Path(proxy_command(workshop(tmp_path, Npm()))[1]).parents[3]
    kept = {path.name for path in cache.iterdir() if path.is_dir()}
    assert kept == {"proxy-new", "hub-old", made.name}


def test_what_root_made_serves_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    monkeypatch.setattr(environment, "SHARED_CACHE", tmp_path / "nothing")
    made = Path(proxy_command(Workshop(shared, Path("x"), Npm(), lambda _: None))[1])
    monkeypatch.setattr(environment, "SHARED_CACHE", shared)
    npm = Npm()
    found = Path(proxy_command(workshop(tmp_path, npm))[1])
    if shared.stat().st_uid == 0:
        assert (found, npm.calls) == (made, 0)
    else:
        assert found.is_relative_to(tmp_path / "cache")


def test_no_lock_names_a_package_index() -> None:
    locks = [*(PROJECT / "requirements").glob("*.lock"), PROJECT / "package-lock.json"]
    assert len(locks) == 6
    for lock in locks:
        text = lock.read_text()
        assert '"resolved"' not in text
        assert "index-url" not in text
        assert "find-links" not in text


def test_no_environment_pays_for_checks_of_iris() -> None:
    for name in ("hub", "jupyter", "dev"):
        lock = (PROJECT / "requirements" / f"{name}.lock").read_text()
        assert "rfc3987-syntax==" not in lock
        assert "jsonschema==" in lock


def test_every_package_of_the_locks_has_a_hash() -> None:
    for name in ("hub", "jupyter", "dev"):
        lines = (PROJECT / "requirements" / f"{name}.lock").read_text().splitlines()
        packages = [i for i, line in enumerate(lines) if "==" in line and line[0].isalnum()]
        assert packages
        assert all(lines[i + 1].strip().startswith("--hash=sha256:") for i in packages)


def test_what_runs_in_the_job_imports_nothing_of_ours() -> None:
    source = (PROJECT / "deploy/slurmhub_deploy/demo/singleuser.py").read_text()
    names = [
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    ]
    assert names
    assert not any(name and name.startswith("slurmhub") for name in names)
