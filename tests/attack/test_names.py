"""Hostile names of people and servers, and hostile environments: they stay what they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from slurmhub.job.tag import JobTag
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.attack.hostile import VALUES, alive_in, control_characters, directives
from tests.attack.trespass import Ticket, comment_of, ticket_of
from tests.conftest import HubMaker
from tests.rig.accounts import account
from tests.rig.hub import HubUnderTest, Visitor, until

SMALL = {"partition": "cpu", "cpus": "1", "memory": "300M", "hours": "0.1"}
ODD = {
    "ODD_LINES": "a\nb\r\n#SBATCH --uid=0\n",
    "ODD_QUOTES": "'\"`\\\\'\"",
    "ODD_SHELL": "$(touch /tmp/shubmark) ${HOME} `id` ; & | > < * ? ~ !! %j",
    "ODD_TEMPLATE": "{{ 4321 * 8765 }} {username} %(x)s ${4321*8765}",
    "ODD_UNICODE": "\u202e\u2028\x85\x1b[2J\x07\t\U0001f600é",
    "ODD_HEREDOC": "\nSLURMHUB_LAUNCHER_ENDS_HERE\n}\ntouch /tmp/shubmark\n",
    "ODD_GREAT": "x" * 50_000,
    "ODD_EMPTY": "",
    "ODD NAME; touch /tmp/shubmark": "spaces and a semicolon",
    "BASH_FUNC_ls%%": "() { touch /tmp/shubmark; }",
    "--uid": "0",
    "é\n#SBATCH --uid": "0",
}
SETTINGS = f"""
mapped = {{"alice": {account("alice")!r}, "mallory": {account("mallory")!r}}}
c.SlurmHubSpawner.unix_account = lambda name: mapped.get(name, {account("bob")!r})

def environment(spawner):
    return {{"nul": "a\\0b", "great": "x" * 130_000}}.get(spawner.name, "plain")

c.Spawner.environment = {{**{ODD!r}, "ODD_BY_NAME": environment}}
"""
# Names of servers from before JupyterHub 6, which took any text without a slash.
OLD_NAMES = (
    "a\n#SBATCH --uid=0\n#SBATCH --partition=gpu",
    "'; touch shubmark; `touch shubmark` $(touch shubmark) \" \\",
    '"><img src=x onerror=shubmark>{{ 4321 * 8765 }}${4321*8765}{username}%(shubmark)s%j',
    "--uid=0:\x1b[2J\u202e\u2028\x85\r\U0001f600é:~%2e..%",
    "y" * 900,
)
PEOPLE = (
    "eve\n#sbatch --uid=0\n#sbatch --partition=gpu",
    "'; touch shubmark; `touch shubmark` $(touch shubmark) \" \\",
    '"><img src=x onerror=shubmark>{{ 4321 * 8765 }}${4321*8765}{username}%(shubmark)s%j',
    "--uid=0:\u202eevil\u200b\U0001f600é:~%2e..%",
    "z" * 900,
)


@dataclass
class Scene:
    """A hub, and alice, who has a server that serves all the while, and some with old names."""

    hub: HubUnderTest
    cluster: EmbeddedCluster
    alice: Visitor
    usual: int = 0

    def other_jobs(self) -> list[str]:
        """The jobs that are in the queue now, but for alice's usual server."""
        queue = self.cluster.run("squeue", "--noheader", "--all", "--format=%A").split()
        return [job for job in queue if job != str(self.usual)]

    def all_gone(self) -> None:
        """Wait until no other job is in the queue."""
        until(lambda: not self.other_jobs(), what="an empty queue")


@pytest.fixture(scope="module")
def scene(make_shared_hub: HubMaker, cluster: EmbeddedCluster, ground: Path) -> Iterator[Scene]:
    """The scene; afterwards nothing in the log is there to fool who reads it."""
    hub = make_shared_hub(cluster, SETTINGS)
    hub.visitor("alice")
    hub.stop_hub()
    with closing(sqlite3.connect(hub.folder / "jupyterhub.sqlite")) as database:
        for name in OLD_NAMES:
            database.execute(
                "INSERT INTO spawners (user_id, name, state, user_options)"
                " SELECT id, ?, '{}', '{}' FROM users WHERE name = 'alice'",
                [name],
            )
        database.commit()
    hub.start_hub()
    alice = hub.visitor("alice")
    until(lambda: 'value="gpu"' in alice.get("/hub/spawn/alice").text, what="the cluster's facts")
    assert alice.start(**SMALL).status_code in (201, 202)
    made = Scene(hub, cluster, alice, alice.wait_ready()["job_id"])
    yield made
    assert alice.asks_server()["job"] == str(made.usual)
    log = hub.log
    assert control_characters(log) == set()
    assert "Uncaught exception" not in log
    assert not [*Path("/tmp").glob("shubmark"), *ground.glob("home/*/shubmark")]


def assert_harmless(scene: Scene, visitor: Visitor, server: str, ticket: Ticket) -> None:
    """This server's job is what any other is, but for the names that it carries."""
    me = quote(visitor.name, safe="")
    path = me + (f"/{quote(server, safe='')}" if server else "")
    script = visitor.get(f"/hub/slurmhub/script/{path}")
    assert script.headers["Content-Type"].startswith("text/plain")
    usual = scene.alice.get("/hub/slurmhub/script/alice").text
    names = [line.partition("=")[0] for line in directives(usual)]
    assert [line.partition("=")[0] for line in directives(script.text)] == names
    assert script.text.isascii()
    comment = comment_of(scene.cluster, ticket.job_id)
    tag = JobTag.from_comment(comment)
    assert tag is not None
    if len(visitor.name + server) < 300:
        assert (tag.user, tag.server) == (visitor.name, server)
    assert comment.isprintable()
    assert comment.isascii()
    name = scene.cluster.run("squeue", "-h", f"--jobs={ticket.job_id}", "--format=%j|%P|%C")
    assert name == "jupyter|cpu|1"
    assert ticket.environment["JUPYTERHUB_USER"] == visitor.name
    assert ticket.environment["JUPYTERHUB_SERVER_NAME"] == server
    assert alive_in(visitor.get(f"/hub/spawn-pending/{path}")) == []


def status_of(visitor: Visitor, server: str = "") -> dict[str, Any]:
    """The status of a server, whatever its name."""
    path = "/".join(quote(part, safe="") for part in (visitor.name, server) if part)
    return dict(visitor.api("GET", f"/slurmhub/status/{path}").json())


def started(scene: Scene, visitor: Visitor, server: str = "") -> Ticket:
    """Start a server whose names need quoting; its job's ticket once it is ready."""
    path = f"/users/{quote(visitor.name, safe='')}/server"
    path += f"s/{quote(server, safe='')}" if server else ""
    answer = visitor.api("POST", path, SMALL)
    assert answer.status_code in (201, 202), (visitor.name[:80], server[:80], answer.text)
    until(lambda: status_of(visitor, server)["step"] == "ready", what="ready")
    return ticket_of(scene.cluster, status_of(visitor, server)["job_id"])


def test_old_names_of_servers_are_names_and_nothing_else(scene: Scene) -> None:
    with ThreadPoolExecutor(4) as pool:
        tickets = dict(
            zip(
                OLD_NAMES,
                pool.map(lambda n: started(scene, scene.alice, n), OLD_NAMES),
                strict=True,
            )
        )
    for name, ticket in tickets.items():
        assert_harmless(scene, scene.alice, name, ticket)
    assert len({ticket.job_id for ticket in tickets.values()}) == len(OLD_NAMES)
    # To end one of them ends no other.
    scene.alice.post("/hub/slurmhub/cancel/alice/" + quote(OLD_NAMES[0], safe=""), {})
    until(lambda: status_of(scene.alice, OLD_NAMES[0])["step"] == "ended", what="its end")
    assert {status_of(scene.alice, name)["step"] for name in OLD_NAMES[1:]} == {"ready"}
    for name in OLD_NAMES[1:]:
        scene.alice.api("DELETE", f"/users/alice/servers/{quote(name, safe='')}")
    scene.all_gone()


def test_new_servers_get_no_such_names(scene: Scene) -> None:
    bob = scene.hub.visitor("bob")
    for name in (*VALUES[::2], *OLD_NAMES, "a/b"):
        path = quote(name[:300], safe="")
        for answer in (
            bob.api("POST", f"/users/bob/servers/{path}", SMALL),
            bob.post(f"/hub/spawn/bob/{path}", SMALL, allow_redirects=False),
            bob.get(f"/hub/spawn/bob/{path}", params={"cpus": "1"}, allow_redirects=False),
            bob.get(f"/hub/spawn-pending/bob/{path}", allow_redirects=False),
        ):
            assert 400 <= answer.status_code < 500, answer.url
            assert alive_in(answer) == []
    assert scene.other_jobs() == []
    assert bob.start("fair-name", **SMALL).status_code in (201, 202)
    bob.wait_ready("fair-name")
    bob.stop("fair-name")
    scene.all_gone()


def sign_in(scene: Scene, name: str) -> Visitor:
    """Sign in under a name that the hub may write otherwise: the visitor takes the hub's."""
    visitor = scene.hub.visitor(name)
    visitor.name = visitor.api("GET", "/user").json()["name"]
    return visitor


def test_names_of_people_are_names_and_nothing_else(scene: Scene) -> None:
    with ThreadPoolExecutor(4) as pool:
        visitors = list(pool.map(lambda name: sign_in(scene, name), PEOPLE))
        tickets = list(pool.map(lambda visitor: started(scene, visitor), visitors))
    assert len({visitor.name for visitor in visitors}) == len(PEOPLE)
    # What makes these names hostile is still in them.
    assert [visitor.name for visitor in visitors[:3]] == [name.lower() for name in PEOPLE[:3]]
    for visitor, ticket in zip(visitors, tickets, strict=True):
        assert_harmless(scene, visitor, "", ticket)
        path = f"/user/{quote(visitor.name, safe='')}/api"
        assert visitor.get(path).json()["job"] == str(ticket.job_id)
    for visitor in visitors:
        visitor.api("DELETE", f"/users/{quote(visitor.name, safe='')}/server")
    scene.all_gone()


def test_an_environment_arrives_as_it_is(scene: Scene) -> None:
    ticket = ticket_of(scene.cluster, scene.usual)
    assert {name: ticket.environment[name] for name in ODD} == ODD
    # Neither does it show in what others may read of the job.
    script = scene.alice.get("/hub/slurmhub/script/alice").text
    assert not [value for value in ODD.values() if len(value) > 5 and value in script]


@pytest.mark.parametrize("server", ["nul", "great"])
def test_an_environment_that_cannot_be_carried_is_refused_in_words(
    scene: Scene, server: str
) -> None:
    answer = scene.alice.api("POST", f"/users/alice/servers/{server}", SMALL)
    assert answer.status_code == 424
    assert "c.Spawner.environment" in answer.json()["message"]
    assert scene.other_jobs() == []
