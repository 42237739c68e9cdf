"""The vault: Ansible's own format, replaced whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slurmhub_deploy.operate.errors import OperateError
from slurmhub_deploy.operate.secrets.vault import Vault

VALUES = {"one": "1", "key": "-----BEGIN-----\nabc\n-----END-----\n", "odd": "{{ x }}: 'é'"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.yml"


def test_what_is_kept_is_there_again(path: Path) -> None:
    vault = Vault(path, "pass")
    assert vault.read() == {}
    vault.write(VALUES)
    assert Vault(path, "pass").read() == VALUES
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256")
    assert [each.name for each in path.parent.iterdir()] == ["vault.yml"]


def test_ansible_vault_opens_it(path: Path) -> None:
    Vault(path, "pass").write({"one": "value"})
    password = path.with_name("password")
    password.write_text("pass\n")
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "ansible", "vault", "view"),
            *("--vault-password-file", str(password), str(path)),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_HOME": str(path.parent), "PAGER": "cat"},
    )
    assert ran.returncode == 0, ran.stderr
    assert "one: value" in ran.stdout


def test_a_wrong_password(path: Path) -> None:
    Vault(path, "pass").write(VALUES)
    with pytest.raises(OperateError, match="cannot be opened"):
        Vault(path, "other").read()


@pytest.mark.parametrize(
    ("content", "what"), [("one: plain\n", "not encrypted"), ("", "not encrypted")]
)
def test_what_is_no_vault(path: Path, content: str, what: str) -> None:
    path.write_text(content)
    with pytest.raises(OperateError, match=what):
        Vault(path, "pass").read()


def test_a_damaged_one(path: Path) -> None:
    Vault(path, "pass").write(VALUES)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(OperateError, match="damaged"):
        Vault(path, "pass").read()


def test_what_cannot_be_written_leaves_the_old_one(path: Path) -> None:
    vault = Vault(path, "pass")
    vault.write({"one": "1"})
    before = path.read_bytes()
    other = Vault(path / "below a file", "pass")
    with pytest.raises(OperateError, match="cannot be"):
        other.write(VALUES)
    assert path.read_bytes() == before
