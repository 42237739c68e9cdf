"""Which secrets a site needs, and that those that are made are what they are for."""

from __future__ import annotations

import base64

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from slurmhub_deploy.operate.secrets.catalogue import Needed, needed_by
from slurmhub_deploy.site.model import Site
from tests.unit.site.fixtures import site
from tests.unit.site.test_examples import site_of


def by_name(of: Site) -> dict[str, Needed]:
    found: dict[str, Needed] = {}
    for each in needed_by(of):
        for name in each.names:
            assert name not in found, name
            found[name] = each
    return found


def made(name: str) -> dict[str, str]:
    needed = by_name(site())[name]
    assert needed.maker is not None
    return dict(zip(needed.names, needed.maker(), strict=True))


def test_of_a_site_that_is_all_made() -> None:
    found = by_name(site())
    assert set(found) == {
        *("munge.main", "directory.admin", "directory.reader", "directory.hub.main"),
        *("homes_ssh_key.main", "homes_ssh_public.main"),
        *("hub_cookie.main", "hub_crypt.main", "hub_key.main", "proxy_token.main"),
        *("metrics_token.main", "probe_token.main", "front_secret.main"),
        *("sp_signing_key.main", "sp_signing_certificate.main"),
        *("sp_encryption_key.main", "sp_encryption_certificate.main"),
    }
    assert all(each.maker and each.source is None for each in found.values())


def test_of_what_is_joined_only_what_is_given() -> None:
    found = by_name(site_of("campus"))
    assert found["directory.bind"].source is not None
    assert "directory.admin" not in found
    given = {name for name, each in found.items() if each.source is not None}
    assert all(found[name].maker is None for name in given)


def test_each_hub_has_its_own() -> None:
    found = by_name(site_of("federation"))
    hubs = list(site_of("federation").hubs)
    assert len(hubs) > 1
    assert {f"hub_key.{name}" for name in hubs} <= set(found)


def test_no_two_are_alike() -> None:
    texts = [value for each in needed_by(site()) if each.maker for value in each.maker()]
    assert len(set(texts)) == len(texts)
    assert made("hub_key.main") != made("hub_key.main")


def test_munge_s_key_is_as_long_as_it_takes() -> None:
    assert len(base64.b64decode(made("munge.main")["munge.main"], validate=True)) == 1024


def test_hub_s_are_32_bytes_in_hexadecimal() -> None:
    for name in ("hub_key", "hub_cookie", "hub_crypt", "proxy_token"):
        assert len(bytes.fromhex(made(f"{name}.main")[f"{name}.main"])) == 32


def test_the_pair_for_ssh_belongs_together() -> None:
    pair = made("homes_ssh_key.main")
    private = serialization.load_ssh_private_key(pair["homes_ssh_key.main"].encode(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    assert pair["homes_ssh_public.main"] == f"{public.decode()} slurmhub-homes-main\n"


def test_the_provider_s_pairs_belong_together_and_to_the_hub() -> None:
    pair = made("sp_signing_key.main")
    private = serialization.load_pem_private_key(pair["sp_signing_key.main"].encode(), None)
    certificate = x509.load_pem_x509_certificate(pair["sp_signing_certificate.main"].encode())
    assert certificate.public_key() == private.public_key()
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hub.example.ca"]
