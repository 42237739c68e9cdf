"""Assertions encrypted for the service provider, also while its keys are changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from slurmhub_deploy.front.embedded import EmbeddedFront, FrontPlan
from slurmhub_deploy.front.keys import certificates, make_keys
from slurmhub_deploy.front.registration import METADATA, texts, write_registration
from slurmhub_deploy.front.render import render, write
from slurmhub_deploy.front.settings import FrontSettings
from tests.shibboleth.backend import Backend
from tests.shibboleth.conftest import ALICE, two_providers
from tests.shibboleth.encryption import ENCRYPTED, decrypted, encrypted
from tests.shibboleth.saml import SIGNATURE, Response
from tests.shibboleth.visits import LOGIN, arrived, here

OPTIONS = {"assertion.encryption": True}


@dataclass
class Changing:
    """A front whose keys change: its operator at work, and what the federation has published."""

    front: EmbeddedFront
    before: FrontSettings

    @property
    def both(self) -> FrontSettings:
        """The settings of the first step: the new keys beside the old ones."""
        return self.before.model_copy(update={"second_key_folder": self.front.root / "keys-2"})

    @property
    def changed(self) -> FrontSettings:
        """Of the second step: the two folders have changed places."""
        new = {"key_folder": self.both.second_key_folder}
        return self.both.model_copy(update={**new, "second_key_folder": self.before.key_folder})

    @property
    def after(self) -> FrontSettings:
        """Of the last step: the old keys are gone."""
        return self.changed.model_copy(update={"second_key_folder": None})

    def set(self, settings: FrontSettings) -> None:
        """Make keys, render and restart, as the operators' page says."""
        make_keys(settings)
        write(render(settings), self.front.root / "rendered")
        self.front.shibd_stop()
        self.front.shibd_start()

    def publish(self, settings: FrontSettings, *, last_first: bool = False) -> None:
        """The providers now have the registration of these settings.

        They encrypt with the first certificate of it, by their own choice; with `last_first` they
        read it in the other order.
        """
        folder = self.front.root / "registration"
        write_registration(settings, folder)
        if last_first:
            turned = list(reversed(certificates(settings)))
            (folder / METADATA).write_text(texts(settings, turned)[METADATA])


@pytest.fixture(scope="module")
def changing(front_ground: Path, backend: Backend) -> Iterator[Changing]:
    """A front with providers that encrypt all that they say."""
    plans = tuple(replace(plan, options=OPTIONS) for plan in two_providers())
    with EmbeddedFront(FrontPlan(front_ground / "e", backend.url, plans)) as running:
        yield Changing(running, running.settings)


@pytest.fixture
def as_before(changing: Changing) -> Iterator[Changing]:
    """With its first keys again at the end."""
    yield changing
    changing.set(changing.before)
    changing.publish(changing.before)


def signs_in(front: EmbeddedFront, backend: Backend) -> None:
    """Alice does, by an assertion that nobody on the way could read."""
    visit = here(front)
    response = visit.response("alice")
    assert "EncryptedAssertion" in response.xml
    assert "<saml:Assertion" not in response.xml
    assert ALICE["mail"][0] not in response.xml
    seen = arrived(backend, visit.post(response))
    assert seen.values("X-Slurmhub-Subject-Id") == ALICE["subject-id"]
    assert seen.values("X-Slurmhub-Display-Name") == ALICE["displayName"]


def refused(front: EmbeddedFront, backend: Backend) -> None:
    """Nobody is signed in, and a page says so."""
    before = len(backend.seen)
    answer = here(front).sign_in("alice")
    assert "Sign-in did not work" in answer.text
    assert not any(LOGIN in seen.target for seen in backend.seen[before:])


def signs_out_everywhere(front: EmbeddedFront, backend: Backend) -> None:
    """The provider takes a logout request that is signed by the front's key."""
    visit = here(front)
    arrived(backend, visit.sign_in("alice"))
    back = f"{front.url}/hub/shibboleth/signed-out"
    assert visit.get("/hub/Shibboleth.sso/Logout", params={"return": back}).url == back
    # It asks for the password again.
    assert "username" in visit.login_form().fields


def test_an_encrypted_assertion_is_read(changing: Changing, backend: Backend) -> None:
    """With all attributes; and the sign-out works, whose name for her was encrypted as well."""
    signs_in(changing.front, backend)
    signs_out_everywhere(changing.front, backend)


def test_an_assertion_for_another_key_is_not(as_before: Changing, backend: Backend) -> None:
    """The federation has published a certificate whose key this front does not have yet."""
    changing = as_before
    make_keys(changing.both)
    changing.publish(changing.both, last_first=True)
    refused(changing.front, backend)
    changing.publish(changing.before)
    signs_in(changing.front, backend)


def test_keys_change_while_people_sign_in(as_before: Changing, backend: Backend) -> None:
    """Each step of the page, with providers that have read of it and others that have not yet."""
    changing, front = as_before, as_before.front
    changing.set(changing.both)
    signs_in(front, backend)
    for last_first in (False, True):
        changing.publish(changing.both, last_first=last_first)
        signs_in(front, backend)
    signs_out_everywhere(front, backend)
    changing.set(changing.changed)
    for last_first in (False, True):
        changing.publish(changing.changed, last_first=last_first)
        signs_in(front, backend)
    signs_out_everywhere(front, backend)
    changing.publish(changing.after)
    signs_in(front, backend)
    changing.set(changing.after)
    signs_in(front, backend)
    # Whoever still has the first certificate alone has read nothing for days.
    changing.publish(changing.before)
    refused(front, backend)


def encrypted_anew(changing: Changing, response: Response, assertion: str) -> Response:
    """The response with this assertion, encrypted with the certificate of the metadata."""
    certificate = changing.before.key_folder / "sp-encrypt-cert.pem"
    xml = SIGNATURE.sub("", response.xml)
    return replace(response, xml=ENCRYPTED.sub(encrypted(assertion, certificate), xml))


def test_encryption_is_no_signature(changing: Changing, backend: Backend) -> None:
    """Anybody has the certificate. What was encrypted anew is taken with the provider's signature
    on what is inside, and refused without it, or with another name below it."""
    front, key = changing.front, changing.before.key_folder / "sp-encrypt-key.pem"

    def tried(change: Callable[[str], str]) -> requests.Response:
        visit = here(front)
        response = visit.response("bob")
        assertion = change(decrypted(response.xml, key))
        return visit.post(encrypted_anew(changing, response, assertion))

    arrived(backend, tried(lambda assertion: assertion))
    before = len(backend.seen)
    changes: tuple[Callable[[str], str], ...] = (
        lambda assertion: SIGNATURE.sub("", assertion),
        lambda assertion: assertion.replace("bob@example.ca", "alice@example.ca"),
        lambda assertion: assertion.replace("</saml:Assertion>", ""),
    )
    for change in changes:
        assert "Sign-in did not work" in tried(change).text
    assert len(backend.seen) == before
