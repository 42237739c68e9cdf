"""A certificate authority of the test's own, for internal TLS."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ADDRESS = "127.0.0.1"


class Authority:
    """Makes certificates for 127.0.0.1 that one authority signed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._sign(name, self._key, authority=True)

    def issue(self, name: str) -> dict[str, str]:
        """certificate, key and authority as PEM, as an order carries them."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = serialization.Encoding.PEM
        secret = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "certificate": self._sign(name, key).public_bytes(pem).decode(),
            "key": secret.decode(),
            "authority": self._certificate.public_bytes(pem).decode(),
        }

    def _sign(
        self, name: str, key: ec.EllipticCurvePrivateKey, *, authority: bool = False
    ) -> x509.Certificate:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        now = datetime.now(timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self._name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ADDRESS))]),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )


def context(purpose: ssl.Purpose, tls: dict[str, str], folder: Path) -> ssl.SSLContext:
    """A context that shows this certificate and wants one of the same authority."""
    folder.mkdir()
    for part, text in tls.items():
        (folder / part).write_text(text)
    made = ssl.create_default_context(purpose, cafile=str(folder / "authority"))
    made.load_cert_chain(folder / "certificate", folder / "key")
    made.verify_mode = ssl.CERT_REQUIRED
    return made
