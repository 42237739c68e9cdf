#!/usr/bin/python3
"""Turns quotas on, on a btrfs file system."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: slurmhub_btrfs_quota
short_description: Quota groups of a btrfs file system
description:
  - Has btrfs count what each subvolume holds, so that it can be limited. It is never turned off.
options:
  path:
    description: Where the file system is mounted.
    type: path
    required: true
author: [slurmhub]
attributes:
  check_mode:
    support: full
    description: Says whether they would be turned on.
"""

EXAMPLES = r"""
- name: Have btrfs count
  slurmhub_btrfs_quota:
    path: /srv/slurmhub/homes/main
"""

RETURN = r"""
path:
  description: Where the file system is mounted.
  type: str
  returned: success
"""


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True
    )
    path = module.params["path"]
    if module.check_mode and not os.path.ismount(path):
        module.exit_json(changed=True, path=path)  # it would be made, and mounted
    if not os.path.ismount(path):
        module.fail_json(msg=f"nothing is mounted at {path}")
    btrfs = module.get_bin_path("btrfs", required=True)
    status, _out, err = module.run_command([btrfs, "qgroup", "show", "--raw", path])
    # Status 1 with these words is what btrfs-qgroup(8) says of a file system without quotas.
    off = status != 0 and "quota" in err and "not enabled" in err
    if status != 0 and not off:
        module.fail_json(msg=f"btrfs qgroup show ended with {status}: {err.strip()}")
    if off and not module.check_mode:
        status, out, err = module.run_command([btrfs, "quota", "enable", path])
        if status != 0:
            module.fail_json(msg=f"btrfs quota enable ended with {status}: {(err or out).strip()}")
    module.exit_json(changed=off, path=path)


if __name__ == "__main__":
    main()
