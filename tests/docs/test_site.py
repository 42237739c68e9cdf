"""What the page on the site file shows: its commands run, and its pieces of YAML are taken."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml

from slurmhub_deploy.site.init_command import example_names
from slurmhub_deploy.site.inventory import ROLES
from slurmhub_deploy.site.problems import Problem
from slurmhub_deploy.site.secret_source import SecretSource
from tests.rig.docs import PROJECT, pages
from tests.unit.site.command import slurmhub

PAGE = next(page for page in pages() if page.name == "docs/operators/site.md")
LINES = [line for block in PAGE.blocks("sh") for line in block.text.splitlines()]


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order. The dialogue is in tests/unit/site/test_init.py; here it has its answers."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.answers").write_text(slurmhub("init", "--questions").stdout)
    assert len(LINES) == 6
    for line in LINES:
        command, _, file = line.partition(" > ")
        words = shlex.split(command)[1:]
        if words == ["init", "--from", "teaching"]:
            words += ["--answers", "site.answers"]
        done = slurmhub(*words)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        if file:
            (tmp_path / file).write_text(done.stdout)
    assert json.loads((tmp_path / "site.schema.json").read_text())["title"]
    assert (tmp_path / "site.yml").is_file()
    assert (tmp_path / "department.yml").is_file()


def test_the_message_that_is_shown_is_the_real_one(tmp_path: Path) -> None:
    (shown,) = PAGE.blocks("text")
    wrong = PROJECT / "tests/unit/site/wrong/unknown-setting.yml"
    said = slurmhub("check", "--site", wrong).stdout
    assert said.replace(str(wrong), "site.yml") == shown.text


def test_the_secrets_that_are_shown_are_taken() -> None:
    *_, shown = PAGE.blocks("yaml")
    for value in yaml.safe_load(shown.text).values():
        SecretSource.model_validate(value)


def test_examples_groups_and_fields_are_all_named() -> None:
    for name in (*example_names(), *ROLES, *Problem.__dataclass_fields__):
        assert f"`{name}`" in PAGE.text, name
