"""`slurmhub identity`: who has which account, and what an administrator may change of it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from slurmhub.auth.account_helper import INSTALLED, AccountHelper
from slurmhub.auth.administration import Administration, Carried, age
from slurmhub.auth.directory import Directory
from slurmhub.auth.identifiers import Kind, identifier, lowered
from slurmhub.auth.identities import open_identities
from slurmhub.auth.names import is_reserved, is_valid
from slurmhub.auth.people import Person, Source, State
from slurmhub_deploy.errors import DeployError

identity = typer.Typer(
    help="Who has which account: look it up, link identities, carry them over, erase.",
    no_args_is_help=True,
)

LedgerUrl = Annotated[
    str,
    typer.Option(
        "--ledger-url",
        envvar="SLURMHUB_LEDGER_URL",
        help="The hub's ledger, as its ledger_url has it: sqlite:////srv/jupyterhub/slurmhub.sqlite",
    ),
]
Account = Annotated[str, typer.Argument(help="Account, uid, or the value of an identifier.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")]
Helper = Annotated[
    Path, typer.Option("--account-helper", help="Where slurmhub-account is.", hidden=True)
]


@identity.command("list")
def list_people(
    ledger_url: LedgerUrl,
    as_json: AsJson = False,
    identities: Annotated[
        bool, typer.Option(help="Also each person's identities, with their numbers.")
    ] = False,
) -> None:
    """List every account that was ever given."""
    everybody = _open(ledger_url).everybody()
    if as_json:
        _print_json([_as_data(person) for person in everybody])
        return
    table = Table("Account", "uid", "From", "State", "Last sign-in")
    table.add_column("Identities", overflow="fold")  # an entityID that is cut off is none
    for person in everybody:
        shown = [f"{each.number}: {each.idp}" for each in person.identities]
        table.add_row(
            person.account,
            str(person.uid or ""),
            person.source.value,
            person.state.value,
            age(person.seen),
            "\n".join(shown) if identities else str(len(shown)),
        )
    _console().print(table)


@identity.command()
def show(ledger_url: LedgerUrl, who: Account, as_json: AsJson = False) -> None:
    """Show one person: the account, the identities and what identifies them."""
    person = _open(ledger_url).person(who)
    if as_json:
        _print_json(_as_data(person))
        return
    console = _console()
    uid = "no uid yet" if person.uid is None else f"uid {person.uid}"
    console.print(f"{person.account}, {uid}, {person.source.value}, {person.state.value}")
    console.print(f"since {age(person.created) or '-'}, last sign-in {age(person.seen) or '-'}")
    for each in person.identities:
        linked = ", linked by an administrator" if each.linked else ""
        console.print(f"identity {each.number} of {each.idp}{linked}", markup=False)
        for one in each.identifiers:
            console.print(f"    {one.kind.value} {one.value}", markup=False)


@identity.command()
def link(
    ledger_url: LedgerUrl,
    account: Account,
    number: Annotated[
        int | None, typer.Argument(help="Number of the identity, as list and show have it.")
    ] = None,
    idp: Annotated[str | None, typer.Option(help="Or its identity provider's entityID,")] = None,
    kind: Annotated[Kind | None, typer.Option(help="the kind of identifier,")] = None,
    value: Annotated[str | None, typer.Option(help="and its value.")] = None,
) -> None:
    """Say that an identity is one more of this account's person.

    You vouch that both are the same person: whoever comes with it gets this account.
    """
    administration = _open(ledger_url)
    if number is not None and idp is None and kind is None and value is None:
        person = administration.link(account, number)
    elif number is None and idp is not None and kind is not None and value is not None:
        try:
            each = identifier(idp, kind, value)
        except ValueError as problem:
            raise DeployError(
                f"This cannot be an identifier: {problem}.",
                remedy="Give it as the identity provider sends it.",
            ) from problem
        person = administration.link_new(account, each)
    else:
        raise DeployError(
            "Which identity is meant was not said, or twice.",
            remedy="Give its number, or --idp, --kind and --value together.",
        )
    _console().print(f"{person.account} has {len(person.identities)} identities now.")


@identity.command()
def unlink(
    ledger_url: LedgerUrl,
    number: Annotated[int, typer.Argument(help="Number of the identity.")],
) -> None:
    """Forget an identity. Whoever comes with it again is somebody new, without this account."""
    person = _open(ledger_url).unlink(number)
    _console().print(f"{person.account} has {len(person.identities)} identities now.")


@identity.command()
def migrate(
    ledger_url: LedgerUrl,
    old: Annotated[str, typer.Argument(help="entityID of the old identity provider.")],
    new: Annotated[str, typer.Argument(help="entityID of the new one.")],
    scope: Annotated[
        list[str], typer.Option(help="Scope whose identifiers mean the same people at both.")
    ],
    kind: Annotated[
        list[Kind] | None,
        typer.Option(help="Kind of identifier to carry over; subject-id and eppn at first."),
    ] = None,
    remove_old: Annotated[
        bool, typer.Option("--remove-old", help="The old ones are good for nothing any more.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Carry everybody's identities over when an institution changes its identity provider."""
    kinds = frozenset(kind or (Kind.SUBJECT_ID, Kind.EPPN))
    scopes = frozenset(lowered(each) for each in scope)
    plan = _open(ledger_url).migrate(
        old, new, scopes=scopes, kinds=kinds, apply=yes, remove_old=remove_old
    )
    for line in migration_report(plan, done=yes):
        _console().print(line, markup=False)


@identity.command()
def rename(
    ledger_url: LedgerUrl,
    account: Account,
    to: Annotated[str, typer.Argument(help="The new name; the same to accept a new number.")],
    yes: Yes = False,
    helper: Helper = INSTALLED,
) -> None:
    """Follow an account that was renamed in the directory, or rename one that was made here."""
    administration = _open(ledger_url)
    person = administration.check_erasable(account)  # no server may run under the old name
    console = _console()
    making = person.source is Source.MADE and to != person.account
    if making and (not is_valid(to) or is_reserved(to)):
        raise DeployError(f"{to!r} is no name for a person.", remedy="Choose another.")
    entry = Directory().find(to)
    if entry is None and not making:
        raise DeployError(
            f"There is no account {to!r} on this host.",
            remedy="Rename it in the directory first, and run this on the hub's host.",
        )
    uid = person.uid if entry is None else entry.uid
    if uid is None:
        raise DeployError(f"{person.account} was never made.", remedy="Nothing is to be renamed.")
    what = f"{person.account} (uid {person.uid}) becomes {to} (uid {uid})"
    if not yes:
        console.print(f"{what}. Nothing was changed: add --yes.")
        return
    if making and entry is None:
        request = {"verb": "rename", "name": person.account, "token": person.token, "to": to}
        asyncio.run(AccountHelper(helper).ask(request))
    administration.rename(account, to, uid)
    console.print(f"{what}. JupyterHub's own user has the old name still, rename it as well:")
    console.print(
        f"    PATCH /hub/api/users/{person.account} with {json.dumps({'name': to})}", markup=False
    )


@identity.command()
def lock(ledger_url: LedgerUrl, account: Account, helper: Helper = INSTALLED) -> None:
    """Keep somebody from signing in; what they run goes on."""
    _set_locked(ledger_url, account, helper, locked=True)


@identity.command()
def unlock(ledger_url: LedgerUrl, account: Account, helper: Helper = INSTALLED) -> None:
    """Let somebody sign in again."""
    _set_locked(ledger_url, account, helper, locked=False)


@identity.command()
def erase(
    ledger_url: LedgerUrl, account: Account, yes: Yes = False, helper: Helper = INSTALLED
) -> None:
    """Take away all that is known of a person. The name and the number stay taken for ever."""
    administration, console = _open(ledger_url), _console()
    person = administration.check_erasable(account)
    if person.state in (State.ERASED, State.FORMER):
        raise DeployError(f"{person.account} is erased already.", remedy="Nothing is to be done.")
    if not yes:
        console.print(
            f"{person.account} (uid {person.uid}) would be erased, with "
            f"{len(person.identities)} identities. It cannot be undone: add --yes."
        )
        return
    if person.source is Source.MADE and person.uid is not None:
        request = {"verb": "erase", "name": person.account, "token": person.token}
        asyncio.run(AccountHelper(helper).ask(request))
    administration.erase(account)
    console.print(f"{person.account} is erased. What is not the ledger's is still there:")
    console.print(f"    JupyterHub's user: DELETE /hub/api/users/{person.account}", markup=False)
    console.print("    the home, Slurm's accounting, logs and backups", markup=False)
    if person.source is Source.EXISTING:
        console.print("    the account itself, in the directory that it came from", markup=False)


def migration_report(plan: list[Carried], *, done: bool) -> list[str]:
    """What a migration did or would do, for people."""
    carried = [each for each in plan if not each.trouble]
    left = [each for each in plan if each.trouble]
    verb = "were" if done else "would be"
    lines = [f"{len(carried)} identities {verb} carried over, {len(left)} not."]
    for each in carried:
        shown = ", ".join(f"{one.kind.value} {one.value}" for one in each.identifiers)
        lines.append(f"    {each.account}: {shown}")
    lines += [
        f"    not identity {each.identity} of {each.account}: {each.trouble}" for each in left
    ]
    if not done:
        lines.append("Nothing was changed: add --yes.")
    return lines


def _set_locked(ledger_url: str, account: str, helper: Path, *, locked: bool) -> None:
    administration = _open(ledger_url)
    person = administration.person(account)
    # A lock is the ledger's first: nobody signs in from then on, whatever the directory says.
    if locked:
        administration.set_locked(account, locked=True)
    if person.source is Source.MADE and person.uid is not None:
        verb = "lock" if locked else "unlock"
        request = {"verb": verb, "name": person.account, "token": person.token}
        asyncio.run(AccountHelper(helper).ask(request))
    if not locked:
        administration.set_locked(account, locked=False)
    _console().print(f"{person.account} is {'locked' if locked else 'unlocked'}.")


def _open(ledger_url: str) -> Administration:
    url = make_url(ledger_url)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if file is not None and not os.path.exists(file):
        raise DeployError(
            f"There is no ledger at {file}.",
            remedy="Give the hub's own ledger_url, with its full path: four slashes.",
        )
    log = logging.getLogger("slurmhub.identity")
    return Administration(open_identities(ledger_url, log=log).engine)


def _as_data(person: Person) -> dict[str, Any]:
    return {
        "account": person.account,
        "uid": person.uid,
        "source": person.source.value,
        "state": person.state.value,
        "created": person.created,
        "seen": person.seen,
        "identities": [
            {
                "number": each.number,
                "idp": each.idp,
                "linked": each.linked,
                "identifiers": [
                    {"kind": one.kind.value, "value": one.value} for one in each.identifiers
                ],
            }
            for each in person.identities
        ],
    }


def _print_json(data: Any) -> None:
    print(json.dumps(data, indent=2))


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
