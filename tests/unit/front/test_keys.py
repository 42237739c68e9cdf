"""Keys are made once, for their owner alone, and never overwritten."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from slurmhub_deploy.front import registration
from slurmhub_deploy.front.command import report
from slurmhub_deploy.front.errors import FrontError
from slurmhub_deploy.front.keys import USES, certificates, make_keys
from slurmhub_deploy.front.render import render
from slurmhub_deploy.front.settings import FrontSettings
from tests.unit.front.examples import settings


@pytest.fixture
def site(tmp_path: Path) -> FrontSettings:
    """Settings whose files are in a folder of the test."""
    me = pwd.getpwuid(os.geteuid()).pw_name
    return settings(
        key_folder=str(tmp_path / "keys"),
        secret_file=str(tmp_path / "hub" / "front-secret"),
        apache_folder=str(tmp_path / "apache"),
        key_account=me,
        hub_account=me,
    )


def contents(site: FrontSettings) -> dict[Path, bytes]:
    """Every file that was made."""
    folders = (site.key_folder, site.secret_file.parent, site.apache_folder)
    return {path: path.read_bytes() for folder in folders for path in folder.iterdir()}


def test_two_pairs_and_a_secret_are_made(site: FrontSettings) -> None:
    """Certificates fit their keys and name the service; the secret is the same for both sides."""
    assert all(made.new for made in make_keys(site))
    for use in ("signing", "encrypt"):
        key = serialization.load_pem_private_key(
            (site.key_folder / f"sp-{use}-key.pem").read_bytes(), None
        )
        certificate = x509.load_pem_x509_certificate(
            (site.key_folder / f"sp-{use}-cert.pem").read_bytes()
        )
        assert certificate.public_key() == key.public_key()
        assert certificate.subject.rfc4514_string() == "CN=hub.example.ca"
    secret = site.secret_file.read_text().strip()
    line = (site.apache_folder / "front-secret.conf").read_text()
    assert line == f"Define slurmhub_front_secret {secret}\n"
    assert len(secret) >= 64


def test_private_files_are_their_owners_alone(site: FrontSettings) -> None:
    """Also under a careless umask."""
    before = os.umask(0)
    try:
        make_keys(site)
    finally:
        os.umask(before)
    private = [*site.key_folder.glob("*-key.pem"), site.secret_file]
    private.append(site.apache_folder / "front-secret.conf")
    assert len(private) == 4
    for path in private:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(site.key_folder.stat().st_mode) == 0o700


def test_a_second_run_changes_nothing(site: FrontSettings) -> None:
    """The federation knows these keys."""
    make_keys(site)
    before = contents(site)
    outcome = make_keys(site)
    assert not any(made.new for made in outcome)
    assert contents(site) == before
    assert any("was there, and stays" in line for line in report(site, outcome))
    assert any("Back up" in line for line in report(site, outcome))


def test_keys_are_changed_by_a_second_folder(site: FrontSettings, tmp_path: Path) -> None:
    """Both pairs are registered and read; those of `key_folder` alone sign, and stand first."""
    make_keys(site)
    before = contents(site)
    both = site.model_copy(update={"second_key_folder": tmp_path / "keys-2"})
    new = {made.path.parent for made in make_keys(both) if made.new}
    assert new == {both.second_key_folder}
    assert contents(site) == before
    old, other = certificates(both)
    assert [old] == certificates(site)
    pack = registration.registration(both)
    order = [pack[registration.METADATA].index(each[use]) for use in USES for each in (old, other)]
    assert order == sorted(order)
    assert pack["README.md"].count("| encryption |") == 2
    config = render(both)["shibboleth/shibboleth2.xml"]
    assert config.count("sp-signing-key.pem") == 1
    assert f"{site.key_folder}/sp-signing-key.pem" in config
    for folder in both.key_folders:
        assert f"{folder}/sp-encrypt-key.pem" in config
    assert any(str(both.second_key_folder) in line for line in report(both, []))


def test_half_a_pair_is_not_made_whole(site: FrontSettings) -> None:
    """A new key to an old certificate would work for nobody."""
    make_keys(site)
    lost = site.key_folder / "sp-signing-key.pem"
    lost.unlink()
    with pytest.raises(FrontError, match="one file is missing"):
        make_keys(site)
    assert not lost.exists()


def test_a_new_secret_reaches_apache(site: FrontSettings) -> None:
    """Whoever puts a new one before the old one runs this again."""
    make_keys(site)
    old = site.secret_file.read_text()
    site.secret_file.write_text(f"{'n' * 40}\n{old}")
    assert [made.path.name for made in make_keys(site) if made.new] == ["front-secret.conf"]
    line = (site.apache_folder / "front-secret.conf").read_text()
    assert line == f"Define slurmhub_front_secret {'n' * 40}\n"


@pytest.mark.parametrize("text", ["", "short", "a" * 31, f"{'a' * 40} Require", '"' * 40])
def test_a_secret_that_is_none_is_refused(site: FrontSettings, text: str) -> None:
    """Too short, or able to be more than a word in Apache's configuration."""
    make_keys(site)
    site.secret_file.write_text(text)
    with pytest.raises(FrontError, match="does not begin with 32"):
        make_keys(site)


def test_an_account_that_is_not_there_is_named(site: FrontSettings) -> None:
    """Before anything is made."""
    wrong = site.model_copy(update={"key_account": "nobody-of-this-name"})
    with pytest.raises(FrontError, match="There is no account nobody-of-this-name"):
        make_keys(wrong)
    assert not site.key_folder.exists()


def test_no_registration_without_keys(site: FrontSettings) -> None:
    """The remedy says how to make them."""
    with pytest.raises(FrontError) as refused:
        registration.registration(site)
    assert "slurmhub front keys" in refused.value.remedy
    make_keys(site)
    assert "X509Certificate>MII" in registration.registration(site)[registration.METADATA]
