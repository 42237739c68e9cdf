"""script/demo as a new user meets it, from the first start to the last trace."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.demo.conftest import PEOPLE, DemoScript, Outcome, assert_nothing_left, free_port, kill
from tests.demo.visitor import Person

READY_SECONDS = 30


def start(demo: DemoScript) -> Outcome:
    began = time.monotonic()
    started = demo.run("--detach", "--port", str(free_port()))
    assert started.status == 0, started
    assert time.monotonic() - began < READY_SECONDS
    return started


def signed_in(started: Outcome, name: str = "student") -> Person:
    person = Person(started.url, name)
    person.sign_in(started.passwords[name])
    return person


def process_of(demo: DemoScript, record: str) -> int:
    return int(json.loads((demo.state / record).read_text())["pid"])


def supervisor_of(demo: DemoScript) -> int:
    return int(json.loads((demo.state / "demo.json").read_text())["supervisor"]["pid"])


def jobs(demo: DemoScript) -> list[str]:
    done = subprocess.run(
        ["squeue", "--noheader", "--format=%u %P %b"],
        env={"PATH": os.defpath, "SLURM_CONF": str(demo.state / "cluster/etc/slurm.conf")},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def test_a_student_signs_in_and_works_in_a_job_of_their_own(demo: DemoScript) -> None:
    started = start(demo)
    assert tuple(started.passwords) == PEOPLE
    student = Person(started.url, "student")
    refused = student.sign_in("not the password")
    assert refused.status_code == 403
    home = student.sign_in(started.passwords["student"])
    assert home.status_code == 200
    assert home.url == f"{started.url}/hub/home"
    form = student.get("/hub/spawn")
    assert all(choice in form.text for choice in ("cpu", "gpu", "h100"))
    assert student.start_server(partition="gpu", gpu_type="h100", gpus="2").status_code in {
        201,
        202,
    }
    assert "jupyter-config-data" in student.wait_for_lab().text
    assert jobs(demo) == ["slurmhub-demo-student gpu gres:gpu:h100:2"]
    homes = demo.state / "homes"
    assert (homes / "student").stat().st_mode & 0o777 == 0o700
    assert list((homes / "student/.local/share/slurmhub/logs").glob("jupyter-1.log"))
    assert demo.run("--stop").status == 0
    assert_nothing_left(demo)


def test_a_course_is_ready_for_its_student_and_its_instructor(demo: DemoScript) -> None:
    started = start(demo)
    assert f"{started.url}/services/courses/" in started.out
    student = signed_in(started)
    home = student.get("/hub/home").text
    assert "Your courses" in home
    assert "Introduction to computing" in home
    assert "Class is held now" in home
    assert student.start_server("demo101").status_code in {201, 202}
    assert "jupyter-config-data" in student.wait_for_lab("demo101").text
    assert jobs(demo) == ["slurmhub-demo-student cpu N/A"]
    pages = signed_in(started, "instructor").get("/services/courses/")
    assert pages.status_code == 200
    assert "Introduction to computing" in pages.text
    assert demo.run("--stop").status == 0
    assert_nothing_left(demo)


def test_the_operator_is_admin_and_the_others_are_not(demo: DemoScript) -> None:
    started = start(demo)
    assert signed_in(started, "operator").get("/hub/admin").status_code == 200
    assert signed_in(started, "instructor").get("/hub/admin").status_code == 403


def test_only_this_machine_reaches_the_hub(demo: DemoScript) -> None:
    started = start(demo)
    port = int(started.url.rpartition(":")[2])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.1.1", port)) != 0


def test_no_secret_can_be_read_by_other_accounts(demo: DemoScript) -> None:
    started = start(demo)
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    listed = subprocess.run(
        [*become, "find", str(demo.state), "-type", "f", "-readable"],
        capture_output=True,
        text=True,
        check=False,
    )
    readable = {str(Path(name).relative_to(demo.state)) for name in listed.stdout.splitlines()}
    # find cannot look into folders that only let pass, so the interesting ones are named.
    names = ["hub/passwords.json", "hub/jupyterhub.sqlite", "cluster/munge/key", "demo.json"]
    for name in names:
        assert (demo.state / name).exists()
        done = subprocess.run(
            [*become, "cat", str(demo.state / name)], capture_output=True, check=False
        )
        assert name == "demo.json" or done.returncode != 0
    assert not any("hub" in name or "munge" in name for name in readable)
    found = subprocess.run(
        ["grep", "-rlF", started.passwords["student"], str(demo.state)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


def test_a_second_demo_names_the_first_and_how_to_end_it(demo: DemoScript) -> None:
    started = start(demo)
    second = demo.run()
    assert second.status == 1
    assert f"already running at {started.url}/" in second.err
    assert "script/demo --stop" in second.err
    assert demo.run("--status").out == f"A demo is running at {started.url}/\n"


def test_a_busy_port_is_told_with_another(demo: DemoScript) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = demo.run("--detach", "--port", str(port))
    assert refused.status == 1
    assert f"Port {port} is not to be had" in refused.err
    assert f"--port {port + 1}" in refused.err
    assert_nothing_left(demo)


def test_stopping_nothing_is_no_error(demo: DemoScript) -> None:
    stopped = demo.run("--stop")
    assert (stopped.status, stopped.out) == (0, "No demo is running.\n")
    assert demo.run("--status").out == "No demo is running.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["Starting Slurm", "Starting the hub", "Ctrl-C stops"])
def test_a_signal_ends_it_at_any_moment(
    demo: DemoScript, moment: str, number: signal.Signals
) -> None:
    process = demo.begin("--port", str(free_port()))
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(moment):
            break
    # The second, from an impatient person, must not spoil what the first began.
    os.killpg(process.pid, number)
    time.sleep(0.1)
    os.killpg(process.pid, number)
    rest, _ = process.communicate(timeout=30)
    assert "Stopping" in rest
    assert "What to do" not in rest, rest
    assert "Traceback" not in rest
    assert_nothing_left(demo)


def test_ctrl_c_in_front_of_a_detached_start_ends_it(demo: DemoScript) -> None:
    process = demo.begin("--detach", "--port", str(free_port()))
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Starting Slurm"):
            break
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert_nothing_left(demo)


def test_a_killed_hub_comes_back_and_the_servers_were_not_disturbed(demo: DemoScript) -> None:
    started = start(demo)
    student = signed_in(started)
    student.start_server(partition="cpu")
    student.wait_for_lab()
    hub = process_of(demo, "hub/hub.process")
    kill(hub)
    limit = time.monotonic() + 30
    while process_of(demo, "hub/hub.process") == hub or student.get("/hub/api/").status_code != 200:
        assert time.monotonic() < limit
        time.sleep(0.1)
    assert student.wait_for_lab().status_code == 200
    assert jobs(demo) == ["slurmhub-demo-student cpu N/A"]


def test_stop_cleans_up_after_a_demo_that_was_killed(demo: DemoScript) -> None:
    started = start(demo)
    student = signed_in(started)
    student.start_server(partition="cpu")
    student.wait_for_lab()
    kill(supervisor_of(demo))
    kill(process_of(demo, "hub/hub.process"))
    assert pwd.getpwnam("slurmhub-demo-student")
    stopped = demo.run("--stop")
    assert stopped.status == 0, stopped
    assert_nothing_left(demo)


def test_a_start_cleans_up_after_a_demo_that_was_killed(demo: DemoScript) -> None:
    start(demo)
    kill(supervisor_of(demo))
    kill(process_of(demo, "cluster/run/slurmctld.process"))
    again = start(demo)
    assert signed_in(again).get("/hub/home").status_code == 200


def test_an_interpreter_that_others_cannot_run_is_refused(demo: DemoScript, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", closed / "v"], check=True)
    refused = demo.run("--detach", SLURMHUB_PYTHON=str(closed / "v/bin/python"))
    assert refused.status == 1
    assert "does not let them" in refused.err
    assert "unset SLURMHUB_PYTHON" in refused.err
    assert_nothing_left(demo)


def test_an_account_that_no_demo_made_is_left_alone(demo: DemoScript) -> None:
    name = "slurmhub-demo-instructor"
    subprocess.run(["useradd", "--no-create-home", name], check=True)
    try:
        refused = demo.run("--detach", "--port", str(free_port()))
        assert refused.status == 1
        assert f"an account {name} which this demo did not make" in refused.err
        assert pwd.getpwnam(name)
        assert not demo.state.exists()
    finally:
        subprocess.run(["userdel", name], check=True)


def test_an_ordinary_account_has_a_demo_too(ordinary: DemoScript) -> None:
    home = Path(ordinary.environment["HOME"])
    before = sorted(home.rglob("*"))
    started = start(ordinary)
    student = signed_in(started)
    student.start_server(partition="gpu", gpu_type="h100", gpus="1")
    assert student.wait_for_lab().status_code == 200
    assert jobs(ordinary) == ["slurmhub-test-jo gpu gres:gpu:h100:1"]
    second = ordinary.run()
    assert "already running" in second.err
    assert ordinary.run("--stop").status == 0
    assert_nothing_left(ordinary)
    added = [path for path in sorted(home.rglob("*")) if path not in before]
    assert all(path.is_relative_to(home / ".cache") for path in added)
    assert ordinary.run("--clean").status == 0
    assert not (home / ".cache/slurmhub").exists()


def test_two_accounts_have_their_demos_at_once(demo: DemoScript, ordinary: DemoScript) -> None:
    urls = [start(demo).url, start(ordinary).url]
    assert len(set(urls)) == 2
    ordinary.run("--stop")
    assert Person(urls[0], "student").get("/hub/login").status_code == 200


def test_help_names_every_option(demo: DemoScript) -> None:
    shown = demo.run("--help")
    assert shown.status == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.out)
    assert all(f"--{name}" in plain for name in ("detach", "stop", "port", "status", "clean"))
