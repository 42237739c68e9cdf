"""A test account by which a hub is tried: after each `up`, and again and again."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slurmhub_deploy.front.settings import EntityId, Words
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.secret_source import SecretSource
from slurmhub_deploy.site.tls import LocalFile


class Probe(SiteModel):
    """An account at the institution by which the hub is tried; see [smoke](smoke.md)."""

    username: Words = Field(
        description="Its name at the institution's sign-in.", examples=["hub-probe"]
    )
    password: SecretSource = Field(
        description="Where its password comes from.", examples=[{"vault": "probe-password"}]
    )
    provider: EntityId | None = Field(
        default=None,
        description="Its identity provider, by entity ID, where people choose one.",
    )
    profile: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] | None = Field(
        default=None,
        description="The profile that it starts; what the form proposes if absent.",
    )
    every_minutes: Annotated[int, Field(ge=5, le=1440)] = Field(
        default=30, description="How often the hub is tried from its own host."
    )
    start_minutes: Annotated[int, Field(ge=1, le=60)] = Field(
        default=5, description="For how long its server may take to start, with the queue."
    )
    trust: LocalFile | None = Field(
        default=None,
        description="Certificate of a private authority that the hub and the sign-in are trusted"
        " by, in PEM: a file beside the site file.",
    )
