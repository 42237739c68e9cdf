"""A network of a fleet's own: a namespace with a bridge, and a way out for packages.

The way out is slirp4netns(1), a program that speaks for the namespace: nothing of this machine's
own network, forwarding or filter is changed, and it ends when whoever started it ends.
"""

from __future__ import annotations

import os
import subprocess

from tests.lab.programs import run

BRIDGE = "fleet0"
# What slirp4netns(1) answers names at.
NAMESERVER = "10.0.2.3"
_UPLINK = "tap0"


class Network:
    """The network 10.77.NUMBER.0/24 in the namespaces of a process; up while this object is."""

    def __init__(self, process: int, number: int) -> None:
        self._process = process
        self._number = number
        self._slirp: subprocess.Popen[bytes] | None = None
        self._while_open = -1

    @property
    def gateway(self) -> str:
        """The bridge's own address."""
        return self.address(1)

    def address(self, place: int) -> str:
        """The address at this place, 1 to 254."""
        return f"10.77.{self._number}.{place}"

    def up(self) -> None:
        """Bring up bridge and way out."""
        inside = ("nsenter", f"--target={self._process}", "--net", "--")
        for line in (
            "link set lo up",
            f"link add {BRIDGE} type bridge",
            f"address add {self.gateway}/24 dev {BRIDGE}",
            f"link set {BRIDGE} up",
        ):
            run(*inside, "ip", *line.split())
        self._start_slirp()
        # Of this namespace alone; that of the machine stays as it is.
        run(*inside, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        run(*inside, "nft", "-f", "-", feed=_RULES.format(uplink=_UPLINK))

    def shut_out(self, address: str) -> None:
        """From now on this host reaches its neighbours only, as on a cluster without internet."""
        inside = ("nsenter", f"--target={self._process}", "--net", "--")
        run(*inside, "nft", "add", "element", "ip", "fleet", "kept_in", f"{{ {address} }}")

    def down(self) -> None:
        """End the way out; the rest ends with the namespace."""
        if self._slirp is not None:
            os.close(self._while_open)
            self._slirp.wait(10)

    def _start_slirp(self) -> None:
        ended, self._while_open = os.pipe()
        wait, ready = os.pipe()
        self._slirp = subprocess.Popen(
            [
                *("slirp4netns", "--configure", "--mtu=1500", "--disable-host-loopback"),
                *(f"--ready-fd={ready}", f"--exit-fd={ended}", str(self._process), _UPLINK),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(ended, ready),
            start_new_session=True,
        )
        os.close(ended)
        os.close(ready)
        try:
            assert os.read(wait, 1), f"slirp4netns ended with {self._slirp.wait(10)}"
        finally:
            os.close(wait)


_RULES = """
table ip fleet {{
    set kept_in {{ type ipv4_addr; }}
    chain forward {{
        type filter hook forward priority filter;
        oifname {uplink} ip saddr @kept_in reject with icmp type net-unreachable
    }}
    chain out {{
        type nat hook postrouting priority srcnat;
        oifname {uplink} masquerade
    }}
}}
"""
