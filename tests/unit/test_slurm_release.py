"""Which Slurm the tests run against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slurmhub_deploy.cluster.embedded import Programs
from slurmhub_deploy.errors import DeployError
from tests.rig.slurm_release import VARIABLE, slurm_programs, version_of


@pytest.fixture(autouse=True)
def _ask_anew() -> Iterator[None]:
    slurm_programs.cache_clear()
    yield
    slurm_programs.cache_clear()


def test_without_a_word_it_is_the_one_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert slurm_programs() == Programs()


def test_an_unknown_release_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # 24.1 is not short for 24.11.
    monkeypatch.setenv(VARIABLE, "24.1")
    with pytest.raises(DeployError, match=r"22\.05, 24\.11, 26\.05"):
        slurm_programs()


def test_the_version_is_what_the_controller_says(tmp_path: Path) -> None:
    controller = tmp_path / "slurmctld"
    assert version_of(Programs(tmp_path, tmp_path)) == ""
    controller.write_text("#!/bin/sh\necho slurm-wlm 24.11.5\n")
    controller.chmod(0o755)
    assert version_of(Programs(tmp_path, tmp_path)) == "24.11.5"
