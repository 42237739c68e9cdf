"""The site's rules for accounts that exist already: whose identifier names which account."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slurmhub.auth.account_refusals import Ambiguous, NoMatch
from slurmhub.auth.identifiers import Identifier, Kind, lowered
from slurmhub.auth.people import Source
from slurmhub.errors import SlurmhubError

# Below are root and the accounts of the system (login.defs(5), UID_MIN).
LOWEST_UID = 1000
_RULE_FIELDS = frozenset({"attribute", "scopes", "table", "idp"})


class RulesUnusable(SlurmhubError):
    """The rules for accounts in the hub's configuration cannot be followed."""


@dataclass(frozen=True)
class Match:
    """One rule: identifiers of one kind, and how they name an account.

    With `table`, by a file of lines with an identifier and an account; else by what is before the
    @, for the listed scopes only. `idp` limits it to one identity provider.
    """

    kind: Kind
    scopes: frozenset[str]
    table: Path | None = None
    idp: str | None = None

    def account(self, sent: Sequence[Identifier]) -> str | None:
        """The account that it names; None where it does not apply. Raises RulesUnusable."""
        for each in sent:
            if each.kind is not self.kind or self.idp not in (None, each.idp):
                continue
            if self.scopes and each.scope not in self.scopes:
                continue
            if self.table is None:
                return each.local
            return read_table(self.table).get(each.value)
        return None


@dataclass(frozen=True)
class AccountRules:
    """What a site lays down about accounts.

    `reserved` are names that no account is made with, besides those of slurmhub.auth.names: those
    of the hub's admins are to be among them, or the first person of such a name would be one.
    `full_names` says whether the directory is told people's names as well as their accounts,
    `make_homes` whether people whose accounts exist are to have homes made.
    """

    source: Source
    matches: tuple[Match, ...] = ()
    reserved: frozenset[str] = frozenset()
    full_names: bool = False
    min_uid: int = LOWEST_UID
    make_homes: bool = False

    def matched(self, sent: Sequence[Identifier]) -> str:
        """The account that the rules name. Raises NoMatch, Ambiguous, RulesUnusable."""
        found = {match.account(sent) for match in self.matches} - {None}
        if len(found) > 1:
            raise Ambiguous(
                f"the rules name several accounts for {sent[0]}: {sorted(map(str, found))}"
            )
        for account in found:
            if account:
                return account
        scopes = sorted({each.scope for each in sent})
        raise NoMatch(f"no account_rule names an account for {sent[0].idp}, {', '.join(scopes)}")


def account_rules(
    *,
    source: str,
    rules: Sequence[Mapping[str, Any]] = (),
    reserved: Iterable[str] = (),
    full_names: bool = False,
    min_uid: int = LOWEST_UID,
    make_homes: bool = False,
) -> AccountRules:
    """The rules from plain data, checked when the hub starts. Raises RulesUnusable.

    A rule is such as {"attribute": "eppn", "scopes": ["example.ca"]} or
    {"attribute": "subject-id", "table": "/etc/slurmhub/accounts"}.
    """
    sources = [each.value for each in Source]
    if source not in sources:
        raise _unusable(f"account_source is {source!r}", f"Give one of {', '.join(sources)}.")
    chosen = Source(source)
    matches = tuple(_match(rule) for rule in rules)
    if chosen is Source.EXISTING and not matches:
        raise _unusable(
            "account_source is 'existing', and no rule says which account is whose",
            'Give account_rule, such as [{"attribute": "eppn", "scopes": ["example.ca"]}].',
        )
    if min_uid < LOWEST_UID:
        raise _unusable(
            f"the lowest uid of people is set to {min_uid}",
            f"Give at least {LOWEST_UID}: below it are root and the accounts of the system.",
        )
    return AccountRules(chosen, matches, frozenset(reserved), full_names, min_uid, make_homes)


def _match(rule: Mapping[str, Any]) -> Match:
    kinds = [each.value for each in Kind]
    shown = f"the account_rule {dict(rule)!r}"
    if unknown := set(rule) - _RULE_FIELDS:
        fields = ", ".join(sorted(_RULE_FIELDS))
        raise _unusable(f"{shown} has {', '.join(sorted(unknown))}", f"It may have {fields}.")
    if rule.get("attribute") not in kinds:
        raise _unusable(
            f"{shown} has no usable attribute",
            f"Give one of {', '.join(kinds)}; others do not identify anybody for good.",
        )
    scopes = frozenset(lowered(str(each)) for each in rule.get("scopes", ()))
    if isinstance(rule.get("scopes"), str):
        raise _unusable(f"{shown} has a text for scopes", "Give a list of scopes.")
    table = Path(rule["table"]) if rule.get("table") else None
    if table is None and not scopes:
        raise _unusable(
            f"{shown} takes the local part of every scope",
            "List in scopes those whose local parts are account names here: alice of another "
            "institution is another person.",
        )
    if table is not None:
        read_table(table)
    return Match(Kind(rule["attribute"]), scopes, table, rule.get("idp"))


def read_table(path: Path) -> dict[str, str]:
    """Identifiers and accounts, a pair a line; `#` begins a comment. Raises RulesUnusable."""
    try:
        with path.open(encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(
            f"the table of accounts {path} cannot be read ({error})",
            "Check that it is there, in UTF-8, and that the hub's account may read it.",
        ) from error
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or found.st_uid not in (0, os.geteuid()):
        raise _unusable(
            f"the table of accounts {path} can be changed by others",
            f"Run 'chown root {path}' and 'chmod go-w {path}'.",
        )
    table: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or table.get(lowered(words[0]), words[1]) != words[1]:
            raise _unusable(
                f"line {number} of {path} is not one identifier and one account, or names a "
                "second account for it",
                "Write them with a space between, each identifier once.",
            )
        table[lowered(words[0])] = words[1]
    return table


def _unusable(what: str, remedy: str) -> RulesUnusable:
    return RulesUnusable(f"{what[0].upper()}{what[1:]}.", remedy=remedy)
