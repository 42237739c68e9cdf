"""The process that holds a fleet for somebody at a terminal, and what it is asked (unix(7))."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

from tests.lab.fleet.client import SOCKET, log_of
from tests.lab.fleet.fleet import GIBIBYTE, Fleet, fleet

_KEEP_PACKAGES_EVERY = 15.0


def hold(name: str, tell: int) -> None:
    """Be that process."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Whoever asks for the end sees the line end when all is down.
    with (
        contextlib.ExitStack() as farewell,
        fleet(name) as held,
        socket.socket(socket.AF_UNIX) as door,
    ):
        farewell.enter_context(_serve(held, door, tell))
    log_of(name).unlink(missing_ok=True)


def _serve(held: Fleet, door: socket.socket, tell: int) -> socket.socket:
    """Do what is asked until somebody asks for the end; the line on which they wait."""
    door.bind(str(held.folder / SOCKET))
    door.listen()
    door.settimeout(_KEEP_PACKAGES_EVERY)
    os.write(tell, b"up")
    os.close(tell)
    while True:
        try:
            line, _ = door.accept()
        except TimeoutError:
            for host in held.hosts.values():
                host.keep_packages()
            continue
        line.settimeout(None)
        with line.makefile() as asked:
            request = json.loads(asked.readline())
        if request["what"] == "down":
            return line
        with line:
            _answer(line, held, request)


def _answer(line: socket.socket, held: Fleet, request: dict[str, Any]) -> None:
    try:
        answer = {"said": _ACTIONS[request.pop("what")](held, **request)}
    except Exception:
        answer = {"failed": traceback.format_exc()}
    line.sendall(json.dumps(answer).encode())


def _add(held: Fleet, hosts: list[str], disks: dict[str, list[str]], online: bool) -> str:
    for disk in {each for given in disks.values() for each in given}:
        label, _, size = disk.partition(":")
        held.disk(label, int(size or 2) * GIBIBYTE)
    for host in hosts:
        labels = [each.partition(":")[0] for each in disks.get(host, [])]
        held.add(host, disks=labels, online=online, wait=False)
    held.wait_started()
    return _show(held)


def _show(held: Fleet) -> str:
    access = held.access
    lines = [f"{host.address}  {name}" for name, host in held.hosts.items()]
    lines += [
        "",
        f"folder      {held.folder}",
        f"ssh         ssh -F {access.config} HOST   (account debian, sudo without a password)",
        f"network     {' '.join(held.within)} COMMAND",
        f"inventory   ansible-playbook -i {access.inventory} -i YOURS playbooks/site.yml",
        f"site file   ssh: {{config: {access.config}}}",
    ]
    return "\n".join(lines)


def _facts(held: Fleet) -> str:
    return json.dumps(
        {
            "folder": str(held.folder),
            "hosts": {name: host.address for name, host in held.hosts.items()},
            "ssh_config": str(held.access.config),
            "within": held.within,
        }
    )


def _command(held: Fleet, host: str, argv: list[str]) -> str:
    return json.dumps(held.hosts[host].command(*argv))


def _remove(held: Fleet, host: str) -> str:
    held.remove(host)
    return f"{host} is gone."


def _reboot(held: Fleet, host: str) -> str:
    held.hosts[host].reboot()
    return f"{host} has started again."


def _off(held: Fleet, host: str) -> str:
    held.hosts[host].power_off(in_order=False)
    return f"{host} is off; its plug was pulled."


def _on(held: Fleet, host: str) -> str:
    held.hosts[host].power_on()
    held.hosts[host].wait_started()
    return f"{host} is on."


_ACTIONS: dict[str, Callable[..., str]] = {
    "add": _add,
    "show": _show,
    "facts": _facts,
    "command": _command,
    "remove": _remove,
    "reboot": _reboot,
    "off": _off,
    "on": _on,
}
