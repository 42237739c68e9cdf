"""The machine's limits while fleets of the lab are up, on files that stand for /proc/sys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.fleet.limits import Limits


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """One limit that is low, and one that is high enough."""
    (tmp_path / "low").write_text("128\n")
    (tmp_path / "high").write_text("9000\n")
    return tmp_path


def values(settings: Path) -> list[int]:
    return [int((settings / name).read_text()) for name in ("low", "high")]


def limits(settings: Path) -> Limits:
    return Limits(settings, {"low": 8000, "high": 8000}, settings)


def test_the_last_fleet_puts_back_what_the_first_one_raised(settings: Path) -> None:
    limits(settings).raise_them()
    assert values(settings) == [8000, 9000]
    limits(settings).raise_them()
    limits(settings).put_back(in_use=lambda: True)
    assert values(settings) == [8000, 9000]
    limits(settings).put_back(in_use=lambda: False)
    assert values(settings) == [128, 9000]


def test_what_somebody_else_set_stays(settings: Path) -> None:
    limits(settings).raise_them()
    (settings / "low").write_text("16000")
    limits(settings).put_back(in_use=lambda: False)
    assert values(settings) == [16000, 9000]
    (settings / "low").write_text("8000")
    limits(settings).put_back(in_use=lambda: False)
    assert values(settings) == [8000, 9000]
