"""How secrets are made: random texts, and pairs of a private and a public part."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from slurmhub_deploy.front.keys import new_pair

Maker = Callable[[], tuple[str, ...]]
"""Makes the values of one or several secrets that belong together, in their order."""

_MUNGE_BYTES = 1024


def munge_key() -> tuple[str]:
    """A key for munge, as base64; munge(7) takes 32 to 1024 bytes."""
    return (base64.b64encode(secrets.token_bytes(_MUNGE_BYTES)).decode(),)


def hexadecimal() -> tuple[str]:
    """32 random bytes as 64 hexadecimal digits."""
    return (secrets.token_hex(32),)


def words() -> tuple[str]:
    """A password of 43 letters, digits, `-` and `_`."""
    return (secrets.token_urlsafe(32),)


def front_secret() -> tuple[str]:
    """What the front and the hub know of each other, as `slurmhub front keys` makes it."""
    return (secrets.token_urlsafe(48),)


def ssh_pair(comment: str) -> Maker:
    """An ed25519 pair: the private key as OpenSSH writes it, and the line of its public one."""

    def make() -> tuple[str, str]:
        private = ed25519.Ed25519PrivateKey.generate()
        text = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        ).decode()
        public = private.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        return text, f"{public.decode()} {comment}\n"

    return make


def provider_pair(domain: str, entity_id: str) -> Maker:
    """A key of the service provider and its certificate, both PEM."""
    return lambda: new_pair(domain, entity_id)
