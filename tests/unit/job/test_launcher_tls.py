"""The launcher with internal TLS: the hub, the job and the server know each other."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path

import pytest

from tests.unit.job import servers
from tests.unit.job.certificates import ADDRESS, Authority, context
from tests.unit.job.conftest import Launch, Order
from tests.unit.job.fake_hub import FakeHub, Heard, Reply, agreeable


@pytest.fixture
def authority() -> Authority:
    return Authority("all of one hub")


@pytest.fixture
def hub_context(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    """The hub's: it speaks only to who shows a certificate of the authority."""
    return context(ssl.Purpose.CLIENT_AUTH, authority.issue("hub"), tmp_path / "hub-tls")


def test_serves_with_the_certificate_that_the_hub_gives(
    launch: Launch, authority: Authority, hub_context: ssl.SSLContext, tmp_path: Path
) -> None:
    for_server = authority.issue("server")

    def gives_after_a_while(heard: Heard, before: int) -> Reply:
        if heard.event == "started":
            return Reply(425, {}) if before < 2 else Reply(200, {"tls": for_server})
        return agreeable(heard, before)

    with FakeHub(gives_after_a_while, tls=hub_context) as hub:
        running = launch(Order(hub.url, tls=authority.issue("job")), servers.SERVES_TLS)
        port = hub.wait_for("listening").body["port"]
        facts = json.loads(running.note("facts"))
        assert hub.events() == ["started", "started", "started", "listening"]
        assert facts["url"].startswith("https://0.0.0.0:")
        assert facts["folder_mode"] == "0o700"
        client = context(ssl.Purpose.SERVER_AUTH, authority.issue("proxy"), tmp_path / "proxy-tls")
        with (
            socket.create_connection((ADDRESS, port)) as plain,
            client.wrap_socket(plain, server_hostname=ADDRESS) as secure,
        ):
            assert secure.getpeercert()["subject"] == ((("commonName", "server"),),)  # type: ignore[index]
        running.process.terminate()
        running.end()
    assert not Path(facts["folder"]).exists()
    assert "PRIVATE KEY" not in running.said()


def test_waits_for_the_certificate_before_it_starts_the_server(
    launch: Launch, authority: Authority, hub_context: ssl.SSLContext
) -> None:
    with FakeHub(lambda heard, before: Reply(425, {}), tls=hub_context) as hub:
        running = launch(Order(hub.url, tls=authority.issue("job")), servers.LISTENS)
        hub.wait_for("started", count=3)
        assert not list(running.notes.iterdir())
        hub.behaviour = agreeable
        running.process.terminate()
        assert running.end() == 128 + 15
        assert hub.wait_for("ended").body["why"] == "terminated"
        assert not list(running.notes.iterdir())


def test_speaks_to_no_other_hub(
    launch: Launch, authority: Authority, hub_context: ssl.SSLContext
) -> None:
    stranger = Authority("all of another hub")
    edits = {"ENDED_SECONDS = 20.0": "ENDED_SECONDS = 0.3"}
    with FakeHub(tls=hub_context) as hub:
        running = launch(Order(hub.url, tls=stranger.issue("job")), servers.LISTENS, edits=edits)
        while "does not answer (SSLCertVerificationError)" not in running.said():
            assert running.process.poll() is None
        running.process.terminate()
        running.end()
    assert hub.heard == []


@pytest.mark.parametrize("spoilt", ["certificate", "key", "authority"])
def test_a_certificate_that_is_none(
    launch: Launch, authority: Authority, hub_context: ssl.SSLContext, spoilt: str
) -> None:
    edits = {"ENDED_SECONDS = 20.0": "ENDED_SECONDS = 0.3"}
    tls = authority.issue("job")
    with FakeHub(tls=hub_context) as hub:
        for broken in ({**tls, spoilt: "MIIsecret"}, {k: v for k, v in tls.items() if k != spoilt}):
            running = launch(Order(hub.url, tls=broken), servers.LISTENS, edits=edits)
            if spoilt in broken:
                while "does not answer (" not in running.said():
                    assert running.process.poll() is None
                running.process.terminate()
            assert running.end() != 0
            assert "MIIsecret" not in running.said()
            assert not list(running.log.parent.glob("slurmhub-*"))
    assert hub.heard == []
