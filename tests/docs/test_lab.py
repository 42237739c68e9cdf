"""`script/lab`: what it says when it cannot, and what it is told by the page."""

from __future__ import annotations

import subprocess

from tests.rig.docs import PROJECT


def test_it_says_how_it_is_used() -> None:
    said = subprocess.run(["script/lab"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    for verb in ("up FOLDER", "register FOLDER", "down"):
        assert verb in said.stdout
