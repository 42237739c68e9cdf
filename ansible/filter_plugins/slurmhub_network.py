"""Addresses and networks, for the roles."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from ansible.errors import AnsibleFilterError


def slurmhub_within(address: str, networks: Iterable[str]) -> bool:
    """Whether an address is one of these addresses or lies in one of these networks.

    What a socket of both families reports, `::ffff:192.0.2.1`, is that IPv4 address. Raises
    AnsibleFilterError for what is no address or network.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in ipaddress.ip_network(each, strict=False) for each in networks)
    except ValueError as problem:
        raise AnsibleFilterError(
            f"{problem}; write addresses as 192.0.2.1 or 192.0.2.0/24"
        ) from problem


class FilterModule:
    """Ansible's way to name filters."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """The filters by name."""
        return {"slurmhub_within": slurmhub_within}
