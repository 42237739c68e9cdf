"""`slurmhub identity`: what administrators see and change, on a real ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from slurmhub.auth.account_helper import AccountHelper
from slurmhub.auth.account_refusals import AccountErased, AccountLocked, AccountTaken
from slurmhub.auth.accounts import Accounts
from slurmhub.auth.administration import CannotBeDone
from slurmhub.auth.directory import Directory, Entry
from slurmhub.auth.identities import IdentityLedger
from slurmhub.auth.matching import account_rules
from slurmhub.errors import SlurmhubError
from slurmhub.ledger import Ledger
from slurmhub.presets import Presets
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.identity_command import identity
from tests.unit.auth.people import (
    LOG,
    SFU,
    UBC,
    FakeDirectory,
    FakeHelper,
    asserted,
    ledger_in,
)
from tests.unit.fakes import intent

NEW = "https://new-idp.ubc.example/idp"
ALICE = asserted(subject_id="s1@ubc.ca", eppn="alice@ubc.ca")
VISITOR = asserted(SFU, subject_id="v1@sfu.ca", eppn="alice@sfu.ca")
Run = Callable[..., str]


@pytest.fixture
def ledger(tmp_path: Path) -> IdentityLedger:
    return ledger_in(tmp_path)


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> FakeDirectory:
    fake = FakeDirectory()
    monkeypatch.setattr(Directory, "find", lambda _, name: _entry(fake, name))
    return fake


def _entry(fake: FakeDirectory, name: str) -> Entry | None:
    return Entry(name, fake.uids[name]) if name in fake.uids else None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What slurmhub-account was asked by the command."""
    requests: list[dict[str, Any]] = []

    async def ask(_: AccountHelper, request: dict[str, Any]) -> dict[str, Any]:
        requests.append(request)
        return {"ok": True}

    monkeypatch.setattr(AccountHelper, "ask", ask)
    return requests


@pytest.fixture
def made(ledger: IdentityLedger, directory: FakeDirectory) -> Accounts:
    rules = account_rules(source="made")
    helper = FakeHelper(directory)
    return Accounts(ledger, rules, log=LOG, helper=helper, directory=directory, visible_within=0.05)


@pytest.fixture
def existing(ledger: IdentityLedger, directory: FakeDirectory) -> Accounts:
    rule = {"attribute": "eppn", "scopes": ["ubc.ca"]}
    rules = account_rules(source="existing", rules=[rule])
    return Accounts(ledger, rules, log=LOG, directory=directory)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(*arguments: str) -> str:
        verb, *rest = arguments
        url = f"sqlite:///{tmp_path}/ledger.sqlite"
        # In a thread, as the command runs a loop of its own.
        with ThreadPoolExecutor(1) as pool:
            arguments = (verb, "--ledger-url", url, *rest)
            done = pool.submit(CliRunner().invoke, identity, list(arguments)).result()
        if isinstance(done.exception, SlurmhubError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    return command


async def test_list_and_show(run: Run, made: Accounts) -> None:
    await made.ensure(ALICE)
    await made.ensure(VISITOR)
    assert "alice2" in run("list")
    assert f"2:{SFU}" in _unfolded(run("list", "--identities"))
    for words in ("alice2", "20001", "v1@sfu.ca", "Alice@SFU.ca"):
        assert "v1@sfu.ca" in run("show", words)
    listed = json.loads(run("list", "--json"))
    assert [each["account"] for each in listed] == ["alice", "alice2"]
    shown = json.loads(run("show", "alice", "--json"))
    assert shown == listed[0]
    assert shown["identities"][0]["identifiers"][0].keys() == {"kind", "value"}
    assert (shown["uid"], shown["source"], shown["state"]) == (20000, "made", "ready")


async def test_errors_say_what_to_do(run: Run, made: Accounts, tmp_path: Path) -> None:
    await made.ensure(ALICE)
    unfitting: tuple[tuple[str, ...], ...] = (
        ("show", "nobody-here"),
        ("show", "' OR 1=1"),
        ("link", "alice", "77"),
        ("unlink", "77"),
        ("erase", "nobody-here"),
        ("lock", "nobody-here"),
        ("migrate", UBC, UBC, "--scope", "ubc.ca"),
    )
    for arguments in unfitting:
        with pytest.raises(CannotBeDone) as refused:
            run(*arguments)
        assert refused.value.remedy
    unusable: tuple[tuple[str, ...], ...] = (
        ("link", "alice"),
        ("link", "alice", "1", "--idp", UBC),
        ("link", "alice", "--idp", UBC, "--kind", "eppn", "--value", "no scope"),
        ("rename", "alice", "Root", "--yes"),
        ("rename", "alice", "root", "--yes"),
    )
    for arguments in unusable:
        with pytest.raises(DeployError):
            run(*arguments)
    missing = f"sqlite:///{tmp_path}/nowhere.sqlite"
    done = CliRunner().invoke(identity, ["list", "--ledger-url", missing])
    assert isinstance(done.exception, DeployError)
    assert not (tmp_path / "nowhere.sqlite").exists()


async def test_link_two_identities_of_one_person(run: Run, made: Accounts) -> None:
    await made.ensure(ALICE)
    other = await made.ensure(VISITOR)
    run("link", "alice", str(other.identities[0].number))
    assert (await made.ensure(VISITOR)).account == "alice"
    assert (await made.ensure(ALICE)).account == "alice"
    # The other name stays taken, and is nobody's.
    third = asserted("https://third.example", subject_id="x@y", eppn="alice@y")
    assert (await made.ensure(third)).account == "alice3"
    run("unlink", str(other.identities[0].number))
    assert (await made.ensure(VISITOR)).account == "alice4"


async def test_link_an_identity_that_never_signed_in(run: Run, made: Accounts) -> None:
    await made.ensure(ALICE)
    wanted = ("--idp", SFU, "--kind", "subject-id", "--value", "V1@sfu.ca")
    run("link", "alice", *wanted)
    assert (await made.ensure(VISITOR)).account == "alice"
    with pytest.raises(CannotBeDone):
        run("link", "alice", *wanted)


async def test_link_a_renewed_subject_id(run: Run, made: Accounts) -> None:
    """The institution renewed its subject-ids; its pairwise-ids are the same."""
    first = asserted(subject_id="s1@ubc.ca", pairwise_id="p1@ubc.ca", eppn="alice@ubc.ca")
    await made.ensure(first)
    run("link", "alice", "--idp", UBC, "--kind", "subject-id", "--value", "n1@ubc.ca")
    renewed = asserted(subject_id="n1@ubc.ca", pairwise_id="p1@ubc.ca", eppn="alice@ubc.ca")
    assert (await made.ensure(renewed)).account == "alice"
    assert (await made.ensure(first)).account == "alice"


async def test_migrate_to_another_identity_provider(run: Run, made: Accounts) -> None:
    await made.ensure(ALICE)
    await made.ensure(asserted(eppn="bob@ubc.ca"))
    await made.ensure(asserted(eppn="carol@partner.ca"))
    await made.ensure(asserted(pairwise_id="p9@ubc.ca"))
    dave = asserted(subject_id="d1@ubc.ca", eppn="dave@ubc.ca")
    await made.ensure(dave)
    early = asserted(NEW, subject_id="d1@ubc.ca", eppn="dave@ubc.ca")
    assert (await made.ensure(early)).account == "dave2"  # before anybody migrated
    shown = run("migrate", UBC, NEW, "--scope", "UBC.ca")
    assert "2 identities would be carried over, 3 not" in shown
    assert "link the two" in shown
    assert "Nothing was changed" in shown
    assert "2 identities were" in run("migrate", UBC, NEW, "--scope", "ubc.ca", "--yes")
    at_new = asserted(NEW, subject_id="s1@ubc.ca", eppn="alice@ubc.ca")
    assert (await made.ensure(at_new)).account == "alice"
    assert (await made.ensure(ALICE)).account == "alice"  # both, while the change goes on
    assert (
        await made.ensure(asserted(NEW, subject_id="b1@ubc.ca", eppn="bob@ubc.ca"))
    ).account == ("bob")
    assert (await made.ensure(asserted(NEW, eppn="carol@partner.ca"))).account == "carol2"
    # A second time there is nothing new; and the old one can go.
    run("migrate", UBC, NEW, "--scope", "ubc.ca", "--yes", "--remove-old")
    assert (await made.ensure(at_new)).account == "alice"
    assert (await made.ensure(ALICE)).account == "alice2"
    assert (await made.ensure(dave)).account == "dave"


async def test_migrate_where_subject_ids_are_made_anew(run: Run, made: Accounts) -> None:
    await made.ensure(ALICE)
    run("migrate", UBC, NEW, "--scope", "ubc.ca", "--kind", "eppn", "--yes")
    fresh = asserted(NEW, subject_id="other@ubc.ca", eppn="alice@ubc.ca")
    assert (await made.ensure(fresh)).account == "alice"
    with_same_eppn = asserted(NEW, subject_id="someone@ubc.ca", eppn="alice@ubc.ca")
    assert (await made.ensure(with_same_eppn)).account == "alice2"


async def test_rename_follows_the_directory(
    run: Run, existing: Accounts, directory: FakeDirectory, ledger: IdentityLedger
) -> None:
    directory.uids["alice"] = 5001
    await existing.ensure(ALICE)
    Presets(ledger.engine).keep("alice", "mine", {"cpus": "2"})
    with pytest.raises(DeployError, match="no account"):
        run("rename", "alice", "asmith", "--yes")
    directory.uids["asmith"] = 5555
    with pytest.raises(CannotBeDone, match="two accounts"):
        run("rename", "alice", "asmith", "--yes")
    del directory.uids["alice"]
    directory.uids["asmith"] = 5001
    assert "Nothing was changed" in run("rename", "alice", "asmith")
    assert "PATCH /hub/api/users/alice" in run("rename", "alice", "asmith", "--yes")
    assert (await existing.ensure(ALICE)).account == "asmith"
    assert [each.name for each in Presets(ledger.engine).of("asmith")] == ["mine"]
    # The old name is given to nobody, also where the directory has it again.
    directory.uids["alice"] = 6001
    with pytest.raises(AccountTaken):
        await existing.ensure(asserted(subject_id="s2@ubc.ca", eppn="alice@ubc.ca"))


async def test_a_new_number_is_accepted_by_name(
    run: Run, existing: Accounts, directory: FakeDirectory
) -> None:
    directory.uids["alice"] = 5001
    await existing.ensure(ALICE)
    directory.uids["alice"] = 9001
    run("rename", "alice", "alice", "--yes")
    assert (await existing.ensure(ALICE)).uid == 9001


async def test_rename_an_account_that_was_made(
    run: Run, made: Accounts, directory: FakeDirectory, asked: list[dict[str, Any]]
) -> None:
    person = await made.ensure(ALICE)
    run("rename", "alice", "asmith", "--yes")
    expected = {"verb": "rename", "name": "alice", "token": person.token, "to": "asmith"}
    assert asked == [expected]
    directory.uids = {"asmith": 20000}
    assert (await made.ensure(ALICE)).account == "asmith"


async def test_lock_and_unlock(run: Run, made: Accounts, asked: list[dict[str, Any]]) -> None:
    await made.ensure(ALICE)
    run("lock", "alice")
    with pytest.raises(AccountLocked):
        await made.ensure(ALICE)
    run("lock", "alice")
    run("unlock", "alice")
    assert [each["verb"] for each in asked] == ["lock", "lock", "unlock"]
    assert (await made.ensure(ALICE)).account == "alice"


async def test_erase_leaves_a_name_and_a_number(
    run: Run, made: Accounts, ledger: IdentityLedger, asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    await made.ensure(ALICE)
    Presets(ledger.engine).keep("alice", "my thesis", {"cpus": "2"})
    Presets(ledger.engine).keep("bob", "his", {"cpus": "2"})
    jobs = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite", log=LOG)
    running = intent()
    assert running.username == "alice"
    jobs.begin(running)
    with pytest.raises(CannotBeDone, match="server"):
        run("erase", "alice", "--yes")
    running.ended, running.confirmed_gone = 1.0, True
    jobs.note(running)
    assert "cannot be undone" in run("erase", "alice")
    assert (await made.ensure(ALICE)).account == "alice"
    said = run("erase", "alice", "--yes")
    assert "DELETE /hub/api/users/alice" in said
    assert [each["verb"] for each in asked] == ["erase"]
    jobs.close()
    text = _everything(ledger)
    for gone in ("s1@ubc.ca", "alice@ubc.ca", "my thesis", running.nonce):
        assert gone not in text
    assert "his" in text
    shown = json.loads(run("show", "alice", "--json"))
    assert (shown["state"], shown["uid"], shown["identities"]) == ("erased", 20000, [])
    assert (shown["created"], shown["seen"]) == (None, None)
    with pytest.raises(DeployError, match="already"):
        run("erase", "alice", "--yes")
    # Who comes back is somebody new.
    assert (await made.ensure(ALICE)).account == "alice2"
    with pytest.raises(CannotBeDone, match="erased"):
        run("link", "alice", "1")


async def test_erased_where_accounts_exist(
    run: Run, existing: Accounts, directory: FakeDirectory
) -> None:
    directory.uids["alice"] = 5001
    await existing.ensure(ALICE)
    run("erase", "alice", "--yes")
    with pytest.raises(AccountErased):
        await existing.ensure(ALICE)


def _unfolded(table: str) -> str:
    """The last column of a table, its folded lines joined."""
    lines = [line.split("\u2502") for line in table.splitlines() if "\u2502" in line]
    return "".join(cells[-2].strip() for cells in lines)


def _everything(ledger: IdentityLedger) -> str:
    """All that the database has, as text."""
    with ledger.engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        return "\n".join(
            str(row)
            for table in tables
            for row in connection.execute(sa.text(f'SELECT * FROM "{table}"'))  # noqa: S608
        )
