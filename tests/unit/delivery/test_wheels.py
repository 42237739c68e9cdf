"""The project's wheels, from a checkout and from an installation."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from slurmhub_deploy.delivery import wheels
from slurmhub_deploy.delivery.goods import goods


def test_one_state_of_the_sources_is_one_wheel(tmp_path: Path) -> None:
    first, again = (goods(tmp_path, proxy=False) for _ in range(2))
    assert first == again
    assert first.hub.digest != first.jupyter.digest
    (wheel,) = first.hub.wheels
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"slurmhub/from_file.py", "slurmhub_deploy/main.py"} <= names
    assert "slurmhub/_assets/ansible/playbooks/site.yml" in names
    assert "slurmhub/_assets/requirements/hub.lock" in names
    assert "slurmhub/_assets/package-lock.json" in names
    assert not list(tmp_path.glob(".building-*"))


def test_an_installation_gives_its_own_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    info = site / "slurmhub-9.dist-info"
    (site / "slurmhub").mkdir(parents=True)
    info.mkdir()
    (site / "slurmhub/__init__.py").write_text("version = 9\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slurmhub\nVersion: 9\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    (info / "INSTALLER").write_text("pip\n")
    record = ["slurmhub/__init__.py", "slurmhub/__pycache__/__init__.pyc", "../../bin/slurmhub"]
    record += [f"slurmhub-9.dist-info/{name}" for name in ("METADATA", "WHEEL", "INSTALLER")]
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in record))
    monkeypatch.setattr(wheels, "PACKAGE", site / "slurmhub")
    monkeypatch.syspath_prepend(str(site))
    first, again = (wheels.project_wheel(tmp_path / "cache") for _ in range(2))
    assert first == again
    with zipfile.ZipFile(first) as archive:
        assert set(archive.namelist()) == {
            "slurmhub/__init__.py",
            *(f"slurmhub-9.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD")),
        }
        lines = archive.read("slurmhub-9.dist-info/RECORD").decode().splitlines()
    assert lines[-1] == "slurmhub-9.dist-info/RECORD,,"
    assert all("sha256=" in line for line in lines[:-1])
