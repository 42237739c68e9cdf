"""From an assertion to an account: matched or made, once, and refused clearly."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slurmhub.auth.account_helper import HelperRefused, HelperUnusable
from slurmhub.auth.account_refusals import (
    AccountChanged,
    AccountErased,
    AccountGone,
    AccountLocked,
    AccountNotMade,
    AccountNotVisible,
    AccountTaken,
    Ambiguous,
    HomeNotMade,
    LedgerAway,
    NoIdentifier,
    NoMatch,
    NotInDirectory,
)
from slurmhub.auth.accounts import Accounts
from slurmhub.auth.assertion import Assertion
from slurmhub.auth.identities import IdentityLedger, State
from slurmhub.auth.matching import account_rules
from slurmhub.ledger import people
from tests.unit.auth.people import (
    LOG,
    SFU,
    UBC,
    FakeDirectory,
    FakeHelper,
    asserted,
    ledger_in,
)

RULE = {"attribute": "eppn", "scopes": ["ubc.ca"]}
ALICE = asserted(subject_id="s1@ubc.ca", eppn="alice@ubc.ca", display_name="Alice Smith")
Maker = Callable[..., Accounts]


@pytest.fixture
def ledger(tmp_path: Path) -> IdentityLedger:
    return ledger_in(tmp_path)


@pytest.fixture
def directory() -> FakeDirectory:
    return FakeDirectory(alice=5001, bob=5002, daemon=1, nobody=65534)


@pytest.fixture
def helper(directory: FakeDirectory) -> FakeHelper:
    return FakeHelper(directory)


@pytest.fixture
def existing(ledger: IdentityLedger, directory: FakeDirectory) -> Maker:
    def make(*rules: dict[str, Any]) -> Accounts:
        chosen = account_rules(source="existing", rules=rules or (RULE,))
        return Accounts(ledger, chosen, log=LOG, directory=directory)

    return make


@pytest.fixture
def made(ledger: IdentityLedger, helper: FakeHelper, directory: FakeDirectory) -> Maker:
    directory.uids.clear()

    def make(**changes: Any) -> Accounts:
        chosen = account_rules(source="made", **changes)
        return Accounts(
            ledger, chosen, log=LOG, helper=helper, directory=directory, visible_within=0.05
        )

    return make


def set_state(ledger: IdentityLedger, name: str, state: State) -> None:
    with ledger.engine.begin() as connection:
        change = people.update().where(people.c.account == name).values(state=state.value)
        assert connection.execute(change).rowcount == 1


# Accounts that exist


async def test_an_account_is_matched_by_rule_and_kept(
    existing: Maker, directory: FakeDirectory
) -> None:
    accounts = existing()
    person = await accounts.ensure(ALICE)
    assert (person.account, person.uid) == ("alice", 5001)
    # A changed eppn leads to the same account, whatever the rule would say.
    directory.uids["asmith"] = 5009
    changed = asserted(subject_id="s1@ubc.ca", eppn="asmith@ubc.ca")
    assert (await accounts.ensure(changed)).account == "alice"
    assert (await accounts.known(changed)) is not None


async def test_a_reassigned_eppn_does_not_get_the_account(existing: Maker) -> None:
    accounts = existing()
    await accounts.ensure(ALICE)
    with pytest.raises(AccountTaken) as refused:
        await accounts.ensure(asserted(subject_id="s2@ubc.ca", eppn="alice@ubc.ca"))
    assert "slurmhub identity link alice" in refused.value.for_operator
    assert (await accounts.ensure(ALICE)).account == "alice"


@pytest.mark.parametrize(
    ("eppn", "idp", "refusal"),
    [
        ("carol@ubc.ca", UBC, NotInDirectory),
        ("daemon@ubc.ca", UBC, NotInDirectory),
        ("nobody@ubc.ca", UBC, NotInDirectory),
        ("a/b@ubc.ca", UBC, NotInDirectory),
        ("alice@sfu.ca", SFU, NoMatch),
        ("alice@student.ubc.ca", UBC, NoMatch),
        ("alice@ubc.ca.evil.org", UBC, NoMatch),
    ],
)
async def test_who_has_no_account(
    existing: Maker, eppn: str, idp: str, refusal: type[Exception]
) -> None:
    accounts = existing()
    with pytest.raises(refusal):
        await accounts.ensure(asserted(idp, eppn=eppn))
    assert (await accounts.ensure(ALICE)).account == "alice"


async def test_the_same_local_part_of_another_institution_gets_nothing(existing: Maker) -> None:
    accounts = existing({"attribute": "eppn", "scopes": ["ubc.ca", "sfu.ca"]})
    await accounts.ensure(ALICE)
    with pytest.raises(AccountTaken):
        await accounts.ensure(asserted(SFU, subject_id="x@sfu.ca", eppn="alice@sfu.ca"))


async def test_an_account_that_is_gone_or_is_another_one(
    existing: Maker, directory: FakeDirectory
) -> None:
    accounts = existing()
    await accounts.ensure(ALICE)
    del directory.uids["alice"]
    with pytest.raises(AccountGone):
        await accounts.ensure(ALICE)
    directory.uids["alice"] = 7777  # removed, and made again for somebody else
    with pytest.raises(AccountChanged):
        await accounts.ensure(ALICE)
    directory.uids["alice"] = 5001
    assert (await accounts.ensure(ALICE)).uid == 5001


async def test_a_home_is_made_where_there_is_none(
    ledger: IdentityLedger, directory: FakeDirectory, helper: FakeHelper, tmp_path: Path
) -> None:
    rules = account_rules(source="existing", rules=(RULE,), make_homes=True)
    accounts = Accounts(ledger, rules, log=LOG, helper=helper, directory=directory)
    directory.homes["alice"] = str(tmp_path / "alice")
    helper.__dict__["trouble"].append(HelperRefused("full", "no space"))
    with pytest.raises(HomeNotMade) as refused:
        await accounts.ensure(ALICE)
    assert "alice: full: no space" in refused.value.for_operator
    assert (await accounts.ensure(ALICE)).account == "alice"
    assert (tmp_path / "alice").is_dir()
    asked = len(helper.__dict__["calls"])
    await accounts.ensure(ALICE)
    assert len(helper.__dict__["calls"]) == asked


async def test_one_number_under_two_names(existing: Maker, directory: FakeDirectory) -> None:
    directory.uids["alias"] = 5001
    accounts = existing()
    await accounts.ensure(ALICE)
    with pytest.raises(AccountTaken):
        await accounts.ensure(asserted(subject_id="s9@ubc.ca", eppn="alias@ubc.ca"))


async def test_locked_and_erased(existing: Maker, ledger: IdentityLedger) -> None:
    accounts = existing()
    await accounts.ensure(ALICE)
    set_state(ledger, "alice", State.LOCKED)
    with pytest.raises(AccountLocked):
        await accounts.ensure(ALICE)
    set_state(ledger, "alice", State.ERASED)
    with pytest.raises(AccountErased):
        await accounts.ensure(ALICE)
    with pytest.raises(AccountErased):  # nor anybody else whom the rule would give it
        await accounts.ensure(asserted(subject_id="s2@ubc.ca", eppn="alice@ubc.ca"))


async def test_a_table_of_accounts(existing: Maker, tmp_path: Path) -> None:
    table = tmp_path / "accounts"
    table.write_text("# whose is whose\nS1@ubc.ca alice\n\nbob@ubc.ca bob  # a guest\n")
    by_id = {"attribute": "subject-id", "table": str(table)}
    by_eppn = {"attribute": "eppn", "table": str(table), "idp": UBC}
    accounts = existing(by_id, by_eppn)
    assert (await accounts.ensure(asserted(subject_id="s1@ubc.ca"))).account == "alice"
    assert (await accounts.ensure(asserted(eppn="bob@ubc.ca"))).account == "bob"
    with pytest.raises(NoMatch):
        await accounts.ensure(asserted(SFU, eppn="bob@ubc.ca"))
    both = asserted(SFU, subject_id="s1@ubc.ca", eppn="bob@ubc.ca")
    with pytest.raises(Ambiguous):
        await existing(by_id, RULE).ensure(both)
    table.unlink()
    with pytest.raises(NoMatch):
        await accounts.ensure(asserted(subject_id="s2@ubc.ca"))


# Accounts that are made


async def test_an_account_is_made_once(made: Maker, helper: FakeHelper) -> None:
    accounts = made()
    person = await accounts.ensure(ALICE)
    assert (person.account, person.uid, person.state) == ("alice", 20000, State.READY)
    assert helper.__dict__["calls"] == [("alice", None, "")]
    assert (await accounts.ensure(ALICE)).number == person.number
    assert len(helper.__dict__["calls"]) == 1


async def test_sign_ins_at_once_share_one_call(made: Maker, helper: FakeHelper) -> None:
    accounts = made()
    people_found = await asyncio.gather(*(accounts.ensure(ALICE) for _ in range(20)))
    assert {person.account for person in people_found} == {"alice"}
    assert len(helper.__dict__["calls"]) == 1
    assert (await accounts.ensure(ALICE)).uid == 20000


async def test_a_caller_that_leaves_does_not_stop_it(made: Maker, helper: FakeHelper) -> None:
    accounts = made()
    leaving = asyncio.ensure_future(accounts.ensure(ALICE))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await accounts.ensure(ALICE)).account == "alice"
    assert len(helper.__dict__["calls"]) == 1


async def test_people_of_one_name(made: Maker) -> None:
    accounts = made()
    names = [
        (await accounts.ensure(asserted(idp, subject_id=f"{n}@x", eppn="alice@x.ca"))).account
        for n, idp in enumerate((UBC, SFU, "https://third.example"))
    ]
    assert names == ["alice", "alice2", "alice3"]


async def test_names_of_the_directory_and_of_the_site(
    made: Maker, directory: FakeDirectory, helper: FakeHelper
) -> None:
    directory.uids["alice"] = 1234
    directory.groups.add("alice2")
    helper.__dict__["theirs"].add("alice4")  # in the directory, and not shown on this host
    person = await made(reserved={"alice3"}).ensure(ALICE)
    assert person.account == "alice5"
    # The name that was somebody else's is given to nobody.
    other = asserted(subject_id="s2@ubc.ca", eppn="alice@ubc.ca")
    helper.__dict__["theirs"].clear()
    assert (await made().ensure(other)).account == "alice3"
    third = asserted(subject_id="s3@ubc.ca", eppn="alice@ubc.ca")
    assert (await made().ensure(third)).account == "alice6"


@pytest.mark.parametrize(
    "trouble",
    [
        HelperRefused("full", "/home: No space left on device"),
        HelperRefused("away", "the directory does not answer"),
        HelperRefused("busy", "another call"),
        HelperRefused("home", "/home/alice is there"),
        HelperUnusable("there is no such program", remedy="install it"),
    ],
)
async def test_what_failed_is_tried_again(
    made: Maker, ledger: IdentityLedger, helper: FakeHelper, trouble: Exception
) -> None:
    helper.__dict__["trouble"].append(trouble)
    accounts = made()
    with pytest.raises(AccountNotMade) as refused:
        await accounts.ensure(ALICE)
    assert refused.value.try_again
    assert str(getattr(trouble, "what", "")) in refused.value.for_operator
    held = ledger.holder("alice")
    assert held is not None
    assert (held.state, held.uid) == (State.RESERVED, None)
    # As after a restart: the name is kept, and nobody else's.
    other = asserted(subject_id="s2@ubc.ca", eppn="alice@ubc.ca")
    assert (await made().ensure(other)).account == "alice2"
    assert (await made().ensure(ALICE)).account == "alice"


async def test_an_account_that_this_host_does_not_show_yet(
    made: Maker, helper: FakeHelper, directory: FakeDirectory
) -> None:
    helper.__dict__["hidden"] = True
    accounts = made()
    with pytest.raises(AccountNotVisible) as refused:
        await accounts.ensure(ALICE)
    assert "getent passwd alice" in refused.value.for_operator
    directory.uids["alice"] = 20000
    assert (await accounts.ensure(ALICE)).uid == 20000
    assert len(helper.__dict__["calls"]) == 1


async def test_an_account_that_was_removed_is_made_again_with_its_number(
    made: Maker, helper: FakeHelper, directory: FakeDirectory
) -> None:
    accounts = made()
    await accounts.ensure(ALICE)
    del directory.uids["alice"]
    assert (await accounts.ensure(ALICE)).uid == 20000
    assert helper.__dict__["calls"][-1] == ("alice", 20000, "")
    directory.uids["alice"] = 4242
    with pytest.raises(AccountChanged):
        await accounts.ensure(ALICE)


async def test_a_lost_ledger_gives_nobody_anothers_account(
    made: Maker, helper: FakeHelper, directory: FakeDirectory, tmp_path: Path
) -> None:
    """The helper's register still knows; another Alice is the first to come."""
    await made().ensure(ALICE)
    directory.uids.clear()
    (tmp_path / "new").mkdir()
    fresh = Accounts(
        ledger_in(tmp_path / "new"),
        account_rules(source="made"),
        log=LOG,
        helper=helper,
        directory=directory,
        visible_within=0.05,
    )
    other = asserted(subject_id="s2@ubc.ca", eppn="alice@ubc.ca")
    assert (await fresh.ensure(other)).account == "alice2"


async def test_full_names_only_where_the_site_wants_them(made: Maker, helper: FakeHelper) -> None:
    person = asserted(eppn="eve@ubc.ca", display_name="Eve:0:0,\n\\Root=x  " + "y" * 200)
    await made(full_names=True).ensure(person)
    ((_, _, name),) = helper.__dict__["calls"]
    assert name == ("Eve 0 0 Root x " + "y" * 200)[:100]


async def test_a_small_number_is_nobodys(made: Maker, helper: FakeHelper) -> None:
    helper.__dict__["lowest"] = 500
    with pytest.raises(AccountNotMade) as refused:
        await made().ensure(ALICE)
    assert "uid 500" in refused.value.for_operator


# What nobody can be told


@pytest.mark.parametrize("assertion", [asserted(), asserted(mail="alice@ubc.ca")])
async def test_without_an_identifier(made: Maker, assertion: Assertion) -> None:
    with pytest.raises(NoIdentifier):
        await made().ensure(assertion)


async def test_a_ledger_that_cannot_be_written(
    made: Maker, ledger: IdentityLedger, tmp_path: Path, directory: FakeDirectory
) -> None:
    """As on a full disk: who is known gets in, who is new is told to come again."""
    accounts = made()
    await accounts.ensure(ALICE)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as raw:
        raw.execute(
            "CREATE TRIGGER full BEFORE INSERT ON slurmhub_identifier "
            "BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
        raw.execute("UPDATE slurmhub_person SET seen = NULL")
    changed = asserted(subject_id="s1@ubc.ca", eppn="new@ubc.ca")
    assert (await accounts.ensure(changed)).account == "alice"
    with pytest.raises(LedgerAway) as refused:
        await accounts.ensure(asserted(subject_id="s2@ubc.ca", eppn="bob@ubc.ca"))
    assert refused.value.try_again
    assert "disk" in refused.value.for_operator
    with sqlite3.connect(tmp_path / "ledger.sqlite") as raw:
        raw.execute("DROP TRIGGER full")
    bob = asserted(subject_id="s2@ubc.ca", eppn="bob@ubc.ca")
    assert (await accounts.ensure(bob)).account == "bob"
