"""The batch script under a real bash, with the real launcher: signals, prologue, epilogue."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from slurmhub.job.policy import ScriptPolicy
from slurmhub.job.script import batch_script
from slurmhub.job.tag import JobTag
from tests.unit.job import servers
from tests.unit.job.conftest import Launched, Order, end_with_all_it_started
from tests.unit.job.fake_hub import TOKEN, FakeHub
from tests.unit.job.test_script import REQUEST

Submit = Callable[..., Launched]
SHELLS = [("/bin/bash",), ("/bin/bash", "-l"), ("/bin/sh",)]


@pytest.fixture
def submit(tmp_path: Path) -> Iterator[Submit]:
    """Runs a batch script as slurmd would: one process, the order in its environment."""
    started: list[Launched] = []

    def run(
        hub: FakeHub,
        server: str,
        *,
        environ: dict[str, str] | None = None,
        command: list[str] | None = None,
        **policy: object,
    ) -> Launched:
        folder = tmp_path / f"job{len(started)}"
        notes = folder / "notes"
        notes.mkdir(parents=True)
        (folder / "server.py").write_text(server)
        policy.setdefault("shell", ("/bin/bash",))
        policy.setdefault("epilogue", f"echo epilogue >>{notes}/epilogue")
        argv = command or ["/usr/bin/python3", "-I", "-S", str(folder / "server.py")]
        made = ScriptPolicy(**policy)  # type: ignore[arg-type]
        tag = JobTag("hub", "alice", "", "0" * 32)
        (folder / "script").write_text(batch_script(REQUEST, tag, made, argv, str(folder)))
        (folder / "script").chmod(0o700)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(folder / "script")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={
                    "PATH": "/usr/bin:/bin",
                    "HOME": str(folder),
                    "TMPDIR": str(folder),
                    "NOTES": str(notes),
                    "SLURM_JOB_ID": "4711",
                    "SLURMHUB_JOB": Order(hub.url, {"JUPYTERHUB_API_TOKEN": TOKEN}).text(notes),
                    **(environ or {}),
                },
            )
        launched = Launched(process, folder / "log", notes)
        started.append(launched)
        return launched

    yield run
    for launched in started:
        end_with_all_it_started(launched)


@pytest.mark.parametrize("shell", SHELLS)
def test_termination_of_the_shell_alone_lets_the_server_save(
    submit: Submit, shell: tuple[str, ...]
) -> None:
    with FakeHub() as hub:
        job = submit(hub, servers.SAVES_SLOWLY, shell=shell)
        hub.wait_for("listening")
        job.process.terminate()
        time.sleep(0.1)
        job.process.terminate()
        assert job.end() == 0
        assert hub.wait_for("ended").body["why"] == "terminated"
    assert job.note("signals") == f"{signal.SIGTERM.value}\n"
    assert job.note("saved") == "all of it"
    assert job.note("epilogue") == "epilogue\n"


def test_the_warning_of_the_shell_alone_reaches_the_hub(submit: Submit) -> None:
    with FakeHub() as hub:
        job = submit(hub, servers.LISTENS)
        hub.wait_for("listening")
        for count in (1, 2):
            job.process.send_signal(signal.SIGUSR1)
            hub.wait_for("warning", count=count)
        assert job.process.poll() is None
        job.process.terminate()
        assert job.end() == 128 + 15
        assert hub.events() == ["started", "listening", "warning", "warning", "ended"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_exit_status_is_the_servers(submit: Submit, shell: tuple[str, ...]) -> None:
    with FakeHub() as hub:
        job = submit(hub, servers.DIES, shell=shell)
        assert job.end() == 3
        assert hub.wait_for("ended").body["exit_code"] == 3
    assert job.note("epilogue") == "epilogue\n"


def test_a_warning_at_the_very_start_ends_nothing(submit: Submit) -> None:
    with FakeHub() as hub:
        job = submit(hub, servers.LISTENS, prologue='echo here >"$NOTES/prologue"')
        job.note("prologue")
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            job.process.send_signal(signal.SIGUSR1)
            time.sleep(0.02)
        hub.wait_for("listening")
        assert job.process.poll() is None
        job.process.terminate()
        # 143, unless bash has forgotten how its child ended: then it says 138 or 255.
        assert job.end() > 128, job.said()
        assert job.note("epilogue") == "epilogue\n"
        assert not _left_behind(job, seconds=5)


def test_termination_at_any_moment_of_the_start(submit: Submit) -> None:
    with FakeHub() as hub:
        for step in range(16):
            job = submit(hub, servers.LISTENS, prologue='echo here >"$NOTES/prologue"')
            job.note("prologue")
            time.sleep(step * 0.008)
            job.process.terminate()
            # 143, unless bash has forgotten how its child ended: then it says 255.
            assert job.end() in (128 + 15, 255), step
            assert job.note("epilogue") == "epilogue\n"
            assert not _left_behind(job, seconds=5)


def _left_behind(job: Launched, *, seconds: float) -> list[str]:
    """Processes of the job that still run after this time, and temporary files of ours."""
    end = time.monotonic() + seconds
    # What wrote into a pipe of the launcher ends a moment after it.
    while (left := _still_there(job)) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def _still_there(job: Launched) -> list[str]:
    mark = os.fsencode(f"NOTES={job.notes}\0")
    left = [path.name for path in job.log.parent.glob("slurmhub*")]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes():
                    left.append((entry / "cmdline").read_text())
            except OSError:
                continue
    return left


def test_termination_in_the_prologue_starts_no_server(submit: Submit) -> None:
    with FakeHub() as hub:
        job = submit(hub, servers.LISTENS, prologue='echo here >"$NOTES/prologue"; sleep 0.5')
        job.note("prologue")
        job.process.terminate()
        assert job.end() == 128 + 15
        assert hub.events() == []
    assert job.note("epilogue") == "epilogue\n"


@pytest.mark.parametrize(
    ("prologue", "status"), [("exit 7", 7), ("set -e\nfalse\necho no", 1), ("set -u\n: $NONE", 1)]
)
def test_a_prologue_that_ends_the_job_is_told(submit: Submit, prologue: str, status: int) -> None:
    with FakeHub() as hub:
        job = submit(hub, servers.LISTENS, prologue=prologue)
        assert job.end() == status
        ended = hub.wait_for("ended").body
    assert ended["why"] == "cannot-start"
    assert f"prologue ended the job with status {status}" in ended["tail"]
    assert job.note("epilogue") == "epilogue\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_options_that_the_prologue_leaves_do_no_harm(
    submit: Submit, shell: tuple[str, ...]
) -> None:
    with FakeHub() as hub:
        job = submit(hub, servers.DIES, prologue="set -eu", shell=shell)
        assert job.end() == 3
    assert job.note("epilogue") == "epilogue\n"


def test_the_prologue_prepares_the_server_and_sees_no_secret(submit: Submit) -> None:
    prologue = 'export FROM_SITE=yes SLURMHUB_BIND_ADDRESS=127.0.0.1\nenv >"$NOTES/prologue"; set'
    source = servers.TELLS_ITS_CIRCUMSTANCES.replace("listen(port)", "listen(port, host)")
    with FakeHub() as hub:
        job = submit(hub, source, prologue=prologue)
        hub.wait_for("listening")
        facts = job.note("facts")
        arguments = Path(f"/proc/{job.process.pid}/cmdline").read_text()
        job.process.terminate()
        job.end()
    assert '"FROM_SITE": "yes"' in facts
    assert '"JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:' in facts
    assert TOKEN not in job.note("prologue")
    assert TOKEN not in arguments
    assert TOKEN not in (job.log.parent / "script").read_text()


def test_an_epilogue_cannot_change_how_the_job_ended(submit: Submit) -> None:
    with FakeHub() as hub:
        job = submit(hub, servers.DIES, epilogue="set -e; cd /; false; exit 0")
        assert job.end() == 3


MODULES = """
module() {
    [ "$1" = load ] || return 1
    case "$2" in
        there/1.0) export MODULE_THERE=yes ;;
        *) echo "no module $2" >&2; return 1 ;;
    esac
}
"""


def _with_modules(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "modules.sh").write_text(MODULES)
    return {"BASH_ENV": str(tmp_path / "modules.sh")}


def test_modules_are_loaded(submit: Submit, tmp_path: Path) -> None:
    with FakeHub() as hub:
        job = submit(
            hub,
            servers.TELLS_ITS_CIRCUMSTANCES,
            modules=("there/1.0",),
            environ=_with_modules(tmp_path),
        )
        assert '"MODULE_THERE": "yes"' in job.note("facts")


def test_a_module_that_is_missing_is_told(submit: Submit, tmp_path: Path) -> None:
    with FakeHub() as hub:
        job = submit(
            hub,
            servers.LISTENS,
            modules=("there/1.0", "missing/2.0"),
            environ=_with_modules(tmp_path),
        )
        ended = hub.wait_for("ended").body
        assert job.end() == 1
    assert ended["why"] == "cannot-start"
    assert "the module missing/2.0 could not be loaded" in ended["tail"]


def test_slurm_conf_of_another_host_is_forgotten(submit: Submit, tmp_path: Path) -> None:
    (tmp_path / "slurm.conf").write_text("")
    for path, kept in (("/nowhere/slurm.conf", False), (str(tmp_path / "slurm.conf"), True)):
        with FakeHub() as hub:
            job = submit(hub, servers.TELLS_ITS_CIRCUMSTANCES, environ={"SLURM_CONF": path})
            assert ("SLURM_CONF" in job.note("facts")) is kept


def test_a_missing_python_ends_the_job(submit: Submit) -> None:
    with FakeHub() as hub:
        job = submit(hub, servers.LISTENS, python="no-such-python")
        assert job.end() == 127
    assert "no-such-python" in job.said()
    assert job.note("epilogue") == "epilogue\n"


def test_a_full_disk_does_not_keep_the_server_from_starting(submit: Submit) -> None:
    """Neither launcher nor script needs a file of its own."""
    with FakeHub() as hub:
        job = submit(hub, servers.LISTENS, environ={"TMPDIR": "/nowhere"})
        hub.wait_for("listening")
        job.process.terminate()
        assert job.end() == 128 + 15
