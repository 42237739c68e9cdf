"""Looks at the host itself."""

from __future__ import annotations

import glob
import grp
import os
import pwd
import socket
import sys
import threading
from typing import Any

from slurmhub_deploy.doctor.probe.basics import at_once, figures, run


def system(_: Any) -> Any:
    """What kind of machine it is, and how it is off."""
    release = {}
    with open("/etc/os-release", encoding="utf-8") as file:
        for line in file:
            name, _equals, value = line.strip().partition("=")
            release[name] = value.strip('"')
    memory = {}
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            name, _colon, value = line.partition(":")
            memory[name] = int(value.split()[0]) * 1024
    with open("/proc/uptime", encoding="ascii") as file:
        up = float(file.read().split()[0])
    return {
        "release": f"{release.get('ID', '?')} {release.get('VERSION_ID', '?')}",
        "kernel": os.uname().release,
        "python": ".".join(map(str, sys.version_info[:3])),
        "up_seconds": up,
        "reboot_wanted": os.path.exists("/run/reboot-required"),
        "memory": memory["MemTotal"],
        "memory_available": memory["MemAvailable"],
    }


def clock(_: Any) -> Any:
    """What chrony knows of the clock; whether it is held at all."""
    status, out, _err = run("chronyc", "-c", "tracking")
    if status != 0:
        return {"synchronised": False, "offset": None}
    columns = out.strip().split(",")
    return {"synchronised": columns[-1] == "Normal", "offset": float(columns[4])}


def disks(_: Any) -> Any:
    """Room and inodes of each file system that is on a disk or comes over the network."""
    found = []
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = [line.split()[:3] for line in file]
    for device, where, kind in mounts:
        path = where.replace("\\040", " ")
        network = kind.startswith(("nfs", "fuse.")) or kind in (
            "zfs",
            "overlay",
            "lustre",
            "beegfs",
        )
        if not (device.startswith("/dev/") or network):
            continue
        try:
            room = os.statvfs(path)
        except OSError:
            continue
        if not os.path.isdir(path) or room.f_blocks == 0:
            continue
        found.append(
            {
                "path": path,
                "kind": kind,
                "size": room.f_blocks * room.f_frsize,
                "available": room.f_bavail * room.f_frsize,
                "inodes": room.f_files,
                "inodes_free": room.f_ffree,
            }
        )
    return found


def units(wanted: list[str]) -> Any:
    """Units that failed, and how those are that there have to be; timers with their last run."""
    _status, failed, _err = run("systemctl", "list-units", "--failed", "--plain", "--no-legend")
    _status, timers, _err = run(
        "systemctl", "list-unit-files", "--plain", "--no-legend", "slurmhub-*.timer"
    )
    names = [line.split()[0] for line in timers.splitlines() if line.strip()]
    fields = "--property=Id,LoadState,ActiveState,UnitFileState,LastTriggerUSec"
    shown: dict[str, Any] = {}
    for name in [*wanted, *names]:
        _status, out, _err = run("systemctl", "show", fields, "--", name)
        pairs = dict(line.partition("=")[::2] for line in out.splitlines())
        state = pairs.get("UnitFileState", "")
        if state == "generated":
            # Of an init script, such as Debian's of slapd: its links say whether it starts.
            _status, state, _err = run("systemctl", "is-enabled", "--", name)
        shown[name] = {
            "loaded": pairs.get("LoadState") == "loaded",
            "active": pairs.get("ActiveState") == "active",
            "enabled": state.startswith(("enabled", "static")),
            "ran": pairs.get("LastTriggerUSec", ""),
        }
    return {
        "failed": [line.split()[0] for line in failed.splitlines() if line.strip()],
        "wanted": {name: shown[name] for name in wanted},
        "timers": {name: shown[name] for name in names},
    }


def accounts(names: dict[str, list[str]]) -> Any:
    """The numbers of accounts and groups; None for one that is not known here."""
    groups: dict[str, Any] = {}
    people: list[str] = []
    for name in names["groups"]:
        try:
            group = grp.getgrnam(name)
            groups[name] = {"gid": group.gr_gid, "members": sorted(group.gr_mem)}
            people += groups[name]["members"][:20]
        except KeyError:
            groups[name] = None
    users: dict[str, Any] = {}
    for name in [*names["users"], *people]:
        try:
            entry = pwd.getpwnam(name)
            users[name] = {"uid": entry.pw_uid, "gid": entry.pw_gid, "home": entry.pw_dir}
        except KeyError:
            users[name] = None
    return {"users": users, "groups": groups}


def ports(targets: list[list[Any]]) -> Any:
    """What became of connecting to each address and port: open, refused, silent, or the error."""
    found: dict[str, str] = {}

    def one(address: str, port: int) -> None:
        try:
            socket.create_connection((address, port), timeout=4).close()
            said = "open"
        except ConnectionRefusedError:
            said = "refused"
        except socket.timeout:  # noqa: UP041 - another class before Python 3.10
            said = "silent"
        except OSError as error:
            said = error.strerror or str(error)
        found[f"{address}:{port}"] = said

    at_once([threading.Thread(target=one, args=tuple(each), daemon=True) for each in targets], 15)
    return found


def names(wanted: list[str]) -> Any:
    """The addresses of each name, as this host resolves it."""
    found: dict[str, list[str]] = {}
    for name in wanted:
        try:
            found[name] = sorted({str(each[4][0]) for each in socket.getaddrinfo(name, None)})
        except OSError:
            found[name] = []
    return found


def homes(tasks: list[dict[str, Any]]) -> Any:
    """Whether each is mounted, and by what one can tell whether it is the same on other hosts."""
    found = {}
    for task in tasks:
        path = task["path"]
        there, mounted = os.path.isdir(path), os.path.ismount(path)
        seen: dict[str, Any] = {"path": path, "there": there, "mounted": mounted}
        if seen["there"]:
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)[:50]
            seen["entries"] = {entry.name: entry.inode() for entry in entries if entry.is_dir()}
        found[task["name"]] = seen
    return found


def textfiles(folder: str) -> Any:
    """Figures that other programs of this host leave for Prometheus."""
    found: dict[str, float] = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.prom"))):
        if not os.path.exists(path):
            continue  # a link to what its program has not written yet
        with open(path, encoding="utf-8") as file:
            found.update(figures(file, "slurmhub_"))
    return found


def backups(folder: str) -> Any:
    """When the newest file of each folder of backups was written, and when the folder changed."""
    found: dict[str, Any] = {}
    for where in sorted(glob.glob(os.path.join(folder, "*", ""))):
        times = [
            os.stat(path).st_mtime
            for path in glob.glob(f"{where}**/*", recursive=True)
            if os.path.isfile(path)
        ]
        found[os.path.basename(where.rstrip("/"))] = {
            "newest": max(times, default=None),
            "since": os.stat(where).st_mtime,
        }
    return found
