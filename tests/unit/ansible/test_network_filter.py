"""slurmhub_within: whether an address is let in by a list of addresses and networks."""

from __future__ import annotations

import importlib.util

import pytest
from ansible.errors import AnsibleFilterError

from tests.rig.role_docs import ROLES

spec = importlib.util.spec_from_file_location(
    "slurmhub_network", ROLES.parent / "filter_plugins/slurmhub_network.py"
)
assert spec is not None
assert spec.loader is not None
plugin = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plugin)


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("192.0.2.7", ["192.0.2.0/24"], True),
        ("192.0.2.7", ["192.0.2.7"], True),
        ("192.0.2.7", ["198.51.100.0/24", "192.0.2.5/24"], True),
        ("192.0.2.7", ["198.51.100.0/24"], False),
        ("192.0.2.7", [], False),
        ("::ffff:192.0.2.7", ["192.0.2.0/24"], True),
        ("fe80::1%eth0", ["fe80::/10"], True),
        ("2001:db8::1", ["192.0.2.0/24", "2001:db8::/32"], True),
    ],
)
def test_within(address: str, networks: list[str], expected: bool) -> None:
    within = plugin.FilterModule().filters()["slurmhub_within"]
    assert within(address, networks) is expected


@pytest.mark.parametrize(("address", "network"), [("hub", "192.0.2.0/24"), ("192.0.2.1", "office")])
def test_what_is_no_address(address: str, network: str) -> None:
    with pytest.raises(AnsibleFilterError, match=r"write addresses as 192\.0\.2\.1"):
        plugin.slurmhub_within(address, [network])
