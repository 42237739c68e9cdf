"""A person in front of the demo: signs in over HTTP and works."""

from __future__ import annotations

import time
from typing import Any

import requests


class Person:
    """A browser's session without the browser."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.session = requests.Session()

    def sign_in(self, password: str) -> requests.Response:
        """Fill in the form of the sign-in page; what comes after it."""
        self.get("/hub/login")
        form = {"username": self.name, "password": password, "_xsrf": self._xsrf}
        return self.session.post(f"{self.url}/hub/login", data=form, timeout=30)

    def get(self, path: str) -> requests.Response:
        """GET a page, following where it leads."""
        return self.session.get(self.url + path, timeout=30)

    def start_server(self, named: str = "", **options: str) -> requests.Response:
        """Ask for a server by REST."""
        server = f"servers/{named}" if named else "server"
        return self.session.post(
            f"{self.url}/hub/api/users/{self.name}/{server}",
            json=options,
            headers={"X-XSRFToken": self._xsrf, "Referer": f"{self.url}/hub/home"},
            timeout=30,
        )

    def wait_for_lab(self, named: str = "", seconds: float = 40) -> requests.Response:
        """JupyterLab's page, once the server runs."""
        limit = time.monotonic() + seconds
        while True:
            answer = self.get(f"/user/{self.name}/{f'{named}/' if named else ''}lab")
            if answer.status_code == 200 and "/hub/" not in answer.url:
                return answer
            assert time.monotonic() < limit, (answer.status_code, answer.url, self._status())
            time.sleep(0.2)

    def _status(self) -> Any:
        return self.get(f"/hub/api/slurmhub/status/{self.name}").text[:1000]

    @property
    def _xsrf(self) -> str:
        return [c.value for c in self.session.cookies if c.name == "_xsrf" and c.value][-1]
