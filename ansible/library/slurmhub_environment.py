#!/usr/bin/python
"""Has a Python environment be there by a lock, beside the ones before it, and a link to it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_environment
short_description: A virtual environment by a lock, whole or not at all
description:
  - Makes an environment in a folder of its own, C(PATH-DIGEST), from a lock with hashes and from
    wheels, and leads the link O(path) to it when it is whole and imports what it must.
  - What runs from an earlier environment keeps its files. Those that nothing runs from are removed,
    but for the one before, so that there is one to go back to.
  - A folder that an interrupted run left is made anew.
options:
  path:
    description: The link, by which the environment is known.
    type: path
    required: true
  digest:
    description: A name for the lock and the wheels together; another one is another environment.
    type: str
    required: true
  lock:
    description: The lock on the host, in pip's format, with hashes.
    type: path
    required: true
  wheels:
    description: Wheels on the host that are put in beside, without what they depend on.
    type: list
    elements: path
    default: []
  find_links:
    description: Folder of wheels on the host to take packages from, and from nowhere else.
    type: path
  python:
    description: The Python that it is made with.
    type: path
    default: /usr/bin/python3
  imports:
    description: What must be importable in it.
    type: list
    elements: str
    default: []
  seconds:
    description: For how long pip may take.
    type: int
    default: 1800
author: [slurmhub]
attributes:
  check_mode:
    description: Says whether it would make one or lead the link elsewhere.
    support: full
"""

EXAMPLES = r"""
- name: Have the hub's environment
  slurmhub_environment:
    path: /opt/slurmhub/hub
    digest: 0123456789abcdef
    lock: /opt/slurmhub/delivery/hub.lock
    wheels: [/opt/slurmhub/delivery/slurmhub-1.0-py3-none-any.whl]
    imports: [jupyterhub, slurmhub]
"""

RETURN = r"""
folder:
  description: The environment itself.
  returned: always
  type: str
before:
  description: Where the link led before; empty if there was none.
  returned: always
  type: str
removed:
  description: Environments that were removed.
  returned: always
  type: list
  elements: str
"""

import os  # noqa: E402 - Ansible wants the documentation first
import re  # noqa: E402
import shutil  # noqa: E402
import subprocess  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

DIGEST = re.compile(r"[0-9a-f]{8,64}")
WHOLE = ".slurmhub-whole"
SHORT_SECONDS = 60


class Wrong(Exception):
    """What cannot be done, and what to do about it."""


def version_of(python: str) -> str:
    """Which Python it is, such as 3.11: packages of one do not serve another."""
    line = "import sys; print('%d.%d' % sys.version_info[:2])"
    return run([python, "-I", "-c", line], SHORT_SECONDS).strip()


def run(argv: list[str], seconds: int) -> str:
    """A program's output. Raises Wrong."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=seconds, env=env, umask=0o022
        )
    except FileNotFoundError as error:
        raise Wrong(f"{argv[0]} is not there.") from error
    except subprocess.TimeoutExpired as error:
        raise Wrong(f"{argv[0]} took longer than {seconds} s.") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise Wrong(f"{' '.join(argv[:4])} failed: {said}")
    return done.stdout


def led_to(path: str) -> str:
    """Where the link leads; empty if it is not there. Raises Wrong."""
    if os.path.islink(path):
        return os.path.join(os.path.dirname(path), os.readlink(path))
    if os.path.exists(path):
        raise Wrong(
            f"{path} is there and no link: it is somebody else's, and stays. Move it away, or name"
            " another path."
        )
    return ""


def make(folder: str, params: dict) -> None:
    """Make the environment in its folder. Raises Wrong."""
    # What is there without the mark is what an interrupted run left.
    shutil.rmtree(folder, ignore_errors=True)
    run([params["python"], "-m", "venv", folder], params["seconds"])
    python = f"{folder}/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    if params["find_links"]:
        pip += ["--no-index", f"--find-links={params['find_links']}"]
    run([*pip, "--require-hashes", "--requirement", params["lock"]], params["seconds"])
    if params["wheels"]:
        run([*pip, *params["wheels"]], params["seconds"])
    for name in params["imports"]:
        run([python, "-I", "-c", f"import {name}"], SHORT_SECONDS)
    run(["chmod", "-R", "u=rwX,go=rX", folder], SHORT_SECONDS)
    with open(f"{folder}/{WHOLE}", "w", encoding="utf-8") as mark:
        mark.write("# Written by slurmhub when this environment was whole.\n")


def lead(path: str, folder: str) -> None:
    """Have the link lead to the folder, from one moment to the next."""
    new = f"{path}.new"
    if os.path.lexists(new):
        os.unlink(new)
    os.symlink(os.path.basename(folder), new)
    os.replace(new, path)


def in_use(folder: str, proc: str = "/proc") -> bool:
    """Whether a process runs from it: by its command line, or by what it has in memory."""
    wanted = f"{folder}/".encode()
    for entry in os.listdir(proc):
        if not entry.isdigit():
            continue
        for name in ("cmdline", "maps"):
            try:
                with open(f"{proc}/{entry}/{name}", "rb") as file:
                    if wanted in file.read():
                        return True
            except OSError:
                # It has ended meanwhile.
                continue
    return False


def spare(path: str, keep: set) -> list:
    """Environments of this path that may go, those that are not kept and that nothing runs from."""
    parent, name = os.path.split(path)
    pattern = re.compile(rf"{re.escape(name)}-[0-9.]+-[0-9a-f]+")
    found = [
        f"{parent}/{each}"
        for each in os.listdir(parent)
        if pattern.fullmatch(each) and f"{parent}/{each}" not in keep
    ]
    found.sort(key=os.path.getmtime)
    return [each for each in found if not in_use(each)]


def act(params: dict, check_mode: bool) -> dict:
    """Do it; what the module answers. Raises Wrong."""
    path = params["path"]
    if not os.path.isabs(path) or not DIGEST.fullmatch(params["digest"]):
        raise Wrong("path must be absolute, and digest hexadecimal digits.")
    before = led_to(path)
    try:
        version = version_of(params["python"])
    except Wrong:
        if not check_mode:
            raise
        # A check of a host on which it is not yet installed.
        version = "3"
    folder = f"{path}-{version}-{params['digest']}"
    whole = os.path.exists(f"{folder}/{WHOLE}")
    result = {"changed": not whole or before != folder, "folder": folder, "before": before}
    result["diff"] = {"before": f"{before}\n" if before else "", "after": f"{folder}\n"}
    result["removed"] = []
    if check_mode or not result["changed"]:
        return result
    if not whole:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        make(folder, params)
    lead(path, folder)
    keep = {folder, before}
    for each in spare(path, keep):
        shutil.rmtree(each)
        result["removed"].append(each)
    return result


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "digest": {"type": "str", "required": True},
            "lock": {"type": "path", "required": True},
            "wheels": {"type": "list", "elements": "path", "default": []},
            "find_links": {"type": "path"},
            "python": {"type": "path", "default": "/usr/bin/python3"},
            "imports": {"type": "list", "elements": "str", "default": []},
            "seconds": {"type": "int", "default": 1800},
        },
        supports_check_mode=True,
    )
    try:
        result = act(module.params, module.check_mode)
    except Wrong as wrong:
        module.fail_json(msg=str(wrong))
    except OSError as error:
        module.fail_json(msg=f"{error}. Is there room on the disk? df -h {module.params['path']}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
