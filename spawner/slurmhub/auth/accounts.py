"""From what an institution says of a person to that person's account: one person, one account."""

from __future__ import annotations

import asyncio
import logging
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from slurmhub.auth.account_helper import AccountHelper, HelperRefused, HelperUnusable, MadeAccount
from slurmhub.auth.account_refusals import (
    AccountChanged,
    AccountErased,
    AccountGone,
    AccountLocked,
    AccountNotMade,
    AccountNotVisible,
    AccountTaken,
    HomeNotMade,
    LedgerAway,
    NoMatch,
    NotInDirectory,
)
from slurmhub.auth.assertion import Assertion
from slurmhub.auth.directory import Directory, Entry
from slurmhub.auth.identifiers import Identifier, identifiers_of
from slurmhub.auth.identities import IdentityLedger, open_identities
from slurmhub.auth.matching import AccountRules, RulesUnusable
from slurmhub.auth.names import UsedNames, candidates, is_a_login, proposals
from slurmhub.auth.people import NameTaken, Person, Source, State

_NOBODY = 65534
# How long this host may take to show an account that was just made, in seconds: name service
# caches remember for a while that there is none (sssd.conf(5), entry_negative_timeout: 15).
VISIBLE_WITHIN = 20.0
_LOOK_AGAIN = 0.5
# So many names in a row may be somebody else's in the directory alone.
_MOST_NAMES = 50


class Accounts:
    """Gives each person the one account that is theirs."""

    def __init__(
        self,
        ledger: IdentityLedger,
        rules: AccountRules,
        *,
        log: logging.Logger,
        helper: AccountHelper | None = None,
        directory: Directory | None = None,
        visible_within: float = VISIBLE_WITHIN,
    ) -> None:
        self._ledger = ledger
        self._rules = rules
        self._log = log
        self._helper = helper or AccountHelper()
        self._directory = directory or Directory()
        self._visible_within = visible_within
        self._running: dict[Identifier, asyncio.Task[Person]] = {}

    @classmethod
    def open(
        cls, ledger_url: str, rules: AccountRules, *, helper: Path, log: logging.Logger
    ) -> Accounts:
        """With the ledger in the database of this URL. Raises LedgerUnwritable."""
        ledger = open_identities(ledger_url, log=log)
        return cls(ledger, rules, log=log, helper=AccountHelper(helper))

    async def known(self, assertion: Assertion) -> Person | None:
        """Who this is, if they have signed in before; gives and makes nothing.

        Raises NoIdentifier, Ambiguous, IdentifierWithheld, LedgerAway.
        """
        sent = identifiers_of(assertion)
        return (await asyncio.to_thread(self._ledger.recognise, sent))[1]

    async def ensure(self, assertion: Assertion) -> Person:
        """The person, whose account is there and theirs.

        Sign-ins of one person at the same time share one attempt, which goes on when a caller
        is cancelled. Raises SignInRefused of slurmhub.auth.account_refusals.
        """
        sent = identifiers_of(assertion)
        task = self._running.get(sent[0])
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ensure(assertion, sent))
            self._running[sent[0]] = task
            task.add_done_callback(lambda done: self._forget(sent[0], done))
        return await asyncio.shield(task)

    def _forget(self, first: Identifier, done: asyncio.Task[Person]) -> None:
        self._running.pop(first, None)
        if not done.cancelled():
            done.exception()  # whoever waits has it; nobody may be left

    async def _ensure(self, assertion: Assertion, sent: Sequence[Identifier]) -> Person:
        person = await asyncio.to_thread(self._recognised, sent)
        if person is None:
            person = await asyncio.to_thread(self._entered, assertion, sent)
        _check_state(person)
        if person.source is Source.EXISTING:
            entry = await asyncio.to_thread(self._check_existing, person)
            if self._rules.make_homes:
                await self._have_home(person, entry)
        else:
            person = await self._made(person, assertion)
        await asyncio.to_thread(self._ledger.note_seen, person)
        return person

    def _recognised(self, sent: Sequence[Identifier]) -> Person | None:
        decision, person = self._ledger.recognise(sent)
        if person is None or not decision.changes:
            return person
        try:
            return self._ledger.learn(sent)
        except LedgerAway as error:
            # Who they are is known all the same; what is new is learnt another time.
            self._log.error("What is new of %s: %s", person.account, error.for_operator)
            return person

    def _entered(self, assertion: Assertion, sent: Sequence[Identifier]) -> Person:
        if self._rules.source is Source.EXISTING:
            return self._match(sent)
        used = self._used_names(assertion)
        for name in candidates(assertion, reserved=self._rules.reserved, used=used):
            if self._directory.is_used(name):
                used.add(name)
                continue
            try:
                return self._ledger.enter(sent, account=name, uid=None, source=Source.MADE)
            except NameTaken:
                used.add(name)
        raise AssertionError("unreachable: names have no end")

    def _used_names(self, assertion: Assertion) -> UsedNames:
        """What the ledger has of names like this person's, so that few are tried in vain."""
        begins = {name[:8] for name in proposals(assertion)} | {"person"}
        return UsedNames(
            frozenset().union(*(self._ledger.names_that_begin(prefix) for prefix in begins))
        )

    def _match(self, sent: Sequence[Identifier]) -> Person:
        try:
            name = self._rules.matched(sent)
        except RulesUnusable as error:
            raise NoMatch(str(error)) from error
        entry = self._directory.find(name)
        if entry is None or not self._is_for_people(entry.uid) or not is_a_login(name):
            why = "is not there" if entry is None else f"has uid {entry.uid}: not one for people"
            raise NotInDirectory(f"the rules name the account {name!r} for {sent[0]}; it {why}")
        try:
            return self._ledger.enter(sent, account=name, uid=entry.uid, source=Source.EXISTING)
        except NameTaken as error:
            holder = self._ledger.holder(name)
            for_operator = (
                f"the rules name the account {name} for {sent[0]}, which is another person's; if "
                f"they are one person: slurmhub identity link {name}. {error.what}"
            )
            if holder is not None and holder.state is State.ERASED:
                raise AccountErased(for_operator) from error
            raise AccountTaken(for_operator) from error

    def _is_for_people(self, uid: int) -> bool:
        return uid >= self._rules.min_uid and uid != _NOBODY

    async def _have_home(self, person: Person, entry: Entry) -> None:
        if await asyncio.to_thread(Path(entry.home).is_dir):
            return
        try:
            await self._helper.home(person.account)
        except (HelperRefused, HelperUnusable) as error:
            raise _not_made(person, error, HomeNotMade) from error

    def _check_existing(self, person: Person) -> Entry:
        entry = self._directory.find(person.account)
        if entry is None:
            raise AccountGone(
                f"{person.account} (uid {person.uid}) is not there any more, or the directory "
                "does not answer; if it was renamed: slurmhub identity rename"
            )
        if entry.uid != person.uid:
            raise AccountChanged(
                f"{person.account} had uid {person.uid} and has {entry.uid} now: it may be "
                "somebody else's; if it is not: slurmhub identity rename, with the same name twice"
            )
        return entry

    async def _made(self, person: Person, assertion: Assertion) -> Person:
        """The person, with the account made or finished where it is not there."""
        if person.uid is not None:
            entry = await asyncio.to_thread(self._directory.find, person.account)
            if entry is not None:
                if entry.uid != person.uid:
                    raise AccountChanged(
                        f"{person.account} was made with uid {person.uid} and has {entry.uid} now"
                    )
                return person
        person, made = await self._make(person, assertion)
        if person.uid is None:
            try:
                person = await asyncio.to_thread(self._ledger.ready, person, made.uid)
            except NameTaken as error:
                raise AccountNotMade(f"{self._helper.installed}: {error}") from error
        await self._wait_visible(person)
        return person

    async def _make(self, person: Person, assertion: Assertion) -> tuple[Person, MadeAccount]:
        for _ in range(_MOST_NAMES):
            try:
                made = await self._helper.ensure(
                    person.account,
                    token=person.token or "",
                    uid=person.uid,
                    full_name=self._full_name(assertion),
                )
            except HelperRefused as error:
                if error.kind == "locked":
                    raise AccountLocked(error.message) from error
                if error.kind != "taken" or person.uid is not None:
                    raise _not_made(person, error) from error
                self._log.warning("%s Another name is taken.", error.message)
                person = await asyncio.to_thread(self._renamed, person, assertion)
            except HelperUnusable as error:
                raise _not_made(person, error) from error
            else:
                if not self._is_for_people(made.uid):
                    raise AccountNotMade(f"{person.account} was made with uid {made.uid}")
                return person, made
        raise AccountNotMade(f"{_MOST_NAMES} names up to {person.account} are taken")

    def _renamed(self, person: Person, assertion: Assertion) -> Person:
        used = self._used_names(assertion)
        used.add(person.account)
        for name in candidates(assertion, reserved=self._rules.reserved, used=used):
            if not self._directory.is_used(name):
                try:
                    return self._ledger.other_name(person, name)
                except NameTaken:
                    used.add(name)
            used.add(name)
        raise AssertionError("unreachable: names have no end")

    def _full_name(self, assertion: Assertion) -> str:
        """The display name as gecos takes it: no colon, comma or control character."""
        if not self._rules.full_names or assertion.display_name is None:
            return ""
        text = unicodedata.normalize("NFC", assertion.display_name)
        kept = "".join(c if c.isprintable() and c not in ":,=\\" else " " for c in text)
        return " ".join(kept.split())[:100]

    async def _wait_visible(self, person: Person) -> None:
        end = time.monotonic() + self._visible_within
        while True:
            entry = await asyncio.to_thread(self._directory.find, person.account)
            if entry is not None and entry.uid == person.uid:
                return
            if entry is not None:
                raise AccountChanged(
                    f"{person.account} was made with uid {person.uid}, and this host shows "
                    f"{entry.uid}"
                )
            if time.monotonic() >= end:
                raise AccountNotVisible(
                    f"{person.account} was made, and 'getent passwd {person.account}' does not "
                    "show it on the hub's host: look at nsswitch.conf and the caches of sssd, "
                    "nslcd or nscd"
                )
            await asyncio.sleep(_LOOK_AGAIN)


def _check_state(person: Person) -> None:
    if person.state is State.LOCKED:
        raise AccountLocked(f"{person.account} is locked: slurmhub identity unlock")
    if person.state in (State.ERASED, State.FORMER):
        raise AccountErased(f"{person.account} is {person.state.value}")


def _not_made(
    person: Person,
    error: HelperRefused | HelperUnusable,
    refusal: type[AccountNotMade | HomeNotMade] = AccountNotMade,
) -> AccountNotMade | HomeNotMade:
    kind = f"{error.kind}: " if isinstance(error, HelperRefused) else ""
    return refusal(f"{person.account}: {kind}{error.what}")
