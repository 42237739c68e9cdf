"""Apache, mod_shib, shibd and two identity providers of different scopes, for the whole folder."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.front.embedded import EmbeddedFront, FrontPlan, ProviderPlan
from slurmhub_deploy.front.provider import Person
from tests.conftest import hub_settings
from tests.rig import queue
from tests.rig.accounts import account
from tests.rig.hub import HubUnderTest, free_port
from tests.shibboleth.backend import Backend
from tests.shibboleth.endings import WITHIN

PASSWORD = "a-password-for-tests"

ALICE = {
    "subject-id": ["a1b2c3@example.ca"],
    "pairwise-id": ["PAIR77@example.ca"],
    "eppn": ["alice@example.ca"],
    "displayName": ["Alice Éxämple ☃"],
    "givenName": ["Alice"],
    "sn": ["Éxämple"],
    "mail": ["alice@mail.example.ca"],
    "affiliation": ["student@example.ca", "member@example.ca"],
    "entitlement": ["urn:example:gpu", "https://example.ca/a;b"],
    "isMemberOf": ["courses:phys101"],
    "assurance": ["https://refeds.org/assurance"],
}
BOB = {"subject-id": ["b4b5b6@example.ca"], "eppn": ["bob@example.ca"]}
# Of another university: one with the same local part, one that it lies about, one with values
# that are not what they should be.
OTHER_ALICE = {"subject-id": ["zz99@other.example"], "eppn": ["alice@other.example"]}
LIAR = {
    "subject-id": ["a1b2c3@example.ca"],
    "pairwise-id": ["PAIR77@example.ca"],
    "eppn": ["alice@example.ca"],
    "affiliation": ["staff@example.ca", "student@other.example", "emperor@other.example"],
    "displayName": ["Liar"],
}
ODD = {
    "subject-id": ["odd@other.example"],
    "eppn": ["odd@other.example@other.example"],
    "displayName": ["Odd\r\nX-Slurmhub-Eppn: alice@example.ca"],
    "mail": ["odd@other.example", "odd@other.example\nX-Slurmhub-Mail: alice@example.ca"],
}


def person(attributes: dict[str, list[str]]) -> Person:
    """Somebody with these attributes and the password of all tests."""
    return Person(PASSWORD, attributes)


def two_providers(**more: dict[str, list[str]]) -> tuple[ProviderPlan, ProviderPlan]:
    """Two universities on addresses of their own, which browsers take for different sites."""
    first = {"alice": ALICE, "bob": BOB, **more}
    second = {"alice": OTHER_ALICE, "liar": LIAR, "odd": ODD}
    return (
        ProviderPlan(
            "example.ca",
            "127.0.0.2",
            ("example.ca",),
            {name: person(attributes) for name, attributes in first.items()},
        ),
        ProviderPlan(
            "other.example",
            "127.0.0.3",
            ("other.example",),
            {name: person(attributes) for name, attributes in second.items()},
        ),
    )


SETTINGS = """
c.JupyterHub.authenticator_class = "shibboleth"
c.JupyterHub.public_url = {url!r} + "/"
c.ShibbolethAuthenticator.front_secret_file = {secret!r}
c.ShibbolethAuthenticator.discovery_feed = {feed!r}
c.ShibbolethAuthenticator.account_rule = [{{"attribute": "eppn", "scopes": ["example.ca"]}}]
c.ShibbolethAuthenticator.group_rules = [
    {{"attribute": "affiliation", "equals": "student@example.ca", "group": "students"}},
]
c.ShibbolethAuthenticator.support_contact = "help@example.ca"
c.ShibbolethAuthenticator.servers_notice_within = {within}
c.Authenticator.allow_all = True
c.SlurmHubSpawner.unix_account = lambda name: name
c.Spawner.cmd = [{jupyter!r}]
c.Spawner.default_url = "/lab"
"""


@pytest.fixture(scope="session")
def front_ground() -> Iterator[Path]:
    """A short path, which sockets need, that every account may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="shub-front-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def backend() -> Iterator[Backend]:
    """What stands behind the front instead of a hub."""
    with Backend().running() as running:
        yield running


@pytest.fixture(scope="session")
def front(front_ground: Path, backend: Backend) -> Iterator[EmbeddedFront]:
    """A front before the backend, with both providers."""
    with EmbeddedFront(FrontPlan(front_ground / "f", backend.url, two_providers())) as running:
        yield running


@pytest.fixture(scope="module")
def jupyter() -> str:
    """The single-user server: script/test says where, else that of this environment."""
    named = os.environ.get("SLURMHUB_TEST_JUPYTER")
    return named or str(Path(sys.executable).parent / "jupyterhub-singleuser")


@pytest.fixture(scope="module")
def site(
    ground: Path,
    cluster: EmbeddedCluster,
    accounts: dict[str, str],
    stub: Path,
    code: Path,
    proxy_command: list[str],
    jupyter: str,
) -> Iterator[tuple[EmbeddedFront, HubUnderTest]]:
    """A hub on a cluster behind a front with two identity providers."""
    port = free_port()
    alice = {**ALICE, "eppn": [f"{account('alice')}@example.ca"]}
    plan = FrontPlan(ground / "front", f"http://127.0.0.1:{port}", two_providers(alice=alice))
    front = EmbeddedFront(plan)
    front.prepare()
    extra = SETTINGS.format(
        url=front.url,
        secret=str(front.secret_file),
        feed=f"http://127.0.0.1:{front.settings.notify_port}/institutions",
        jupyter=jupyter,
        within=WITHIN,
    )
    folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
    settings = hub_settings(cluster, stub, extra)
    hub = HubUnderTest(folder, settings, proxy_command, code=code, port=port)
    with front:
        try:
            hub.start()
            yield front, hub
        finally:
            # First: a server whose hub is gone takes half a minute to end.
            queue.clear(cluster)
            hub.stop()
            shutil.rmtree(folder, ignore_errors=True)
