"""What every host of the site gets, whatever it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.texts import Network

# A name or an address, as chrony.conf(5) takes it, and nothing that it could take for an option.
TimeServer = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$")]


class Base(SiteModel):
    """The layer `base`: see [what every host gets](hosts.md)."""

    not_here: ClassVar[Mapping[str, str]] = {
        "timezone": "It is called `institution.timezone`.",
        "ports": "Ports of services are opened by their roles; one of your own by a file in"
        " /etc/nftables.d, see docs/operators/hosts.md.",
    }

    ssh_from: list[Network] = Field(
        default=[],
        description="Networks and addresses that may connect to sshd; everybody if absent. The"
        " hosts of the site always may. The machine that runs `slurmhub` must be among them.",
        examples=[["192.0.2.0/24"]],
    )
    time_servers: list[TimeServer] = Field(
        default=[],
        description="NTP servers; the distribution's if absent.",
        examples=[["ntp.example.ca"]],
    )
    firewall: bool = Field(
        default=True,
        description="Whether slurmhub runs the firewall: nothing comes in but what is opened.",
    )
    updates: bool = Field(
        default=True,
        description="Whether the distribution's security updates are installed every day.",
    )
