"""The demo with Shibboleth: its front, its test identity provider, and what its hub is told."""

from __future__ import annotations

from collections.abc import Mapping

from slurmhub_deploy.cluster.layout import free_ports
from slurmhub_deploy.demo import hub as hubs
from slurmhub_deploy.demo.accounts import PEOPLE, account_of
from slurmhub_deploy.demo.places import Places
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.front.embedded import EmbeddedFront, FrontPlan, ProviderPlan
from slurmhub_deploy.front.provider import Person

SCOPE = "example.ca"
_AFFILIATIONS = {"student": "student", "instructor": "faculty", "operator": "staff"}


def require_root(places: Places) -> None:
    """Raise DeployError for an ordinary account: each person needs a Unix account of their own."""
    if not places.root:
        raise DeployError(
            "With --shibboleth each person has a Unix account, which only root can make.",
            remedy="sudo script/demo --shibboleth",
        )


def front_of(places: Places) -> EmbeddedFront:
    """The demo's front, whoever started it: enough to stop it."""
    return EmbeddedFront(FrontPlan(places.front, "http://127.0.0.1:1", ()))


def make_front(places: Places, plan: hubs.HubPlan, passwords: Mapping[str, str]) -> EmbeddedFront:
    """The front before this hub's proxy, with its files written and nothing started."""
    people = {name: _person(name, password) for name, password in passwords.items()}
    provider = ProviderPlan(SCOPE, hubs.ADDRESS, (SCOPE,), people, port=free_ports(1)[0])
    front = EmbeddedFront(
        FrontPlan(
            places.front, plan.url, (provider,), address=hubs.ADDRESS, https_port=plan.public_port
        )
    )
    front.prepare()
    return front


def hub_settings(front: EmbeddedFront) -> dict[str, object]:
    """What the hub's configuration says instead of the demo's own sign-in."""
    return {
        "JupyterHub.authenticator_class": "shibboleth",
        "JupyterHub.public_url": f"{front.url}/",
        "ShibbolethAuthenticator.front_secret_file": str(front.secret_file),
        "ShibbolethAuthenticator.account_source": "existing",
        "ShibbolethAuthenticator.account_rule": [{"attribute": "eppn", "scopes": [SCOPE]}],
        "ShibbolethAuthenticator.group_rules": [
            {"attribute": "affiliation", "equals": f"{value}@{SCOPE}", "group": group}
            for value, group in (("student", "students"), ("faculty", "instructors"))
        ],
        "ShibbolethAuthenticator.support_contact": front.settings.support.mail,
        "ShibbolethAuthenticator.session_lifetime": front.settings.session_hours * 3600.0,
        "Authenticator.allowed_users": {account_of(person) for person in PEOPLE},
        "Authenticator.admin_users": {account_of("operator")},
    }


def words(front: EmbeddedFront, passwords: Mapping[str, str]) -> list[str]:
    """What a person who starts the demo is told."""
    provider = front.providers[0]
    return [
        f"\nThe hub answers at {front.url}/",
        "Its certificate is made for this demo, so your browser will ask whether to go on.",
        f"\nPeople sign in at a test identity provider, {provider.origin}/, as:\n",
        *(f"{person} {password}" for person, password in passwords.items()),
        f"\nWhat a federation would register: {front.root / 'registration'}",
    ]


def _person(name: str, password: str) -> Person:
    return Person(
        password,
        {
            "subject-id": [f"{name}-0001@{SCOPE}"],
            "eppn": [f"{account_of(name)}@{SCOPE}"],
            "displayName": [f"The {name} of the demo"],
            "mail": [f"{name}@{SCOPE}"],
            "affiliation": [f"{_AFFILIATIONS[name]}@{SCOPE}", f"member@{SCOPE}"],
        },
    )
