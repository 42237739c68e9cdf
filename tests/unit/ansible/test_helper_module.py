"""slurmhub_helper: the words of `slurmhub helper install`, and what it says it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from slurmhub_deploy.account_install import AccountsPlan
from slurmhub_deploy.helper import HelperPlan, Outcome, State
from slurmhub_deploy.helper_command import report
from tests.unit.ansible.modules import load

module = load("slurmhub_helper")


def params(**more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "command": "/opt/slurmhub/hub/bin/slurmhub",
        "hub_account": "slurmhub-main",
        "users_group": "people",
        "slurm_conf": None,
        "accounts": None,
        "account_settings": {},
    }
    return usual | more


def test_accounts_in_a_directory() -> None:
    ldap = {"uri": "ldaps://ctl", "people": "ou=p", "groups": "ou=g", "bind_dn": "cn=hub"}
    argv = module.argv_of(params(accounts="ldap", account_settings={"ldap": ldap}), True)
    assert argv[argv.index("--ldap-uri") + 1] == "ldaps://ctl"
    said = json.loads(argv[argv.index("--account-settings") + 1])
    assert said["ldap"]["bind_dn"] == "cn=hub"
    assert argv[-1] == "--dry-run"


def test_without_accounts() -> None:
    argv = module.argv_of(params(slurm_conf="/etc/x.conf"), False)
    assert argv[1:3] == ["helper", "install"]
    assert "--accounts" not in argv
    assert argv[-2:] == ["--slurm-conf", "/etc/x.conf"]


def test_what_was_written_is_read_from_its_report() -> None:
    path = Path("/etc/slurmhub/as-user.json")
    plan = HelperPlan(hub_account="x", users_group="y", accounts=AccountsPlan("files"))
    for state, texts, expected in (
        (State.UNCHANGED, False, []),
        (State.WRITTEN, False, [str(path)]),
        (State.WOULD_BE_WRITTEN, True, [str(path)]),
    ):
        lines = report(plan, [Outcome(path, state, "a: written\n")], show_texts=texts)
        assert module.written_in("\n".join(lines)) == expected
