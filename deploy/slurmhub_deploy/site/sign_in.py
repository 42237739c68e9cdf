"""How people sign in to a hub, and what of their institution's word counts there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from slurmhub_deploy.front.settings import (
    AbsolutePath,
    AttributeId,
    DiscoverySetting,
    EntityId,
)
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.metadata import Metadata
from slurmhub_deploy.site.texts import TermName, UnixName

_SCOPE = r"^(\*\.)?[A-Za-z0-9][A-Za-z0-9.-]{0,126}$"
Scope = Annotated[str, Field(pattern=_SCOPE)]


class GroupRule(SiteModel):
    """Who is in a group of the hub, by what their institution says of them."""

    attribute: str = Field(
        min_length=1,
        description="The attribute, such as affiliation, entitlement or isMemberOf.",
        examples=["affiliation"],
    )
    equals: str | None = Field(default=None, description="The value; or")
    matches: str | None = Field(
        default=None, description="a regular expression for the whole value."
    )
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")] = Field(
        description="The group.", examples=["students"]
    )
    idp: EntityId | None = Field(
        default=None, description="Only for people of this identity provider."
    )

    def as_rule(self) -> dict[str, str]:
        """As `c.ShibbolethAuthenticator.group_rules` has it."""
        return {name: value for name, value in self.model_dump().items() if isinstance(value, str)}


class ShibbolethSignIn(SiteModel):
    """Shibboleth: one identity provider, or a federation of them."""

    kind: Literal["shibboleth"] = Field(default="shibboleth", description="`shibboleth`.")
    entity_id: EntityId = Field(
        description="The hub's name in the federation. Chosen once, and kept for ever.",
        examples=["https://hub.example.ca/shibboleth"],
    )
    provider: EntityId | None = Field(
        default=None,
        description="The entity ID of the one identity provider; or `discovery`.",
        examples=["https://idp.example.ca/idp/shibboleth"],
    )
    discovery: DiscoverySetting | None = Field(
        default=None,
        description="How people choose their institution: `built-in`, or the address of the"
        " federation's discovery service.",
    )
    metadata: Annotated[tuple[Metadata, ...], Field(min_length=1)] = Field(
        description="Whose word is taken: see"
        " [the front](shibboleth.md#whose-word-is-taken-metadata). Files are beside the site file,"
        " or with their whole path the hub host's.",
        examples=[[{"kind": "file", "file": "/etc/slurmhub/idp-metadata.xml"}]],
    )
    scopes: dict[EntityId, tuple[Scope, ...]] = Field(
        default={},
        description="The scopes that each identity provider may assert, by its entity ID. When it"
        " is set, others cannot sign in.",
    )
    subject: Literal["subject-id", "pairwise-id", "any", "none"] = Field(
        default="subject-id", description="Which identifier is asked for."
    )
    required: tuple[AttributeId, ...] = Field(
        default=(), description="Attributes without which nobody is signed in."
    )
    wanted: tuple[AttributeId, ...] = Field(
        default=("eppn", "displayName", "givenName", "sn", "mail", "affiliation"),
        description="Attributes that are welcome.",
    )
    groups: tuple[GroupRule, ...] = Field(
        default=(), description="Which groups of the hub people are in."
    )
    allowed_groups: tuple[str, ...] = Field(
        default=(),
        description="Members of these groups may sign in; without any, everybody whom the"
        " federation sends.",
    )
    session_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=12, description="How long a sign-in lasts at the front."
    )
    hub_session_hours: Annotated[int, Field(ge=1, le=168)] | None = Field(
        default=None,
        description="How long it lasts in the hub; as long as at the front if absent.",
    )
    key_folder: AbsolutePath = Field(
        default="/srv/slurmhub/front-keys",
        validate_default=True,
        description="Where the service provider's keys are, on the hub's host, such that"
        " rebuilding it does not lose them.",
    )


class AccountRule(SiteModel):
    """Whose identifier names which account that exists."""

    attribute: Literal["eppn", "subject-id", "pairwise-id"] = Field(
        description="Which identifier.", examples=["eppn"]
    )
    scopes: tuple[Scope, ...] = Field(
        default=(), description="Scopes whose local parts are account names here; or"
    )
    table: AbsolutePath | None = Field(
        default=None,
        description="a file of the hub's host with an identifier and an account on each line.",
    )
    idp: EntityId | None = Field(
        default=None, description="Only for people of this identity provider."
    )


_LARGEST_UID = 2**31 - 2


class Accounts(SiteModel):
    """Which POSIX account somebody has who signs in; see [accounts](accounts.md)."""

    source: Literal["made", "existing"] = Field(
        default="made",
        description="`made`: at the first sign-in; `existing`: found in the directory by `rules`.",
    )
    rules: tuple[AccountRule, ...] = Field(
        default=(), description="For accounts that exist: whose identifier names which account."
    )
    lowest_uid: Annotated[int, Field(ge=1000, le=_LARGEST_UID)] = Field(
        default=20000, description="The first number that is given."
    )
    highest_uid: Annotated[int, Field(ge=1000, le=_LARGEST_UID)] = Field(
        default=59999, description="The last number that is given."
    )
    group: UnixName | None = Field(
        default=None,
        description="Unix group of this hub's people; the hub may start jobs for its members"
        " only. `slurmhub-people-` and the hub's name if absent.",
    )
    full_names: bool = Field(
        default=False, description="Whether the directory is told what people are called."
    )
    slurm_account: TermName | None = Field(
        default=None,
        description="Slurm account of this hub's people; the hub's name if absent.",
    )
