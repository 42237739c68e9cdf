"""What the firewall's files say, rendered by Ansible's own templating."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from tests.rig.role_docs import ROLES


def rendered(name: str, **variables: Any) -> str:
    text = (ROLES / "base/templates" / name).read_text()
    # As ansible.builtin.template has it.
    templar = Templar(loader=DataLoader(), variables=variables).copy_with_new_env(
        trim_blocks=True, lstrip_blocks=False
    )
    return str(templar.template(trust_as_template(text), preserve_trailing_newlines=True))


def rules(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if "accept" in line or "reject" in line]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"tcp": ["80", "443"]}, ["tcp dport { 80, 443 } accept"]),
        ({"tcp": ["80"], "from": []}, ["tcp dport { 80 } accept"]),
        (
            {"tcp": [6817], "from": ["192.0.2.22", "192.0.2.21", "192.0.2.22"]},
            ["ip saddr { 192.0.2.21, 192.0.2.22 } tcp dport { 6817 } accept"],
        ),
        (
            {"tcp": ["20000-29999"], "from": ["2001:db8::1", "192.0.2.1"]},
            [
                "ip saddr { 192.0.2.1 } tcp dport { 20000-29999 } accept",
                "ip6 saddr { 2001:db8::1 } tcp dport { 20000-29999 } accept",
            ],
        ),
        # One within the other: as one set nft would refuse them.
        (
            {"udp": ["53"], "from": ["192.0.2.0/24", "192.0.2.0/25", "2001:db8::/32"]},
            [
                "ip saddr 192.0.2.0/24 udp dport { 53 } accept",
                "ip saddr 192.0.2.0/25 udp dport { 53 } accept",
                "ip6 saddr 2001:db8::/32 udp dport { 53 } accept",
            ],
        ),
        (
            {"tcp": ["1"], "udp": ["2"]},
            ["tcp dport { 1 } accept", "udp dport { 2 } accept"],
        ),
        ({}, []),
    ],
)
def test_an_open_port(given: dict[str, Any], expected: list[str]) -> None:
    text = rendered("open_port.nft.j2", base_open={"name": "service", **given})
    assert rules(text) == expected
    assert text.startswith("# Written by slurmhub")


def firewall(**more: Any) -> str:
    usual = {"base_sshd_ports": [22], "base_ssh_from": [], "base_hosts": {}}
    return rendered("nftables.conf.j2", **(usual | more))


def test_only_our_table_is_replaced() -> None:
    text = firewall()
    assert "flush ruleset" not in text
    assert text.index("delete table inet slurmhub") < text.index("chain input")
    assert text.rstrip().endswith('include "/etc/nftables.d/*.nft"')


def test_ssh_from_everybody() -> None:
    assert "tcp dport { 22, 2222 } accept" in rules(firewall(base_sshd_ports=[22, 2222]))


def test_ssh_from_some() -> None:
    found = rules(firewall(base_ssh_from=["192.0.2.0/24", "2001:db8::1"]))
    assert "ip saddr 192.0.2.0/24 tcp dport { 22 } accept" in found
    assert "ip6 saddr 2001:db8::1 tcp dport { 22 } accept" in found
    assert "tcp dport { 22 } accept" not in found


def test_hosts_of_the_site_are_told() -> None:
    text = firewall(base_hosts={"hub": "192.0.2.1", "other": "2001:db8::2"})
    assert rules(text)[-2:] == [
        "ip saddr 192.0.2.1 reject with icmpx admin-prohibited",
        "ip6 saddr 2001:db8::2 reject with icmpx admin-prohibited",
    ]
    assert text.index("jump open") < text.index("reject with")
