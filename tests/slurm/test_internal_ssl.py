"""JupyterHub's internal_ssl: every hop is encrypted and both ends show a certificate."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import requests

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.conftest import HubMaker
from tests.rig.queue import clear

SETTINGS = """
c.JupyterHub.internal_ssl = True
c.JupyterHub.internal_certs_location = "certificates"
c.JupyterHub.hub_bind_url = c.JupyterHub.hub_bind_url.replace("http:", "https:")
c.ConfigurableHTTPProxy.should_start = True
c.ConfigurableHTTPProxy.api_url = c.ConfigurableHTTPProxy.api_url.replace("http:", "https:")
c.ConfigurableHTTPProxy.command = {command!r}
"""


def test_a_server_under_internal_ssl(
    make_hub: HubMaker, cluster: EmbeddedCluster, proxy_command: list[str], ground: Path
) -> None:
    hub = make_hub(cluster, SETTINGS.format(command=proxy_command), own_proxy=True)
    alice = hub.visitor("alice")
    try:
        alice.start(partition="cpu", hours=1)
        alice.wait_ready()
        assert alice.asks_server()["node"] in ("n1", "n2")
        script = alice.get("/hub/slurmhub/script/alice").text
        assert "PRIVATE KEY" not in script
        target = _listening(hub.log)
        assert target.startswith("https://127.0.1.")
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(target.replace("https:", "http:"), timeout=5)
        with pytest.raises(requests.exceptions.SSLError):
            # Without the hub's certificate the server does not even speak.
            requests.get(target, timeout=5, verify=False)  # noqa: S501
    finally:
        alice.stop()
        clear(cluster)
    assert not subprocess.run(
        ["grep", "-rl", "PRIVATE KEY", str(ground / "home")], check=False, capture_output=True
    ).stdout


def _listening(log: str) -> str:
    line = next(line for line in log.splitlines() if "Adding user alice to proxy" in line)
    return line.rpartition("=> ")[2].strip()
