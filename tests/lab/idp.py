"""An identity provider on a host of its own: SimpleSAMLphp with Debian's packages, set up by ssh.

It stands for the institution's, so it is no host of the site.
"""

from __future__ import annotations

import subprocess
import tempfile
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from slurmhub_deploy.front.keys import make_key_pair
from slurmhub_deploy.front.provider import IdentityProvider, Person
from slurmhub_deploy.front.render import apache_text

DOMAIN = "idp.example.ca"
SCOPE = "example.ca"
PASSWORD = "a-password-for-tests"
NAMES = ("alice", "bob", "probe")
"""People with an account there; `probe` is for `slurmhub smoke`."""
PACKAGES = (
    *("apache2", "simplesamlphp", "libapache2-mod-php", "php-xml", "php-mbstring"),
    *("php-curl", "php-intl", "php-sqlite3"),
)
_FOLDER = Path("/srv/idp")
_PRIVATE = ("config", "config/metadata", "cert", "log", "sessions", "tmp", "data")
_REGISTERED = _FOLDER / "registered.xml"
_SECONDS = 600


def person(name: str) -> Person:
    """Somebody of the institution, with all that a hub may ask for."""
    return Person(
        PASSWORD,
        {
            "subject-id": [f"{name}-1@{SCOPE}"],
            "eppn": [f"{name}@{SCOPE}"],
            "displayName": [f"{name.capitalize()} Example"],
            "mail": [f"{name}@{SCOPE}"],
            "affiliation": [f"student@{SCOPE}", f"member@{SCOPE}"],
        },
    )


class LabProvider:
    """An identity provider at https://idp.example.ca/ on the host that `ssh` leads to.

    `ssh` is the words that run a command there as root, such as ssh -F FILE idp sudo; the host's
    certificate and key are those of `tls`, for that name.
    """

    def __init__(self, ssh: Sequence[str], tls: tuple[Path, Path]) -> None:
        self._ssh = list(ssh)
        self._tls = tls
        self._provider = IdentityProvider(
            _FOLDER,
            SCOPE,
            (SCOPE,),
            DOMAIN,
            443,
            {name: person(name) for name in NAMES},
            bind="*",
        )

    @property
    def entity_id(self) -> str:
        """Its name in the federation."""
        return self._provider.entity_id

    def install(self) -> None:
        """Packages, keys, configuration; return when it tells its metadata."""
        self._sh("apt-get update -qq")
        self._sh(
            "DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "
            + " ".join(PACKAGES)
        )
        self._sh(f"install -d -m 711 {_FOLDER}")
        for name in _PRIVATE:
            self._sh(f"install -d -m 700 -o www-data -g www-data {_FOLDER / name}")
        self._keys()
        self.trust([])
        for name, text in self._provider.files(_REGISTERED).items():
            self._write(self._provider.config / name, text)
        self._serve()

    def trust(self, registrations: Iterable[str]) -> None:
        """From now on it knows these service providers, by the metadata that they sent."""
        entities = "".join(text.partition("?>")[2] or text for text in registrations)
        self._write(_REGISTERED, f"{_MANY}{entities}</md:EntitiesDescriptor>\n")

    def metadata(self) -> str:
        """The metadata that it says of itself: a file for the site."""
        return self._sh(
            f"curl --silent --fail --insecure --resolve {DOMAIN}:443:127.0.0.1 {self.entity_id}"
        )

    def _keys(self) -> None:
        certificate, key = self._tls
        self._write(_FOLDER / "tls.pem", certificate.read_text())
        self._write(_FOLDER / "tls.key", key.read_text(), owner="root")
        with tempfile.TemporaryDirectory() as name:
            for file in make_key_pair(Path(name), "idp", self.entity_id):
                self._write(_FOLDER / "cert" / file.name, file.read_text())

    def _serve(self) -> None:
        site = apache_text(
            "embedded/providers.conf.j2",
            providers=[self._provider],
            certificate=_FOLDER / "tls.pem",
            key=_FOLDER / "tls.key",
        )
        self._write(Path("/etc/apache2/sites-available/idp.conf"), site, owner="root")
        self._sh("DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes curl")
        self._sh("a2enmod --quiet ssl && a2dissite --quiet 000-default && a2ensite --quiet idp")
        self._sh("systemctl restart apache2")

    def _write(self, path: Path, text: str, owner: str = "www-data") -> None:
        self._sh(
            f"install -m 600 -o {owner} -g {owner} /dev/stdin {path}.new && mv {path}.new {path}",
            said=text,
        )

    def _sh(self, line: str, said: str = "") -> str:
        done = subprocess.run(
            [*self._ssh, "sh", "-c", _quoted(line)],
            input=said,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        assert done.returncode == 0, textwrap.shorten(line, 200) + "\n" + done.stdout[-3000:]
        return done.stdout


def _quoted(line: str) -> str:
    """One word for the shell that sshd starts."""
    return "'" + line.replace("'", "'\\''") + "'"


_MANY = '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">'
