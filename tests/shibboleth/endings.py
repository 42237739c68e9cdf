"""Ways for a session to end, and people who have all that could outlive it."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from slurmhub_deploy.front.embedded import EmbeddedFront
from tests.rig.accounts import account
from tests.rig.hub import HubUnderTest, until
from tests.shibboleth.loot import AT_SERVER, EVERYTHING, Loot
from tests.shibboleth.saml import Response
from tests.shibboleth.single_logout import logout_request, send
from tests.shibboleth.visits import LOGIN, Visit

WITHIN = 6
"""Seconds in which a server notices, as the hub under test is told."""

_SMALL = {"partition": "cpu", "cpus": "1", "memory": "500M", "hours": "0.2"}


def worth_nothing(loot: Loot) -> None:
    """The hub and the service provider refuse all of it at once, the server within its time."""
    left = loot.opens()
    assert left <= AT_SERVER, sorted(left - AT_SERVER)
    assert not loot.signs_in()
    until(lambda: not loot.opens(), seconds=WITHIN + 10, what="the server's end")


@dataclass(frozen=True)
class SignedIn:
    """Somebody with a server, the response that signed them in, and a copy of all of it."""

    visit: Visit
    response: Response
    loot: Loot


def with_server(front: EmbeddedFront, hub: HubUnderTest) -> SignedIn:
    """Sign alice in without a browser, and open a kernel of her server."""
    visit, name = Visit.begin(front, front.providers[0]), account("alice")
    response = visit.response("alice", f"{LOGIN}?next=%2Fhub%2Fhome")
    assert visit.post(response).url == f"{front.url}/hub/home", hub.news
    ask = {"X-XSRFToken": _mark(visit, "/hub/"), "Referer": f"{front.url}/hub/home"}
    api = f"{front.url}/hub/api"

    def started() -> bool:
        answer = visit.web.session.post(
            f"{api}/users/{name}/server", json=_SMALL, headers=ask, timeout=30
        )
        status = visit.get(f"/hub/api/slurmhub/status/{name}").json()
        assert answer.status_code in (201, 202, 400, 503), answer.text
        return bool(status.get("step") == "ready")

    until(started, what="the server")
    page = visit.get(f"/user/{name}/lab")
    ask = {"X-XSRFToken": _mark(visit, f"/user/{name}/"), "Referer": page.url}
    place = f"{front.url}/user/{name}/api/kernels"
    kernel = visit.web.session.post(place, json={}, headers=ask, timeout=60)
    assert kernel.status_code == 201, kernel.text
    loot = Loot(front, name, visit.web.cookies(), Loot.token_in(page.text), kernel.json()["id"])
    assert loot.opens() == EVERYTHING
    return SignedIn(visit, response, loot)


def _mark(visit: Visit, path: str) -> str:
    cookies = visit.web.session.cookies
    return str(next(each.value for each in cookies if (each.name, each.path) == ("_xsrf", path)))


def in_the_browser(front: EmbeddedFront, gone: SignedIn) -> None:
    """Single logout that the person begins at the institution."""
    place = f"{front.providers[0].origin}/simplesaml"
    gone.visit.web.get(
        f"{place}/saml2/idp/SingleLogoutService.php", params={"ReturnTo": f"{place}/"}
    )


def by_the_provider(front: EmbeddedFront, gone: SignedIn) -> None:
    """Single logout that the institution's server tells the service provider."""
    provider = front.providers[0]
    request = logout_request(front, gone.response, (provider.key, provider.certificate))
    answer = send(front, request)
    assert "status:Success" in answer.text, answer.text


def by_an_operator(front: EmbeddedFront, gone: SignedIn) -> None:
    """An operator's word to the service provider, on its own host."""
    session = next(iter(gone.visit.web.cookies("_shibsession_").values()))
    answer = requests.get(
        f"{front.url}/hub/Shibboleth.sso/Logout/Admin",
        params={"session": session},
        verify=str(front.certificate),
        timeout=30,
    )
    # 206 where the institution's server could not be told.
    assert answer.status_code in (200, 206), answer.text
