"""`slurmhub helper install --accounts`, below a folder of the test's own."""

from __future__ import annotations

import ast
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from slurmhub.assets import asset
from slurmhub_deploy import account_install
from slurmhub_deploy.account_install import AccountsPlan, account_sudoers_text
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.helper import HelperPlan, State, install
from slurmhub_deploy.helper_command import helper
from tests.unit.helper.loaded import load_program

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to root")
PEOPLE, GROUPS = "ou=people,dc=example,dc=org", "ou=groups,dc=example,dc=org"


@pytest.fixture
def plan(tmp_path: Path) -> HelperPlan:
    bin_dir, root = tmp_path / "slurm", tmp_path / "root"
    bin_dir.mkdir()
    root.mkdir(mode=0o755)
    for name in ("sbatch", "scancel"):
        (bin_dir / name).write_text("#!/bin/sh\n")
        (bin_dir / name).chmod(0o755)
    return HelperPlan("daemon", "users", bin_dir=bin_dir, accounts=AccountsPlan("files"), root=root)


def test_is_a_program_of_the_standard_library_for_python_3_8() -> None:
    source = asset("libexec/slurmhub-account").read_text()
    tree = ast.parse(source, feature_version=(3, 8))
    modules = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        + [alias.name for alias in node.names if isinstance(node, ast.Import)]
    }
    assert modules <= set(sys.stdlib_module_names)
    # -I: nothing of the environment or the working directory; -S: no .pth files either.
    assert source.startswith("#!/usr/bin/python3 -IS\n")
    assert "os.environ" not in source
    assert "shell=True" not in source
    assert os.access(asset("libexec/slurmhub-account"), os.X_OK)


def test_the_settings_are_those_that_the_program_has() -> None:
    program = load_program("slurmhub-account")
    assert program.DEFAULTS == account_install.DEFAULT_SETTINGS
    assert str(account_install.SETTINGS) == program.SETTINGS_FILE


@needs_root
def test_writes_six_files_of_root_once(plan: HelperPlan) -> None:
    assert [outcome.state for outcome in install(plan)] == [State.WRITTEN] * 6
    assert [outcome.state for outcome in install(plan)] == [State.UNCHANGED] * 6
    for path, mode in (
        (account_install.PROGRAM, 0o755),
        (account_install.SETTINGS, 0o644),
        (account_install.SUDOERS, 0o440),
    ):
        found = (plan.root / path.relative_to("/")).stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (mode, 0, 0)
    sudoers = plan.root / account_install.SUDOERS.relative_to("/")
    assert sudoers.read_text() == account_sudoers_text("daemon")
    settings = plan.root / account_install.SETTINGS.relative_to("/")
    assert json.loads(settings.read_text())["group"] == "users"
    program = plan.root / account_install.PROGRAM.relative_to("/")
    assert program.read_bytes() == asset("libexec/slurmhub-account").read_bytes()


@needs_root
def test_keeps_settings_that_the_site_made(plan: HelperPlan) -> None:
    install(plan)
    path = plan.root / account_install.SETTINGS.relative_to("/")
    changed = json.loads(path.read_text()) | {"home_base": "/shared/home", "min_uid": 30000}
    path.write_text(json.dumps(changed))
    install(plan)
    assert json.loads(path.read_text()) == changed


@needs_root
def test_a_hub_that_is_root_needs_no_sudoers_line(plan: HelperPlan) -> None:
    install(replace(plan, hub_account=None, users_group=None))
    assert not (plan.root / account_install.SUDOERS.relative_to("/")).exists()
    assert (plan.root / account_install.PROGRAM.relative_to("/")).exists()


def test_without_accounts_nothing_of_it_is_written(plan: HelperPlan) -> None:
    paths = [outcome.path for outcome in install(replace(plan, accounts=None), dry_run=True)]
    assert not [path for path in paths if "account" in path.name]
    assert len(install(plan, dry_run=True)) == 6


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        (AccountsPlan("nis"), "cannot be made"),
        (AccountsPlan("ldap"), "was not said"),
        (AccountsPlan("ldap", people=PEOPLE), "was not said"),
    ],
)
def test_what_cannot_be_installed(plan: HelperPlan, accounts: AccountsPlan, words: str) -> None:
    with pytest.raises(DeployError, match=words):
        install(replace(plan, accounts=accounts), dry_run=True)
    assert install(plan, dry_run=True)


def test_an_ldap_directory(plan: HelperPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(account_install._PROGRAMS, "ldap", ("/usr/bin/env",))
    ldap = AccountsPlan("ldap", people=PEOPLE, groups=GROUPS)
    outcomes = install(replace(plan, accounts=ldap), dry_run=True)
    (text,) = (one.text for one in outcomes if one.path.name == "account.json")
    settings = json.loads(text or "")
    assert settings["ldap"] == {"uri": "ldapi:///", "people": PEOPLE, "groups": GROUPS}
    monkeypatch.setitem(account_install._PROGRAMS, "ldap", ("/nowhere/ldapadd",))
    with pytest.raises(DeployError, match="ldap-utils"):
        install(replace(plan, accounts=ldap), dry_run=True)


def test_the_sudoers_line_is_the_narrowest() -> None:
    text = account_sudoers_text("jupyterhub")
    rules = [line for line in text.splitlines() if line and line[0] not in "#D"]
    path = account_install.PROGRAM
    assert rules == [f'jupyterhub ALL=(root:root) NOPASSWD: NOSETENV: {path} ""']
    checked = subprocess.run(
        ["/usr/sbin/visudo", "-c", "-s", "-f", "-"], input=text.encode(), check=False
    )
    assert checked.returncode == 0
    with pytest.raises(DeployError):
        account_sudoers_text("ALL")


@needs_root
def test_the_command(plan: HelperPlan) -> None:
    arguments = ["install", "--bin-dir", str(plan.bin_dir), "--root", str(plan.root)]
    arguments += ["--hub-account", "daemon", "--users-group", "users", "--accounts", "files"]
    done = CliRunner().invoke(helper, arguments)
    assert done.exit_code == 0, done.output
    assert str(account_install.SUDOERS) in done.output
