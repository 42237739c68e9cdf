"""The site's rules for accounts that exist, and the directory that they look into."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from slurmhub.auth.directory import Directory
from slurmhub.auth.matching import RulesUnusable, account_rules

RULE = {"attribute": "eppn", "scopes": ["ubc.ca"]}


@pytest.mark.parametrize(
    ("text", "mode"),
    [("a b c\n", 0o644), ("a@b x\na@b y\n", 0o644), ("a@b x\n", 0o666), ("a@b x\n", 0o664)],
)
def test_tables_that_cannot_be_followed(tmp_path: Path, text: str, mode: int) -> None:
    table = tmp_path / "accounts"
    table.write_text(text)
    table.chmod(mode)
    with pytest.raises(RulesUnusable):
        account_rules(source="existing", rules=[{"attribute": "eppn", "table": str(table)}])
    table.write_text("a@b x\n")
    table.chmod(0o644)
    assert account_rules(source="existing", rules=[{"attribute": "eppn", "table": str(table)}])


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "ldap"},
        {"source": "existing"},
        {"source": "existing", "rules": [{"attribute": "mail", "scopes": ["ubc.ca"]}]},
        {"source": "existing", "rules": [{"attribute": "eppn"}]},
        {"source": "existing", "rules": [{"attribute": "eppn", "scopes": "ubc.ca"}]},
        {"source": "existing", "rules": [{"attribute": "eppn", "scope": ["ubc.ca"]}]},
        {"source": "existing", "rules": [{"attribute": "eppn", "table": "/nowhere/x"}]},
        {"source": "made", "min_uid": 999},
    ],
)
def test_rules_that_cannot_be_followed(changes: dict[str, Any]) -> None:
    with pytest.raises(RulesUnusable):
        account_rules(**changes)
    assert account_rules(source="existing", rules=[RULE]).matches


def test_the_directory_is_that_of_this_host() -> None:
    found = Directory().find("root")
    assert found is not None
    assert found.uid == os.stat("/").st_uid
    assert Directory().find("no-such-account") is None
    assert Directory().find("a\0b") is None
    assert Directory().is_used("root")
    assert not Directory().is_used("no-such-account")
