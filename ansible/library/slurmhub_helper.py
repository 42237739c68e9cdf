#!/usr/bin/python
"""Has the programs with which a hub acts for its people be installed: `slurmhub helper install`."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_helper
short_description: The helpers of a hub that is not root
description:
  - Runs C(slurmhub helper install), which writes programs, settings and sudoers lines that were
    checked, each whole or not at all, and changes nothing the second time.
options:
  command:
    description: The installed C(slurmhub).
    type: path
    required: true
  hub_account:
    description: The account that the hub runs as.
    type: str
    required: true
  users_group:
    description: The group of everybody who may have a server, and of nobody else.
    type: str
    required: true
  slurm_conf:
    description: slurm.conf, if Slurm's commands do not find it.
    type: path
  accounts:
    description: Where accounts are made, if they are.
    type: str
    choices: [files, ldap, existing]
  account_settings:
    description: Settings of C(slurmhub-account), as its file has them. No secret is among them.
    type: dict
    default: {}
author: [slurmhub]
attributes:
  check_mode:
    description: Says what it would write, if the command is there already.
    support: full
"""

EXAMPLES = r"""
- name: Have the helpers
  slurmhub_helper:
    command: /opt/slurmhub/hub/bin/slurmhub
    hub_account: slurmhub-main
    users_group: slurmhub-people-main
    accounts: files
    account_settings: {min_uid: 20000, max_uid: 59999}
"""

RETURN = r"""
written:
  description: The files that were written, or would be.
  returned: always
  type: list
  elements: str
"""

import json  # noqa: E402 - Ansible wants the documentation first
import os  # noqa: E402
import subprocess  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

SECONDS = 120
WRITTEN = (": written", ": would be written")


def argv_of(params: dict, check_mode: bool) -> list[str]:
    """The words of the command."""
    argv = [params["command"], "helper", "install"]
    argv += ["--hub-account", params["hub_account"], "--users-group", params["users_group"]]
    if params["slurm_conf"]:
        argv += ["--slurm-conf", params["slurm_conf"]]
    if params["accounts"]:
        argv += ["--accounts", params["accounts"]]
        settings = dict(params["account_settings"])
        # Words of their own; the rest of it goes by the file's own names.
        ldap = settings.get("ldap") or {}
        for name in ("uri", "people", "groups"):
            if ldap.get(name):
                argv += [f"--ldap-{name}", ldap[name]]
        argv += ["--account-settings", json.dumps(settings)]
    return [*argv, "--dry-run"] if check_mode else argv


def written_in(output: str) -> list[str]:
    """The files that the command says it wrote, or would."""
    lines = [line for line in output.splitlines() if not line.startswith(" ")]
    return [line.rpartition(": ")[0] for line in lines if line.endswith(WRITTEN)]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "command": {"type": "path", "required": True},
            "hub_account": {"type": "str", "required": True},
            "users_group": {"type": "str", "required": True},
            "slurm_conf": {"type": "path"},
            "accounts": {"type": "str", "choices": ["files", "ldap", "existing"]},
            "account_settings": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    params = module.params
    if module.check_mode and not os.path.exists(params["command"]):
        module.exit_json(changed=True, written=[], msg=f"{params['command']} is not there yet.")
    try:
        done = subprocess.run(
            argv_of(params, module.check_mode),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        module.fail_json(msg=f"{params['command']} could not be run: {error}.")
    if done.returncode != 0:
        module.fail_json(msg=(done.stderr.strip() or done.stdout.strip())[-2000:])
    written = written_in(done.stdout)
    module.exit_json(
        changed=bool(written),
        written=written,
        diff={"before": "", "after": "".join(f"{each}\n" for each in written)},
    )


if __name__ == "__main__":
    main()
