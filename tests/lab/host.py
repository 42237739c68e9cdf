"""A whole Debian host on this machine: systemd, packages and accounts of its own, our network."""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab.machine import Machine
from tests.lab.tree import tree

NAME = "hub"
_PACKAGES = ("systemd", "systemd-sysv", "dbus", "sudo", "git", "ca-certificates")


class Host(Machine):
    """A host with nothing of ours; `folder` is for its layers, and must be empty."""

    def __init__(self, folder: Path, suite: str = "bookworm") -> None:
        super().__init__(
            folder,
            NAME,
            tree(suite, _PACKAGES),
            group=f"slurmhub-host-{os.getpid()}",
            options=("--resolv-conf=copy-host",),
        )

    def prepare(self) -> None:
        """It knows its own name."""
        super().prepare()
        self.write("/etc/hosts", f"127.0.0.1 localhost {NAME}\n")
