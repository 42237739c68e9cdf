"""Whom the front believes: metadata of a federation, signed and fresh, or nobody."""

from __future__ import annotations

import datetime
import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import pytest

from slurmhub_deploy.front.embedded import EmbeddedFront, FrontPlan
from slurmhub_deploy.front.keys import make_key_pair
from tests.shibboleth.backend import Backend
from tests.shibboleth.conftest import two_providers
from tests.shibboleth.saml import sign
from tests.shibboleth.visits import LOGIN, Visit

_MD = "urn:oasis:names:tc:SAML:2.0:metadata"


@dataclass
class Federation:
    """A federation's operator, on loopback: the aggregate, and single entities by MDQ."""

    folder: Path
    key: Path
    certificate: Path
    days: float = 7
    signed_by: tuple[Path, Path] | None = None
    signed: bool = True
    entities: dict[str, str] = field(default_factory=dict)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self) -> Iterator[Federation]:
        """Answer requests as long as this lasts."""
        federation = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text = federation.answer(unquote(self.path))
                self.send_response(200 if text else 404)
                self.send_header("Content-Type", "application/samlmetadata+xml")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's
                """Nobody reads it."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, path: str) -> str:
        """The document at this path; empty when there is none."""
        if path == "/aggregate.xml":
            inner = "".join(self.entities.values())
            text = f'<md:EntitiesDescriptor xmlns:md="{_MD}" {self._until()}>{inner}'
            return self._sign(f"{text}</md:EntitiesDescriptor>", "EntitiesDescriptor")
        entity = self.entities.get(path.removeprefix("/mdq/entities/"))
        if entity is None:
            return ""
        dated = re.sub(r"<md:EntityDescriptor ", f"<md:EntityDescriptor {self._until()} ", entity)
        return self._sign(dated, "EntityDescriptor")

    def add(self, front: EmbeddedFront) -> None:
        """Take in what the front's own providers say of themselves."""
        for provider in front.providers:
            text = (front.root / "metadata" / f"{provider.name}.xml").read_text()
            self.entities[provider.entity_id] = re.sub(r"^<\?xml.*?\?>", "", text).strip()

    def _until(self) -> str:
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=self.days)
        return f'ID="_all" validUntil="{end:%Y-%m-%dT%H:%M:%SZ}"'

    def _sign(self, text: str, what: str) -> str:
        if not self.signed:
            return text
        key, certificate = self.signed_by or (self.key, self.certificate)
        return sign(text, key, certificate, what)


@pytest.fixture(scope="module")
def federation(front_ground: Path) -> Iterator[Federation]:
    """A federation with a key of its own."""
    folder = front_ground / "federation"
    folder.mkdir()
    key, certificate = make_key_pair(folder, "operator", "https://federation.example")
    with Federation(folder, key, certificate).serving() as running:
        yield running


@pytest.fixture(scope="module")
def member(front_ground: Path, federation: Federation, backend: Backend) -> Iterator[EmbeddedFront]:
    """A front that knows its providers by the federation's word alone."""
    source = {
        "kind": "url",
        "url": f"{federation.url}/aggregate.xml",
        "signing_certificate": str(federation.certificate),
        "max_validity_days": 14,
    }
    plan = FrontPlan(
        front_ground / "m", backend.url, two_providers(), settings={"metadata": [source]}
    )
    with EmbeddedFront(plan) as running:
        federation.add(running)
        yield running


def refresh(front: EmbeddedFront) -> None:
    """Start shibd with nothing kept of the metadata, as on a new host."""
    front.shibd_stop()
    for kept in (front.root / "cache").rglob("*.*"):
        kept.unlink()
    front.shibd_start()


def believes(front: EmbeddedFront) -> bool:
    """Whether somebody of the first provider gets as far as its page, or to an error."""
    visit = Visit.begin(front, front.providers[0])
    answer = visit.sign_in_page()
    if "ListenerException" in answer.text:
        # Apache keeps connections, and one to the shibd before this one may be among them.
        answer = visit.sign_in_page()
    if answer.url.startswith(visit.provider.origin):
        return True
    said = (front.root / "shibd.out").read_text()
    assert "This institution is not known here" in answer.text, f"{said}\n{answer.text}"
    assert "help@example.ca" in answer.text
    return False


def test_a_federation_is_believed(
    member: EmbeddedFront, federation: Federation, backend: Backend
) -> None:
    """Signed by its key and valid for a week: people of its members sign in."""
    refresh(member)
    assert believes(member)
    answer = Visit.begin(member, member.providers[1]).sign_in("alice")
    assert answer.text == "behind the front"
    assert backend.last(LOGIN).values("X-Slurmhub-Eppn") == ["alice@other.example"]


@pytest.mark.parametrize("wrong", ["unsigned", "another key", "expired", "valid for too long"])
def test_metadata_that_anybody_could_serve_is_not(
    member: EmbeddedFront, federation: Federation, tmp_path: Path, wrong: str
) -> None:
    """Each is refused, and the same metadata put right is taken again."""
    federation.signed = wrong != "unsigned"
    federation.days = {"expired": -1.0, "valid for too long": 15.0}.get(wrong, 7.0)
    if wrong == "another key":
        federation.signed_by = make_key_pair(tmp_path, "other", "https://forger.example")
    try:
        refresh(member)
        assert not believes(member)
    finally:
        federation.signed, federation.days, federation.signed_by = True, 7.0, None
    refresh(member)
    assert believes(member)


@pytest.fixture(scope="module")
def queried(
    front_ground: Path, federation: Federation, member: EmbeddedFront, backend: Backend
) -> Iterator[EmbeddedFront]:
    """A front that asks for one provider at a time, and may not ask for all."""
    source = {
        "kind": "mdq",
        "base_url": f"{federation.url}/mdq/",
        "signing_certificate": str(federation.certificate),
    }
    settings = {"metadata": [source], "discovery": "https://discovery.example/"}
    plan = FrontPlan(front_ground / "q", backend.url, two_providers(), settings=settings)
    with EmbeddedFront(plan) as running:
        federation.add(running)
        yield running


def test_a_provider_is_asked_for_when_it_is_needed(
    queried: EmbeddedFront, federation: Federation
) -> None:
    """MDQ: known to the federation, signed; else an institution that is not known."""
    refresh(queried)
    assert believes(queried)
    signature = federation.entities.pop(queried.providers[0].entity_id)
    refresh(queried)
    assert not believes(queried)
    federation.entities[queried.providers[0].entity_id] = signature
    federation.signed = False
    try:
        refresh(queried)
        assert not believes(queried)
    finally:
        federation.signed = True
