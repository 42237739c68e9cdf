"""The demo's folders, its lock, and who can run what."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from slurmhub_deploy.demo import reach
from slurmhub_deploy.demo.places import Places, make_state, own_places
from slurmhub_deploy.demo.run import AlreadyRunning, check_port, locked, running
from slurmhub_deploy.errors import DeployError


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "cache", tmp_path / "state", root=False)


def test_root_shares_and_others_keep_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert own_places().cache == Path("/var/cache/slurmhub")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/jo/caches")
    found = own_places()
    assert found.cache == Path("/home/jo/caches/slurmhub")
    assert found.state == Path("/tmp/slurmhub-demo-1000")


def test_the_state_of_an_ordinary_account_is_closed(places: Places) -> None:
    make_state(places)
    make_state(places)
    assert places.state.stat().st_mode & 0o777 == 0o700


def test_a_link_in_the_place_of_the_state_is_refused(places: Places, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    places.state.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeployError, match="not this account's folder"):
        make_state(places)


def test_a_second_demo_is_refused_and_the_first_lock_can_be_taken_again(places: Places) -> None:
    with locked(places), pytest.raises(AlreadyRunning, match="started or stopped"), locked(places):
        pass
    with locked(places):
        assert running(places) is None


def test_a_record_of_an_ended_process_is_no_running_demo(places: Places) -> None:
    make_state(places)
    places.record.write_text(
        '{"url": "http://127.0.0.1:1", "supervisor": {"pid": 1, "started": 7, "boot": "x"}}'
    )
    assert running(places) is None


def test_a_busy_port_names_the_next_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DeployError, match=f"Port {port} is not to be had") as caught:
            check_port(port)
    assert caught.value.remedy == f"Choose another: script/demo --port {port + 1}"
    check_port(port)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask for another account")
def test_what_keeps_others_from_an_interpreter_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "python3"
    program.symlink_to("/usr/bin/true")
    link = tmp_path / "python3"
    link.symlink_to(program)
    for folder in [tmp_path, *tmp_path.parents]:
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    with pytest.raises(DeployError, match=f"{closed} does not let them"):
        reach.check_others_can_run(link, uid=65534, gid=65534)
    closed.chmod(0o755)
    reach.check_others_can_run(link, uid=65534, gid=65534)
