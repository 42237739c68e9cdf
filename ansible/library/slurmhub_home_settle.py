#!/usr/bin/python3
"""Gives the default quota to everybody who has none of their own."""

from __future__ import annotations

import json
import os

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: slurmhub_home_settle
short_description: The default quota for everybody who has no quota of their own
description:
  - Asks C(slurmhub-home), the program that makes homes, which quotas are not what its settings say,
    and has them changed. Nothing is lost by a smaller one; only nothing can be added.
options:
  homes:
    description: The homes, by the name that the site has for them.
    type: str
    required: true
  program:
    description: The program.
    type: path
    default: /usr/local/libexec/slurmhub/slurmhub-home
author: [slurmhub]
attributes:
  check_mode:
    support: full
    description: Says whether any would be changed.
"""

EXAMPLES = r"""
- name: Give the default quota to everybody who has no own one
  slurmhub_home_settle:
    homes: main
"""

RETURN = r"""
people:
  description: How many quotas were changed.
  type: int
  returned: success
"""


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "homes": {"type": "str", "required": True},
            "program": {"type": "path", "default": "/usr/local/libexec/slurmhub/slurmhub-home"},
        },
        supports_check_mode=True,
    )
    program, homes = module.params["program"], module.params["homes"]
    if module.check_mode and not os.path.exists(program):
        module.exit_json(changed=False, people=0)  # there are no homes yet
    request = {"verb": "settle", "homes": homes, "check": module.check_mode}
    status, out, err = module.run_command([program], data=json.dumps(request))
    try:
        answer = json.loads(out)
    except ValueError:
        module.fail_json(msg=f"{program} ended with {status} and said {(err or out).strip()}")
        return
    if not answer.get("ok"):
        # In check mode what is to be mounted may not be yet.
        if module.check_mode and answer.get("kind") == "away":
            module.exit_json(changed=False, people=0)
        module.fail_json(msg=f"The quotas of the homes {homes}: {answer.get('message')}")
    module.exit_json(changed=bool(answer["changed"]), people=len(answer["changed"]))


if __name__ == "__main__":
    main()
