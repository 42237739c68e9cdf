"""The Ansible vault beside the site file: a mapping of names to texts, encrypted as a whole.

Its format is Ansible's (AES256), so that `ansible-vault view` and `rekey` work on it. It is
replaced whole or not at all, and what was written is read again before it takes the old one's
place.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import yaml

from slurmhub_deploy.operate.ansible_core import need_ansible
from slurmhub_deploy.operate.errors import OperateError


class Vault:
    """The secrets in one vault file."""

    def __init__(self, path: Path, password: str) -> None:
        self._path = path
        self._password = password

    def read(self) -> dict[str, str]:
        """All of them; none where there is no file. Raises OperateError."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise OperateError(
                f"The vault {self._path} cannot be read: {error.strerror}.",
                remedy="Let this account read it.",
            ) from error
        return self._opened(content)

    def write(self, values: Mapping[str, str]) -> None:
        """Put these in place of all that is there. Raises OperateError; then nothing changed."""
        plain = "---\n" + yaml.safe_dump(dict(values), sort_keys=True, allow_unicode=True)
        content = self._sealed(plain.encode())
        if self._opened(content) != dict(values):
            raise OperateError(
                f"The vault {self._path} was not written: it could not be read again.",
                remedy="The old one is still there. Report this as a fault of slurmhub.",
            )
        try:
            _replace(self._path, content)
        except OSError as error:
            raise OperateError(
                f"The vault {self._path} cannot be written: {error.strerror}.",
                remedy="Make room, or let this account write beside the site file. No new secret"
                " was used.",
            ) from error

    def _sealed(self, plain: bytes) -> bytes:
        need_ansible()
        from ansible.parsing.vault import VaultLib, VaultSecret

        secret = VaultSecret(self._password.encode())
        return bytes(VaultLib([("default", secret)]).encrypt(plain, secret=secret))

    def _opened(self, content: bytes) -> dict[str, str]:
        need_ansible()
        from ansible.errors import AnsibleError
        from ansible.parsing.vault import VaultLib, VaultSecret, is_encrypted

        if not is_encrypted(content):
            raise OperateError(
                f"{self._path} is no Ansible vault: it is not encrypted.",
                remedy="Encrypt it with 'ansible-vault encrypt', or name another file in"
                " `vault.file`.",
            )
        try:
            plain = VaultLib([("default", VaultSecret(self._password.encode()))]).decrypt(content)
        except AnsibleError as error:
            raise OperateError(
                f"The vault {self._path} cannot be opened: the password is wrong, or the file is"
                " damaged.",
                remedy="Give the right password; or bring the file back from a backup.",
            ) from error
        return self._mapping(bytes(plain))

    def _mapping(self, plain: bytes) -> dict[str, str]:
        try:
            found = yaml.safe_load(plain)
        except yaml.YAMLError:
            found = None
        if not isinstance(found, dict) or not all(
            isinstance(name, str) and isinstance(value, str) for name, value in found.items()
        ):
            raise OperateError(
                f"The vault {self._path} does not hold names and texts.",
                remedy="Correct it with 'ansible-vault edit', with a text in quotes for each name.",
            )
        return found


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # The new name must be on the disk, too, before the secret is used anywhere.
        os.fsync(folder)
    finally:
        os.close(folder)
