"""A small site on one host: Debian's Slurm, and JupyterHub as the operators' page sets it up."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab.host import Host
from tests.rig.checkout import PROJECT, copy_checkout
from tests.rig.docs import Page
from tests.rig.hub import PASSWORD, free_port, news_of, until

PAGE = PROJECT / "docs/operators/spawner.md"
STUB = PROJECT / "tests/rig/stub_server.py"
PEOPLE = ("alice", "bob", "carol", "dave", "erin")
_PACKAGES = (
    *("slurmctld", "slurmd", "slurm-client", "munge", "sudo", "openssl"),
    *("python3-venv", "nodejs", "npm"),
)


def is_for_a_host(line: str) -> bool:
    """Whether a command of the page is one that an operator gives on the hub's host."""
    return line.startswith(("install ", "echo ", "slurmhub helper ", "systemctl "))


@dataclass
class Site:
    """The host's hub, as a person meets it; tests.rig.hub.Visitor takes it for a hub."""

    host: Host
    url: str = "http://127.0.0.1:8000"

    @property
    def log(self) -> str:
        """All that hub and proxy have said."""
        return self.host.run("journalctl", "--no-pager", "--unit=jupyterhub*", "--output=cat")

    @property
    def news(self) -> str:
        """The end of it."""
        return news_of(self.log)

    def install(self) -> None:
        """Everything that the page tells an operator to do, in its order."""
        host = self.host
        host.run("apt-get", "update", "-q")
        host.run("apt-get", "install", "-qy", "--no-install-recommends", *_PACKAGES)
        self._accounts()
        self._slurm()
        self._programs()
        self._configure()

    def _accounts(self) -> None:
        self.host.run(
            "useradd", "--system", "--create-home", "--home=/srv/jupyterhub", "jupyterhub"
        )
        self.host.run("groupadd", "students")
        for name in PEOPLE:
            self.host.run(
                "useradd", "--create-home", "--groups=students", "--shell=/bin/bash", name
            )

    def _slurm(self) -> None:
        name = self.host.run("hostname").strip()
        ports = {"controller": free_port(), "node": free_port()}
        self.host.write("/etc/slurm/slurm.conf", _SLURM_CONF.format(name=name, **ports))
        self.host.run("systemctl", "enable", "--now", "munge", "slurmctld", "slurmd")

    def _programs(self) -> None:
        host = self.host
        copy_checkout(host.root / "root/slurmhub")
        host.run("python3", "-m", "venv", "/opt/jupyterhub")
        pip = ("/opt/jupyterhub/bin/pip", "install", "-qq", "--disable-pip-version-check")
        # The versions of the lock, so that the run is the same tomorrow.
        host.run(
            *pip, "--no-deps", "--require-hashes", "-r", "/root/slurmhub/requirements/hub.lock"
        )
        host.run("sh", "-c", f"cd /root/slurmhub && {' '.join(pip)} '.[deploy]'")
        host.run("install", "-d", "/opt/proxy")
        host.run("sh", "-c", "cp /root/slurmhub/package*.json /opt/proxy")
        host.run("npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--prefix=/opt/proxy")

    def _configure(self) -> None:
        host, page = self.host, Page(PAGE, PAGE.read_text())
        host.write("/opt/stub_server.py", STUB.read_text())
        host.write("/etc/jupyterhub/jupyterhub_config.py", _HUB_CONFIG)
        proxy, hub = (block.text for block in page.blocks("ini") if "[Service]" in block.text)
        host.write("/etc/systemd/system/jupyterhub-proxy.service", proxy)
        host.write("/etc/systemd/system/jupyterhub.service", hub)
        for block in page.blocks("sh"):
            for line in block.text.splitlines():
                if is_for_a_host(line):
                    host.run("sh", "-c", f"PATH=/opt/jupyterhub/bin:$PATH; {line}")
        until(self.answers, what="the hub")

    def start(self) -> None:
        """Hub and proxy run, now and after a reboot."""
        self.host.run("systemctl", "enable", "--now", "jupyterhub-proxy", "jupyterhub")
        until(self.answers, what="the hub")

    def stop(self) -> None:
        """They do not run any more."""
        self.host.run("systemctl", "disable", "--now", "jupyterhub", "jupyterhub-proxy")

    def answers(self) -> bool:
        """Whether the hub does, through its proxy."""
        said = self.host.run(
            *("python3", "-c"),
            f"import urllib.request as r; print(r.urlopen({self.url + '/hub/api/'!r}).status)",
            check=False,
        )
        return said.strip() == "200"

    def submissions_take(self, seconds: float) -> None:
        """From now on sbatch takes its time before it does its work."""
        # Under its own name: Slurm's commands look at how they are called.
        own = self.host.root / "usr/libexec/slurm/sbatch"
        if not own.exists():
            own.parent.mkdir(parents=True)
            (self.host.root / "usr/bin/sbatch").rename(own)
        wrapper = f'#!/bin/sh\nsleep {seconds}\nexec /usr/libexec/slurm/sbatch "$@"\n'
        self.host.write("/usr/bin/sbatch", wrapper, mode=0o755)

    def jobs(self, states: str = "") -> dict[int, str]:
        """Each job of the queue and its owner's name."""
        chosen = [f"--states={states}"] if states else []
        lines = self.host.run("squeue", "--noheader", "--format=%i %u", *chosen).splitlines()
        return {int(line.split()[0]): line.split()[1] for line in lines}


_SLURM_CONF = """
ClusterName=lab
SlurmctldHost={name}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=slurm
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0
NodeName={name} NodeAddr=127.0.0.1 Port={node} CPUs=4 RealMemory=4000
PartitionName=short Nodes=ALL Default=YES MaxTime=1-0
"""

_HUB_CONFIG = f"""
import slurmhub

slurmhub.configure(c)
c.Spawner.cmd = ["/usr/bin/python3", "/opt/stub_server.py"]
c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
c.SlurmHubSpawner.ledger_url = "sqlite:////srv/jupyterhub/slurmhub.sqlite"
c.SlurmHubSpawner.key_file = "/srv/jupyterhub/slurmhub_key"
c.SlurmHubSpawner.max_time = "12:00:00"
c.SlurmHubSpawner.submit_timeout = 20
# What each person's server is like: one is slow to begin, one slow to end.
c.SlurmHubSpawner.environment = {{
    "STUB_LISTENS_AFTER": lambda spawner: "12" if spawner.user.name == "carol" else "0",
    "STUB_SAVES_FOR": lambda spawner: "12" if spawner.user.name == "dave" else "0",
}}
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {PASSWORD!r}
c.Authenticator.allow_all = True
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 1, "slow_stop_timeout": 1}}
"""
