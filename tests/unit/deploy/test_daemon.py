"""A program in the foreground: recorded, waited for, ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from slurmhub_deploy.daemon import Daemon
from slurmhub_deploy.errors import DeployError


def daemon(folder: Path, *argv: str) -> Daemon:
    return Daemon("thing", argv, folder / "record", folder / "log", folder, umask=0o077)


def test_another_object_ends_what_the_first_started(tmp_path: Path) -> None:
    daemon(tmp_path, "sleep", "60").start({"PATH": "/usr/bin:/bin"})
    later = daemon(tmp_path)
    process = later.process()
    assert process is not None
    later.stop()
    assert not process.alive()
    assert later.process() is None
    assert not (tmp_path / "record").exists()


def test_it_runs_in_a_session_of_its_own_with_a_clean_environment(tmp_path: Path) -> None:
    thing = daemon(tmp_path, "sh", "-c", "ps -o sid= -p $$; echo $$; umask; env; exec sleep 60")
    thing.start({"PATH": "/usr/bin:/bin", "LANG": "C"})
    try:
        thing.wait_for(lambda: "LANG=C" in thing.last_words(99), seconds=5, what="it spoke")
        words = thing.last_words(99).split(" / ")
        assert words[0].strip() == words[1]
        assert words[2] == "0077"
        assert not any(word.startswith("HOME=") for word in words)
    finally:
        thing.stop()


def test_an_early_death_is_told_with_its_last_words(tmp_path: Path) -> None:
    thing = daemon(tmp_path, "sh", "-c", "echo 'no such key'; exit 3")
    thing.start({"PATH": "/usr/bin:/bin"})
    with pytest.raises(DeployError, match=r"thing ended before it answered\..*no such key"):
        thing.wait_for(lambda: False, seconds=5, what="it answered")


def test_one_that_is_never_ready_is_told_apart_from_a_dead_one(tmp_path: Path) -> None:
    thing = daemon(tmp_path, "sleep", "60")
    thing.start({"PATH": "/usr/bin:/bin"})
    try:
        with pytest.raises(DeployError, match="thing has run for 0 s before it answered"):
            thing.wait_for(lambda: False, seconds=0.1, what="it answered")
    finally:
        thing.stop()


def test_a_missing_program_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="/nowhere/slurmd is not there") as caught:
        daemon(tmp_path, "/nowhere/slurmd").start({})
    assert "Install" in caught.value.remedy
