"""Where accounts live: one directory for all hosts of the site."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from slurmhub_deploy.front.settings import AbsolutePath
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.secret_source import SecretSource
from slurmhub_deploy.site.texts import DistinguishedName, HostName

_LDAP_URI = r"^ldaps?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$"


class FilesDirectory(SiteModel):
    """Accounts of the one machine, in its own /etc/passwd."""

    kind: Literal["files"] = Field(description="`files`: for a site of one machine.")


class MadeDirectory(SiteModel):
    """An LDAP server that is made here, and SSSD on every host."""

    kind: Literal["made"] = Field(description="`made`: an LDAP server of this site.")
    host: HostName = Field(description="The host that it runs on.", examples=["controller"])
    base: DistinguishedName = Field(
        description="The name below which everything in it lies.", examples=["dc=example,dc=ca"]
    )


class JoinedDirectory(SiteModel):
    """The institution's own directory, read by SSSD on every host and never written to."""

    kind: Literal["joined"] = Field(description="`joined`: the institution's own LDAP directory.")
    uris: Annotated[tuple[Annotated[str, Field(pattern=_LDAP_URI)], ...], Field(min_length=1)] = (
        Field(
            description="Addresses of its servers, the first one first.",
            examples=[["ldaps://ldap.example.ca"]],
        )
    )
    base: DistinguishedName = Field(
        description="The name below which people and groups lie.", examples=["dc=example,dc=ca"]
    )
    schema_kind: Literal["rfc2307", "rfc2307bis", "ad"] = Field(
        default="rfc2307", description="How it writes accounts and groups; `ad` with POSIX numbers."
    )
    ca_certificate: AbsolutePath | None = Field(
        default=None,
        description="File, on the hosts, of the authority that signed its certificate; the"
        " system's authorities if absent.",
    )
    bind_dn: DistinguishedName | None = Field(
        default=None, description="Whom to read it as; anonymously if absent."
    )
    bind_password: SecretSource | None = Field(
        default=None, description="Where that account's password comes from."
    )


Directory = Annotated[FilesDirectory | MadeDirectory | JoinedDirectory, Field(discriminator="kind")]
