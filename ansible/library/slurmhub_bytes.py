#!/usr/bin/python3
"""A file of any bytes, such as a key: ansible.builtin.copy can write text only."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_bytes
short_description: Writes a file of any bytes
description:
  - Writes what is given in base64, whole or not at all. The content is neither logged nor shown.
options:
  path:
    description: The file; its folder must be there.
    type: path
    required: true
  content:
    description: What it holds, in base64.
    type: str
    required: true
extends_documentation_fragment: [files]
author: [slurmhub]
"""

EXAMPLES = r"""
- name: Put the key of the cluster in place
  slurmhub_bytes:
    path: /etc/munge/munge.key
    content: "{{ munge_key }}"
    owner: munge
    group: munge
    mode: "0400"
"""

RETURN = r"""
path:
  description: The file.
  type: str
  returned: always
"""

import base64  # noqa: E402 - Ansible wants the documentation first
import binascii  # noqa: E402
import os  # noqa: E402
import tempfile  # noqa: E402
from typing import Any  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "required": True, "no_log": True},
        },
        add_file_common_args=True,
        supports_check_mode=True,
    )
    # A new file has mode 0600, unless another is given.
    os.umask(0o077)
    path = module.params["path"]
    try:
        wanted = base64.b64decode(module.params["content"], validate=True)
    except binascii.Error:
        module.fail_json(msg=f"What is to be written to {path} is not base64.")
    changed = _read(path) != wanted
    diff = {"before": "", "after": "(other bytes, which are not shown)\n"} if changed else {}
    if changed and not module.check_mode:
        _write(module, path, wanted)
    if os.path.exists(path):
        attributes = module.load_file_common_arguments(module.params)
        changed = module.set_fs_attributes_if_different(attributes, changed)
    module.exit_json(changed=changed, path=path, diff=diff)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(module: Any, path: str, content: bytes) -> None:
    """Whole or not at all."""
    descriptor, new = tempfile.mkstemp(dir=module.tmpdir)
    with open(descriptor, "wb") as file:
        file.write(content)
    module.atomic_move(new, path)


if __name__ == "__main__":
    main()
