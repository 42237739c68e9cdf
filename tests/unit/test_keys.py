"""The key of server tokens: made once, closed to others, never half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from slurmhub.keys import KeyUnusable, load_key, new_nonce, server_token


def test_the_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = load_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path) == key
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_key(path)
    path.chmod(mode)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        load_key(path)


def test_a_symlink_is_refused(tmp_path: Path) -> None:
    load_key(tmp_path / "real")
    (tmp_path / "key").symlink_to(tmp_path / "real")
    with pytest.raises(KeyUnusable):
        load_key(tmp_path / "key")


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(KeyUnusable, match="32 bytes"):
        load_key(path)


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_key_may_be_written_as_text(tmp_path: Path, end: str) -> None:
    path = tmp_path / "key"
    path.write_text("0f" * 32 + end)
    path.chmod(0o600)
    assert load_key(path) == b"\x0f" * 32


@pytest.mark.parametrize("text", ["0F" * 32, "0f" * 32 + "\n\n", "0f" * 33, "xf" * 32])
def test_text_that_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyUnusable, match="hexadecimal"):
        load_key(path)


def test_a_folder_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="key_file"):
        load_key(tmp_path / "absent" / "key")


def test_tokens_differ_by_key_and_nonce() -> None:
    nonces = {new_nonce() for _ in range(100)}
    assert len(nonces) == 100
    tokens = {server_token(key * 32, nonce) for key in (b"a", b"b") for nonce in nonces}
    assert len(tokens) == 200
    assert server_token(b"a" * 32, "0" * 32) == server_token(b"a" * 32, "0" * 32)
