"""Fixtures for the tests of what is said to and heard from Slurm."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.slurm.fake_commands import Fakes


@pytest.fixture
def fakes(tmp_path: Path) -> Fakes:
    return Fakes(tmp_path / "bin")
