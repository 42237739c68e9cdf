#!/usr/bin/python
"""Makes or finds a file system or pool by its name, and never over anything that exists."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: slurmhub_volume
short_description: Makes or finds a file system or a ZFS pool, by its name
description:
  - What has the name is taken as it is. A pool that is there but not imported is imported.
  - Only if nothing has the name, and only on devices on which there is nothing at all, it is made.
    There is no way to force it.
  - Nothing is made if a device is missing, in use, has a partition table, a signature of any kind,
    or bytes other than zero at its beginning or end.
  - A refusal that could only be lifted by destroying something has C(would_destroy) with its names.
options:
  backend:
    description: What it is.
    type: str
    required: true
    choices: [zfs, btrfs, xfs, ext4]
  name:
    description: The file system's label, or the pool's name.
    type: str
    required: true
  devices:
    description: Empty devices to make it of. If there are none, it must exist.
    type: list
    elements: path
    default: []
  layout:
    description: How several devices make a pool.
    type: str
    default: stripe
    choices: [stripe, mirror, raidz, raidz2, raidz3]
notes:
  - Supports C(check_mode). Sources are blkid(8), wipefs(8), zpool-import(8) and zpool-create(8).
"""

EXAMPLES = r"""
- name: Make the file system of the homes
  slurmhub_volume:
    backend: btrfs
    name: homes
    devices: [/dev/disk/by-id/virtio-homes]
"""

RETURN = r"""
state:
  description: C(existing), C(imported), C(made), or in check mode C(would be made).
  type: str
  returned: success
source:
  description: What to mount; none for a pool.
  type: str
  returned: success
would_destroy:
  description: What would have to be destroyed to have this.
  type: list
  elements: str
  returned: always
"""

KIND = {"zfs": "zfs_member", "btrfs": "btrfs", "xfs": "xfs", "ext4": "ext4"}
EDGE = 4 * 1024 * 1024
# Where btrfs keeps a second copy of what it is, beyond the first megabytes.
BTRFS_COPY = 64 * 1024 * 1024
# blkid(8): nothing was found.
NOTHING = 2


class Refused(Exception):
    """Why it is not made; `lost` is what would have to be destroyed for it."""

    def __init__(self, message: str, lost: list[str] | None = None) -> None:
        super().__init__(message)
        self.lost = lost or []


@dataclass(frozen=True)
class Found:
    """A file system on a device, as blkid has it."""

    device: str
    kind: str
    label: str
    uuid: str


@dataclass(frozen=True)
class Pool:
    """A pool that could be imported: how to, and what zpool says of it."""

    name: str
    number: str
    state: str
    foreign: bool
    devices: tuple[str, ...]
    search: tuple[str, ...] = ()


@dataclass
class Outcome:
    """What became of it."""

    changed: bool
    state: str
    source: str | None = None
    warnings: list[str] = field(default_factory=list)


class Host:
    """What this host has, read by its own programs; a test has another one."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def run(self, *argv: str) -> tuple[int, str, str]:
        """Status and output; the status of a program that is not there is 127."""
        program = self._module.get_bin_path(argv[0], opt_dirs=["/usr/sbin", "/sbin"])
        if program is None:
            return 127, "", f"{argv[0]} is not installed"
        environment = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        status, out, err = self._module.run_command(
            [program, *argv[1:]], environ_update=environment
        )
        return int(status), str(out), str(err)

    def signature(self, device: str) -> dict[str, str] | None:
        """What blkid sees on a device, by looking at it; None for nothing. Raises Refused."""
        status, out, err = self.run("blkid", "-p", "-o", "export", device)
        if status == NOTHING and not err.strip():
            return None
        if status != 0:
            # Status 8: signatures of several kinds at once.
            raise Refused(f"blkid cannot tell what is on {device}: {(err or out).strip()}")
        return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)

    def labelled(self, label: str) -> list[Found]:
        """Every file system of this label on this host."""
        status, out, _err = self.run(
            "blkid", "-c", "/dev/null", "-t", f"LABEL={label}", "-o", "device"
        )
        found = []
        for device in out.split() if status == 0 else []:
            seen = self.signature(device) or {}
            if seen.get("LABEL") == label:
                found.append(Found(device, seen.get("TYPE", ""), label, seen.get("UUID", "")))
        return found

    def in_use(self, device: str) -> str | None:
        """Who uses a device: a mount, RAID, LVM, swap. None if nobody does."""
        number = os.stat(device).st_rdev
        sysfs = f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"
        holders = os.listdir(f"{sysfs}/holders") if os.path.isdir(f"{sysfs}/holders") else []
        if holders:
            return f"is part of {', '.join(sorted(holders))}"
        if os.path.isdir(sysfs):
            parts = [
                each for each in os.listdir(sysfs) if os.path.exists(f"{sysfs}/{each}/partition")
            ]
            if parts:
                return f"has the partitions {', '.join(sorted(parts))}"
        try:
            os.close(os.open(device, os.O_RDONLY | os.O_EXCL))
        except OSError as problem:
            return f"is in use, mounted perhaps: {problem.strerror}"
        return None

    def is_blank(self, device: str) -> bool:
        """Whether beginning and end are zeros: some things have no signature that blkid knows."""
        with open(device, "rb") as disk:
            size = disk.seek(0, os.SEEK_END)
            places = [(0, EDGE), (max(size - EDGE, 0), EDGE), (BTRFS_COPY, 65536)]
            for place, length in places:
                disk.seek(min(place, size))
                if any(disk.read(length)):
                    return False
        return True

    def is_block(self, device: str) -> bool | None:
        """Whether this is a block device; None if there is nothing."""
        try:
            return stat.S_ISBLK(os.stat(device).st_mode)
        except FileNotFoundError:
            return None


def bring_about(params: dict[str, Any], host: Host, *, check: bool) -> Outcome:
    """The volume, found or made. Raises Refused."""
    found = (
        find_pool(params, host, check=check) if params["backend"] == "zfs" else find(params, host)
    )
    if found is not None:
        return found
    name, devices = params["name"], params["devices"]
    if not devices:
        raise Refused(
            f"there is no {params['backend']} of the name {name} on this host, and no `devices`"
            " to make it of. Attach its disks, or name empty ones."
        )
    check_devices(params, host)
    if check:
        return Outcome(True, "would be made", devices[0])
    argv = make_argv(params)
    status, out, err = host.run(*argv)
    if status != 0:
        raise Refused(f"{argv[0]} ended with {status}: {(err or out).strip()}")
    if params["backend"] == "zfs":
        return Outcome(True, "made")
    made = find(params, host)
    if made is None:
        raise Refused(f"{argv[0]} made {name}, but blkid does not see it on {devices[0]}")
    return Outcome(True, "made", made.source)


# What is there


def find(params: dict[str, Any], host: Host) -> Outcome | None:
    """The file system that has the label; None if none has. Raises Refused."""
    name, backend, devices = params["name"], params["backend"], params["devices"]
    by_device = {each.device: each for each in host.labelled(name)}
    for device in devices:
        # A host without udev lists only some devices.
        seen = host.signature(device) if host.is_block(device) else None
        if seen and seen.get("LABEL") == name:
            kind, uuid = seen.get("TYPE", ""), seen.get("UUID", "")
            by_device[device] = Found(device, kind, name, uuid)
    found = list(by_device.values())
    if not found:
        return None
    kinds = sorted({each.kind for each in found})
    if kinds != [KIND[backend]]:
        where = ", ".join(f"{each.kind or 'something'} on {each.device}" for each in found)
        raise Refused(f"{name} exists, and is not {backend}: {where}", lost=[name])
    if len({each.uuid for each in found}) != 1:
        where = ", ".join(sorted(by_device))
        raise Refused(f"several file systems have the label {name}: on {where}. Rename one.")
    real = {os.path.realpath(each.device) for each in found}
    if devices and not real & {os.path.realpath(device) for device in devices}:
        raise Refused(
            f"{name} exists on {', '.join(sorted(real))}, which `devices` does not name. If it is"
            " that one, name it there, best by /dev/disk/by-id, or leave `devices` out.",
        )
    lacking = [device for device in devices if host.is_block(device) is None]
    warnings = [f"{device} of {name} is not there" for device in lacking]
    by_uuid = f"/dev/disk/by-uuid/{found[0].uuid}"
    # Without udev there are no such links.
    source = by_uuid if os.path.exists(by_uuid) else found[0].device
    return Outcome(False, "existing", source, warnings)


def find_pool(params: dict[str, Any], host: Host, *, check: bool) -> Outcome | None:
    """The pool of this name, imported if it was not; None if there is none. Raises Refused."""
    name = params["name"]
    status, out, err = host.run("zpool", "list", "-H", "-o", "name")
    if status == 127 and check:
        return None  # what is on the devices is looked at all the same
    if status != 0:
        raise Refused(f"zpool list ended with {status}: {err.strip()}")
    if name in out.split():
        return Outcome(False, "existing")
    pools = importable(params, host)
    if not pools:
        return None
    if len(pools) > 1:
        numbers = ", ".join(pool.number for pool in pools)
        raise Refused(f"several pools that are not imported are called {name}: {numbers}.")
    (pool,) = pools
    check_importable(pool, params["devices"])
    if not check:
        status, out, err = host.run("zpool", "import", *pool.search, pool.number)
        if status != 0:
            raise Refused(f"zpool import {name} ended with {status}: {(err or out).strip()}")
    degraded = [] if pool.state == "ONLINE" else [f"the pool {name} is {pool.state}"]
    return Outcome(True, "imported", None, degraded)


def importable(params: dict[str, Any], host: Host) -> list[Pool]:
    """The pools of this name that are not imported; the first way to look that finds one."""
    folders = sorted({os.path.dirname(device) for device in params["devices"]} | {"/dev"})
    for search in ((), *(("-d", folder) for folder in folders)):
        status, out, err = host.run("zpool", "import", *search)
        # Where there is none, some say so with a status of 1, and zfs-fuse says nothing.
        if status != 0 and err.strip() and "no pools" not in err:
            raise Refused(f"zpool import ended with {status}: {err.strip()}")
        pools = [pool for pool in read_pools(out, search) if pool.name == params["name"]]
        if pools:
            return pools
    return []


def read_pools(text: str, search: tuple[str, ...]) -> list[Pool]:
    """What `zpool import` shows; it has no other form of that."""
    pools = []
    for block in re.split(r"(?m)^\s*pool: ", text)[1:]:
        name = block.splitlines()[0].strip()
        number = re.search(r"(?m)^\s*id: (\d+)", block)
        state = re.search(r"(?m)^\s*state: (\S+)", block)
        tree = block.partition("config:")[2].split("\n")
        names = [line.split()[0] for line in tree if line.strip() and line.split()[0] != name]
        foreign = re.search(r"another\s+system|'-f'\s+flag|multihost", block) is not None
        number_text = number[1] if number else name
        state_text = state[1] if state else "unknown"
        pools.append(Pool(name, number_text, state_text, foreign, tuple(names), search))
    return pools


def check_importable(pool: Pool, devices: list[str]) -> None:
    """Raises Refused if this is not a pool that may simply be imported."""
    if pool.foreign:
        raise Refused(
            f"the pool {pool.name} exists and is not imported, and another system used it last."
            f" If that one has it no more: zpool export there, or `zpool import -f {pool.number}`"
            " here, by hand."
        )
    if pool.state not in ("ONLINE", "DEGRADED"):
        raise Refused(
            f"the pool {pool.name} exists and is {pool.state}: attach its disks, and see"
            " `zpool import`. Nothing is made in its place."
        )
    named = {os.path.basename(path) for each in devices for path in (each, os.path.realpath(each))}
    places = [os.path.join(pool.search[-1] if pool.search else "/dev", x) for x in pool.devices]
    real = {os.path.basename(os.path.realpath(place)) for place in places}
    parts = {re.sub(r"(-part|p(?=\d))?\d+$", "", name) for name in real | set(pool.devices)}
    if devices and not named & (real | set(pool.devices) | parts):
        raise Refused(
            f"a pool {pool.name} that is not imported is on {', '.join(pool.devices)}, which"
            " `devices` does not name. If it is that one, name its devices or leave them out."
        )


# What is made


def check_devices(params: dict[str, Any], host: Host) -> None:
    """Raises Refused unless there is nothing on each, and nobody uses it."""
    devices, backend = params["devices"], params["backend"]
    if backend in ("xfs", "ext4") and len(devices) != 1:
        raise Refused(f"{backend} lies on one device, and {len(devices)} are named")
    if len({os.path.realpath(device) for device in devices}) < len(devices):
        raise Refused("one device is named twice, under two names")
    for device in devices:
        kind = host.is_block(device)
        if kind is None:
            raise Refused(
                f"{device} is not there. {params['name']} may be on it, so that nothing is made"
                " without it. Attach it, or correct `devices`."
            )
        if not kind:
            raise Refused(f"{device} is not a block device")
        used = host.in_use(device)
        if used is not None:
            raise Refused(f"{device} {used}. It is left alone.", lost=[device])
        check_blank(device, host)


def check_blank(device: str, host: Host) -> None:
    """Raises Refused if there is anything on it."""
    seen = host.signature(device)
    if seen is not None:
        kind = seen.get("TYPE") or f"a partition table ({seen.get('PTTYPE', 'unknown')})"
        label = f" of the name {seen['LABEL']}" if seen.get("LABEL") else ""
        message = f"there is {kind}{label} on {device}. It is left alone."
        raise Refused(message, lost=[seen.get("LABEL") or device])
    _status, out, err = host.run("wipefs", "--no-act", "--noheadings", "--output", "TYPE", device)
    if out.strip() or err.strip():
        words = " ".join((out or err).split())
        raise Refused(f"wipefs sees {words} on {device}. It is left alone.", lost=[device])
    if not host.is_blank(device):
        raise Refused(
            f"{device} is not empty: there are bytes other than zero on it. If nothing of it is"
            " needed, empty it by hand, by blkdiscard or dd, and run this again.",
            lost=[device],
        )


def make_argv(params: dict[str, Any]) -> list[str]:
    """The program that makes it, with nothing that forces it."""
    name, devices = params["name"], list(params["devices"])
    if params["backend"] == "zfs":
        layout = [] if params["layout"] == "stripe" else [params["layout"]]
        return ["zpool", "create", "-m", "none", name, *layout, *devices]
    if params["backend"] == "btrfs":
        # One lost disk of several loses nothing.
        twice = ["--data", "raid1", "--metadata", "raid1"] if len(devices) > 1 else []
        return ["mkfs.btrfs", "--quiet", "--label", name, *twice, *devices]
    if params["backend"] == "xfs":
        return ["mkfs.xfs", "-q", "-L", name, *devices]
    # A part is root's alone, so that people cannot fill all of it.
    quotas = ["-O", "quota", "-E", "quotatype=usrquota"]
    return ["mkfs.ext4", "-q", "-L", name, "-m", "2", *quotas, *devices]


def main() -> None:
    """Ansible's way in."""
    module = AnsibleModule(
        argument_spec={
            "backend": {"type": "str", "required": True, "choices": list(KIND)},
            "name": {"type": "str", "required": True},
            "devices": {"type": "list", "elements": "path", "default": []},
            "layout": {
                "type": "str",
                "default": "stripe",
                "choices": ["stripe", "mirror", "raidz", "raidz2", "raidz3"],
            },
        },
        supports_check_mode=True,
    )
    params = module.params
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", params["name"]):
        module.fail_json(msg="name must be letters, digits and ._-", would_destroy=[])
    try:
        outcome = bring_about(params, Host(module), check=module.check_mode)
    except (Refused, OSError) as problem:
        lost = problem.lost if isinstance(problem, Refused) else []
        module.fail_json(msg=f"{params['name']}: {problem}", would_destroy=lost)
        return
    for warning in outcome.warnings:
        module.warn(warning)
    what = f"{params['backend']} {params['name']}\n"
    before = what if outcome.state == "existing" else ""
    after = f"{params['backend']} {params['name']}\n" if outcome.changed else before
    module.exit_json(
        changed=outcome.changed,
        state=outcome.state,
        source=outcome.source,
        would_destroy=[],
        diff={"before": before, "after": after},
    )


if __name__ == "__main__":
    main()
