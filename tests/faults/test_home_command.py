"""slurmhub-account when another program makes the homes: whatever that does, nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack.account_site import LOWEST, AccountSite, account_site, exists

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes accounts and a sudoers line")

# Stands for ssh and slurmhub-home: keeps what it was asked, and makes the home.
MAKES = """#!/bin/sh
cat >{folder}/request
echo "$@" >{folder}/words
name={name}
mkdir -p {homes}/$name && chown {uid}:{uid} {homes}/$name
echo '{{"ok": true, "home": "/there/'$name'", "made": true, "quota": null}}'
"""


@pytest.fixture(scope="module")
def installed() -> Iterator[AccountSite]:
    with account_site() as made:
        yield made


@pytest.fixture
def site(installed: AccountSite) -> Iterator[AccountSite]:
    program, settings = installed.program.read_text(), installed.settings.read_bytes()
    yield installed
    installed.program.write_text(program)
    installed.settings.write_bytes(settings)
    installed.remove_accounts()


def command(site: AccountSite, script: str) -> Path:
    """The program that is asked for homes."""
    path = site.folder / "storage"
    names = {"folder": site.folder, "homes": site.homes, "name": site.name(), "uid": LOWEST}
    path.write_text(script.format(**names) if script is MAKES else script)
    path.chmod(0o755)
    site.set(home_command=[str(path), "--for-hub", "main"])
    return path


def test_it_is_asked_and_no_home_is_made_here(site: AccountSite) -> None:
    command(site, MAKES)
    made = site.ensure()
    assert (made["made"], made["home"]) == (True, str(site.homes / site.name()))
    request = json.loads((site.folder / "request").read_text())
    assert request == {"verb": "make", "name": site.name(), "uid": LOWEST, "gid": LOWEST}
    assert (site.folder / "words").read_text() == "--for-hub main\n"
    assert list((site.homes / site.name()).iterdir()) == []  # no skeleton of this host
    assert site.ensure() == {**made, "made": False}


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ('#!/bin/sh\necho \'{"ok": false, "kind": "full", "message": "no space"}\'', "full"),
        ('#!/bin/sh\necho \'{"ok": false, "kind": "away", "message": "no mount"}\'', "away"),
        ('#!/bin/sh\necho \'{"ok": false, "kind": "home", "message": "not yours"}\'', "home"),
        ('#!/bin/sh\necho \'{"ok": false, "kind": "erased", "message": "?"}\'', "failed"),
        ("#!/bin/sh\necho 'ssh: connect to host: No route to host' >&2; exit 255", "away"),
        ("#!/bin/sh\necho '[]'", "away"),
        ("#!/bin/sh\nkill -9 $$", "away"),
        ("#!/nowhere/sh\n", "failed"),
    ],
)
def test_what_it_does_not_do_is_done_by_the_next_call(
    site: AccountSite, script: str, kind: str
) -> None:
    command(site, script)
    answer = site.ensure()
    assert (answer["ok"], answer["kind"]) == (False, kind)
    assert list(site.homes.iterdir()) == []
    command(site, MAKES)
    assert site.ensure()["made"] is True
    assert exists(site.name())


def test_one_that_hangs_is_ended(site: AccountSite) -> None:
    command(site, "#!/bin/sh\nsleep 60 & wait\n")
    text = site.program.read_text()
    site.program.write_text(text.replace("PROGRAM_SECONDS = 20.0", "PROGRAM_SECONDS = 0.5"))
    began = time.monotonic()
    assert site.ensure()["kind"] == "away"
    assert time.monotonic() - began < 10


def test_a_home_that_does_not_show_here(site: AccountSite) -> None:
    command(site, "#!/bin/sh\ncat >/dev/null\necho '{\"ok\": true}'")
    text = site.program.read_text()
    site.program.write_text(text.replace("APPEAR_SECONDS = 5.0", "APPEAR_SECONDS = 0.3"))
    answer = site.ensure()
    assert answer["kind"] == "home"
    assert "is it mounted?" in answer["message"]
    # Nor is a folder of somebody else's taken for it.
    (site.homes / site.name()).mkdir()
    assert site.ensure()["kind"] == "home"
    shutil.rmtree(site.homes / site.name())


@pytest.mark.parametrize("value", ["/bin/true", [], ["true"], ["/bin/../true"], [1], ["/a", "b\n"]])
def test_settings_that_are_refused(site: AccountSite, value: object) -> None:
    site.set(home_command=value)
    assert site.ensure()["kind"] == "forbidden"


def have_home(site: AccountSite, name: str = "a") -> dict[str, object]:
    """Has the home made of an account that exists."""
    return site.ask({"verb": "home", "name": site.name(name)})


@pytest.fixture
def others(site: AccountSite) -> AccountSite:
    """Somebody's account, which others made, and for whom there is no home."""
    site.ensure()
    shutil.rmtree(site.homes / site.name())
    site.set(directory="existing")
    return site


def test_somebody_whose_account_exists_has_a_home_made(others: AccountSite) -> None:
    home = others.homes / others.name()
    expected = {"ok": True, "uid": LOWEST, "gid": LOWEST, "home": str(home), "made": True}
    assert have_home(others) == expected
    assert (home.stat().st_uid, home.stat().st_mode & 0o777) == (LOWEST, 0o700)
    assert have_home(others) == {**expected, "made": False}


def test_the_storage_host_makes_homes_of_accounts_that_exist(others: AccountSite) -> None:
    command(others, MAKES)
    assert have_home(others)["made"] is True
    request = json.loads((others.folder / "request").read_text())
    assert request == {"verb": "make", "name": others.name(), "uid": LOWEST, "gid": LOWEST}


def test_a_home_elsewhere_is_let_be(others: AccountSite) -> None:
    others.set(home_base=str(others.folder / "elsewhere"))
    answer = have_home(others)
    assert (answer["ok"], answer["made"]) == (True, False)
    assert not (others.folder / "elsewhere").exists()


@pytest.mark.parametrize(
    ("settings", "name", "kind"),
    [
        ({"directory": "files"}, "a", "forbidden"),
        ({"min_uid": LOWEST + 1}, "a", "forbidden"),
        ({"group": "root"}, "a", "forbidden"),
        ({"group": "nosuchgroup"}, "a", "forbidden"),
        ({}, "hub", "forbidden"),
        ({}, "stranger", "unknown"),
    ],
)
def test_homes_that_are_not_made(
    others: AccountSite, settings: dict[str, object], name: str, kind: str
) -> None:
    others.set(**settings)
    assert have_home(others, name)["kind"] == kind
    assert list(others.homes.iterdir()) == []


def test_no_account_is_made_where_they_exist(others: AccountSite) -> None:
    for verb in ("ensure", "lock", "erase"):
        assert others.about(verb)["kind"] == "forbidden"
