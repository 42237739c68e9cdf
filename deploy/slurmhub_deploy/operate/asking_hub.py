"""Asking a hub's REST interface, from its own host, as the service that is the operators'.

The token stays there: a small program of the standard library goes over ssh, reads it as root, asks
the hub at its own address, and prints the answer. docs: JupyterHub's "REST API", "Services".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slurmhub_deploy.operate.errors import OperateError
from slurmhub_deploy.operate.reaching import NOT_REACHED, Run, run_there, ssh_argv
from slurmhub_deploy.operate.site_file import OpenSite
from slurmhub_deploy.site.hub_config import OPERATORS

_THERE = """
import json, sys, urllib.error, urllib.request
asked = json.load(sys.stdin)
with open(asked["token_file"]) as file:
    token = file.read().strip()
request = urllib.request.Request(
    asked["url"],
    method=asked["method"],
    data=None if asked["body"] is None else json.dumps(asked["body"]).encode(),
    headers={"Authorization": "token " + token, "Content-Type": "application/json"},
)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(request, timeout=30) as answer:
        found = {"status": answer.status, "body": answer.read().decode()}
except urllib.error.HTTPError as error:
    found = {"status": error.code, "body": error.read().decode(errors="replace")}
except OSError as error:
    found = {"status": 0, "body": str(error)}
print(json.dumps(found))
"""


@dataclass(frozen=True)
class HubAnswer:
    """What a hub answered: its status, and the JSON of the body, None if there is none."""

    status: int
    data: Any


def ask_hub(
    opened: OpenSite,
    name: str,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    run: Run | None = None,
) -> HubAnswer:
    """Ask a hub for `path` below its `hub/api/`. Raises OperateError for anything but success."""
    hub = opened.site.hubs[name]
    data = opened.inventory["all"]["vars"]["slurmhub_hubs"][name]["config"]
    settings = data["settings"]
    asked = {
        "url": f"{settings['JupyterHub.hub_bind_url']}{hub.base_url}hub/api/{path}",
        "method": method,
        "body": body,
        "token_file": data["services"][OPERATORS]["token_file"],
    }
    argv = ssh_argv(opened.host(hub.host), ["/usr/bin/python3", "-I", "-c", _THERE], terminal=False)
    done = (run or run_there)(argv, json.dumps(asked))
    if done.returncode != 0:
        what = "could not be reached" if done.returncode == NOT_REACHED else "could not ask it"
        raise OperateError(
            f"{hub.host}, the host of the hub {name}, {what}: {_last_line(done.stderr)}.",
            remedy=f"slurmhub ssh {hub.host}, and slurmhub up if the hub is not there yet.",
        )
    return _answer(name, json.loads(done.stdout))


def _answer(name: str, found: Mapping[str, Any]) -> HubAnswer:
    status, text = int(found["status"]), str(found["body"])
    if status == 0:
        raise OperateError(
            f"The hub {name} does not answer on its host: {text}.", remedy="slurmhub logs hub"
        )
    try:
        data = json.loads(text) if text else None
    except ValueError:
        data = None
    if status >= 400:
        said = data.get("message") if isinstance(data, dict) else None
        raise OperateError(
            f"The hub {name} refused: {said or text[:300]} (status {status}).",
            remedy="Correct what it says; if it is the token (403), run 'slurmhub up'.",
        )
    return HubAnswer(status, data)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].rstrip(".") if lines else "it said nothing"
