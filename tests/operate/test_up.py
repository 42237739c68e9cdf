"""`up`, `plan` and `down` with a real ansible-playbook, whose hosts are all this machine."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slurmhub_deploy.operate.running.lock import only_one
from slurmhub_deploy.processes import ProcessId, processes_with_environment
from tests.unit.operate.fixtures import SmallSite, small_site

WAIT = 120.0
"""Seconds; a start of Ansible takes one to ten, as busy as the machine is."""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallSite]:
    made = small_site(tmp_path)
    yield made
    for run in runs_of(tmp_path):
        run.end(grace=10)


def wait_for(there: Callable[[], object], what: str) -> None:
    limit = time.monotonic() + WAIT
    while not there():
        assert time.monotonic() < limit, f"waited in vain for {what}"
        time.sleep(0.1)


def log_of(small: SmallSite) -> str:
    return max((small.folder / ".slurmhub/log").iterdir()).read_text()


def runs_of(folder: Path) -> list[ProcessId]:
    """Ansible's processes that hold the lock of this site."""
    named = processes_with_environment({}, named=["SLURMHUB_EVENTS_FD"])
    return [each for each in named if _holds(each, folder / ".slurmhub/lock")]


def _holds(process: ProcessId, lock: Path) -> bool:
    try:
        links = list(Path(f"/proc/{process.pid}/fd").iterdir())
        return any(link.readlink() == lock for link in links)
    except OSError:
        return False


def test_it_is_planned_done_and_then_nothing_is_to_be_done(small: SmallSite) -> None:
    planned = small.run("plan", "--json")
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(planned.stdout)
    assert {each["host"] for each in plan["planned"]} == {"c1", "c2", "g1"}
    assert "munge.main" in plan["new_secrets"]
    assert not small.out.exists()
    assert not (small.folder / "vault.yml").exists()

    done = small.run("up", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (small.out / "c1").read_text() == "Example University\n"
    assert (small.out / "told-g1").read_text() == "told\n"
    assert "first: " in done.stdout
    assert "has no test account" in done.stdout

    secret = (small.out / "c1.secret").read_text().strip()
    assert secret == small.run("secret", "show", "munge.main").stdout.strip()
    # One task forgets to hide it: neither what is shown nor the log has it.
    assert secret not in done.stdout + log_of(small)
    assert "(a secret)" in log_of(small)

    again = small.run("up", "--yes")
    assert again.returncode == 0
    assert "Nothing was changed." in again.stdout

    small.file.write_text(small.file.read_text().replace("Example University", "Another one"))
    planned = small.run("plan", "--only", "first", "--limit", "c1")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "      -Example University\n      +Another one\n" in planned.stdout
    assert (small.out / "c1").read_text() == "Example University\n"


def test_what_fails_is_said_by_host_with_what_to_do(small: SmallSite) -> None:
    small.goes_wrong(hub="assert", ctl="command", c1="volume", g1="unreachable")
    ran = small.run("up", "--yes", "--only", "second")
    said = ran.stdout
    assert ran.returncode == 3, said
    assert "hub: Look before\n    There is no paper for hub.\n    What to do: Buy some." in said
    assert "/bin/false ended with status 1." in said
    assert "Is sshd running on g1" in said
    assert "Refused: this would destroy what is on tank." in said
    planned = small.run("plan", "--only", "second")
    assert planned.returncode == 3, planned.stdout
    assert "REFUSED: it would destroy what is on tank." in planned.stdout


def test_down_keeps_what_is_not_named(small: SmallSite) -> None:
    small.out.mkdir()
    for name in ("c1", "told-hub.main"):
        (small.out / name).write_text("it\n")
    ended = small.run("down", "--yes")
    assert ended.returncode == 0, ended.stdout
    assert "What stays: homes" in ended.stdout
    assert [path.name for path in small.out.iterdir()] == ["told-hub.main"]
    lost = small.run("down", "--yes", "--hub", "main", "--lose", "hub.main")
    assert lost.returncode == 0, lost.stdout
    assert list(small.out.iterdir()) == []


def test_it_is_cut_off_in_order_and_goes_on(small: SmallSite) -> None:
    small.goes_wrong(hub="slow")
    process = small.begin("up", "--yes", "--only", "second", "--limit", "hub")
    wait_for(lambda: _sleeps(small), "the slow program")
    # Another run does not begin meanwhile.
    refused = small.run("up", "--yes")
    assert refused.returncode == 1
    assert "Another run is at work" in refused.stderr
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=WAIT)
    assert process.returncode == 130, said
    assert "Interrupted. 'slurmhub up' goes on where it ended." in said
    assert runs_of(small.folder) == []
    small.goes_wrong()
    again = small.run("up", "--yes", "--only", "second", "--limit", "hub")
    assert again.returncode == 0
    assert "Nothing was changed." in again.stdout


def test_a_run_ends_by_itself_when_nobody_follows_it(small: SmallSite) -> None:
    small.goes_wrong(hub="slow")
    process = small.begin("up", "--yes", "--only", "second", "--limit", "hub")
    wait_for(lambda: _sleeps(small), "the slow program")
    process.kill()
    process.communicate(timeout=WAIT)
    for run in runs_of(small.folder):
        assert run.wait(WAIT)
    with only_one(small.opened().state, "a test"):
        pass


def test_a_lock_is_free_again_after_its_holder(small: SmallSite) -> None:
    state = small.opened().make_state()
    with only_one(state, "a test"):
        pass
    with only_one(state, "a test"):
        pass


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("up", "--only", "third"), "There is no layer third."),
        (("up", "--limit", "c9"), "There is no host and no group c9."),
        (("up", "--limit", "c[1-9]"), "There is no host and no group c3."),
        (("up", "--limit", "c[2-1]"), "c[2-1] does not name hosts: "),
        (("up",), "There is no terminal to ask"),
        (("down",), "There is no terminal to ask"),
        (("down", "--hub", "other"), "There is no hub other."),
        (("down", "--yes", "--lose", "homes.main"), "homes.main is not lost with this."),
        (("ssh", "c9"), "has no host c9."),
    ],
)
def test_wrong_commands(small: SmallSite, arguments: tuple[str, ...], what: str) -> None:
    ran = small.run(*arguments)
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert what in ran.stderr
    assert "What to do: " in ran.stderr


def test_a_wrong_file_is_not_used(small: SmallSite) -> None:
    small.file.write_text(small.file.read_text().replace("host: hub", "host: hubb"))
    ran = small.run("up", "--yes")
    assert ran.returncode == 2
    assert "hubs.main.host" in ran.stderr
    assert not (small.folder / ".slurmhub").exists()


def _sleeps(small: SmallSite) -> bool:
    folder = small.folder / ".slurmhub/log"
    return folder.exists() and any("A slow program" in log.read_text() for log in folder.iterdir())
