"""Assertions of made-up people, a ledger in memory of a test, and a directory that obeys."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from slurmhub.auth.account_helper import AccountHelper, HelperRefused, MadeAccount
from slurmhub.auth.assertion import Assertion
from slurmhub.auth.directory import Directory, Entry
from slurmhub.auth.identities import IdentityLedger, open_identities

LOG = logging.getLogger("slurmhub.tests")
UBC, SFU = "https://idp.ubc.example/shibboleth", "https://idp.sfu.example/shibboleth"


def asserted(idp: str = UBC, **attributes: Any) -> Assertion:
    """What an identity provider says; everything not given is absent."""
    nothing = Assertion(
        idp=idp,
        session="_session",
        subject_id=None,
        pairwise_id=None,
        eppn=None,
        display_name=None,
        given_name=None,
        surname=None,
        mail=None,
        affiliations=(),
        entitlements=(),
        memberships=(),
        assurances=(),
        authenticated=None,
    )
    return replace(nothing, **attributes)


def ledger_in(folder: Path) -> IdentityLedger:
    """The ledger of identities in a file of this folder."""
    return open_identities(f"sqlite:///{folder}/ledger.sqlite", log=LOG)


class FakeDirectory(Directory):
    """Accounts by name, as a test puts them there."""

    def __init__(self, **uids: int) -> None:
        self.uids = dict(uids)
        self.homes: dict[str, str] = {}
        self.groups: set[str] = set()

    def find(self, name: str) -> Entry | None:
        uid = self.uids.get(name)
        return None if uid is None else Entry(name, uid, self.homes.get(name, ""))

    def is_used(self, name: str) -> bool:
        return name in self.uids or name in self.groups


class FakeHelper(AccountHelper):
    """Makes accounts in a FakeDirectory as slurmhub-account does; `trouble` is raised instead."""

    def __init__(self, directory: FakeDirectory) -> None:
        super().__init__(Path("/nowhere/slurmhub-account"))
        self.__dict__.update(
            directory=directory,
            calls=[],
            trouble=[],
            hidden=False,
            theirs=set(),
            register={},
            lowest=20000,
        )

    async def ensure(
        self, name: str, *, token: str, uid: int | None = None, full_name: str = ""
    ) -> MadeAccount:
        state = self.__dict__
        state["calls"].append((name, uid, full_name))
        if state["trouble"]:
            raise state["trouble"].pop(0)
        owner, number = state["register"].get(name, (token, 0))
        if name in state["theirs"] or owner != token:
            raise HelperRefused("taken", f"{name} is another person's account.")
        number = number or uid or state["lowest"] + len(state["register"])
        made = name not in state["register"]
        state["register"][name] = (token, number)
        if not state["hidden"]:
            state["directory"].uids[name] = number
        return MadeAccount(number, number, f"/home/{name}", made)

    async def home(self, name: str) -> MadeAccount:
        state = self.__dict__
        state["calls"].append(name)
        if state["trouble"]:
            raise state["trouble"].pop(0)
        path, uid = Path(state["directory"].homes[name]), state["directory"].uids[name]
        await asyncio.to_thread(path.mkdir)
        return MadeAccount(uid, uid, str(path), True)
