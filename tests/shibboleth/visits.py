"""Signing in by hand: each step apart, so that a test can do something between two of them."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

import requests

from slurmhub_deploy.front.embedded import EmbeddedFront
from slurmhub_deploy.front.provider import IdentityProvider
from tests.shibboleth.backend import Backend, Seen
from tests.shibboleth.saml import Response
from tests.shibboleth.web import Form, Web, forms_of

LOGIN = "/hub/shibboleth/login"
SECRET = "x-slurmhub-front"


@dataclass
class Visit:
    """One browser at one front, on its way through one identity provider."""

    front: EmbeddedFront
    provider: IdentityProvider
    web: Web

    @classmethod
    def begin(cls, front: EmbeddedFront, provider: IdentityProvider) -> Visit:
        """A new browser, without cookies."""
        return cls(front, provider, Web(str(front.certificate)))

    def get(self, path: str, **options: object) -> requests.Response:
        """GET a path of the front."""
        return self.web.get(self.front.url + path, **options)

    def login_form(self, target: str = LOGIN) -> Form:
        """Ask to be signed in, and follow to the form of the identity provider."""
        answer = self.sign_in_page(target)
        return next(form for form in forms_of(answer) if "username" in form.fields)

    def sign_in_page(self, target: str = LOGIN) -> requests.Response:
        """Ask to be signed in: the provider's page, or the front's error."""
        return self.get(
            "/hub/Shibboleth.sso/Login",
            params={"entityID": self.provider.entity_id, "target": self.front.url + target},
        )

    def response(self, account: str, target: str = LOGIN) -> Response:
        """Give name and password; the response that the provider would have posted."""
        person = self.provider.people[account]
        answer = self.web.submit(
            self.login_form(target), username=account, password=person.password
        )
        forms = [form for form in forms_of(answer) if "SAMLResponse" in form.fields]
        assert forms, answer.text[-2000:]
        return Response.of(forms[0])

    def post(self, response: Response) -> requests.Response:
        """Bring a response to the service provider, and follow."""
        return self.web.submit(response.to_post())

    def sign_in(self, account: str, target: str = LOGIN) -> requests.Response:
        """All of it; the page that the person ends at."""
        return self.post(self.response(account, target))


@dataclass(frozen=True)
class Raw:
    """The answer to a request that no HTTP library would send."""

    status: int
    text: str


def raw_request(
    front: EmbeddedFront, target: str, *headers: str, method: str = "GET", host: str = ""
) -> Raw:
    """Send exactly this request line and these headers to the front, over TLS."""
    address, port = front.settings.domain, front.settings.https_port
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host or f'{address}:{port}'}", *headers]
    lines += (
        []
        if any(line.lower().startswith("connection") for line in headers)
        else ["Connection: close"]
    )
    context = ssl.create_default_context(cafile=str(front.certificate))
    with (
        socket.create_connection((address, port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=address) as secure,
    ):
        secure.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        secure.settimeout(20)
        answer = b""
        while b"\r\n\r\n" not in answer or not _complete(answer):
            part = secure.recv(65536)
            if not part:
                break
            answer += part
    text = answer.decode("latin-1")
    return Raw(int(text.split(" ", 2)[1]), text)


def _complete(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) >= int(value)
    return body.endswith(b"0\r\n\r\n")


def here(front: EmbeddedFront) -> Visit:
    """Somebody of the first university."""
    return Visit.begin(front, front.providers[0])


def there(front: EmbeddedFront) -> Visit:
    """Somebody of the second university."""
    return Visit.begin(front, front.providers[1])


def arrived(backend: Backend, answer: requests.Response) -> Seen:
    """What the backend was told at the end of a sign-in that worked."""
    assert answer.status_code == 200, answer.text
    assert answer.text == "behind the front"
    return backend.last(LOGIN)
