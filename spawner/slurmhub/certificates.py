"""Certificates for jobs under JupyterHub's internal_ssl.

JupyterHub signs with its own `notebooks-ca`. Keys are made here, on an
elliptic curve, in memory: certipy would make an RSA key on the event loop and
keep it in a file for each server. See JupyterHub's documentation, "Secure
internal communication".
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=370)


@dataclass(frozen=True)
class Certificate:
    """A certificate with its private key and the authority it trusts, all PEM."""

    certificate: str
    key: str
    authority: str

    def payload(self) -> dict[str, str]:
        """As the launcher reads it."""
        return {"certificate": self.certificate, "key": self.key, "authority": self.authority}


def issue(
    store: Path,
    *,
    name: str,
    addresses: Sequence[str],
    trust: Path,
    authority: str = "notebooks-ca",
) -> Certificate:
    """Sign a fresh key with the authority that JupyterHub keeps in `store`.

    `name` becomes the common name, `addresses` the alternative names (IP
    addresses or host names), `trust` is the bundle the holder checks its peers
    against. Blocking, some milliseconds: call it off the event loop. Raises
    OSError when JupyterHub's store cannot be read.
    """
    issuer = x509.load_pem_x509_certificate((store / authority / f"{authority}.crt").read_bytes())
    issuer_key = serialization.load_pem_private_key(
        (store / authority / f"{authority}.key").read_bytes(), password=None
    )
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=10))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
    )
    if addresses:
        names = x509.SubjectAlternativeName([_alternative_name(each) for each in addresses])
        builder = builder.add_extension(names, critical=False)
    signed = builder.sign(issuer_key, hashes.SHA256())  # type: ignore[arg-type]
    return Certificate(
        certificate=signed.public_bytes(serialization.Encoding.PEM).decode(),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        authority=trust.read_text(),
    )


def _alternative_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
