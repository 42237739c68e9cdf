"""The program of the role tls that has dehydrated renew: staging first, and nothing is lost."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import stat
from pathlib import Path
from types import ModuleType

import pytest

from slurmhub_deploy.front.tls import make_certificate
from tests.rig.role_docs import ROLES

PROGRAM = ROLES / "tls/files/slurmhub-certificate"
DOMAIN = "hub.example.ca"
# As dehydrated does: it reads its settings as shell, and leaves what it fetched below BASEDIR.
DEHYDRATED = """#!/bin/bash
set -e
config=$4; domain=$6
source "$config"
echo "$CA $CHALLENGETYPE ${{HOOK:-none}} ${{SLURMHUB_DNS_CREDENTIAL_FILE:-none}}" >>"{log}"
if [ -e "{refuse}" ]; then
    echo '  ERROR: Challenge is invalid! (returned: invalid)'
    echo '["error","type"] "urn:ietf:params:acme:error:connection"'
    exit 1
fi
mkdir -p "$BASEDIR/certs/$domain"
cp "{next}/tls.pem" "$BASEDIR/certs/$domain/fullchain.pem"
cp "{next}/tls.key" "$BASEDIR/certs/$domain/privkey.pem"
"""


class Place:
    """A host's folders, an authority that gives what lies ready, a systemctl that is watched."""

    def __init__(self, folder: Path, program: ModuleType) -> None:
        self.program = program
        self.tls = folder / "tls"
        self.refuse = folder / "refuse"
        self.log = folder / "asked"
        self.reloads = folder / "reloads"
        self.metrics = folder / "certificate.prom"
        self._next = folder / "next"
        self._settings = folder / "certificate.json"
        self.tls.mkdir()
        self._next.mkdir()
        self.ready()
        self.set()
        text = DEHYDRATED.format(log=self.log, refuse=self.refuse, next=self._next)
        vars(program)["DEHYDRATED"] = _script(folder / "dehydrated", text)
        vars(program)["SYSTEMCTL"] = _script(
            folder / "systemctl",
            f'#!/bin/sh\n[ "$1" = is-active ] || echo "$@" >>"{self.reloads}"\n',
        )
        self._folder = folder

    def set(self, **changes: object) -> None:
        """Settings as the role writes them."""
        folder = self._settings.parent
        said = {
            "domain": DOMAIN,
            "folder": str(self.tls),
            "state": str(folder / "state"),
            "mail": "help@example.ca",
            "authority": "letsencrypt",
            "trust": "",
            "staging_first": True,
            "challenge": "http-01",
            "challenge_folder": str(folder / "it's a folder"),
            "hook": "",
            "credential": "",
            "services": ["apache2"],
            "metrics": str(self.metrics),
            **changes,
        }
        self._settings.write_text(json.dumps(said))

    def ready(self) -> None:
        """The authority will give another certificate."""
        make_certificate(self._next, [DOMAIN])

    def run(self, verb: str) -> int:
        """One call of the program; its exit status."""
        return int(self.program.main(["slurmhub-certificate", verb, str(self._settings)]))

    @property
    def served(self) -> str:
        return (self.tls / "fullchain.pem").read_text()

    @property
    def given(self) -> str:
        return (self._next / "tls.pem").read_text()

    @property
    def asked(self) -> list[str]:
        return [line.split()[0] for line in self.log.read_text().splitlines()]


def _script(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    loader = importlib.machinery.SourceFileLoader("slurmhub_certificate", str(PROGRAM))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    program = importlib.util.module_from_spec(spec)
    loader.exec_module(program)
    return Place(tmp_path, program)


def test_from_none_to_the_authoritys(place: Place) -> None:
    """One made here first; then staging is asked once, and the authority after it."""
    assert place.run("begin") == 0
    assert "BEGIN CERTIFICATE" in place.served
    assert place.run("look") == place.program.NOT_YET
    assert place.run("renew") == 0
    assert place.asked == ["letsencrypt-test", "letsencrypt"]
    assert place.served == place.given
    assert place.run("look") == 0
    assert stat.S_IMODE((place.tls / "privkey.pem").stat().st_mode) == 0o600
    assert place.reloads.read_text() == "reload apache2\n"


def test_a_look_without_news_reloads_nothing(place: Place) -> None:
    place.run("renew")
    place.run("renew")
    assert place.asked == ["letsencrypt-test", "letsencrypt", "letsencrypt"]
    assert place.reloads.read_text() == "reload apache2\n"
    place.ready()
    place.run("renew")
    assert place.served == place.given
    assert place.reloads.read_text() == "reload apache2\n" * 2


def test_what_is_served_stays_when_there_is_no_other(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.run("renew")
    before = place.served
    place.ready()
    place.refuse.touch()
    assert place.run("renew") == 1
    assert place.served == before
    said = capsys.readouterr().err
    assert "What was served before stays." in said
    assert "does not reach this host on port 80" in said
    assert f'renewal_success{{domain="{DOMAIN}"}} 0' in place.metrics.read_text()
    place.refuse.unlink()
    assert place.run("renew") == 0
    assert f'renewal_success{{domain="{DOMAIN}"}} 1' in place.metrics.read_text()


def test_mistakes_at_staging_never_reach_the_authority(place: Place) -> None:
    place.refuse.touch()
    assert place.run("renew") == 1
    assert place.run("renew") == 1
    assert place.asked == ["letsencrypt-test", "letsencrypt-test"]


def test_an_authority_of_ones_own_has_no_staging(place: Place) -> None:
    place.set(authority="https://acme.example.ca/dir")
    assert place.run("renew") == 0
    assert place.asked == ["https://acme.example.ca/dir"]


def test_a_hook_is_told_where_its_credential_is(place: Place) -> None:
    place.set(challenge="dns-01", hook="/opt/hook", credential="/srv/x", staging_first=False)
    assert place.run("renew") == 0
    assert place.log.read_text() == "letsencrypt dns-01 /opt/hook /srv/x\n"


def test_a_host_that_is_built_anew_serves_what_was_fetched(place: Place) -> None:
    place.run("renew")
    fetched = place.served
    for file in place.tls.iterdir():
        file.unlink()
    assert place.run("begin") == 0
    assert place.served == fetched


def test_half_a_pair_is_made_whole(place: Place) -> None:
    """As after a loss of power between the two files."""
    place.run("renew")
    (place.tls / "privkey.pem").write_text("of before\n")
    assert place.run("renew") == 0
    assert place.run("look") == 0
