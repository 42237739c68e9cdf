"""All looks at once, each on its own: one that fails or hangs is told, and the others go on."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from slurmhub_deploy.doctor.probe import host, services
from slurmhub_deploy.doctor.probe.basics import at_once

ALL = 45
"""Seconds for all looks together."""

LOOKS: dict[str, Callable[[Any], Any]] = {
    "system": host.system,
    "clock": host.clock,
    "disks": host.disks,
    "units": host.units,
    "accounts": host.accounts,
    "ports": host.ports,
    "names": host.names,
    "homes": host.homes,
    "textfiles": host.textfiles,
    "backups": host.backups,
    "alerts": services.alerts,
    "munge": services.munge,
    "slurm": services.slurm,
    "work": services.work,
    "certificates": services.certificates,
    "front": services.front,
    "hubs": services.hubs,
    "jupyter": services.jupyter,
}


def main(task: str) -> None:
    """Look at what the task names, and print what was seen."""
    began, seen, troubles = time.time(), {}, {}

    def look(name: str, argument: Any) -> None:
        try:
            seen[name] = LOOKS[name](argument)
        except Exception as error:  # One look that fails must not hide the others.
            troubles[name] = f"{type(error).__name__}: {error}"

    wanted = json.loads(task)
    at_once([threading.Thread(target=look, args=each, daemon=True) for each in wanted.items()], ALL)
    for name in wanted:
        if name not in seen and name not in troubles:
            troubles[name] = f"took more than {ALL} s"
    told = {"began": began, "ended": time.time(), "seen": dict(seen), "troubles": dict(troubles)}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    # A look that hangs, on a file system that is gone for instance, must not keep us here.
    os._exit(0)
