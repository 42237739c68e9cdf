"""A browser without a screen or scripts: it follows redirects and submits forms."""

from __future__ import annotations

import html.parser
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests


@dataclass
class Form:
    """One form of a page: where it goes, how, and what it would send."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(html.parser.HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self._url, found.get("action", ""))
            self.forms.append(Form(action, found.get("method", "get").lower()))
        elif tag == "input" and self.forms and found.get("name"):
            self.forms[-1].fields[found["name"]] = found.get("value", "")


def forms_of(answer: requests.Response) -> list[Form]:
    """Every form of a page."""
    parser = _Forms(answer.url)
    parser.feed(answer.text)
    return parser.forms


class Web:
    """A session with cookies that trusts one certificate."""

    def __init__(self, certificate: str) -> None:
        self.session = requests.Session()
        self.session.verify = certificate
        self.session.trust_env = False

    def get(self, url: str, **options: Any) -> requests.Response:
        """GET, following redirects."""
        return self.session.get(url, timeout=30, **options)

    def submit(self, form: Form, **changes: str) -> requests.Response:
        """Submit a form with some of its fields changed."""
        assert form.method == "post", form
        return self.session.post(form.action, data={**form.fields, **changes}, timeout=30)

    def cookies(self, start: str = "") -> dict[str, str]:
        """Cookies whose names begin like this."""
        return {
            cookie.name: cookie.value or ""
            for cookie in self.session.cookies
            if cookie.name.startswith(start)
        }
