"""Who runs the hubs, and how their hosts are reached."""

from __future__ import annotations

from pydantic import Field

from slurmhub_deploy.front.settings import Contact, HttpsUrl, Logo, Port, Words
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.texts import TimeZone, UnixName
from slurmhub_deploy.site.tls import LocalFile


class Institution(SiteModel):
    """The institution: what federations, certificates and error pages say of it."""

    name: Words = Field(description="Its name.", examples=["Example University"])
    timezone: TimeZone = Field(
        default="Etc/UTC",
        description="Time zone of the hosts, of maintenance and of class hours.",
        examples=["America/Vancouver"],
    )
    information_url: HttpsUrl = Field(
        description="A page about the service, which federations ask for.",
        examples=["https://www.example.ca/hub"],
    )
    privacy_url: HttpsUrl = Field(
        description="The privacy notice, which federations ask for.",
        examples=["https://www.example.ca/privacy"],
    )
    support: Contact = Field(
        description="`name` and `mail` of whom people write to; it is on every error page.",
        examples=[{"name": "Help desk", "mail": "help@example.ca"}],
    )
    technical: Contact | None = Field(
        default=None, description="Whom other operators write to; the same as `support` if absent."
    )
    security: Contact | None = Field(
        default=None, description="Whom incidents are told to; the same as `support` if absent."
    )
    support_url: HttpsUrl | None = Field(
        default=None, description="A page with help, shown beside the address."
    )
    logo: Logo | None = Field(
        default=None,
        description="`url`, `width` and `height` of the picture that discovery services show.",
    )


class Ssh(SiteModel):
    """How the hosts are reached to set them up."""

    user: UnixName = Field(default="root", description="Account on the hosts.")
    port: Port = Field(default=22, description="Port of sshd on the hosts.")
    jump: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@:,-]{0,199}$",
        description="A host to go through, as `ssh -J` takes it: user@gate.example.ca.",
    )
    config: LocalFile | None = Field(
        default=None,
        description="A file in the form of ssh_config(5), beside the site file, that is used"
        " instead of one's own: keys, known hosts, ways through other hosts.",
        examples=["ssh_config"],
    )
