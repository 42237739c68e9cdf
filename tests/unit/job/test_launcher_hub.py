"""The launcher and the world around it: signals, a hub that is away, logs, secrets, proc."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from slurmhub.job import launcher
from tests.unit.job import servers
from tests.unit.job.conftest import (
    ANYWHERE,
    Launch,
    Order,
    accepts,
    free_port,
    server_of,
)
from tests.unit.job.fake_hub import TOKEN, FakeHub, Heard, Reply, agreeable

JOB = {"job": 4711, "restarts": 0}


# Signals


def test_termination_is_passed_on_once_and_waits_for_the_server_to_save(launch: Launch) -> None:
    with FakeHub() as hub:
        running = launch(Order(hub.url, environment={"SAVING": "2"}), servers.SAVES_SLOWLY)
        hub.wait_for("listening")
        for _ in range(3):
            running.process.terminate()
            time.sleep(0.1)
        assert running.end() == 0
        ended = hub.wait_for("ended").body
    assert running.note("signals") == f"{signal.SIGTERM.value}\n"
    assert running.note("saved") == "all of it"
    assert (ended["exit_code"], ended["signal"], ended["why"]) == (0, None, "terminated")


def test_termination_of_every_process_at_once_is_told_as_such(launch: Launch) -> None:
    """Slurm signals all processes of a job: the server may end before the launcher knows why."""
    with FakeHub() as hub:
        running = launch(hub, servers.LISTENS)
        hub.wait_for("listening")
        os.kill(server_of(running), signal.SIGTERM)
        running.process.terminate()
        assert running.end() == 128 + 15
        ended = hub.wait_for("ended").body
    assert (ended["signal"], ended["why"]) == (15, "terminated")


def test_termination_while_the_server_starts(launch: Launch) -> None:
    with FakeHub() as hub:
        running = launch(hub, servers.NEVER_LISTENS)
        hub.wait_for("started")
        running.process.terminate()
        assert running.end() == 128 + 15
        assert hub.wait_for("ended").body["why"] == "terminated"


def test_no_signal_is_lost_in_a_storm(launch: Launch) -> None:
    """Hundreds of other signals fill the pipe that wakes the launcher; the one still counts."""
    with FakeHub() as hub:
        running = launch(hub, servers.LISTENS)
        hub.wait_for("listening")
        os.kill(running.process.pid, signal.SIGSTOP)
        for _ in range(2000):
            os.kill(running.process.pid, signal.SIGCHLD)
            os.kill(running.process.pid, signal.SIGUSR1)
        running.process.terminate()
        os.kill(running.process.pid, signal.SIGCONT)
        assert running.end() == 128 + 15
        assert hub.wait_for("ended").body["why"] == "terminated"


def test_the_warning_goes_to_the_hub_and_not_to_the_server(launch: Launch) -> None:
    end = str(int(time.time()) + 300)
    with FakeHub() as hub:
        order = Order(hub.url, job_environment={"SLURM_JOB_END_TIME": end})
        running = launch(order, servers.SAVES_SLOWLY)
        hub.wait_for("listening")
        running.process.send_signal(signal.SIGUSR1)
        warning = hub.wait_for("warning").body
        assert warning == {**JOB, "seconds_left": warning["seconds_left"]}
        assert 290 <= warning["seconds_left"] <= 300
        running.process.terminate()
        running.end()
    assert running.note("signals") == f"{signal.SIGTERM.value}\n"


@pytest.mark.parametrize("end", ["", "1000000000", "soon"])
def test_a_warning_without_a_known_end(launch: Launch, end: str) -> None:
    """Older Slurm does not say the end; a job that was given more time knows it wrongly."""
    with FakeHub() as hub:
        order = Order(hub.url, job_environment={"SLURM_JOB_END_TIME": end} if end else {})
        running = launch(order, servers.LISTENS)
        hub.wait_for("listening")
        running.process.send_signal(signal.SIGUSR1)
        assert hub.wait_for("warning").body["seconds_left"] is None


# The hub is away, or says no


def test_asks_on_while_nobody_answers(launch: Launch) -> None:
    port = free_port()
    running = launch(Order(f"http://127.0.0.1:{port}/hub/api/slurmhub/jobs/n0"), servers.LISTENS)
    running.note("before-listening")
    time.sleep(0.5)
    with FakeHub(port=port) as hub:
        hub.wait_for("listening")
        assert hub.events() == ["started", "listening"]
    assert running.said().count("the hub does not answer") == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, {"message": "restarting"}),
        Reply(404, {"status": 404, "message": "no such page"}),
        Reply(404, b"<h1>not here</h1>"),
        Reply(403, b"<h1>the firewall says no</h1>"),
        Reply(429, {"message": "too many"}),
        Reply(503, b""),
        Reply(200, b"<h1>please sign in to this network</h1>"),
        Reply(302, {"slurmhub": "elsewhere"}),
        Reply(500, ("[" * 30000).encode()),
        Reply(425, {"slurmhub": "not yet"}, "abc"),
    ],
)
def test_an_answer_that_is_not_the_hubs_is_as_good_as_none(launch: Launch, reply: Reply) -> None:
    def at_first(heard: Heard, before: int) -> Reply:
        return reply if before == 0 else agreeable(heard, before)

    with FakeHub(at_first) as hub:
        running = launch(hub, servers.LISTENS)
        hub.wait_for("listening", count=2)
        assert hub.events() == ["started", "started", "listening", "listening"]
        assert running.process.poll() is None


def test_waits_as_long_as_the_hub_asks(launch: Launch) -> None:
    def not_yet(heard: Heard, before: int) -> Reply:
        return Reply(425, {}, "1") if before == 0 else agreeable(heard, before)

    with FakeHub(not_yet) as hub:
        running = launch(hub, servers.LISTENS)
        hub.wait_for("started", count=2)
        assert hub.heard[1].at - hub.heard[0].at >= 1.0
        hub.wait_for("listening")
    assert "does not answer" not in running.said()


@pytest.mark.parametrize("event", ["started", "listening"])
@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_final_refusal_stops_the_server(launch: Launch, status: int, event: str) -> None:
    def refuses(heard: Heard, before: int) -> Reply:
        if heard.event == event:
            return Reply(status, {"slurmhub": "cancelled", "message": "it was cancelled"})
        return agreeable(heard, before)

    with FakeHub(refuses) as hub:
        running = launch(hub, servers.LISTENS)
        ended = hub.wait_for("ended").body
        assert running.end() == 1
    assert hub.events().count(event) == 1
    assert (ended["signal"], ended["why"]) == (15, "refused-by-hub")
    assert "it was cancelled" in running.said()


def test_a_refused_warning_ends_nobodys_work(launch: Launch) -> None:
    def refuses(heard: Heard, before: int) -> Reply:
        return Reply(410, {}) if heard.event == "warning" else agreeable(heard, before)

    with FakeHub(refuses) as hub:
        running = launch(hub, servers.LISTENS)
        port = hub.wait_for("listening").body["port"]
        running.process.send_signal(signal.SIGUSR1)
        hub.wait_for("warning")
        with pytest.raises(Exception, match="timed out"):
            running.end(0.5)
        assert accepts(port)


def test_the_news_of_the_end_is_given_up_in_time(launch: Launch) -> None:
    edits = {"ENDED_SECONDS = 20.0": "ENDED_SECONDS = 0.7"}
    running = launch(Order(f"http://127.0.0.1:{free_port()}/x"), servers.DIES, edits=edits)
    began = time.monotonic()
    assert running.end() == 3
    assert 0.5 < time.monotonic() - began < 4


def test_a_hub_that_never_answers_a_request_is_asked_again(launch: Launch) -> None:
    edits = {"HTTP_SECONDS = 10.0": "HTTP_SECONDS = 0.4"}
    release = threading.Event()

    def hangs(heard: Heard, before: int) -> Reply:
        if before == 0 and heard.event == "started":
            release.wait(10)
        return agreeable(heard, before)

    with FakeHub(hangs) as hub:
        launch(hub, servers.LISTENS, edits=edits)
        hub.wait_for("listening")
        release.set()
        assert hub.events() == ["started", "started", "listening"]


# Logs and secrets


def test_a_full_disk_does_not_stop_the_server(launch: Launch) -> None:
    with FakeHub() as hub, open("/dev/full", "wb") as full:
        running = launch(hub, servers.LISTENS, stdout=full, stderr=full)
        assert accepts(hub.wait_for("listening").body["port"])
        running.process.terminate()
        assert "listening on" in hub.wait_for("ended").body["tail"]


def test_the_servers_output_is_the_jobs(launch: Launch) -> None:
    with FakeHub() as hub:
        running = launch(hub, servers.DIES)
        running.end()
    assert running.said() == "reading the settings\ncannot import notebook: broken installation\n"


def test_the_token_stays_out_of_argument_lists_and_logs(launch: Launch) -> None:
    with FakeHub() as hub:
        order = Order(hub.url, environment={"JUPYTERHUB_API_TOKEN": TOKEN})
        running = launch(order, servers.LISTENS)
        hub.wait_for("listening")
        for pid in (running.process.pid, server_of(running)):
            assert TOKEN.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        running.process.terminate()
        running.end()
    assert TOKEN not in running.said()


def test_a_token_that_cannot_be_sent_is_not_shown(launch: Launch) -> None:
    """http.client would quote a header that it refuses."""
    edits = {"ENDED_SECONDS = 20.0": "ENDED_SECONDS = 0.3"}
    with FakeHub() as hub:
        running = launch(Order(hub.url, token=f"{TOKEN}\nX: y"), servers.DIES, edits=edits)
        running.end()
        assert hub.heard == []
    assert "ValueError" in running.said()
    assert TOKEN not in running.said()


@pytest.mark.parametrize(
    "environment",
    [
        {"A=B": f"{TOKEN}"},
        {"A": f"{TOKEN}\0"},
        {"A": f"{TOKEN}\ud800"},
    ],
)
def test_an_environment_that_cannot_be_set_is_not_shown(
    launch: Launch, environment: dict[str, str]
) -> None:
    with FakeHub() as hub:
        running = launch(Order(hub.url, environment=environment), servers.LISTENS)
        assert hub.wait_for("ended").body["why"] == "cannot-start"
        assert running.end() == 1
    assert TOKEN not in running.said()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"secret": "S3CRET"}', "[" * 100000, '{"hub": {"url": "S3CRET"}}'],
)
def test_an_order_that_is_none(launch: Launch, text: str) -> None:
    order = Order("http://127.0.0.1:1/x", job_environment={"SLURMHUB_JOB": text})
    running = launch(order, servers.LISTENS)
    assert running.end() == 2
    assert "usage" in running.said()
    assert "S3CRET" not in running.said()
    assert "Traceback" not in running.said()


def test_an_order_outside_a_job(launch: Launch) -> None:
    order = Order("http://127.0.0.1:1/x", job_environment={"SLURM_JOB_ID": "not a number"})
    assert launch(order, servers.LISTENS).end() == 2


# The pieces that read proc


def test_reads_listening_sockets_of_both_families() -> None:
    with contextlib.ExitStack() as stack:
        made = {}
        for family, host in ((socket.AF_INET, "127.0.0.3"), (socket.AF_INET6, "::1")):
            made[host] = stack.enter_context(socket.socket(family))
            made[host].bind((host, 0))
            made[host].listen()
        found = {(host, port): inode for host, port, inode in launcher.listening()}
        for host, one in made.items():
            inode = os.fstat(one.fileno()).st_ino
            assert found[host, one.getsockname()[1]] == str(inode)
            assert str(inode) in launcher.sockets_of(os.getpid())


def test_a_socket_that_does_not_listen_is_none() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert port not in [number for _, number, _ in launcher.listening()]
        assert launcher.port_holder(port, os.getpid(), ANYWHERE) == ""


def test_a_port_of_ours_that_another_also_holds_is_anothers() -> None:
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        ours.bind((ANYWHERE, 0))
        ours.listen()
        port = ours.getsockname()[1]
        assert launcher.port_holder(port, os.getpid(), ANYWHERE) == "server"
        listen = (
            "import socket, sys; made = socket.socket();"
            "made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1);"
            f"made.bind(('0.0.0.0', {port})); made.listen(); print('ready', flush=True);"
            "sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", listen], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            assert launcher.port_holder(port, child.pid, ANYWHERE) == "other"
            child.stdin.close()
