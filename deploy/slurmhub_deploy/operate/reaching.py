"""How a host of the site is reached with ssh, from its variables in the inventory.

The same words as Ansible's own ssh connection has them (`ansible_host`, `ansible_port`,
`ansible_user`, `ansible_ssh_common_args`, `ansible_become`), so that a verb and a play cannot
reach different machines. Host keys are always checked.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slurmhub_deploy.operate.errors import OperateError

NOT_REACHED = 255
"""The exit status of ssh(1) when it is its own and not the command's."""
_TIMEOUT = 10
_SECONDS = 60

Run = Callable[[list[str], str], "subprocess.CompletedProcess[str]"]


def ssh_argv(
    host: Mapping[str, Any],
    command: Sequence[str] = (),
    *,
    terminal: bool | None = None,
    ask: bool = False,
    become: bool = True,
) -> list[str]:
    """The argv of ssh(1) for this host: `command` there, or a login shell.

    `terminal` asks for a terminal there (-t) or for none (-T); `ask` lets ssh ask the person, who
    is at a terminal then, for a password or whether a new host key is the right one. A command
    runs as root, where the account is another one by sudo, unless `become` is False.
    """
    argv = ["ssh", "-o", f"ConnectTimeout={_TIMEOUT}", "-o", "ServerAliveInterval=15"]
    if not ask:
        argv += ["-o", "BatchMode=yes"]
    argv += shlex.split(str(host.get("ansible_ssh_common_args", "")))
    if "ansible_port" in host:
        argv += ["-p", str(host["ansible_port"])]
    if "ansible_user" in host:
        argv += ["-l", str(host["ansible_user"])]
    if terminal is not None:
        argv.append("-t" if terminal else "-T")
    argv += ["--", str(host["ansible_host"])]
    if command:
        words = [*as_root(host, ask=ask), *command] if become else list(command)
        # ssh joins what it is given with spaces and hands that to a shell there.
        argv.append(shlex.join(words))
    return argv


def as_root(host: Mapping[str, Any], *, ask: bool = False) -> list[str]:
    """What stands before a command so that it runs as root there."""
    if not host.get("ansible_become"):
        return []
    return ["sudo", "--"] if ask else ["sudo", "-n", "--"]


def run_there(argv: list[str], text: str) -> subprocess.CompletedProcess[str]:
    """Run an argv of `ssh_argv` with `text` on its stdin. Raises OperateError after a minute."""
    try:
        return subprocess.run(
            argv, input=text, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except FileNotFoundError as error:
        raise OperateError(
            "There is no ssh on this machine.", remedy="Install the package openssh-client."
        ) from error
    except subprocess.TimeoutExpired as error:
        host = argv[argv.index("--") + 1]
        raise OperateError(
            f"{host} did not answer in {_SECONDS} seconds.", remedy="Try again."
        ) from error
