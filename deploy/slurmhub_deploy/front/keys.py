"""The front's keys and its secret: made once, never overwritten.

The federation knows the service provider by these certificates. New ones mean that nobody can sign
in until the federation has published them, so they belong where rebuilding the host does not lose
them, and into a backup.
"""

from __future__ import annotations

import datetime
import os
import pwd
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from slurmhub_deploy.front.errors import FrontError
from slurmhub_deploy.front.settings import FrontSettings

USES = ("signing", "encrypt")
_BITS = 3072
# Federations pin the key; the certificate's dates mean nothing to them.
_YEARS = 20
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,}\Z")


@dataclass(frozen=True)
class Made:
    """One file, and whether it was made now (or was there before)."""

    path: Path
    new: bool


def make_keys(settings: FrontSettings) -> list[Made]:
    """Make what is missing of keys, certificates and the secret; what is there stays.

    Raises FrontError when an account does not exist, or half of a pair is there.
    """
    owner = _account(settings.key_account, "key_account")
    hub = _account(settings.hub_account, "hub_account")
    outcome: list[Made] = []
    for folder in settings.key_folders:
        _folder(folder, owner, 0o700)
        for use in USES:
            outcome += _pair(settings, folder, use, owner)
    outcome.append(_secret(settings.secret_file, hub))
    outcome.append(_for_apache(settings))
    return outcome


def certificates(settings: FrontSettings) -> list[dict[str, str]]:
    """The certificates as metadata holds them: base64 of DER, by use, for each folder of keys.

    Raises FrontError when they are not there.
    """
    return [_certificates(folder) for folder in settings.key_folders]


def _certificates(folder: Path) -> dict[str, str]:
    found = {}
    for use in USES:
        path = folder / f"sp-{use}-cert.pem"
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
        except (OSError, ValueError) as error:
            raise FrontError(
                f"{path} is not to be read as a certificate: {error}.",
                remedy="Make the keys first: slurmhub front keys",
            ) from error
        text = certificate.public_bytes(serialization.Encoding.PEM).decode()
        found[use] = "".join(text.splitlines()[1:-1])
    return found


def _pair(settings: FrontSettings, folder: Path, use: str, owner: pwd.struct_passwd) -> list[Made]:
    key = folder / f"sp-{use}-key.pem"
    certificate = folder / f"sp-{use}-cert.pem"
    if key.exists() != certificate.exists():
        raise FrontError(
            f"Of the pair for {use}, one file is missing in {folder}.",
            remedy=f"Bring back both sp-{use}-key.pem and sp-{use}-cert.pem from the backup.",
        )
    if key.exists():
        return [Made(key, new=False), Made(certificate, new=False)]
    private, public = new_pair(settings.domain, settings.entity_id)
    _write_once(key, private.encode(), 0o600, owner)
    _write_once(certificate, public.encode(), 0o644, owner)
    return [Made(key, new=True), Made(certificate, new=True)]


def new_pair(domain: str, entity_id: str) -> tuple[str, str]:
    """A new key for a service provider and its certificate, both as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return _pem(private).decode(), self_signed(private, domain, entity_id).decode()


def _pem(private: rsa.RSAPrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def self_signed(private: rsa.RSAPrivateKey, domain: str, entity_id: str) -> bytes:
    """A certificate of this key for a service provider, as PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain[:64])])
    begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    alternatives = [x509.DNSName(domain), x509.UniformResourceIdentifier(entity_id)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(private, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def make_key_pair(folder: Path, name: str, entity_id: str) -> tuple[Path, Path]:
    """A key and its certificate for a test's or the demo's own use; the two paths."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    _write_once(key, _pem(private), 0o600, None)
    _write_once(certificate, self_signed(private, name, entity_id), 0o644, None)
    return key, certificate


def _secret(path: Path, owner: pwd.struct_passwd) -> Made:
    if path.exists():
        _read_secret(path)
        return Made(path, new=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_once(path, f"{secrets.token_urlsafe(48)}\n".encode(), 0o600, owner)
    return Made(path, new=True)


def _read_secret(path: Path) -> str:
    # Below the secret there may be the one before, which the hub still takes.
    text = path.read_text(encoding="utf-8").partition("\n")[0]
    if not _SECRET.match(text):
        raise FrontError(
            f"{path} does not begin with 32 or more letters, digits, - and _.",
            remedy="Remove it and run slurmhub front keys again; then reload Apache.",
        )
    return text


def _for_apache(settings: FrontSettings) -> Made:
    """The same secret as a line of Apache's configuration, which root reads at Apache's start."""
    path = settings.apache_folder / "front-secret.conf"
    text = f"Define slurmhub_front_secret {_read_secret(settings.secret_file)}\n"
    if path.exists() and path.read_text() == text:
        return Made(path, new=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    _write_once(path, text.encode(), 0o600, None)
    return Made(path, new=True)


def _write_once(path: Path, content: bytes, mode: int, owner: pwd.struct_passwd | None) -> None:
    """A new file with all of its content; raises FrontError when it is there already."""
    try:
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), mode)
                if owner is not None and owner.pw_uid != os.geteuid():
                    os.fchown(file.fileno(), owner.pw_uid, owner.pw_gid)
                file.flush()
                os.fsync(file.fileno())
            # Unlike a rename, a link never takes the place of what another run made meanwhile.
            os.link(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise FrontError(
            f"{path} cannot be made: {error.strerror}.",
            remedy="Run this as root, with room on that disk.",
        ) from error


def _folder(path: Path, owner: pwd.struct_passwd, mode: int) -> None:
    try:
        if not path.is_dir():
            path.mkdir(parents=True, mode=mode)
            path.chmod(mode)
            if owner.pw_uid != os.geteuid():
                os.chown(path, owner.pw_uid, owner.pw_gid)
    except OSError as error:
        raise FrontError(
            f"{path} cannot be made: {error.strerror}.", remedy="Run this as root."
        ) from error


def _account(name: str, setting: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise FrontError(
            f"There is no account {name}, which `{setting}` names.",
            remedy="Install the package shibboleth-sp-utils, or name the right account.",
        ) from None
