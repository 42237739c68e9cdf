#!/usr/bin/python
"""Builds what goes to the hosts, on the machine of whoever runs `slurmhub`."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_delivery
short_description: This project's wheels, locks and proxy, to bring to hosts
description:
  - Builds the wheels of this project and of its extension of JupyterLab, and finds the locks.
  - Is for the control host alone, with the Python that runs Ansible. It changes no host, so that
    it does the same in check mode.
options:
  cache:
    description: Folder in which the wheels and the proxy are kept.
    type: path
    required: true
  bundle:
    description: Folder of a bundle, from which the proxy is taken. Without it npm puts it together.
    type: path
  proxy:
    description: Whether the proxy is wanted.
    type: bool
    default: true
author: [slurmhub]
attributes:
  check_mode:
    description: Does the same, which changes no host.
    support: full
"""

EXAMPLES = r"""
- name: Build what goes to the hosts
  slurmhub_delivery:
    cache: ~/.cache/slurmhub/wheels
  delegate_to: localhost
  run_once: true
  become: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
"""

RETURN = r"""
goods:
  description:
    - For C(hub) and C(jupyter) the C(lock), C(wheels) and C(digest); C(proxy), an archive of its
      C(node_modules), and C(proxy_digest).
  returned: always
  type: dict
"""

from pathlib import Path  # noqa: E402 - Ansible wants the documentation first

from ansible.module_utils.basic import AnsibleModule  # noqa: E402


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "cache": {"type": "path", "required": True},
            "bundle": {"type": "path"},
            "proxy": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    try:
        from slurmhub.errors import SlurmhubError
        from slurmhub_deploy.delivery.goods import goods
    except ModuleNotFoundError as error:
        module.fail_json(
            msg=f"{error}: Ansible's own Python does not find slurmhub. Install slurmhub[operate]"
            " and Ansible into one environment; from a checkout, set PYTHONPATH=spawner:deploy."
        )
    try:
        bundle = module.params["bundle"]
        found = goods(
            Path(module.params["cache"]),
            bundle=Path(bundle) if bundle else None,
            proxy=module.params["proxy"],
        )
    except SlurmhubError as error:
        module.fail_json(msg=f"{error.what} {error.remedy}")
    module.exit_json(changed=False, goods=found.as_data())


if __name__ == "__main__":
    main()
