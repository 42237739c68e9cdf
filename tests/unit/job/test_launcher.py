"""The launcher with real processes: what it announces, and what it does when things end."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from slurmhub.job import launcher
from tests.unit.job import servers
from tests.unit.job.conftest import (
    ANYWHERE,
    PORTS,
    Launch,
    Order,
    accepts,
    free_port,
)
from tests.unit.job.fake_hub import TOKEN, FakeHub, Heard, Reply, agreeable

JOB = {"job": 4711, "restarts": 0}


# What is said, and when


def test_announces_the_port_that_its_server_listens_on(launch: Launch) -> None:
    with FakeHub() as hub:
        running = launch(hub, servers.LISTENS)
        heard = hub.wait_for("listening")
        port = heard.body["port"]
        assert heard.body == {**JOB, "port": port}
        assert PORTS[0] <= port <= PORTS[1]
        assert accepts(port)
        assert hub.events() == ["started", "listening"]
        started = hub.heard[0]
        assert started.body == JOB
        assert {one.authorization for one in hub.heard} == {f"token {TOKEN}"}
        assert started.path == "/hub/api/slurmhub/jobs/n0/started"
        assert running.process.poll() is None


def test_announces_nothing_before_the_server_listens(launch: Launch) -> None:
    with FakeHub() as hub:
        running = launch(Order(hub.url, environment={"DELAY": "0.7"}), servers.LISTENS)
        hub.wait_for("started")
        heard = hub.wait_for("listening")
        assert float(running.note("before-listening")) < heard.at


def test_tells_which_run_of_a_requeued_job_it_is(launch: Launch) -> None:
    with FakeHub() as hub:
        launch(Order(hub.url, job_environment={"SLURM_RESTART_COUNT": "2"}), servers.LISTENS)
        assert hub.wait_for("listening").body["restarts"] == 2


def test_circumstances_of_the_server(launch: Launch) -> None:
    order_environment = {"JUPYTERHUB_API_TOKEN": TOKEN, "HOME": "/from/the/hub", "EMPTY": ""}
    job_environment = {
        "HOME": "/from/the/job",
        "CUDA_VISIBLE_DEVICES": "1",
        "SLURMHUB_OTHER": "x",
        "PYTHONPATH": "/nowhere",
    }

    def ignoring() -> None:
        # As a shell does for its background jobs; a blocked signal would be inherited as well.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    with FakeHub() as hub:
        order = Order(hub.url, environment=order_environment, job_environment=job_environment)
        running = launch(order, servers.TELLS_ITS_CIRCUMSTANCES, preexec_fn=ignoring)
        port = hub.wait_for("listening").body["port"]
        facts = json.loads(running.note("facts"))
    environment = facts["environment"]
    assert environment["HOME"] == "/from/the/hub"
    assert environment["EMPTY"] == ""
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment["PYTHONPATH"] == "/nowhere"
    assert environment["JUPYTERHUB_API_TOKEN"] == TOKEN
    assert [name for name in environment if name.startswith("SLURMHUB_")] == []
    assert environment["JUPYTERHUB_SERVICE_URL"] == (
        f"http://0.0.0.0:{port}/user/alice/lab server/"
    )
    assert facts["stdin"] == "/dev/null"
    assert facts["descriptors"] == ["0", "1", "2", "3"]  # the last is the listing's own
    assert facts["session"] is True
    assert facts["blocked"] == []
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGTERM):
        assert not facts["ignored"] & 1 << (number - 1), number


@pytest.mark.parametrize("before", [None, "/etc/site:/etc/other"])
def test_a_configuration_of_the_hub_reaches_the_server(launch: Launch, before: str | None) -> None:
    own = {"JUPYTER_CONFIG_PATH": before} if before else {}
    with FakeHub() as hub:
        files = {"jupyter_server_config.py": "c = 'd\u00e9j\u00e0'\n", "labconfig/a.json": "{}"}
        order = Order(hub.url, environment=own, config=files)
        running = launch(order, servers.TELLS_ITS_CIRCUMSTANCES)
        hub.wait_for("listening")
        path = json.loads(running.note("facts"))["environment"]["JUPYTER_CONFIG_PATH"]
        folder, _, rest = path.partition(":")
        assert rest == (before or "")
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        assert {name: (Path(folder) / name).read_text() for name in files} == files
        running.process.terminate()
        running.end()
    assert not Path(folder).exists()


def test_without_one_nothing_is_written_and_a_full_disk_stops_no_server(
    launch: Launch, tmp_path: Path
) -> None:
    full = Order("", config={"x": "y"}, job_environment={"TMPDIR": "/proc/none"})
    for order in (Order(""), full):
        with FakeHub() as hub:
            order.url = hub.url
            nowhere = {"tempfile.mkdtemp(prefix": "tempfile.mkdtemp(dir='/proc/none', prefix"}
            running = launch(order, servers.TELLS_ITS_CIRCUMSTANCES, edits=nowhere)
            hub.wait_for("listening")
            facts = json.loads(running.note("facts"))
        assert "JUPYTER_CONFIG_PATH" not in facts["environment"]


def test_the_site_may_choose_the_address_to_bind(launch: Launch) -> None:
    source = servers.TELLS_ITS_CIRCUMSTANCES.replace("listen(port)", "listen(port, host)")
    with FakeHub() as hub:
        running = launch(
            Order(hub.url, job_environment={"SLURMHUB_BIND_ADDRESS": "127.0.0.1"}), source
        )
        port = hub.wait_for("listening").body["port"]
        url = json.loads(running.note("facts"))["environment"]["JUPYTERHUB_SERVICE_URL"]
    assert url.startswith(f"http://127.0.0.1:{port}/")


def test_an_address_of_ipv6_is_written_in_brackets(launch: Launch) -> None:
    source = servers.TELLS_ITS_CIRCUMSTANCES.replace("made = listen(port)", "")
    with FakeHub() as hub:
        running = launch(Order(hub.url, address="::1"), source)
        url = json.loads(running.note("facts"))["environment"]["JUPYTERHUB_SERVICE_URL"]
    assert url.startswith("http://[::1]:")


@pytest.mark.parametrize("how", ["child", "own-session", "orphan"])
def test_a_descendant_may_hold_the_port(launch: Launch, how: str) -> None:
    with FakeHub() as hub:
        launch(Order(hub.url, environment={"HOW": how}), servers.GRANDCHILD_LISTENS)
        assert accepts(hub.wait_for("listening").body["port"])


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs every test as one")
def test_works_as_an_ordinary_user(launch: Launch, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        folder.chmod(0o755)
        if folder.name.startswith("pytest-of-"):
            break

    with FakeHub() as hub:
        source = servers.LISTENS.replace('note("before', '0 and note("before')
        running = launch(hub, source, user=65534, group=65534, extra_groups=[])
        assert accepts(hub.wait_for("listening").body["port"])
        running.process.terminate()
        assert hub.wait_for("ended").body["why"] == "terminated"


# Ports


@pytest.mark.parametrize("then", ["says", "is-silent", "waits"])
def test_a_port_that_somebody_else_took_is_never_announced(launch: Launch, then: str) -> None:
    with FakeHub() as hub:
        running = launch(Order(hub.url, environment={"THEN": then}), servers.PORT_IS_SNATCHED)
        announced = hub.wait_for("listening").body["port"]
        first, second = map(int, running.note("ports").split())
        assert accepts(first), "the other process was to hold the first port"
        assert announced == second != first
        assert hub.events() == ["started", "listening"]


def test_a_port_in_use_is_not_even_tried(launch: Launch) -> None:
    with FakeHub() as hub, socket.socket() as other:
        other.bind(("127.0.0.9", 0))
        other.listen()
        low = other.getsockname()[1]
        launch(Order(hub.url, ports=(low, low + 1)), servers.LISTENS)
        assert hub.wait_for("listening").body["port"] == low + 1


def test_nofree_port(launch: Launch) -> None:
    with FakeHub() as hub, socket.socket() as other:
        other.bind((ANYWHERE, 0))
        other.listen()
        port = other.getsockname()[1]
        running = launch(Order(hub.url, ports=(port, port)), servers.LISTENS)
        ended = hub.wait_for("ended").body
        assert running.end() == 1
    assert (ended["why"], ended["exit_code"], ended["signal"]) == ("cannot-start", None, None)
    assert f"no free port from {port} to {port}" in ended["tail"]


def test_a_port_that_the_hub_refuses_is_given_up(launch: Launch) -> None:
    def choosy(heard: Heard, before: int) -> Reply:
        if heard.event == "listening" and before == 0:
            return Reply(409, {"slurmhub": "port-taken", "message": "a neighbour has it"})
        return agreeable(heard, before)

    with FakeHub(choosy) as hub:
        launch(hub, servers.LISTENS)
        first = hub.wait_for("listening").body["port"]
        second = hub.wait_for("listening", count=2).body["port"]
        assert second != first
        assert accepts(second)
        assert not accepts(first)
        assert hub.events() == ["started", "listening", "listening"]


def test_gives_up_after_ten_ports(launch: Launch) -> None:
    def refuses_every_port(heard: Heard, before: int) -> Reply:
        return Reply(409, {}) if heard.event == "listening" else agreeable(heard, before)

    with FakeHub(refuses_every_port) as hub:
        running = launch(hub, servers.LISTENS)
        ended = hub.wait_for("ended").body
        assert running.end() == 1
    assert ended["why"] == "cannot-start"
    assert hub.events().count("listening") == launcher.PORT_ATTEMPTS == 10


def test_a_server_that_listens_elsewhere_is_told_where(launch: Launch) -> None:
    elsewhere = free_port()
    with FakeHub() as hub:
        order = Order(hub.url, environment={"ELSEWHERE": str(elsewhere)}, launch_timeout=0.6)
        running = launch(order, servers.LISTENS_ELSEWHERE)
        ended = hub.wait_for("ended").body
        assert running.end() == 1
    assert ended["why"] == "never-listened"
    assert f"0.0.0.0 {elsewhere}" in ended["tail"]
    assert "listening" not in hub.events()
    assert not accepts(elsewhere)


def test_a_server_that_only_this_node_can_reach_is_not_announced(launch: Launch) -> None:
    with FakeHub() as hub:
        launch(Order(hub.url, launch_timeout=0.6), servers.LISTENS_ON_LOOPBACK)
        ended = hub.wait_for("ended").body
    assert ended["why"] == "never-listened"
    assert "127.0.0.1" in ended["tail"]
    assert "listening" not in hub.events()


# Ends


def test_a_server_that_dies_at_once(launch: Launch) -> None:
    with FakeHub() as hub:
        running = launch(hub, servers.DIES)
        ended = hub.wait_for("ended").body
        assert running.end() == 3
    assert set(ended) == {"job", "restarts", "exit_code", "signal", "why", "tail"}
    assert (ended["exit_code"], ended["signal"], ended["why"]) == (3, None, "server-exited")
    assert ended["tail"].endswith("cannot import notebook: broken installation\n")
    assert "reading the settings" in running.said()


def test_a_server_that_a_signal_ends(launch: Launch) -> None:
    with FakeHub() as hub:
        running = launch(hub, servers.KILLS_ITSELF)
        ended = hub.wait_for("ended").body
        assert running.end() == 128 + 9
    assert (ended["exit_code"], ended["signal"], ended["why"]) == (None, 9, "server-exited")


def test_a_server_that_ends_after_it_was_ready(launch: Launch) -> None:
    source = servers.LISTENS.replace("while True:", "time.sleep(0.3); sys.exit(0)\nwhile True:")
    with FakeHub() as hub:
        running = launch(hub, source)
        ended = hub.wait_for("ended").body
        assert running.end() == 0
    assert hub.events() == ["started", "listening", "ended"]
    assert (ended["exit_code"], ended["why"]) == (0, "server-exited")


def test_the_tail_is_the_last_4_kib(launch: Launch) -> None:
    source = servers.DIES.replace("print(", "print('é' * 9000, 'almost'); print(", 1)
    with FakeHub() as hub:
        launch(Order(hub.url, environment={"PYTHONIOENCODING": "utf-8"}), source)
        tail = hub.wait_for("ended").body["tail"]
    assert "almost" in tail
    assert len(tail) <= 4096
    assert len(tail.encode()) >= 4000


def test_a_kernel_that_outlives_its_server_does_not_hold_up_the_end(launch: Launch) -> None:
    with FakeHub() as hub:
        running = launch(hub, servers.LEAVES_A_KERNEL)
        began = time.monotonic()
        ended = hub.wait_for("ended").body
        assert running.end() == 4
        assert time.monotonic() - began < 5
        os.kill(int(running.note("kernel")), 0)
    assert "the server ends" in ended["tail"]


def test_a_server_that_never_listens(launch: Launch) -> None:
    with FakeHub() as hub:
        running = launch(Order(hub.url, launch_timeout=0.5), servers.NEVER_LISTENS)
        ended = hub.wait_for("ended").body
        assert running.end() == 1
    assert (ended["signal"], ended["why"]) == (15, "never-listened")


def test_a_server_that_will_not_end_is_killed(launch: Launch) -> None:
    edits = {"STOP_SECONDS = 10.0": "STOP_SECONDS = 0.5"}
    with FakeHub() as hub:
        launch(Order(hub.url, launch_timeout=0.5), servers.STUBBORN, edits=edits)
        ended = hub.wait_for("ended").body
    assert (ended["signal"], ended["why"]) == (9, "never-listened")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/nowhere/jupyterhub-singleuser"], "No such file or directory"),
        (["no-such-program-anywhere"], "no-such-program-anywhere"),
        (["/etc/passwd"], "Permission denied"),
        ([], "cannot start"),
    ],
)
def test_a_command_that_cannot_be_run(launch: Launch, command: list[str], words: str) -> None:
    with FakeHub() as hub:
        running = launch(hub, "", command=command)
        ended = hub.wait_for("ended").body
        assert running.end() == 1
    assert (ended["exit_code"], ended["signal"], ended["why"]) == (None, None, "cannot-start")
    assert words in ended["tail"]


def test_trouble_that_the_script_met(launch: Launch) -> None:
    trouble = {"SLURMHUB_TROUBLE": "the module gcc/99 could not be loaded"}
    with FakeHub() as hub:
        running = launch(Order(hub.url, job_environment=trouble), servers.LISTENS)
        ended = hub.wait_for("ended").body
        assert running.end() == 1
    assert ended["why"] == "cannot-start"
    assert "the module gcc/99 could not be loaded" in ended["tail"]
    assert not list(running.notes.iterdir())


def test_an_address_that_is_not_this_nodes(launch: Launch) -> None:
    with FakeHub() as hub:
        launch(Order(hub.url, address="192.0.2.1"), servers.LISTENS)
        ended = hub.wait_for("ended").body
    assert ended["why"] == "cannot-start"
    assert "cannot bind to 192.0.2.1" in ended["tail"]
