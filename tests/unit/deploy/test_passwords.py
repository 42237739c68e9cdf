"""Passwords of the demo: random, kept as hashes, checked without telling names apart."""

from __future__ import annotations

import stat
from pathlib import Path

from slurmhub_deploy.demo.passwords import new_passwords, right_name, write_hashes

NAMES = ("student", "operator")


def test_only_the_right_password_of_a_known_name_is_accepted(tmp_path: Path) -> None:
    passwords = new_passwords(NAMES)
    path = tmp_path / "hashes"
    write_hashes(passwords, path)
    assert right_name("student", passwords["student"], path) == "student"
    assert right_name("student", passwords["operator"], path) is None
    assert right_name("student", "", path) is None
    assert right_name("nobody", passwords["student"], path) is None
    assert right_name("nobody", "", path) is None


def test_the_file_holds_no_password_and_is_for_its_owner_only(tmp_path: Path) -> None:
    passwords = new_passwords(NAMES)
    path = tmp_path / "hashes"
    write_hashes(passwords, path)
    text = path.read_text()
    assert not any(password in text for password in passwords.values())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_start_has_its_own_passwords_and_salts(tmp_path: Path) -> None:
    first, second = new_passwords(NAMES), new_passwords(NAMES)
    assert len({*first.values(), *second.values()}) == 4
    assert all(len(password) == 12 for password in first.values())
    write_hashes(first, tmp_path / "a")
    write_hashes(first, tmp_path / "b")
    assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()
