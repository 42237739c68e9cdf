"""What is compared: hubs that differ in their spawner, and in the environment of the jobs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.bench.environments import Environments
from tests.rig.hub import PASSWORD, HubUnderTest

PROXY_TOKEN = "proxy-token-of-a-test"


@dataclass(frozen=True)
class Arm:
    """One way of starting a server: what it is called, and the lines of its hub's configuration.

    `code` is where the hub finds a package that its environment does not hold.
    """

    title: str
    settings: str
    code: Path | None = None


@dataclass(frozen=True)
class Series:
    """Arms that are run in turn; the first is ours, the second the peer as shipped.

    `expected` is the highest ratio of the first to the second that is good enough.
    """

    title: str
    arms: tuple[Arm, ...]
    rounds: int
    expected: float


class BenchHub(HubUnderTest):
    """A hub with the settings of one arm and with JupyterHub's own defaults for the rest."""

    def start(self) -> None:
        """Write the configuration, start proxy and hub, return when it answers."""
        # batchspawner runs Slurm's commands as the person, in the folder that the hub runs in.
        self.folder.chmod(0o755)
        common = _COMMON.format(
            url=self.url,
            hub_port=self.hub_port,
            proxy_port=self.proxy_port,
            proxy_token=PROXY_TOKEN,
            password=PASSWORD,
        )
        (self.folder / "jupyterhub_config.py").write_text(common + self.settings)
        self.start_proxy()
        self.start_hub()


def stub_series(cluster: EmbeddedCluster, made: Environments, stub: Path, *, rounds: int) -> Series:
    """Servers that do nothing: what the spawner itself takes."""
    return Series(
        "stub server",
        (
            Arm("slurmhub", _ours(cluster, (str(stub),)), made.slurmhub),
            Arm("batchspawner as shipped", _peer(cluster, made.wrapper, (str(stub),))),
        ),
        rounds,
        expected=0.5,
    )


def lab_series(cluster: EmbeddedCluster, made: Environments, *, rounds: int) -> Series:
    """Real servers: what a person waits for."""
    return Series(
        "JupyterLab",
        (
            Arm(
                "slurmhub, its own environment",
                _ours(cluster, made.ours.command),
                made.slurmhub,
            ),
            Arm(
                "batchspawner as shipped, plain environment",
                _peer(cluster, made.wrapper, made.plain_command),
            ),
            Arm(
                "batchspawner, slurmhub's environment",
                _peer(cluster, made.wrapper_of_ours, made.ours.command),
            ),
        ),
        rounds,
        expected=0.6,
    )


def _ours(cluster: EmbeddedCluster, command: tuple[str, ...]) -> str:
    return f"""
import slurmhub

slurmhub.configure(c)
c.SlurmHubSpawner.slurm_conf = {str(cluster.conf)!r}
c.SlurmHubSpawner.slurm_bin_dir = {str(cluster.bin_dir)!r}
c.Spawner.cmd = {list(command)!r}
"""


def _peer(cluster: EmbeddedCluster, wrapper: Path, command: tuple[str, ...]) -> str:
    """batchspawner with its own defaults and what it cannot run without here.

    That is: which Slurm, where its nodes are, and the whole paths of its programs.
    """
    nodes = {node.name: node.address for node in cluster.plan.nodes}
    return f"""
import os

from batchspawner.api import BatchSpawnerAPIHandler
from jupyterhub.apihandlers import default_handlers

# In an environment that also has slurmhub, JupyterHub imports it, and this is taken away.
handler = (r"/api/batchspawner", BatchSpawnerAPIHandler)
if handler not in default_handlers:
    default_handlers.append(handler)
os.environ["SLURM_CONF"] = {str(cluster.conf)!r}
c.JupyterHub.spawner_class = "batchspawner.MultiSlurmSpawner"
c.MultiSlurmSpawner.daemon_resolver = {nodes!r}
c.BatchSpawnerBase.batchspawner_singleuser_cmd = {str(wrapper)!r}
c.Spawner.environment = {{"SLURM_CONF": {str(cluster.conf)!r}}}
c.Spawner.cmd = {list(command)!r}
"""


_COMMON = """
c.JupyterHub.bind_url = "{url}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.auth_token = "{proxy_token}"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "{password}"
c.Authenticator.allow_all = True
# The request for a server is answered at once, so that who asked can watch it start.
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
"""
