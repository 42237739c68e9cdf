"""Apache, shibd, proxy and hub as services of one host, set up by the lines of the pages alone."""

from __future__ import annotations

import secrets
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.lab.front_site import FrontSite, Student, at_this_host
from tests.lab.site import Site
from tests.rig.hub import until

_OPEN = """
import socket
with socket.socket(socket.AF_UNIX) as probe:
    try:
        probe.connect("/run/slurmhub/proxy.sock")
    except OSError as error:
        print(error.strerror)
    else:
        print("It opened")
"""


@pytest.fixture(scope="module")
def front(site: Site) -> Iterator[FrontSite]:
    """The site with a front before it, and an identity provider that knows it."""
    with tempfile.TemporaryDirectory(prefix="shub-idp-", dir="/tmp") as folder:
        front = FrontSite(site, Path(folder))
        try:
            with at_this_host(front.settings["domain"]):
                front.install()
                yield front
        finally:
            front.remove()


def opens_the_socket(front: FrontSite, account: str) -> str:
    """What an account of the host is told that goes round the front."""
    return front.host.run("runuser", "-u", account, "--", "python3", "-I", "-c", _OPEN).strip()


@contextmanager
def echo() -> Iterator[int]:
    """A server that agrees to any upgrade, and sends back what comes; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += connection.recv(4096)
                lines = "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket"
                connection.sendall("\r\n".join([*lines, "Connection: Upgrade\r\n\r\n"]).encode())
                while said := connection.recv(4096):
                    connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


def test_a_student_signs_in_works_and_leaves(front: FrontSite) -> None:
    """A server is a job of the person's own account; sign-out ends hub, SP and institution."""
    alice = Student(front, "alice")
    assert alice.sign_in().url == f"{front.url}/hub/home"
    assert alice.start(hours=1).status_code in {201, 202}
    job = alice.wait_ready()["job_id"]
    assert alice.asks_server()["uid"] == int(front.host.run("id", "-u", "alice"))
    assert front.site.jobs() == {int(job): "alice"}

    left = alice.get("/hub/logout")
    assert left.url == f"{front.url}/hub/shibboleth/signed-out", left.text
    assert alice.get("/hub/home").url.startswith(f"{front.url}/hub/login")
    assert front.site.jobs() == {int(job): "alice"}, "the job goes on"
    # The institution asks for the password again.
    assert "username" in alice.at_the_institution().fields
    front.host.run("scancel", job)


def test_a_sign_out_at_the_institution_reaches_the_hub(front: FrontSite) -> None:
    """shibd, Apache's port for notices, the proxy's socket, the hub."""
    bob = Student(front, "bob")
    assert bob.sign_in().url == f"{front.url}/hub/home"
    place = f"{front.provider.origin}/simplesaml"
    bob.web.get(f"{place}/saml2/idp/SingleLogoutService.php", params={"ReturnTo": f"{place}/"})
    assert bob.get("/hub/home").url.startswith(f"{front.url}/hub/login"), front.news


def test_nobody_goes_round_the_front(front: FrontSite) -> None:
    """No port, and a socket that only Apache and the proxy can open; the secret is the hub's."""
    assert opens_the_socket(front, "carol") == "Permission denied"
    assert opens_the_socket(front, "www-data") == "It opened"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 8000)) != 0
    shown = front.host.run("stat", "--format=%U %a", "/etc/slurmhub/front-secret")
    assert shown == "jupyterhub 600\n"
    stranger = requests.get(
        f"https://{front.settings['domain']}/hub/home",
        headers={"X_Slurmhub_Eppn": "alice@example.ca"},
        verify=str(front.certificate),
        timeout=10,
    )
    assert stranger.status_code == 400


def test_plain_http_leads_to_the_front(front: FrontSite) -> None:
    """By whatever name somebody comes."""
    for name in (front.settings["domain"], "127.0.0.1"):
        answer = requests.get(f"http://{name}/hub/home", timeout=10, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (308, f"{front.url}/hub/home")


def test_the_secret_changes(front: FrontSite) -> None:
    """A new line above the old one, Apache reloaded, the old line taken away: as the page says."""
    file = front.host.root / "etc/slurmhub/front-secret"
    old, new = file.read_text(), f"{secrets.token_urlsafe(48)}\n"
    for lines in (new + old, new):
        file.write_text(lines)
        front.make_keys()
        front.host.run("systemctl", "reload", "apache2")
        assert Student(front, "bob").sign_in().url == f"{front.url}/hub/home", front.news
    assert new.strip() in (front.host.root / "etc/apache2/slurmhub/front-secret.conf").read_text()


def test_websockets_pass_the_socket(front: FrontSite) -> None:
    """Both ways, and for as long as both sides hold them."""
    name = front.settings["domain"]
    with echo() as port:
        front.add_route("/user/alice/socket", f"http://127.0.0.1:{port}")
        context = ssl.create_default_context(cafile=str(front.certificate))
        with (
            socket.create_connection((name, 443), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            lines = ["GET /user/alice/socket HTTP/1.1", f"Host: {name}", "Connection: Upgrade"]
            lines += ["Upgrade: websocket", "Sec-WebSocket-Version: 13"]
            lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""]
            secure.sendall("\r\n".join(lines).encode())
            assert secure.recv(4096).startswith(b"HTTP/1.1 101 ")
            for word in (b"there", b"and back"):
                secure.sendall(word)
                assert secure.recv(4096) == word


def test_a_killed_proxy_comes_back(front: FrontSite) -> None:
    """The socket that it left is not in the way of the next one."""
    front.host.run("systemctl", "kill", "--signal=KILL", "jupyterhub-proxy")
    until(front.answers, what="the hub behind its front")


def test_after_a_reboot_everything_is_as_before(front: FrontSite) -> None:
    """By itself, with the same keys: nothing has to be registered again."""
    before = front.keys()
    front.reboot()
    assert front.keys() == before
    alice = Student(front, "alice")
    assert alice.sign_in().url == f"{front.url}/hub/home", front.news
    assert front.host.run("systemctl", "list-units", "--failed", "--no-legend") == ""
