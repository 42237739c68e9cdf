"""Apache, mod_shib, shibd and two identity providers of different scopes, for the whole folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from slurmhub_deploy.front.embedded import EmbeddedFront, FrontPlan, ProviderPlan
from slurmhub_deploy.front.provider import Person
from tests.shibboleth.backend import Backend

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
