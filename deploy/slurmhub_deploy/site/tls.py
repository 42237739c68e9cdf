"""Certificates for browsers: fetched by ACME and renewed, or given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from slurmhub_deploy.front.settings import AbsolutePath, HttpsUrl, Mail
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.secret_source import SecretSource


def _file(value: str) -> str:
    path = PurePosixPath(value)
    if not value or not value.isprintable() or ".." in path.parts:
        raise ValueError("must be the path of a file, beside the site file or absolute, without ..")
    return value


LocalFile = Annotated[str, AfterValidator(_file)]
"""A file on the machine of whoever runs `slurmhub`; relative to the folder of the site file."""


class AcmeTls(SiteModel):
    """Certificates from an ACME authority (RFC 8555), fetched and renewed by dehydrated."""

    kind: Literal["acme"] = Field(description="`acme`: fetched and renewed by dehydrated.")
    mail: Mail | None = Field(
        default=None,
        description="Whom the authority writes to; `institution.technical` if absent.",
    )
    authority: Literal["letsencrypt", "buypass", "zerossl"] | HttpsUrl = Field(
        default="letsencrypt", description="The authority, by dehydrated's word or by its address."
    )
    authority_certificate: LocalFile | None = Field(
        default=None,
        description="For an authority of one's own: what its address is trusted by, in PEM, a file"
        " beside the site file.",
    )
    challenge: Literal["http-01", "dns-01"] = Field(
        default="http-01",
        description="How one proves that the domain is one's own: a page on port 80, or a record"
        " in DNS, which also works for hosts that the Internet does not reach.",
    )
    staging_first: bool = Field(
        default=True,
        description="Try with the authority's staging service first: mistakes there use up no"
        " limits.",
    )
    dns_hook: AbsolutePath | None = Field(
        default=None,
        description="For `dns-01`: dehydrated's hook, a program on the hub's host that sets the"
        " record.",
    )
    dns_credential: SecretSource | None = Field(
        default=None, description="For `dns-01`: what the hook needs to be let in."
    )


class GivenTls(SiteModel):
    """A certificate that somebody else renews."""

    not_here: ClassVar[Mapping[str, str]] = {"tls_key": "It is called `key`."}

    kind: Literal["given"] = Field(description="`given`: a certificate that you have.")
    certificate: LocalFile = Field(
        description="The certificate and those between it and its authority, in PEM: a file beside"
        " the site file.",
        examples=["hub.example.ca.pem"],
    )
    key: SecretSource = Field(
        description="Where its private key comes from.",
        examples=[{"vault": "tls-key"}],
    )


Tls = Annotated[AcmeTls | GivenTls, Field(discriminator="kind")]
