"""A real hub with the courses service beside it, and people who come to it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from slurmhub.courses.policy import Policy
from slurmhub.courses.store import Courses, open_courses
from tests.rig.hub import HubUnderTest, Visitor, free_port, until
from tests.unit.courses.world import POLICY

PREFIX = "/services/courses/"
GROUPS = {"alice": ["instructors"], "bob": ["instructors"], "carol": ["approvers"]}

_SETTINGS = """
from slurmhub.courses.service.registration import with_courses
with_courses(c, url="http://127.0.0.1:{port}", settings={settings!r}, api_token={token!r})
c.SlurmHubSpawner.slurm_bin_dir = "/nonexistent"
c.JupyterHub.services = [
    *c.JupyterHub.services, {{"name": "prometheus", "api_token": {prometheus!r}}}
]
c.JupyterHub.load_roles = [
    *c.JupyterHub.load_roles,
    {{"name": "prometheus", "services": ["prometheus"], "scopes": ["read:metrics"]}},
]
c.JupyterHub.load_groups = {groups!r}
"""
TOKEN = "the-service-s-token-of-a-test"
PROMETHEUS = "the-token-of-prometheus-of-a-test"


@dataclass
class ServiceUnderTest:
    """The service of a hub, and its database as the tests look into it."""

    hub: HubUnderTest
    database: str
    port: int

    @property
    def url(self) -> str:
        """Where the proxy serves it."""
        return self.hub.url + PREFIX.rstrip("/")

    def courses(self, policy: Policy = POLICY) -> Courses:
        """The database, beside the service."""
        return open_courses(self.database, policy)

    def visitor(self, name: str) -> CourseVisitor:
        """Somebody signed in at the hub."""
        return CourseVisitor(self, name)

    def wait(self) -> None:
        """Until it answers through the proxy."""
        until(self._answers, what=f"the courses service ({self.hub.folder}/hub.log)")

    def _answers(self) -> bool:
        try:
            answer = requests.get(f"{self.url}/", timeout=5, allow_redirects=False)
        except requests.RequestException:
            return False
        return "/oauth2/authorize" in answer.headers.get("Location", "")


class CourseVisitor(Visitor):
    """A person in a browser who comes to courses."""

    def __init__(self, service: ServiceUnderTest, name: str) -> None:
        self.service = service
        super().__init__(service.hub, name)

    def page(self, path: str = "", **options: Any) -> requests.Response:
        """GET a page of the service; the first time by way of the hub's sign-in."""
        return self.get(PREFIX + path, **options)

    @property
    def course_xsrf(self) -> str:
        """The token that the service's forms carry."""
        found = re.search(r'name="_xsrf" value="([^"]+)"', self.page().text)
        assert found, "no form on the first page"
        return found[1]

    def send(self, path: str, data: Mapping[str, Any], **options: Any) -> requests.Response:
        """POST a form of the service."""
        options.setdefault("timeout", 30)
        form = {**data, "_xsrf": self.course_xsrf}
        return self.session.post(self.hub.url + PREFIX + path, data=form, **options)

    def token(self, *scopes: str) -> str:
        """A new token of theirs, with these scopes or all that they have."""
        body = {"scopes": list(scopes)} if scopes else {}
        answer = self.api("POST", f"/users/{self.name}/tokens", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])


def service_settings(
    folder: Path, groups: Mapping[str, list[str]], **settings: Any
) -> tuple[str, int, str]:
    """Lines for a hub's configuration that run the service, its port and its database."""
    port, database = free_port(), f"sqlite:///{folder}/courses.sqlite"
    file = folder / "courses.json"
    policy = POLICY.model_dump(mode="json")
    # The tests' courses have terms that are over: a minute later the service would freeze them.
    policy["retention"]["freeze_after"] = 36_500
    values = {
        "hub": "testing",
        "database": database,
        "policy": policy,
        **settings,
    }
    file.write_text(json.dumps(values))
    members: dict[str, dict[str, list[str]]] = {}
    for name, theirs in groups.items():
        for group in theirs:
            members.setdefault(group, {"users": []})["users"].append(name)
    text = _SETTINGS.format(
        port=port, settings=str(file), token=TOKEN, prometheus=PROMETHEUS, groups=members
    )
    return text, port, database
