"""People of a federation choose their institution at its own discovery service."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import requests

from slurmhub_deploy.cluster.layout import free_ports
from slurmhub_deploy.front.embedded import EmbeddedFront, FrontPlan
from slurmhub_deploy.front.registration import METADATA
from slurmhub_deploy.front.tls import make_certificate
from tests.shibboleth.backend import Backend
from tests.shibboleth.conftest import PASSWORD, two_providers
from tests.shibboleth.discovery_service import DiscoveryService
from tests.shibboleth.saml import Response
from tests.shibboleth.visits import LOGIN, Visit, arrived, here
from tests.shibboleth.web import forms_of

_NEXT = "?next=%2Fhub%2Fspawn%3Fpartition%3Dgpu"


@pytest.fixture(scope="module")
def service(front_ground: Path) -> Iterator[DiscoveryService]:
    """The discovery service, which nobody is registered with yet."""
    folder = front_ground / "discovery-tls"
    folder.mkdir()
    (port,) = free_ports(1)
    # Another first name than that of the front's: a browser tells certificates apart by it.
    names = ["localhost", "127.0.0.1"]
    with DiscoveryService(port, *make_certificate(folder, names)).serving() as running:
        yield running


@pytest.fixture(scope="module")
def member(
    front_ground: Path, service: DiscoveryService, backend: Backend
) -> Iterator[EmbeddedFront]:
    """A front whose people choose there, registered by its own pack."""
    plan = FrontPlan(
        front_ground / "d", backend.url, two_providers(), settings={"discovery": service.url}
    )
    with EmbeddedFront(plan) as running:
        service.register((running.root / "registration" / METADATA).read_text())
        service.institutions = {each.name: each.entity_id for each in running.providers}
        yield running


@pytest.fixture
def visit(member: EmbeddedFront, service: DiscoveryService, tmp_path: Path) -> Visit:
    """A new browser, which trusts the front and the discovery service."""
    both = tmp_path / "trusted.pem"
    both.write_text(member.certificate.read_text() + service.certificate.read_text())
    visit = here(member)
    visit.web.session.verify = str(both)
    return visit


def choose(visit: Visit, page: requests.Response, name: str) -> requests.Response:
    """Follow the link of an institution."""
    link = re.search(rf'<a href="([^"]+)">{re.escape(name)}</a>', page.text)
    assert link, page.text
    return visit.web.get(urljoin(page.url, html.unescape(link[1])))


def test_a_person_chooses_there_and_signs_in(
    visit: Visit, member: EmbeddedFront, service: DiscoveryService, backend: Backend
) -> None:
    """From the sign-in to the service, to the institution, and back to where they were."""
    page = visit.get(LOGIN + _NEXT)
    assert page.url.startswith(service.url + "?"), page.text
    asked = service.asked[-1]
    assert asked["entityID"] == member.settings.entity_id
    assert asked["return"].startswith(f"{member.url}/hub/Shibboleth.sso/Login?")
    assert asked.get("isPassive", "false") == "false"

    other = member.providers[1]
    (form,) = (each for each in forms_of(choose(visit, page, other.name)) if each.fields)
    assert form.action.startswith(other.origin)
    answer = visit.web.submit(form, username="alice", password=other.people["alice"].password)
    response = next(each for each in forms_of(answer) if "SAMLResponse" in each.fields)
    seen = arrived(backend, visit.post(Response.of(response)))
    assert seen.target == LOGIN + _NEXT
    assert seen.values("X-Slurmhub-Idp") == [other.entity_id]
    assert seen.values("X-Slurmhub-Eppn") == ["alice@other.example"]


def test_whoever_chooses_nothing_is_told_so(visit: Visit, service: DiscoveryService) -> None:
    """The service sends people back without a name when they choose none."""
    page = visit.get(LOGIN)
    (back,) = parse_qs(urlsplit(page.url).query)["return"]
    answer = visit.web.get(f"{service.url}?{urlencode({**service.asked[-1], 'chosen': ''})}")
    assert answer.url == back
    assert "help@example.ca" in answer.text
    assert not visit.web.cookies("_shibsession_")


def test_an_institution_that_is_not_known_signs_nobody_in(
    visit: Visit, service: DiscoveryService
) -> None:
    """What the service names is no more than a name: metadata decides."""
    visit.get(LOGIN)
    named = {**service.asked[-1], "chosen": "https://idp.evil.example/idp"}
    answer = visit.web.get(f"{service.url}?{urlencode(named)}")
    assert "This institution is not known here" in answer.text
    assert "help@example.ca" in answer.text


def test_nobody_is_sent_elsewhere_by_way_of_it(visit: Visit, member: EmbeddedFront) -> None:
    """Whoever makes up an answer of the service cannot choose where a person ends."""
    made_up = {"SAMLDS": "1", "entityID": visit.provider.entity_id}
    for target in ("https://evil.example/", "https://127.0.0.1:1/", "javascript:alert(1)"):
        answer = visit.get("/hub/Shibboleth.sso/Login", params={**made_up, "target": target})
        assert answer.url.startswith(member.url), target
        assert "help@example.ca" in answer.text
    # What looks like a path is one: of the front's own.
    answer = visit.get("/hub/Shibboleth.sso/Login", params={**made_up, "target": "//evil.example/"})
    (form,) = (each for each in forms_of(answer) if "username" in each.fields)
    answer = visit.web.submit(form, username="alice", password=PASSWORD)
    (form,) = (each for each in forms_of(answer) if "SAMLResponse" in each.fields)
    answer = visit.web.session.post(form.action, data=form.fields, allow_redirects=False)
    assert answer.headers["Location"] == f"{member.url}//evil.example/"


def test_the_list_is_not_served_twice(visit: Visit, backend: Backend) -> None:
    """With a service of its own, the front shows no list of institutions."""
    answer = visit.get("/hub/Shibboleth.sso/DiscoFeed")
    assert "entityID" not in answer.text
    assert not [seen for seen in backend.seen if "DiscoFeed" in seen.target]
