"""A site whose people sign in with Shibboleth, as the operators' page sets it up on a host."""

from __future__ import annotations

import html
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
import yaml

from slurmhub_deploy.cluster.layout import free_ports
from slurmhub_deploy.front.provider import EmbeddedProviders, IdentityProvider, Person
from slurmhub_deploy.front.tls import make_certificate
from tests.lab.host import Host
from tests.lab.site import Site
from tests.rig.docs import PROJECT, Page
from tests.rig.hub import Visitor, until
from tests.shibboleth.web import Form, Web, forms_of

_PAGE = PROJECT / "docs/operators/shibboleth.md"
_ACCOUNTS = PROJECT / "docs/operators/accounts.md"
_DROP_IN = "/etc/systemd/system/jupyterhub-proxy.service.d/front.conf"
_CONFIG = "/etc/jupyterhub/jupyterhub_config.py"
_OF_PASSWORDS = ("c.DummyAuthenticator", "c.Authenticator.allow_all")
_ADDRESS = "127.0.0.2"
PASSWORD = "a-password-for-tests"
PEOPLE = {
    name: Person(
        PASSWORD,
        {"subject-id": [f"{name}-1@example.ca"], "eppn": [f"{name}@example.ca"]},
    )
    for name in ("alice", "bob")
}


class FrontSite:
    """The site's host with a front on it, and an identity provider beside the host."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.host: Host = site.host
        self._folder = folder
        self._config_before = (self.host.root / _CONFIG.lstrip("/")).read_text()
        self._page = Page(_PAGE, _PAGE.read_text())
        self.settings: dict[str, Any] = yaml.safe_load(self._page.blocks("yaml")[0].text)
        tls = folder / "tls"
        tls.mkdir()
        names = [self.settings["domain"], _ADDRESS]
        self.certificate, self._key = make_certificate(tls, names)
        (port,) = free_ports(1)
        self.provider = IdentityProvider(
            folder / "idp", "example.ca", ("example.ca",), _ADDRESS, port, PEOPLE
        )
        self._providers = EmbeddedProviders(
            folder / "providers", (self.provider,), self.certificate, self._key
        )

    @property
    def url(self) -> str:
        """Where browsers find the hub."""
        return f"https://{self.settings['domain']}"

    @property
    def news(self) -> str:
        """What hub, proxy and front said last."""
        log = self.host.run("sh", "-c", "tail -n 20 /var/log/apache2/slurmhub-*.log", check=False)
        return self.site.news + log

    def install(self) -> None:
        """Every line of the page, in its order."""
        host = self.host
        self._start_provider()
        host.write("/etc/apt/apt.conf.d/yes", 'APT::Get::Assume-Yes "true";\n')
        self._run("text", "apt-get install")
        self._write_settings()
        self._run("sh", "slurmhub front keys")
        registered = host.root / "etc/slurmhub/registration/sp-metadata.xml"
        shutil.copy(registered, self._registered)
        self._run("text", "a2ensite")
        self._hub_and_proxy()

    def remove(self) -> None:
        """End the provider, and leave the host's hub as it was before."""
        self._providers.stop()
        self.host.run("systemctl", "disable", "--now", "apache2", "shibd", check=False)
        (self.host.root / _DROP_IN.lstrip("/")).unlink(missing_ok=True)
        self.host.write(_CONFIG, self._config_before)
        self.host.run("systemctl", "daemon-reload")
        self.host.run("scontrol", "update", "nodename=ALL", "state=resume", check=False)

    def keys(self) -> dict[str, bytes]:
        """Every key, certificate and secret, by its path."""
        folders = (self.settings["key_folder"], "/etc/slurmhub/front-secret")
        found = self.host.run("find", *folders, "-type", "f").split()
        return {path: (self.host.root / path.lstrip("/")).read_bytes() for path in found}

    def make_keys(self) -> None:
        """The page's line for it, which never writes over what is there."""
        (line,) = (
            line
            for block in self._page.blocks("sh")
            for line in block.text.splitlines()
            if line.startswith("slurmhub front keys")
        )
        self._line(line)

    def add_route(self, path: str, target: str) -> None:
        """Have the proxy lead a path to some server, as the hub does for those of people."""
        settings = (self.host.root / "etc/jupyterhub/proxy.env").read_text()
        token = settings.strip().partition("=")[2]
        requests.post(
            f"http://127.0.0.1:8001/api/routes{path}",
            json={"target": target},
            headers={"Authorization": f"token {token}"},
            timeout=10,
        ).raise_for_status()

    def reboot(self) -> None:
        """Turn the host off and on again."""
        self.host.reboot()
        until(self.answers, what="the hub behind its front")

    def answers(self) -> bool:
        """Whether the hub does, through its front."""
        with at_this_host(self.settings["domain"]):
            try:
                answer = Web(str(self.certificate)).get(f"{self.url}/hub/api/")
            except requests.RequestException:
                return False
        return answer.status_code == 200

    def _start_provider(self) -> None:
        self._folder.chmod(0o711)
        self._registered.write_text(_NOBODY)
        self._providers.start(self._registered)
        metadata = self._providers.metadata(self.provider)
        self.host.write("/etc/slurmhub/idp-metadata.xml", metadata)

    @property
    def _registered(self) -> Path:
        """What the provider knows of service providers."""
        return self._folder / "registered.xml"

    def _write_settings(self) -> None:
        """The page's example; only the provider is that of the test, and the certificate's too."""
        host = self.host
        text = self._page.blocks("yaml")[0].text
        named = f"provider: {self.settings['provider']}\n"
        assert text.count(named) == 1
        text = text.replace(named, f"provider: {self.provider.entity_id}\n")
        host.write("/etc/slurmhub/front.yaml", text)
        host.write(self.settings["tls_certificate"], self.certificate.read_text())
        host.write(self.settings["tls_key"], self._key.read_text(), mode=0o600)

    def _hub_and_proxy(self) -> None:
        host = self.host
        host.write(_DROP_IN, self._page.blocks("ini")[0].text)
        lines = self._config_before.splitlines(keepends=True)
        without = [line for line in lines if not line.startswith(_OF_PASSWORDS)]
        accounts = Page(_ACCOUNTS, _ACCOUNTS.read_text()).blocks("python")[0].text
        host.write(_CONFIG, "".join(without) + self._page.blocks("python")[0].text + accounts)
        self._run("text", "systemctl daemon-reload")
        until(self.answers, what="the hub behind its front")

    def _run(self, language: str, beginning: str) -> None:
        """Run the one block of the page that has a line which begins so."""
        (block,) = (
            block
            for block in self._page.blocks(language)
            if any(line.startswith(beginning) for line in block.text.splitlines())
        )
        for line in block.text.splitlines():
            self._line(line)

    def _line(self, line: str) -> None:
        self.host.run("sh", "-c", f"PATH=/opt/jupyterhub/bin:$PATH; {line}")


@contextmanager
def at_this_host(domain: str) -> Iterator[None]:
    """Meanwhile a name leads to this machine, as the DNS would have it."""
    true = socket.getaddrinfo

    def found(host: str, *rest: Any, **more: Any) -> Any:
        return true("127.0.0.1" if host == domain else host, *rest, **more)

    with patch("socket.getaddrinfo", found):
        yield


class Student(Visitor):
    """Somebody in a browser who signs in at their institution."""

    def __init__(self, front: FrontSite, name: str) -> None:
        self.hub = front
        self.name = name
        self.web = Web(str(front.certificate))
        self.session = self.web.session

    def sign_in(self) -> requests.Response:
        """From the hub's own page to the institution's form and back; the page they end at."""
        form = self.at_the_institution()
        answer = self.web.submit(form, username=self.name, password=PASSWORD)
        return self.web.submit(self._form(answer, "SAMLResponse"))

    def at_the_institution(self) -> Form:
        """The form that asks for a password."""
        answer = self.get("/hub/home")
        link = re.search(r"""href=['"](/hub/shibboleth/login[^'"]*)""", answer.text)
        assert link, answer.text
        return self._form(self.get(html.unescape(link[1])), "username")

    def _form(self, answer: requests.Response, field: str) -> Form:
        found = [form for form in forms_of(answer) if field in form.fields]
        assert found, f"{answer.url}: {answer.text[-2000:]}\n{self.hub.news}"
        return found[0]


_NOBODY = (
    '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">'
    "</md:EntitiesDescriptor>\n"
)
