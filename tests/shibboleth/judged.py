"""Whether a response signed anybody in, and what shibd said of it."""

from __future__ import annotations

import datetime
import re

from slurmhub_deploy.front.embedded import EmbeddedFront
from slurmhub_deploy.front.provider import IdentityProvider
from tests.shibboleth.backend import Backend, Seen
from tests.shibboleth.saml import Response
from tests.shibboleth.visits import LOGIN, Visit, arrived

_BOB_TO_ALICE = {"bob@example.ca": "alice@example.ca", "b4b5b6@example.ca": "a1b2c3@example.ca"}


def lie(text: str) -> str:
    """What is said of bob, said of alice."""
    for his, hers in _BOB_TO_ALICE.items():
        text = text.replace(his, hers)
    return text


def moment(hours: float) -> str:
    """A time so many hours from now, as SAML writes it."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return f"{then:%Y-%m-%dT%H:%M:%SZ}"


def as_provider(response: Response, provider: IdentityProvider) -> Response:
    """Signed as the provider itself signs: the assertion, and the whole around it."""
    return response.signed(provider).signed(provider, what="Response")


def refused(
    front: EmbeddedFront, backend: Backend, visit: Visit, response: Response, why: str
) -> None:
    """The page says so, the browser has no session, the hub heard of nobody.

    `why` is what shibd's log says: else a slip of the test's own would look like a refusal.
    """
    begins = front.shibd_log.stat().st_size
    before = len(backend.seen)
    answer = visit.post(response)
    assert "Sign-in did not work" in answer.text, answer.text
    assert "help@example.ca" in answer.text
    assert visit.web.cookies("_shibsession_") == {}
    assert visit.get(LOGIN, allow_redirects=False).status_code == 302
    assert len(backend.seen) == before
    said = front.shibd_log.read_bytes()[begins:].decode()
    assert re.search(why, said), said


def accepted(backend: Backend, visit: Visit, response: Response) -> Seen:
    """Bob is signed in by a response that went through the same hands; what the hub heard."""
    seen = arrived(backend, visit.post(response))
    assert seen.values("X-Slurmhub-Eppn") == ["bob@example.ca"]
    assert seen.values("X-Slurmhub-Subject-Id") == ["b4b5b6@example.ca"]
    return seen
