"""What a site may set of `c.ShibbolethAuthenticator`, apart from accounts: policy as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from traitlets import Bool, Dict, Float, HasTraits, Instance, List, Set, Unicode, Union

from slurmhub.auth.assertion import ATTRIBUTES, AttributeRules
from slurmhub.auth.groups import GroupRule, read_group_rules
from slurmhub.auth.proof import FrontSecret
from slurmhub.auth.terms import Terms, read_terms
from slurmhub.errors import SlurmhubError

_SCOPE = re.compile(r"(\*\.)?[A-Za-z0-9][A-Za-z0-9.-]{0,126}")


class SettingWrong(SlurmhubError):
    """A setting of the sign-in that cannot be used."""


class SignInTraits(HasTraits):
    """Settings of the sign-in, its sessions and its pages."""

    front_secret_file = Unicode(
        help="File with the secret by which the front proves itself: one line of at least 32 "
        "letters, digits, '-' and '_', and below it perhaps the one before. It is read again when "
        "it changes. Only the hub's account and root may read it, or a group with mode 0640."
    ).tag(config=True)
    auth_state_key_file = Unicode(
        "slurmhub_auth_state_key",
        help="File of the key that encrypts what is kept of people, made when absent; it is used "
        "unless JUPYTERHUB_CRYPT_KEY is set.",
    ).tag(config=True)
    idp_scopes = Dict(
        value_trait=List(Unicode()),
        help="entityID to the scopes that this identity provider may assert, such as "
        "{'https://idp.example.ca/shibboleth': ['example.ca', '*.example.ca']}. When it is set, "
        "other identity providers cannot sign in. Without it the policy of the SP alone decides.",
    ).tag(config=True)
    required_attributes = List(
        Unicode(),
        help="Attributes without which nobody is signed in, besides one that identifies: some of "
        f"{', '.join(ATTRIBUTES)}.",
    ).tag(config=True)
    group_rules = List(
        Dict(),
        help="Which groups of the hub people are in, by what their institution says: attribute, "
        "equals or matches (a regular expression for the whole value), group, and perhaps idp.",
    ).tag(config=True)
    allowed_groups = Set(
        Unicode(),
        help="Members of these groups, by group_rules, may sign in, besides allowed_users.",
    ).tag(config=True, allow_config=True)
    support_contact = Union(
        [Unicode(), Dict(key_trait=Unicode(), value_trait=Unicode())],
        help="Whom people ask when they cannot sign in, shown on that page: a text, or one for "
        "each language by its code. Addresses and links in it can be followed.",
    ).tag(config=True)
    terms_of_use = Dict(
        help="Terms that each person accepts once before anything else: version, and text by "
        "language. People are asked again when the version changes."
    ).tag(config=True)
    session_lifetime = Float(
        24 * 3600.0,
        min=60.0,
        help="How long a sign-in lasts in the hub at most, in seconds; then people are sent to "
        "their institution again, which may know them still.",
    ).tag(config=True)
    servers_notice_within = Float(
        15.0,
        min=2.0,
        max=300.0,
        help="Within how many seconds a running server notices that a browser was signed out, and "
        "closes what it has open. Each open browser window asks the hub about twice in this time.",
    ).tag(config=True)
    end_servers_at_sign_out = Bool(
        False, help="Stop all servers of a person who signs out. Without it their jobs go on."
    ).tag(config=True)
    sp_handler = Unicode(
        "Shibboleth.sso", help="Where the SP's own handler is, below the hub's address."
    ).tag(config=True)
    discovery_feed = Unicode(
        help="Address of the SP's DiscoFeed, for the hub's own page of institutions."
    ).tag(config=True)
    ledger_url = Unicode(
        help="SQLAlchemy URL of the database of sessions; empty for that of the spawner."
    ).tag(config=True)

    front_secret = Instance(FrontSecret)

    @cached_property
    def attribute_rules(self) -> AttributeRules:
        """What is asked of attributes. Raises SettingWrong."""
        for scopes in self.idp_scopes.values():
            for scope in scopes:
                if not _SCOPE.fullmatch(scope):
                    raise SettingWrong(
                        f"c.ShibbolethAuthenticator.idp_scopes has the scope {scope!r}.",
                        remedy="Give names such as example.ca, or *.example.ca for all below it.",
                    )
        for name in self.required_attributes:
            if name not in ATTRIBUTES:
                raise SettingWrong(
                    f"c.ShibbolethAuthenticator.required_attributes has {name!r}.",
                    remedy=f"Give some of {', '.join(ATTRIBUTES)}.",
                )
        scopes_of = {idp: tuple(scopes) for idp, scopes in self.idp_scopes.items()}
        return AttributeRules(scopes_of, tuple(self.required_attributes))

    @cached_property
    def rules_of_groups(self) -> tuple[GroupRule, ...]:
        """The group rules, checked. Raises GroupRulesWrong."""
        return read_group_rules(self.group_rules)

    @cached_property
    def terms(self) -> Terms:
        """The terms of use, checked. Raises TermsWrong."""
        return read_terms(self.terms_of_use)

    def check_settings(self) -> None:
        """Read everything that can be wrong, before anybody signs in. Raises SlurmhubError."""
        if not self.front_secret_file:
            raise SettingWrong(
                "c.ShibbolethAuthenticator.front_secret_file is not set.",
                remedy="Give the file of the front's secret; without one anybody could say that "
                "they are somebody.",
            )
        self.front_secret = FrontSecret(Path(self.front_secret_file))
        self.front_secret.check()
        _ = (self.attribute_rules, self.rules_of_groups, self.terms)
        unknown = self.allowed_groups - {rule.group for rule in self.rules_of_groups}
        if unknown:
            raise SettingWrong(
                f"c.ShibbolethAuthenticator.allowed_groups has {', '.join(sorted(unknown))}, "
                "which no rule of group_rules gives.",
                remedy="Add a rule, or leave the group out.",
            )

    def contact(self, code: str) -> str:
        """Whom people ask, in the language of this code or in one that there is."""
        said = self.support_contact
        if isinstance(said, Mapping):
            return str(said.get(code) or next(iter(said.values()), ""))
        return str(said or "")
