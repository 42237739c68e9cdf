"""slurmhub_authority with a real openssl(1): what is made, kept and made again."""

from __future__ import annotations

import grp
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ansible.modules import load

module = load("slurmhub_authority")


def ensure(tmp_path: Path, *, dry: bool = False, **more: Any) -> dict[str, Any]:
    usual = {
        "folder": str(tmp_path / "authority"),
        "subject": "slurmhub directory dc=example,dc=ca",
        "certificate": str(tmp_path / "server.pem"),
        "key": str(tmp_path / "server.key"),
        "group": grp.getgrgid(os.getgid()).gr_name,
        "names": ["controller", "192.0.2.10", "2001:db8::10"],
        "days": 1825,
        "renew_days": 365,
    }
    result: dict[str, Any] = module.ensure(usual | more, dry=dry)
    return result


@pytest.fixture(autouse=True)
def _own_umask() -> Any:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_it_is_made_once_and_holds(tmp_path: Path) -> None:
    assert ensure(tmp_path, dry=True)["made"] == ["authority", "certificate"]
    assert not (tmp_path / "authority").exists(), "check mode changes nothing"
    assert ensure(tmp_path)["made"] == ["authority", "certificate"]
    again = ensure(tmp_path)
    assert (again["changed"], again["made"], again["reason"]) == (False, [], "")
    assert _mode(tmp_path / "authority/ca.key") == 0o600
    assert _mode(tmp_path / "authority") == 0o700
    assert _mode(tmp_path / "server.key") == 0o640
    assert _mode(tmp_path / "server.pem") == 0o644
    for name in ("-verify_hostname=controller", "-verify_ip=192.0.2.10", "-verify_ip=2001:db8::10"):
        option, _, value = name.partition("=")
        argv = ["openssl", "verify", "-CAfile", str(tmp_path / "authority/ca.pem"), option, value]
        subprocess.run([*argv, str(tmp_path / "server.pem")], check=True, capture_output=True)


def test_other_names_keep_the_authority(tmp_path: Path) -> None:
    ensure(tmp_path)
    authority = (tmp_path / "authority/ca.pem").read_text()
    result = ensure(tmp_path, names=["storage"])
    assert (result["made"], result["reason"]) == (["certificate"], "it is for other names")
    assert (tmp_path / "authority/ca.pem").read_text() == authority
    assert not ensure(tmp_path, names=["storage"])["changed"]


def test_it_is_made_again_before_it_ends(tmp_path: Path) -> None:
    ensure(tmp_path, days=30, renew_days=10)
    assert not ensure(tmp_path, renew_days=10)["changed"]
    assert ensure(tmp_path, renew_days=60, days=90)["reason"] == "it ends within 60 days"
    assert not ensure(tmp_path, renew_days=60)["changed"]


def test_a_key_that_does_not_fit(tmp_path: Path) -> None:
    ensure(tmp_path)
    argv = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run([*argv, "-out", str(tmp_path / "server.key")], check=True, capture_output=True)
    assert ensure(tmp_path)["reason"] == "its key is another one"


def test_another_authority(tmp_path: Path) -> None:
    ensure(tmp_path)
    for file in (tmp_path / "authority").iterdir():
        file.unlink()
    assert ensure(tmp_path)["reason"] == "it is of another authority"


def test_half_an_authority_is_not_made_again(tmp_path: Path) -> None:
    ensure(tmp_path)
    (tmp_path / "authority/ca.pem").unlink()
    with pytest.raises(module.Trouble, match=r"restore ca\.pem from a backup"):
        ensure(tmp_path)


def test_a_lost_authority_key_is_said_when_it_is_needed(tmp_path: Path) -> None:
    ensure(tmp_path)
    (tmp_path / "authority/ca.key").unlink()
    assert not ensure(tmp_path)["changed"]
    with pytest.raises(module.Trouble, match=r"ca\.key is gone"):
        ensure(tmp_path, names=["storage"])


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
