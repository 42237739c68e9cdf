"""The demo's hub and its proxy: configuration text, and the two processes."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slurmhub_deploy.cluster import EmbeddedCluster
from slurmhub_deploy.daemon import Daemon
from slurmhub_deploy.demo import courses
from slurmhub_deploy.demo.accounts import PEOPLE
from slurmhub_deploy.demo.places import Places

ADDRESS = "127.0.0.1"
# Below those that Slurm's daemons take, and below those the kernel gives to clients.
_SERVER_PORTS = (15000, 19999)


@dataclass(frozen=True)
class HubPlan:
    """What the hub's configuration says."""

    port: int
    hub_port: int
    proxy_api_port: int
    singleuser: tuple[str, ...]
    launcher_python: str
    own_accounts: bool
    """Whether each person has a Unix account; else every job is of the account that runs this."""
    courses_port: int
    public_port: int | None = None
    """The port of the front that stands before the proxy, with Shibboleth."""

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.port}"


def configuration(
    plan: HubPlan,
    places: Places,
    cluster: EmbeddedCluster,
    instead: Mapping[str, object] | None = None,
) -> str:
    """jupyterhub_config.py, with these settings instead of the usual ones. It holds no secret."""
    settings: dict[str, object] = {
        "JupyterHub.bind_url": plan.url,
        "JupyterHub.hub_bind_url": f"http://{ADDRESS}:{plan.hub_port}",
        "JupyterHub.hub_connect_url": f"http://{ADDRESS}:{plan.hub_port}",
        "JupyterHub.allow_named_servers": True,
        "JupyterHub.spawner_class": "slurmhub",
        "JupyterHub.authenticator_class": "slurmhub_deploy.demo.signin.DemoAuthenticator",
        "DemoAuthenticator.password_file": str(places.hub / "passwords.json"),
        "Authenticator.allowed_users": set(PEOPLE),
        "Authenticator.admin_users": {"operator"},
        "ConfigurableHTTPProxy.should_start": False,
        "ConfigurableHTTPProxy.api_url": f"http://{ADDRESS}:{plan.proxy_api_port}",
        "Spawner.cmd": list(plan.singleuser),
        "Spawner.default_url": "/lab",
        "SlurmHubSpawner.slurm_conf": str(cluster.conf),
        "SlurmHubSpawner.slurm_bin_dir": str(cluster.bin_dir),
        "SlurmHubSpawner.port_range": _SERVER_PORTS,
        "SlurmHubSpawner.prologue": bind_to_node(cluster),
        "SlurmHubSpawner.launcher_python": plan.launcher_python,
        "SlurmHubSpawner.profiles": _PROFILES,
        "SlurmHubSpawner.files_page": True,
    }
    # With Shibboleth the hub knows people by their Unix accounts, and takes their groups from it.
    with_course = plan.public_port is None
    if with_course:
        settings |= courses.hub_settings(places)
    settings |= instead or {}
    lines = ["# Written at each start of the demo.", "import slurmhub", "", "slurmhub.configure(c)"]
    lines += [f"c.{name} = {value!r}" for name, value in settings.items()]
    if with_course:
        lines += courses.hub_lines(plan.courses_port)
        lines += ["", *(_ACCOUNTS if plan.own_accounts else _ONE_ACCOUNT)]
    return "\n".join(lines).replace("HOMES", repr(str(places.homes))) + "\n"


def bind_to_node(cluster: EmbeddedCluster) -> str:
    """Shell lines that make a server listen on the address of its own node, as on real ones."""
    cases = [
        f"    {node.name}) export SLURMHUB_BIND_ADDRESS={node.address} ;;"
        for node in cluster.plan.nodes
    ]
    return "\n".join(['case "$SLURMD_NODENAME" in', *cases, "esac"])


_PROFILES = [
    {
        "name": "course-lab",
        "title": {"en": "Course lab", "fr": "Laboratoire de cours"},
        "words": {
            "en": "For the exercises of a course.",
            "fr": "Pour les exercices du cours.",
        },
        "picture": "course",
        "fields": {
            "partition": "cpu",
            "cpus": 2,
            "memory": "4G",
            "hours": {"min": 0.5, "max": 4, "default": 2},
        },
    },
    {
        "name": "one-gpu",
        "title": {"en": "One GPU, two hours", "fr": "Un GPU, deux heures"},
        "words": {
            "en": "For training a small model.",
            "fr": "Pour entraîner un petit modèle.",
        },
        "picture": "gpu",
        "fields": {"partition": "gpu", "gpus": 1, "cpus": 4, "memory": "8G", "hours": 2},
    },
]

_ACCOUNTS = [
    "from slurmhub_deploy.demo.accounts import account_of",
    "",
    "c.SlurmHubSpawner.unix_account = account_of",
]

# The person's own account runs every job, so each of the demo's people gets a home apart: the
# person's real home stays as it was.
_ONE_ACCOUNT = [
    "import getpass",
    "import shlex",
    "from pathlib import Path",
    "",
    "c.SlurmHubSpawner.unix_account = lambda _name: getpass.getuser()",
    "c.SlurmHubSpawner.log_file = HOMES + '/jupyter-%j.log'",
    "own_account_prologue = c.SlurmHubSpawner.prologue",
    "",
    "",
    "def home_apart(spawner):",
    "    home = Path(HOMES, spawner.user.name)",
    "    home.mkdir(mode=0o700, exist_ok=True)",
    "    spawner.working_directory = str(home)",
    "    lines = [own_account_prologue, f'export HOME={shlex.quote(str(home))}']",
    "    lines.append('unset XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR')",
    "    spawner.prologue = '\\n'.join(lines)",
    "",
    "",
    "c.Spawner.pre_spawn_hook = home_apart",
]


def hub_daemon(places: Places, python: Path) -> Daemon:
    """The hub's process."""
    argv = (str(python), "-m", "jupyterhub", "--config", str(places.hub / "jupyterhub_config.py"))
    return _daemon("hub", argv, places)


def proxy_daemon(places: Places, command: tuple[str, ...], plan: HubPlan) -> Daemon:
    """The proxy's process, apart from the hub: a hub that starts again disturbs nobody."""
    program = shutil.which(command[0]) or command[0]
    argv = (
        program,
        *command[1:],
        f"--ip={ADDRESS}",
        f"--port={plan.port}",
        f"--api-ip={ADDRESS}",
        f"--api-port={plan.proxy_api_port}",
        f"--default-target=http://{ADDRESS}:{plan.hub_port}",
        f"--error-target=http://{ADDRESS}:{plan.hub_port}/hub/error",
    )
    return _daemon("proxy", argv, places)


def stopped_daemons(places: Places) -> tuple[Daemon, Daemon]:
    """Both, known by their records only: enough to end them."""
    return _daemon("hub", (), places), _daemon("proxy", (), places)


def environment(places: Places, token: str) -> Mapping[str, str]:
    """What hub and proxy are told; their home is the state folder, so the person's stays clean."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(places.hub),
        "CONFIGPROXY_AUTH_TOKEN": token,
    }


def new_token() -> str:
    """The secret between hub and proxy."""
    return secrets.token_hex(32)


def answers(plan: HubPlan) -> bool:
    """Whether the hub answers through its proxy."""
    connection = http.client.HTTPConnection(ADDRESS, plan.port, timeout=2)
    try:
        connection.request("GET", "/hub/api/")
        answer = connection.getresponse()
        return answer.status == 200 and "version" in json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()


def _daemon(name: str, argv: tuple[str, ...], places: Places) -> Daemon:
    folder = places.hub
    return Daemon(
        name, argv, folder / f"{name}.process", folder / f"{name}.log", folder, umask=0o077
    )
