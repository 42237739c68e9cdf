"""Every host: room, memory, services, backups, restarts."""

from __future__ import annotations

from collections.abc import Iterator

from slurmhub_deploy.doctor.facts import Facts
from slurmhub_deploy.doctor.finding import Said

_DAY = 86400.0


def disks_have_room(facts: Facts) -> Iterator[Said]:
    """File systems that are nearly full, in bytes or in files."""
    for host, disks in facts.seen("disks"):
        # One file system may be mounted in several places.
        once = {(disk.size, disk.available, disk.inodes_free): disk for disk in reversed(disks)}
        for disk in reversed(once.values()):
            share = disk.available / disk.size if disk.size else 1.0
            files = disk.inodes_free / disk.inodes if disk.inodes else 1.0
            for left, what in ((share, "room"), (files, "inodes")):
                if left < 0.1:
                    yield Said(
                        host,
                        f"{disk.path} has {left:.0%} of its {what} left",
                        "docs/operators/runbooks/disk-full.md",
                        "error" if left < 0.03 else "warning",
                    )


def memory_is_free(facts: Facts) -> Iterator[Said]:
    """Hosts, but for compute nodes, whose memory is nearly used up."""
    for host, system in facts.seen("system"):
        if system.memory_available < 0.05 * system.memory:
            yield Said(
                host,
                f"has {system.memory_available / 2**30:.1f} GiB of memory left",
                f"`slurmhub ssh {host} -- ps aux --sort=-rss`",
                "warning",
            )


def units_run(facts: Facts) -> Iterator[Said]:
    """Services that have to run and do not, and any that failed."""
    for host, units in facts.seen("units"):
        for name, unit in units.wanted.items():
            if not unit.loaded:
                yield Said(host, f"has no {name}", "Run `slurmhub up`.")
            elif not unit.active:
                yield Said(
                    host,
                    f"{name} does not run",
                    f"`slurmhub ssh {host} -- journalctl -u {name} -n 50`",
                )
            elif not unit.enabled:
                yield Said(
                    host,
                    f"{name} runs, but will not after a restart of the host",
                    f"`slurmhub ssh {host} -- systemctl enable {name}`, or `slurmhub up`.",
                    "warning",
                )
        for name in units.failed:
            if name not in units.wanted:
                yield Said(
                    host,
                    f"{name} failed",
                    f"`slurmhub ssh {host} -- systemctl status {name}`; `systemctl reset-failed`"
                    " when it is done with.",
                    "warning",
                )


def timers_are_active(facts: Facts) -> Iterator[Said]:
    """Our timers that do not run: snapshots, backups, renewals and probes."""
    for host, units in facts.seen("units"):
        for name, timer in units.timers.items():
            if not timer.active:
                yield Said(
                    host,
                    f"{name} is not active",
                    f"`slurmhub ssh {host} -- systemctl enable --now {name}`, or `slurmhub up`.",
                    "warning",
                )


def backups_are_recent(facts: Facts) -> Iterator[Said]:
    """Backups that are older than two days."""
    for host, backups in facts.seen("backups"):
        for name, seen in backups.items():
            # A new folder has its first backup in the night.
            age = facts.now - (seen.since if seen.newest is None else seen.newest)
            if age > 2 * _DAY:
                folder = f"/srv/slurmhub/backup/{name}"
                yield Said(
                    host,
                    f"there has been no backup in {folder} for {age / _DAY:.0f} days"
                    if seen.newest is None
                    else f"the newest backup in {folder} is {age / _DAY:.0f} days old",
                    f"`slurmhub ssh {host} -- systemctl list-timers --all`",
                    "warning",
                )


def probes_succeed(facts: Facts) -> Iterator[Said]:
    """Trial sign-ins of the timer that failed."""
    for host, figures in facts.seen("textfiles"):
        for series, value in figures.items():
            if series.startswith("slurmhub_probe_success") and value != 1:
                hub = series.partition('hub="')[2].partition('"')[0]
                yield Said(
                    hub or host,
                    "the last trial sign-in of the timer failed",
                    f"`slurmhub smoke --hub {hub}` says at which step.",
                )


def restarts_are_pending(facts: Facts) -> Iterator[Said]:
    """Hosts that updates want to restart."""
    for host, system in facts.seen("system"):
        if system.reboot_wanted:
            yield Said(
                host,
                "an update waits for a restart of the host",
                f"A node: `slurmhub drain {host}`, then restart it. Others: at a quiet hour.",
                "warning",
            )
