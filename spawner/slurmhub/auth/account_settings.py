"""What a site may set of `c.ShibbolethAuthenticator` about accounts: policy as data."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from traitlets import Bool, Dict, Enum, HasTraits, Integer, List, Set, Unicode

from slurmhub.auth.account_helper import INSTALLED
from slurmhub.auth.accounts import Accounts
from slurmhub.auth.matching import LOWEST_UID, account_rules
from slurmhub.auth.people import Source


class AccountTraits(HasTraits):
    """Settings of whose account is whose; docs/operators/accounts.md explains them."""

    account_source = Enum(
        [source.value for source in Source],
        Source.EXISTING.value,
        help="Where accounts come from: existing (in the directory, found by account_rule) or made "
        "(by slurmhub-account, at a person's first sign-in).",
    ).tag(config=True)
    account_rule = List(
        Dict(),
        help="For existing accounts: whose identifier names which account, such as "
        "[{'attribute': 'eppn', 'scopes': ['example.ca']}].",
    ).tag(config=True)
    reserved_names = Set(
        Unicode(),
        help="Names that no account is made with, besides those of systems, of admin_users and of "
        "allowed_users.",
    ).tag(config=True)
    account_full_names = Bool(
        False, help="Tell the directory people's names together with the accounts made for them."
    ).tag(config=True)
    make_homes = Bool(
        False,
        help="For existing accounts: have slurmhub-account make the home of somebody who signs in "
        "and has none; see slurmhub helper install --accounts existing.",
    ).tag(config=True)
    lowest_uid = Integer(
        LOWEST_UID, help="No account with a smaller number is anybody's; at least 1000."
    ).tag(config=True)
    account_helper = Unicode(
        str(INSTALLED),
        help="The installed helper that makes accounts; see slurmhub helper install.",
    ).tag(config=True)

    def make_accounts(self, ledger_url: str, named: Iterable[str], log: logging.Logger) -> Accounts:
        """The accounts by these settings; `named` are names with a meaning to the hub already.

        Raises RulesUnusable and LedgerUnwritable.
        """
        rules = account_rules(
            source=self.account_source,
            rules=self.account_rule,
            reserved={*self.reserved_names, *named},
            full_names=self.account_full_names,
            min_uid=self.lowest_uid,
            make_homes=self.make_homes,
        )
        return Accounts.open(ledger_url, rules, helper=Path(self.account_helper), log=log)
