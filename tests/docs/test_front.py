"""What the page on the front shows: its settings are accepted, and its commands run."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from slurmhub_deploy.front.attributes import ATTRIBUTES
from slurmhub_deploy.front.settings import FrontSettings, check_settings
from tests.rig.docs import pages

PAGE = next(page for page in pages() if page.name == "docs/operators/shibboleth.md")
TEAMS = next(page for page in pages() if page.name == "docs/identity-teams.md")


def settings_shown() -> dict[str, Any]:
    """The page's whole example."""
    return dict(yaml.safe_load(PAGE.blocks("yaml")[0].text))


def test_the_settings_that_are_shown_are_accepted() -> None:
    """The whole example, and its other sources of metadata in it."""
    whole, sources = PAGE.blocks("yaml")
    assert check_settings(yaml.safe_load(whole.text), "the page").domain == "hub.example.ca"
    mixed = {**settings_shown(), **yaml.safe_load(sources.text)}
    assert len(check_settings(mixed, "the page").metadata) == 3


def test_every_setting_is_in_the_table() -> None:
    """And no other."""
    table = PAGE.text.partition("## Settings")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", table, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(FrontSettings.model_fields)


def test_identity_teams_are_told_of_every_attribute() -> None:
    """With the name that goes over the wire."""
    for attribute in ATTRIBUTES:
        assert f"`{attribute.name}`" in TEAMS.text, attribute.id


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    """In their order, in folders of the test, with the account that runs it."""
    lines = [
        line
        for block in PAGE.blocks("sh")
        for line in block.text.splitlines()
        if line.startswith("slurmhub front ")
    ]
    assert len(lines) == 3
    me = pwd.getpwuid(os.geteuid()).pw_name
    described = {
        **settings_shown(),
        "key_folder": str(tmp_path / "keys"),
        "secret_file": str(tmp_path / "secret"),
        "apache_folder": str(tmp_path / "apache"),
        "key_account": me,
        "hub_account": me,
    }
    (tmp_path / "front.yaml").write_text(yaml.safe_dump(described))
    for line in lines:
        # The programs that --check runs are there in tests/shibboleth/test_accepted.py.
        words = line.replace("/etc/slurmhub", str(tmp_path)).replace(" --check", "").split()
        program = "from slurmhub_deploy.main import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program, *words[1:]], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
    made = (tmp_path / "front" / "apache" / "slurmhub.conf", tmp_path / "registration/README.md")
    assert all(path.is_file() for path in made)


@pytest.mark.parametrize("folder", ["apache/pages", "apache/slurmhub.conf", "shibboleth"])
def test_what_is_copied_is_what_is_written(folder: str) -> None:
    """The page's way from the rendered folder to the host's own."""
    assert f"/etc/slurmhub/front/{folder}" in PAGE.text
