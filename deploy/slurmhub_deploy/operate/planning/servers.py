"""How many servers of a hub run now, as the hub itself counts them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

from slurmhub_deploy.operate.reaching import ssh_argv
from slurmhub_deploy.operate.site_file import OpenSite
from slurmhub_deploy.site.hub_config import hub_config

_TIMEOUT = 30.0
# Sent on stdin with what it needs: nothing secret is on a command line there.
_PROGRAM = """
import urllib.request
request = urllib.request.Request(ASKED["url"], headers={"Authorization": "token " + ASKED["token"]})
with urllib.request.urlopen(request, timeout=10) as answer:
    for line in answer.read().decode().splitlines():
        if line.startswith("jupyterhub_running_servers "):
            print(int(float(line.split()[1])))
"""


def running_servers(opened: OpenSite, name: str, secrets: Mapping[str, str]) -> int | None:
    """The running servers of this hub; None if it does not say, as where there is none yet."""
    host = opened.host(opened.site.hubs[name].host)
    token = secrets.get(f"metrics_token.{name}", "")
    asked = json.dumps({"url": metrics_url(opened, name), "token": token})
    argv = ssh_argv(host, ["/usr/bin/python3", "-I", "-"], terminal=False, become=False)
    try:
        ran = subprocess.run(
            argv,
            input=f"ASKED = {asked}\n{_PROGRAM}",
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        return int(ran.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None


def metrics_url(opened: OpenSite, name: str) -> str:
    """Where the hub tells Prometheus of itself, as seen on its own host."""
    settings = hub_config(opened.site, name)["settings"]
    return f"{settings['JupyterHub.hub_bind_url']}{settings['JupyterHub.base_url']}hub/metrics"
