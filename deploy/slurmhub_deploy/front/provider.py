"""Identity providers of one's own: SimpleSAMLphp in a private Apache, for the demo and tests.

Their configuration is data: PHP reads it from JSON, so no value of ours is ever code.
"""

from __future__ import annotations

import json
import secrets
import ssl
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slurmhub_deploy.front.apache import PrivateApache, account_of_apache, hand_over
from slurmhub_deploy.front.attributes import ATTRIBUTES
from slurmhub_deploy.front.errors import FrontError
from slurmhub_deploy.front.keys import make_key_pair
from slurmhub_deploy.front.render import apache_text

_SOFTWARE = Path("/usr/share/simplesamlphp")
_NAMES = {attribute.id: attribute.name for attribute in ATTRIBUTES}
_FOLDERS = ("config", "cert", "log", "sessions", "tmp", "data")
_URI = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
# SimpleSAML\Logger::NOTICE
_NOTICE = 5


@dataclass(frozen=True)
class Person:
    """Somebody with an account there: what the provider says of them, by our attribute ids."""

    password: str
    attributes: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class IdentityProvider:
    """One identity provider: where it listens, the scopes its metadata grants it, its people."""

    folder: Path
    name: str
    scopes: tuple[str, ...]
    address: str
    port: int
    people: Mapping[str, Person] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    """More settings of SimpleSAMLphp's hosted identity provider, such as assertion.encryption."""
    bind: str = ""
    """Which address Apache serves it at, where that is not the name's own: `*` for every one."""

    @property
    def origin(self) -> str:
        return f"https://{self.address}" + (f":{self.port}" if self.port != 443 else "")

    @property
    def entity_id(self) -> str:
        return f"{self.origin}/simplesaml/saml2/idp/metadata.php"

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def sessions(self) -> Path:
        return self.folder / "sessions"

    @property
    def php_log(self) -> Path:
        return self.folder / "log" / "php.log"

    @property
    def log(self) -> Path:
        """What SimpleSAMLphp says."""
        return self.folder / "log" / "simplesamlphp.log"

    @property
    def key(self) -> Path:
        """The key that it signs with; the test's own, for forgeries that only it could make."""
        return self.folder / "cert" / "idp.key"

    @property
    def certificate(self) -> Path:
        return self.folder / "cert" / "idp.crt"

    def files(self, sp_metadata: Path) -> dict[str, str]:
        """Its configuration, by path below `config`: it trusts the service providers of a file."""
        hosted = {self.entity_id: self._hosted()}
        return {
            **_php("config.php", "config", self._main(sp_metadata)),
            **_php("metadata/saml20-idp-hosted.php", "metadata", hosted),
            **_php("authsources.php", "config", {"people": _accounts(self.people)}),
        }

    def write(self, sp_metadata: Path) -> None:
        """Make its folders, key and configuration; it trusts the service providers of that file."""
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        # Passwords, keys and sessions are in these: nobody but who serves them may enter.
        folders = [self.folder / name for name in _FOLDERS]
        for folder in folders:
            folder.mkdir(mode=0o700, exist_ok=True)
        (self.config / "metadata").mkdir(exist_ok=True)
        if not self.key.exists():
            make_key_pair(self.key.parent, self.key.stem, self.entity_id)
        self._write(self.files(sp_metadata))
        hand_over([self.key, *folders], account_of_apache())

    def set_people(self, people: Mapping[str, Person]) -> None:
        """From now on these people have an account there, with these attributes."""
        self._write(_php("authsources.php", "config", {"people": _accounts(people)}))

    def _write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.config / name
            partial = path.with_suffix(".partial")
            partial.write_text(text)
            partial.replace(path)

    def _main(self, sp_metadata: Path) -> dict[str, object]:
        mark = f"{self.name.replace('.', '-')}"
        return {
            "baseurlpath": f"{self.origin}/simplesaml/",
            "certdir": f"{self.folder}/cert/",
            "loggingdir": f"{self.folder}/log/",
            "datadir": f"{self.folder}/data/",
            "tempdir": str(self.folder / "tmp"),
            "metadatadir": f"{self.config}/metadata/",
            "attributenamemapdir": f"{_SOFTWARE}/attributemap/",
            "secretsalt": secrets.token_hex(32),
            "auth.adminpassword": secrets.token_hex(32),
            "admin.protectindexpage": True,
            "admin.checkforupdates": False,
            "technicalcontact_name": self.name,
            "technicalcontact_email": f"help@{self.scopes[0]}",
            "timezone": "UTC",
            "enable.saml20-idp": True,
            "module.enable": {"exampleauth": True, "core": True, "saml": True},
            "logging.level": _NOTICE,
            "logging.handler": "file",
            "logging.logfile": self.log.name,
            "showerrors": True,
            "errorreporting": False,
            # Cookies know no ports: providers of one address keep their names apart.
            "session.cookie.name": f"{mark}-session",
            "session.cookie.path": "/",
            "session.cookie.secure": True,
            "session.cookie.samesite": "None",
            "session.phpsession.cookiename": f"{mark}-php",
            "session.phpsession.savepath": str(self.sessions),
            "session.phpsession.httponly": True,
            "session.authtoken.cookiename": f"{mark}-token",
            "language.available": ["en", "fr"],
            "language.default": "en",
            "store.type": "phpsession",
            "metadata.sources": [
                {"type": "flatfile"},
                {"type": "xml", "file": str(sp_metadata)},
            ],
        }

    def _hosted(self) -> dict[str, object]:
        return {
            "host": "__DEFAULT__",
            "privatekey": self.key.name,
            "certificate": self.certificate.name,
            "auth": "people",
            "scope": list(self.scopes),
            "name": {"en": self.name},
            "attributes.NameFormat": _URI,
            "NameIDFormat": _TRANSIENT,
            "sign.logout": True,
            "validate.logout": True,
            "signature.algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            "UIInfo": {"DisplayName": {"en": self.name, "fr": self.name}},
            **self.options,
        }


def _accounts(people: Mapping[str, Person]) -> dict[str, object]:
    users: dict[str, object] = {"0": "exampleauth:UserPass"}
    for account, person in people.items():
        users[f"{account}:{person.password}"] = {
            _NAMES.get(id_, id_): list(values) for id_, values in person.attributes.items()
        }
    return users


def _php(name: str, variable: str, values: Mapping[str, object]) -> dict[str, str]:
    """A file of PHP that reads its values from the JSON beside it; the JSON comes first."""
    data = Path(name).with_suffix(".json")
    return {
        str(data): json.dumps(values),
        name: f"<?php ${variable} = json_decode("
        f"file_get_contents(__DIR__ . '/{data.name}'), true, 32, JSON_THROW_ON_ERROR);\n",
    }


@dataclass(frozen=True)
class EmbeddedProviders:
    """Several identity providers in one Apache."""

    root: Path
    providers: tuple[IdentityProvider, ...]
    certificate: Path
    key: Path

    def start(self, sp_metadata: Path) -> None:
        """Write everything and start; they trust the service providers of this file."""
        if not _SOFTWARE.is_dir():
            raise FrontError(
                f"There is no {_SOFTWARE}.", remedy="Install the package simplesamlphp."
            )
        for provider in self.providers:
            provider.write(sp_metadata)
        apache = self.apache
        apache.write(
            apache_text(
                "embedded/providers.conf.j2",
                providers=self.providers,
                certificate=self.certificate,
                key=self.key,
            )
        )
        apache.start()

    def stop(self) -> None:
        """End them."""
        self.apache.stop()

    @property
    def apache(self) -> PrivateApache:
        """What serves them."""
        listen = tuple(f"{each.address}:{each.port}" for each in self.providers)
        return PrivateApache(self.root / "apache", listen, php=True)

    def metadata(self, provider: IdentityProvider) -> str:
        """The metadata that this provider, running, says of itself."""
        trust = ssl.create_default_context(cafile=str(self.certificate))
        try:
            with urllib.request.urlopen(  # noqa: S310 - an https address of our own
                provider.entity_id, timeout=20, context=trust
            ) as answer:
                return str(answer.read().decode())
        except OSError as error:
            raise FrontError(
                f"The identity provider {provider.name} does not tell its metadata: {error}.",
                remedy=f"Read {provider.log} and {self.apache.log}.",
            ) from error
