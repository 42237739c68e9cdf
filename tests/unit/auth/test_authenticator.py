"""The authenticator: its settings are checked, and JupyterHub's own lists always apply."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.auth import Authenticator
from traitlets.config import Config

from slurmhub.auth import account_refusals, refusals
from slurmhub.auth.assertion import Assertion
from slurmhub.auth.authenticator import ShibbolethAuthenticator
from slurmhub.auth.groups import GroupRulesWrong
from slurmhub.auth.proof import FrontSecretWrong
from slurmhub.auth.refusals import NotAllowed, SignInRefused
from slurmhub.auth.settings import SettingWrong, SignInTraits
from slurmhub.auth.terms import TermsAwaited, TermsWrong
from slurmhub.errors import SlurmhubError
from tests.unit.auth.test_groups import assertion
from tests.unit.auth.test_proof import secret_file

STUDENTS = {"attribute": "affiliation", "equals": "student@example.ca", "group": "students"}


class Accounts:
    """Gives everybody the account of their eppn's local part."""

    def __init__(self, *known: str) -> None:
        self.made = list(known)

    async def known(self, one: Assertion) -> Any:
        name = (one.eppn or "").partition("@")[0]
        return SimpleNamespace(account=name) if name in self.made else None

    async def ensure(self, one: Assertion) -> Any:
        name = (one.eppn or "").partition("@")[0]
        if name == "erased":
            raise SignInRefused("This account was erased.", remedy="Ask.")
        self.made.append(name)
        return SimpleNamespace(account=name)


def authenticator(*known: str, **settings: Any) -> ShibbolethAuthenticator:
    """One with these settings, and accounts of a test."""
    config = Config()
    config.ShibbolethAuthenticator.update({"allow_all": True, **settings})
    made = ShibbolethAuthenticator(config=config)
    made.accounts = Accounts(*known)
    return made


async def sign_in(made: ShibbolethAuthenticator, name: str = "alice", **changes: Any) -> Any:
    """What JupyterHub gets of a sign-in, by its own way."""
    said = assertion(eppn=f"{name}@example.ca", **changes)
    return await made.get_authenticated_user(None, {"assertion": said})


async def test_a_person_has_a_name_groups_and_what_is_kept() -> None:
    made = authenticator(group_rules=[STUDENTS])
    user = await sign_in(made, affiliations=("student@example.ca",), mail="a@example.ca")
    assert user["name"] == "alice"
    assert user["groups"] == ["students"]
    assert user["auth_state"]["mail"] == "a@example.ca"
    assert user["auth_state"]["affiliations"] == ("student@example.ca",)
    assert "session" not in user["auth_state"]
    assert user["admin"] is None
    assert made.manage_groups
    assert made.enable_auth_state


async def test_blocked_people_are_refused_whatever_allows_them() -> None:
    made = authenticator(
        blocked_users={"alice"},
        allowed_users={"alice"},
        admin_users={"alice"},
        allowed_groups={"students"},
        group_rules=[STUDENTS],
    )
    assert await sign_in(made, affiliations=("student@example.ca",)) is None
    assert (await sign_in(made, "bob"))["name"] == "bob"


async def test_only_the_allowed_are_allowed() -> None:
    made = authenticator("alice", "bob", allow_all=False, allowed_users={"alice"})
    assert (await sign_in(made))["name"] == "alice"
    assert await sign_in(made, "bob") is None


async def test_members_of_a_group_are_allowed() -> None:
    made = authenticator(
        "bob", allow_all=False, allowed_groups={"students"}, group_rules=[STUDENTS]
    )
    assert (await sign_in(made, affiliations=("student@example.ca",)))["name"] == "alice"
    assert await sign_in(made, "bob", affiliations=("member@example.ca",)) is None


async def test_admins_are_admins_and_may_sign_in() -> None:
    made = authenticator("root-of-hub", allow_all=False, admin_users={"root-of-hub"})
    user = await sign_in(made, "root-of-hub")
    assert user["admin"] is True
    assert await sign_in(made, "bob") is None


async def test_no_account_is_made_for_whom_nothing_allows() -> None:
    made = authenticator(
        account_source="made", allow_all=False, allowed_users={"alice"}, admin_users={"carol"}
    )
    for name in ("bob", "alice", "carol"):
        with pytest.raises(NotAllowed):
            await sign_in(made, name)
    assert made.accounts.made == []


async def test_a_refused_account_is_refused() -> None:
    with pytest.raises(SignInRefused, match="erased"):
        await sign_in(authenticator(), "erased")


async def test_terms_are_asked_for_after_the_lists(tmp_path: Path) -> None:
    made = authenticator(blocked_users={"bob"}, terms_of_use={"version": "1", "text": "Be kind."})
    accepted: set[tuple[str, str]] = set()
    made.acceptances = SimpleNamespace(has=lambda *one: one in accepted)
    with pytest.raises(TermsAwaited, match="alice"):
        await sign_in(made)
    assert await sign_in(made, "bob") is None
    accepted.add(("alice", "1"))
    assert (await sign_in(made))["name"] == "alice"
    accepted.clear()
    accepted.add(("alice", "0"))
    with pytest.raises(TermsAwaited):
        await sign_in(made)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"front_secret_file": ""}, SettingWrong),
        ({"front_secret_file": "/nowhere/at/all"}, FrontSecretWrong),
        ({"group_rules": [{"attribute": "eppn"}]}, GroupRulesWrong),
        ({"idp_scopes": {"https://idp": ["*"]}}, SettingWrong),
        ({"idp_scopes": {"https://idp": [".*"]}}, SettingWrong),
        ({"required_attributes": ["email"]}, SettingWrong),
        ({"allowed_groups": {"nobody-gives-it"}}, SettingWrong),
        ({"terms_of_use": {"version": "1"}}, TermsWrong),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, settings: Any, error: type) -> None:
    good = {"front_secret_file": str(secret_file(tmp_path)), "group_rules": [STUDENTS]}
    authenticator(**good).check_settings()
    with pytest.raises(error) as wrong:
        authenticator(**{**good, **settings}).check_settings()
    assert isinstance(wrong.value, SlurmhubError)
    assert wrong.value.remedy


def test_the_contact_is_in_a_language_that_there_is() -> None:
    assert authenticator(support_contact="help@example.ca").contact("fr") == "help@example.ca"
    two = authenticator(support_contact={"en": "Help", "fr": "Aide"})
    assert (two.contact("fr"), two.contact("en")) == ("Aide", "Help")
    assert authenticator(support_contact={"fr": "Aide"}).contact("en") == "Aide"
    assert authenticator().contact("en") == ""


def test_jupyterhub_has_what_is_extended() -> None:
    assert asyncio.iscoroutinefunction(Authenticator.run_post_auth_hook)
    assert asyncio.iscoroutinefunction(Authenticator.get_authenticated_user)
    assert ShibbolethAuthenticator.get_authenticated_user is Authenticator.get_authenticated_user
    assert authenticator().login_url("/hub/") == "/hub/shibboleth/login"


def test_every_refusal_is_explained_to_operators() -> None:
    page = (Path(__file__).parents[3] / "docs/operators/failed-sign-in.md").read_text()
    modules = (refusals, account_refusals)
    kinds = {
        one.why
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, SignInRefused)
    } - {"refused"}
    assert len(kinds) > 20
    assert [why for why in sorted(kinds) if f"\n| `{why}` |" not in page] == []


def test_every_setting_is_explained_to_operators() -> None:
    page = (Path(__file__).parents[3] / "docs/operators/failed-sign-in.md").read_text()
    names = SignInTraits.class_trait_names(config=True)
    assert [name for name in sorted(names) if f"\n| `{name}` |" not in page] == []
