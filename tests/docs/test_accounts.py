"""The page of accounts: its commands run, in their order, and its sudoers file is the real one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slurmhub.auth.account_helper import AccountHelper
from slurmhub.auth.accounts import Accounts
from slurmhub.auth.matching import account_rules
from slurmhub_deploy.account_install import DEFAULT_SETTINGS, account_sudoers_text
from slurmhub_deploy.identity_command import identity
from tests.rig.docs import PROJECT, Page
from tests.unit.auth.people import LOG, SFU, FakeDirectory, FakeHelper, asserted, ledger_in

PATH = PROJECT / "docs/operators/accounts.md"
PAGE = Page(PATH, PATH.read_text())


def commands() -> list[list[str]]:
    """The words of each `slurmhub identity` line of the page."""
    lines = [line for block in PAGE.blocks("sh") for line in block.text.splitlines()]
    begin = "slurmhub identity "
    return [line.removeprefix(begin).split() for line in lines if line.startswith(begin)]


def test_the_commands_run_as_they_stand_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = FakeDirectory()
    helper = FakeHelper(directory)
    accounts = Accounts(
        ledger_in(tmp_path), account_rules(source="made"), log=LOG, helper=helper,
        directory=directory, visible_within=0.05,
    )  # fmt: skip

    async def people() -> None:
        await accounts.ensure(asserted(subject_id="s1@ubc.ca", eppn="alice@ubc.ca"))
        await accounts.ensure(asserted(SFU, subject_id="v1@sfu.ca", eppn="alice@sfu.ca"))

    async def done(_: AccountHelper, __: object) -> dict[str, object]:
        return {"ok": True}

    asyncio.run(people())
    monkeypatch.setattr(AccountHelper, "ask", done)
    monkeypatch.setenv("SLURMHUB_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.sqlite")
    assert {words[0] for words in commands()} == {
        each.name or each.callback.__name__  # type: ignore[union-attr]
        for each in identity.registered_commands
    }
    for words in commands():
        result = CliRunner().invoke(identity, words)
        assert result.exit_code == 0, (words, result.output, result.exception)


def test_the_sudoers_file_is_shown_as_it_is_written() -> None:
    (shown,) = PAGE.blocks("sudoers")
    assert shown.text == account_sudoers_text("jupyterhub")


def test_every_setting_of_the_helper_is_in_the_table() -> None:
    section = PAGE.text.partition("/etc/slurmhub/account.json")[2].partition("**Names**")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in row.split("|")[1].replace("`", "").split(", ")}
    assert {name.strip() for name in named} == set(DEFAULT_SETTINGS)
