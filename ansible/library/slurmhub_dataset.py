#!/usr/bin/python3
"""Makes a ZFS dataset, or checks that the one that is there is mounted where it should be."""

from __future__ import annotations

import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: slurmhub_dataset
short_description: A ZFS dataset
description:
  - Makes a dataset in a pool that is there. One that is there is taken as it is, if it is mounted
    where it should be; its mount point and its other properties are never changed.
options:
  name:
    description: The dataset, with its pool, such as C(tank/homes).
    type: str
    required: true
  mountpoint:
    description: Where it is mounted; C(none) for nowhere.
    type: str
    required: true
  properties:
    description: Properties of a new dataset, as zfsprops(7) has them.
    type: dict
    default: {}
author: [slurmhub]
attributes:
  check_mode:
    support: full
    description: Says what would be made.
"""

EXAMPLES = r"""
- name: Make the dataset of the homes
  slurmhub_dataset:
    name: tank/homes
    mountpoint: /srv/slurmhub/homes/main
    properties: {compression: "on"}
"""

RETURN = r"""
made:
  description: Whether it was made.
  type: bool
  returned: success
"""


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "mountpoint": {"type": "str", "required": True},
            "properties": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    name, mountpoint = module.params["name"], module.params["mountpoint"]
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)+", name):
        module.fail_json(msg=f"{name} is not a dataset in a pool, such as tank/homes")
    found = look(module, name)
    if found is not None:
        if found != mountpoint:
            module.fail_json(
                msg=f"The dataset {name} exists and is mounted at {found}, not at {mountpoint}."
                f" When nobody uses it: zfs set mountpoint={mountpoint} {name}"
            )
        mount(module, name, mountpoint)
        return
    if not module.check_mode:
        words = [f"-o{key}={value}" for key, value in sorted(module.params["properties"].items())]
        run(module, "create", "-p", f"-omountpoint={mountpoint}", *words, name)
    diff = {"before": "", "after": f"dataset {name} at {mountpoint}\n"}
    module.exit_json(changed=True, made=True, diff=diff)


def look(module: Any, name: str) -> str | None:
    """Where the dataset is mounted; None if there is none."""
    if module.check_mode and module.get_bin_path("zfs") is None:
        return None  # the package is not there yet
    status, out, err = module.run_command(
        [module.get_bin_path("zfs", required=True), "get", "-H", "-o", "value", "mountpoint", name]
    )
    if status == 0:
        return str(out).strip()
    if "does not exist" in err:
        return None
    module.fail_json(msg=f"zfs get ended with {status}: {err.strip()}")
    return None


def mount(module: Any, name: str, mountpoint: str) -> None:
    """Mounts it if it is not, and ends."""
    words = ["get", "-H", "-o", "value", "mounted", name]
    mounted = run(module, *words).strip() == "yes" if mountpoint != "none" else True
    if not mounted and not module.check_mode:
        run(module, "mount", name)
    module.exit_json(changed=not mounted, made=False)


def run(module: Any, *words: str) -> str:
    """What zfs wrote; the module fails if it does."""
    zfs = module.get_bin_path("zfs", required=True)
    status, out, err = module.run_command([zfs, *words])
    if status != 0:
        module.fail_json(msg=f"zfs {words[0]} ended with {status}: {(err or out).strip()}")
    return str(out)


if __name__ == "__main__":
    main()
