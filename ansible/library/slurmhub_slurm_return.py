#!/usr/bin/python
"""Puts a compute node back to work that Slurm itself took out, once what it missed is there."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_slurm_return
short_description: Resumes a node that Slurm drained for missing GPUs, memory or CPUs
description:
  - slurmctld drains a node that registers with less than nodes.conf promises, and leaves it drained
    when it has registered again with all of it. This resumes such a node. A node that registers
    with too little still, or that somebody drained, is left alone.
options:
  node:
    description: The node's name.
    type: str
    required: true
author: [slurmhub]
attributes:
  check_mode:
    description: Says whether the node would be resumed.
    support: full
"""

EXAMPLES = r"""
- name: Have the node back
  slurmhub_slurm_return:
    node: compute1
"""

RETURN = r"""
reason:
  description: Why the node was drained; empty where it was not.
  returned: always
  type: str
"""

import re  # noqa: E402 - Ansible wants the documentation first
import subprocess  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

SECONDS = 30
FORMAT = "%T\x1f%u\x1f%E"
# The texts of validate_node_specs() and of gres_node_config_validate() in Slurm's sources.
_SLURMS_OWN = re.compile(
    r"Low (?:RealMemory|CPUs|socket\*core|TmpDisk)|gres/\S+ count reported lower than configured"
)
_MENDED = frozenset({"drained", "draining"})


def drained_for(output: str) -> str:
    """The reason for which Slurm drained the node, and which is no more; of FORMAT by sinfo.

    "inval" is the state of a node whose last registration was refused.
    """
    for line in output.splitlines():
        state, user, reason = [*line.strip().split("\x1f"), "", ""][:3]
        if state in _MENDED and user == "slurm" and _SLURMS_OWN.match(reason):
            return reason
    return ""


def main() -> None:
    module = AnsibleModule(
        argument_spec={"node": {"type": "str", "required": True}}, supports_check_mode=True
    )
    node = module.params["node"]

    def ask(*argv: str) -> str:
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            said, output = str(error), None
        else:
            said, output = done.stderr.strip(), None if done.returncode else done.stdout
        if output is None and not module.check_mode:
            module.fail_json(
                msg=f"Slurm does not say how {node} is ({said}). See whether slurmctld runs, and"
                " run this again."
            )
        # Before the first real run nothing answers.
        return output or ""

    reason = drained_for(
        ask("sinfo", "--noheader", "--all", f"--nodes={node}", f"--format={FORMAT}")
    )
    if reason and not module.check_mode:
        ask("scontrol", "update", f"NodeName={node}", "State=RESUME")
    module.exit_json(changed=bool(reason), reason=reason)


if __name__ == "__main__":
    main()
