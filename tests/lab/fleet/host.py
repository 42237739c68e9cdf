"""One host of a fleet: Debian as a provider of machines hands it out, reached by ssh alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from tests.lab.fleet.access import ACCOUNT, Access
from tests.lab.fleet.disks import Disk
from tests.lab.fleet.network import BRIDGE, NAMESERVER, Network
from tests.lab.machine import Machine
from tests.lab.tree import TREES, tree

ARCHIVES = TREES.parent / "archives"
_APT_ARCHIVES = "var/cache/apt/archives"
_PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "libpam-systemd", "udev", "kmod", "procps", "netbase"),
    *("iproute2", "iputils-ping", "openssh-server", "sudo", "ca-certificates"),
    # With these a provider's image lets Ansible ask apt what it would do.
    *("python3", "python3-apt"),
)
_SUDOERS = "etc/sudoers.d/90-provider"
_HOOKS = (
    'rm "$1"/etc/ssh/ssh_host_*',
    f'chroot "$1" useradd --create-home --shell /bin/bash --uid 1000 {ACCOUNT}',
    f'echo "{ACCOUNT} ALL=(ALL) NOPASSWD: ALL" >"$1/{_SUDOERS}" && chmod 440 "$1/{_SUDOERS}"',
    'chroot "$1" systemctl enable systemd-networkd',
)
_ACCOUNT_ID = 1000
# The clock is this machine's: chronyd(8) runs there, and must leave it alone.
_CLOCK = """[Unit]
ConditionCapability=
[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd -F 1 -x
"""


class FleetHost(Machine):
    """A host with an address of its own; its `disks` are /dev/vdb, /dev/vdc and so on."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        group: str,
        address: str,
        network: Network,
        within: Sequence[str],
        disks: Sequence[Disk] = (),
    ) -> None:
        self.address = address
        self._network = network
        devices = [
            f"--bind={disk.path}:/dev/vd{letter}"
            for disk, letter in zip(disks, "bcdefgh", strict=False)
        ]
        super().__init__(
            folder,
            name,
            tree("bookworm", _PACKAGES, _HOOKS),
            group=group,
            options=[
                *(f"--network-bridge={BRIDGE}", "--resolv-conf=off"),
                *("--bind=/dev/fuse", "--bind=/dev/btrfs-control"),
                *devices,
            ],
            within=within,
        )

    def let_in(self, access: Access) -> None:
        """Before it first starts: its ssh key, and whom it lets in."""
        access.let_in(self.name, self.address, self._layer / "upper")
        home = self._layer / "upper/home" / ACCOUNT
        self.write(f"/home/{ACCOUNT}/.ssh/authorized_keys", access.public_key, 0o600)
        for path in (home, home / ".ssh", home / ".ssh/authorized_keys"):
            os.chown(path, _ACCOUNT_ID, _ACCOUNT_ID)
            path.chmod(0o600 if path.is_file() else 0o700)

    def prepare(self) -> None:
        """Its network, and packages that this machine has fetched before."""
        super().prepare()
        self.write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n")
        self.write("/etc/resolv.conf", f"nameserver {NAMESERVER}\n")
        self.write(
            # Before systemd's own 80-container-host0.network.
            "/etc/systemd/network/10-host0.network",
            f"[Match]\nName=host0\n[Network]\nAddress={self.address}/24\n"
            f"Gateway={self._network.gateway}\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
        )
        self.write("/etc/systemd/system/chrony.service.d/provider.conf", _CLOCK)
        ARCHIVES.mkdir(parents=True, exist_ok=True)
        archives = self._layer / "upper" / _APT_ARCHIVES
        archives.mkdir(parents=True)
        for package in ARCHIVES.glob("*.deb"):
            os.link(package, archives / package.name)

    def wait_started(self) -> None:
        """Return when all has started, and its control groups can be written as on a machine."""
        super().wait_started()
        self.run(
            *("sh", "-c", "for h in /sys/fs/cgroup/*/; do mount -o remount,rw,bind $h; done"),
            check=False,
        )

    def keep_packages(self) -> None:
        """Keep what it has fetched for hosts that are made later."""
        for package in (self._layer / "upper" / _APT_ARCHIVES).glob("*.deb"):
            with contextlib.suppress(FileExistsError):
                os.link(package, ARCHIVES / package.name)

    def remove(self) -> None:
        """Power it off and leave nothing but the packages it has fetched."""
        self.power_off()
        self.keep_packages()
        super().remove()
