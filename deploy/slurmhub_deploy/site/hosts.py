"""The machines: names and addresses. What each of them is follows from who names it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from slurmhub_deploy.front.settings import Port
from slurmhub_deploy.site.base import SiteModel
from slurmhub_deploy.site.texts import Address, UnixName, names_in


class Host(SiteModel):
    """A machine that is there, or several alike, when its name is such as c[01-40]."""

    not_here: ClassVar[Mapping[str, str]] = {
        "roles": "A host has no list of roles: it is what the cluster, the homes, the directory,"
        " the monitoring or a hub names it for.",
        "name": "The name is what stands before the colon.",
        "ip": "It is called `address`.",
    }

    address: Address = Field(
        description="The address by which the other hosts know it. Of several hosts it is the"
        " first one's, and the others have those that follow.",
        examples=["192.0.2.10"],
    )
    public_address: Address | None = Field(
        default=None,
        description="The address by which browsers and `ssh` reach it, where that is another one.",
    )
    ssh_user: UnixName | None = Field(default=None, description="Instead of `ssh.user`.")
    ssh_port: Port | None = Field(default=None, description="Instead of `ssh.port`.")


@dataclass(frozen=True)
class Machine:
    """One machine: its name, its address, and the entry of the file that it comes from."""

    name: str
    address: str
    entry: str
    host: Host


def machines_of(hosts: Mapping[str, Host]) -> Iterator[Machine]:
    """Every machine, in the file's order; a name that two entries give comes twice.

    Where addresses run out, those that are left have the last one.
    """
    for entry, host in hosts.items():
        first = ipaddress.ip_address(host.address)
        left = 2**first.max_prefixlen - 1 - int(first)
        for number, name in enumerate(names_in(entry)):
            yield Machine(name, str(first + min(number, left)), entry, host)
