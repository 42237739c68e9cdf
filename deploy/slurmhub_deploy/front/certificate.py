"""A certificate that is given: whether browsers would take it, before any host has it."""

from __future__ import annotations

import datetime
import itertools

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes


def certificate_problems(
    chain: str, key: str, domain: str, now: datetime.datetime | None = None
) -> list[str]:
    """What is wrong with a certificate for this domain: each what it is and what to do.

    `chain` is PEM, the domain's own certificate first and each followed by its issuer's, as
    Apache's SSLCertificateFile wants it; `key` is its private key, PEM without a passphrase.
    """
    try:
        found = x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        return [
            "There is no certificate in PEM in it. Give the file that the authority sent, in PEM."
        ]
    problems = [
        *_dates(found[0], now or datetime.datetime.now(datetime.timezone.utc)),
        *_order(found),
    ]
    names = names_of(found[0])
    if not any(covers(name, domain) for name in names):
        listed = ", ".join(names) or "no domain"
        problems.append(
            f"The first certificate is for {listed}, and not for {domain}. Put the domain's own"
            " certificate first, or have one made for the domain."
        )
    return problems + _key(found[0], key)


def ends(chain: str) -> int:
    """When the first certificate in PEM is valid no more, in seconds since 1970.

    Raises ValueError where there is none.
    """
    first = x509.load_pem_x509_certificates(chain.encode())[0]
    return int(first.not_valid_after_utc.timestamp())


def names_of(certificate: x509.Certificate) -> list[str]:
    """The DNS names that a certificate is for."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def covers(name: str, domain: str) -> bool:
    """Whether a name of a certificate is this domain; a star is one label, the first (RFC 6125)."""
    if name.startswith("*."):
        return domain.partition(".")[2] == name[2:].lower()
    return name.lower() == domain


def _dates(first: x509.Certificate, now: datetime.datetime) -> list[str]:
    if first.not_valid_after_utc <= now:
        return [f"It ended on {first.not_valid_after_utc:%Y-%m-%d}. Have it renewed."]
    if first.not_valid_before_utc > now:
        return [
            f"It begins on {first.not_valid_before_utc:%Y-%m-%d %H:%M} UTC. Wait until then, or"
            " correct this machine's clock."
        ]
    return []


def _order(chain: list[x509.Certificate]) -> list[str]:
    for number, (certificate, issuer) in enumerate(itertools.pairwise(chain), start=1):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return [
                f"Certificate {number} was not issued by the one after it. Order them: the"
                " domain's own first, each followed by its issuer's."
            ]
    return []


def _key(first: x509.Certificate, text: str) -> list[str]:
    try:
        private = serialization.load_pem_private_key(text.encode(), password=None)
    except TypeError:
        return ["The private key has a passphrase. Give it without one; it is kept in the vault."]
    except (ValueError, UnsupportedAlgorithm):
        return ["The private key is not to be read as PEM. Give the key that belongs to it."]
    if _der(private.public_key()) != _der(first.public_key()):
        return ["The private key belongs to another certificate. Give the two that are a pair."]
    return []


def _der(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
