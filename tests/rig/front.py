"""What Apache and mod_shib would send to the hub, without them."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.rig.hub import HubUnderTest

IDP = "https://idp.example.ca/shibboleth"
OTHER_IDP = "https://idp.example.org/shibboleth"
SCOPES = {IDP: ["example.ca"], OTHER_IDP: ["example.org"]}
LOGIN = "/hub/shibboleth/login"
NOTIFY = "/hub/shibboleth/notify"

_SOAP = (
    '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
    '<n:LogoutNotification xmlns:n="urn:mace:shibboleth:2.0:sp:notify" type="global">'
    "<n:SessionID>{session}</n:SessionID></n:LogoutNotification></S:Body></S:Envelope>"
)


def settings(secret_file: Path, extra: str = "") -> str:
    """Lines of a hub's configuration that make it believe this front."""
    return f"""
c.JupyterHub.authenticator_class = "shibboleth"
c.JupyterHub.authenticate_prometheus = False
c.ShibbolethAuthenticator.front_secret_file = {str(secret_file)!r}
c.ShibbolethAuthenticator.idp_scopes = {SCOPES!r}
c.ShibbolethAuthenticator.account_rule = [
    {{"attribute": "eppn", "scopes": ["example.ca", "example.org"]}},
]
c.ShibbolethAuthenticator.support_contact = "help@example.ca"
{extra}
"""


def new_session() -> str:
    """A session id as the SP makes them."""
    return f"_{secrets.token_hex(16)}"


@dataclass
class Front:
    """The front of one hub, which holds its secret."""

    hub: HubUnderTest
    secret: str = field(repr=False)

    def headers(self, account: str, **changes: str | None) -> dict[str, str]:
        """All that is set for a sign-in; a change to None takes a header away.

        Changes are named as the headers are, with `_` for `-` and without their beginning.
        """
        said: dict[str, str | None] = {
            "Front": self.secret,
            "Session": new_session(),
            "Idp": IDP,
            "Authn_Instant": "2031-05-30T18:00:00.000Z",
            "Eppn": f"{account}@example.ca",
            "Subject_Id": f"{account}-1@example.ca",
            "Display_Name": "Person of a test",
            "Mail": f"{account}@example.ca",
            "Affiliation": "member@example.ca;student@example.ca",
            **changes,
        }
        return {
            f"X-Slurmhub-{name.replace('_', '-')}": value
            for name, value in said.items()
            if value is not None
        }

    def ask(
        self, account: str, session: requests.Session | None = None, **changes: str | None
    ) -> requests.Response:
        """One request to the login location, as the front sends it on; no redirect is followed."""
        return self.asks(self.headers(account, **changes), session)

    def asks(
        self,
        headers: Mapping[str, str | bytes],
        session: requests.Session | None = None,
        next_url: str = "",
    ) -> requests.Response:
        """The same with these headers, to go to `next_url`."""
        return (session or requests.Session()).get(
            f"{self.hub.url}{LOGIN}",
            params={"next": next_url} if next_url else {},
            headers=headers,
            allow_redirects=False,
            timeout=30,
        )

    def notify(self, session: str, **headers: str) -> requests.Response:
        """The SP's word that a session is over."""
        return requests.post(
            f"{self.hub.url}{NOTIFY}",
            data=_SOAP.format(session=session),
            headers={"Content-Type": "text/xml", "X-Slurmhub-Front": self.secret, **headers},
            timeout=30,
        )


@contextmanager
def front_hub(
    ground: Path, code: Path, proxy_command: Sequence[str], extra: str = ""
) -> Iterator[Front]:
    """A hub behind its proxy that believes this front, in a folder of its own.

    `extra` are lines of its configuration; without any it has no cluster.
    """
    folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
    secret = secrets.token_urlsafe(32)
    file = folder / "front-secret"
    file.touch(0o600)
    file.write_text(f"{secret}\n")
    hub = HubUnderTest(folder, settings(file, extra), proxy_command, code=code)
    try:
        hub.start()
        yield Front(hub, secret)
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Browser:
    """A browser of a person, signed in through the front; `front_session` is the SP's."""

    def __init__(self, front: Front, account: str, **changes: str | None) -> None:
        self.hub = front.hub
        self.account = account
        self.front_session = new_session()
        self.session = requests.Session()
        headers = front.headers(account, **{"Session": self.front_session, **changes})
        answer = front.asks(headers, self.session)
        assert answer.status_code == 302, (answer.status_code, answer.text[-3000:], self.hub.news)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET a page; no redirect is followed."""
        options.setdefault("timeout", 30)
        options.setdefault("allow_redirects", False)
        return self.session.get(self.hub.url + path, **options)

    @property
    def signed_in(self) -> bool:
        """Whether the hub knows this browser."""
        answer = self.get("/hub/home")
        assert answer.status_code in (200, 302), answer.text
        return answer.status_code == 200

    @property
    def xsrf(self) -> str:
        """The token that forms carry."""
        cookies = [c for c in self.session.cookies if c.name == "_xsrf" and c.value]
        return str(next(c.value for c in cookies if c.path == "/hub/"))

    def post(self, path: str, data: dict[str, str]) -> requests.Response:
        """POST a form, with the XSRF token."""
        return self.session.post(
            self.hub.url + path,
            data={**data, "_xsrf": self.xsrf},
            allow_redirects=False,
            timeout=30,
        )

    def api(self, method: str, path: str, json: Any = None) -> requests.Response:
        """Call JupyterHub's REST interface with this browser's cookies."""
        return self.session.request(
            method,
            f"{self.hub.url}/hub/api{path}",
            json=json,
            headers={"X-XSRFToken": self.xsrf, "Referer": f"{self.hub.url}/hub/home"},
            timeout=60,
        )

    def replayed(self) -> requests.Session:
        """Another browser with a copy of all cookies that this one has now."""
        copy = requests.Session()
        copy.cookies.update(self.session.cookies)
        return copy
