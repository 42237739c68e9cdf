#!/usr/bin/python
"""Writes the files of a program, has it try them, and takes back what it refuses."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: slurmhub_tested_files
short_description: Files of a program that are tried by it before they count
description:
  - Writes files, runs the program's own test of its configuration, and, when that fails, puts back
    what was there before.
  - With O(stamp) it also reports a change as long as that file does not hold the digest of what is
    there now. Whoever reloads the program writes RV(digest) into it afterwards; so a run that is
    cut off between the files and the reload is made good by the next one.
options:
  files:
    description: The text of each file, by its path.
    type: dict
    required: true
  read_too:
    description: Other files that the program reads at its start, which are part of the digest.
    type: list
    elements: path
    default: []
  tests:
    description: Commands, each a list of words. Each must end with status 0.
    type: list
    elements: list
    default: []
  warnings:
    description: A regular expression for lines of the tests' output that are worth a warning.
    type: str
    default: ""
  stamp:
    description: Where the digest of what the program has read is kept.
    type: path
  remedy:
    description: What to do when a test fails.
    type: str
    default: Correct the setting that it names, and run this again.
author: [slurmhub]
attributes:
  check_mode:
    support: full
    description: Says what would be written; the tests are not run then.
  diff_mode:
    support: full
    description: Shows the files before and after.
"""

EXAMPLES = r"""
- name: Write Apache's site
  slurmhub_tested_files:
    files: {/etc/apache2/sites-available/hub.conf: "{{ text }}"}
    tests: [[/usr/sbin/apache2ctl, configtest]]
"""

RETURN = r"""
digest:
  description: Of all files of O(files) and O(read_too) as they are to be.
  returned: always
  type: str
said:
  description: The lines of the tests' output that O(warnings) matches.
  returned: when the tests were run
  type: list
"""


def main() -> None:
    """Do what the module's arguments say."""
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "dict", "required": True},
            "read_too": {"type": "list", "elements": "path", "default": []},
            "tests": {"type": "list", "elements": "list", "default": []},
            "warnings": {"type": "str", "default": ""},
            "stamp": {"type": "path"},
            "remedy": {
                "type": "str",
                "default": "Correct the setting that it names, and run this again.",
            },
        },
        supports_check_mode=True,
    )
    files = {str(path): str(text) for path, text in module.params["files"].items()}
    before = {path: read(path) for path in files}
    differ = sorted(path for path in files if before[path] != files[path])
    digest = digest_of(files, module.params["read_too"])
    behind = bool(module.params["stamp"]) and (read(module.params["stamp"]) or "").strip() != digest
    result = {
        "changed": bool(differ or behind),
        "digest": digest,
        "diff": [
            {
                "before_header": path,
                "after_header": path,
                "before": before[path] or "",
                "after": files[path],
            }
            for path in differ
        ],
    }
    if result["changed"] and not module.check_mode:
        for path in differ:
            write(path, files[path])
        result["said"] = try_all(module, {path: before[path] for path in differ})
        for line in result["said"]:
            module.warn(line)
    module.exit_json(**result)


def try_all(module, before):
    """Run every test; when one fails, put back what was there and end the module with its words."""
    said = []
    for argv in module.params["tests"]:
        status, out, err = module.run_command([str(word) for word in argv])
        words = [line for line in (out + err).splitlines() if line.strip()]
        if status != 0:
            for path, text in before.items():
                restore(path, text)
            module.fail_json(
                msg=f"{argv[0]} refuses the files, and what was there before is back:\n"
                + "\n".join(words[-20:])
                + f"\nWhat to do: {module.params['remedy']}",
                rc=status,
            )
        if module.params["warnings"]:
            said += [line for line in words if re.search(module.params["warnings"], line)]
    return said


def digest_of(files, others):
    """A digest of these texts and of what is in those files now."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path}\0{files[path]}\0".encode())
    for path in sorted(others):
        total.update(f"{path}\0".encode())
        if os.path.exists(path):
            with open(path, "rb") as file:
                total.update(hashlib.sha256(file.read()).digest())
    return total.hexdigest()


def read(path):
    """The text of a file; None if there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return None


def write(path, text):
    """The whole file or nothing of it, for all to read."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=folder, prefix=".slurmhub-")
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def restore(path, text):
    """What was there before: this text, or no file."""
    if text is None:
        os.unlink(path)
    else:
        write(path, text)


if __name__ == "__main__":
    main()
