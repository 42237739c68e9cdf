"""What an institution has before it has a hub: machines, names, a sign-in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from slurmhub_deploy.front.tls import make_certificate
from tests.lab.fleet.client import HeldFleet
from tests.lab.idp import DOMAIN as PROVIDER
from tests.lab.idp import PASSWORD, LabProvider

SITE = Path(__file__).parents[1] / "site/site.yml"
HUB = "hub.example.ca"
SECOND = "second.example.ca"
"""The name of a second hub, which has no host yet."""
HOSTS = ("hub", "controller", "compute1", "compute2", "monitor", "idp")
_HOMES = "homes:4"
_WITH_HOMES = ("hub", "controller", "compute1", "compute2")
_SECRETS = {"vault-password": "a-vault-for-tests\n", "probe-password": f"{PASSWORD}\n"}
_ADDRESSES_OF_THE_FILE = "10.77.0."
# The disk is the controller's; that the others have it as well is the institution's own affair.
_MOUNT = """[Unit]
Description=The disk that the lab's hosts share

[Mount]
What=/dev/vdb
Where=/home/people
Type=btrfs
Options=noatime
"""


class Institution:
    """Empty hosts, and a folder in which `slurmhub up` has all that it needs."""

    def __init__(self, folder: Path, fleet: HeldFleet) -> None:
        self.folder = folder
        self.fleet = fleet

    @property
    def provider(self) -> LabProvider:
        """The identity provider."""
        ssh = ["ssh", "-F", str(self.fleet.ssh_config), "idp", "sudo"]
        return LabProvider(ssh, (self.folder / "tls.pem", self.folder / "tls.key"))

    @property
    def names(self) -> Path:
        """A file like /etc/hosts: what the institution's DNS says of hub and provider."""
        return self.folder / "names"

    def within(self, *argv: str | Path) -> list[str]:
        """The words that run a program of this machine where the names lead to the hosts."""
        mount = 'mount --bind "$0" /etc/hosts && exec "$@"'
        shell = ["unshare", "--mount", "sh", "-c", mount, str(self.names)]
        return [*self.fleet.within, *shell, *(str(word) for word in argv)]

    def prepare(self) -> None:
        """Start the hosts, set up the identity provider, and write the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        disks = {host: [_HOMES] for host in _WITH_HOMES}
        self.fleet.add(HOSTS, disks)
        for host in _WITH_HOMES:
            if host != "controller":
                self._mount_homes(host)
        self.fleet.run("compute2", "mkdir", "/srv/gpus")
        for number in range(2):
            # As NVIDIA's driver numbers its devices; nothing answers there.
            device = f"/srv/gpus/{number}"
            self.fleet.run("compute2", "mknod", "-m", "666", device, "c", "195", str(number))
        make_certificate(self.folder, [HUB, SECOND, PROVIDER])
        self.names.write_text("127.0.0.1 localhost\n")
        self.tell_names({HUB: "hub", PROVIDER: "idp"})
        for name, text in _SECRETS.items():
            (self.folder / name).touch(mode=0o600)
            (self.folder / name).write_text(text)
        self._know_hosts()
        network = self.fleet.address("hub").rpartition(".")[0]
        text = SITE.read_text().replace(_ADDRESSES_OF_THE_FILE, f"{network}.")
        (self.folder / "site.yml").write_text(text)
        provider = self.provider
        provider.install()
        (self.folder / "idp-metadata.xml").write_text(provider.metadata())

    def register(self) -> int:
        """Send the hubs' metadata to the identity provider, as after `up`; of how many hubs."""
        found = sorted((self.folder / ".slurmhub/registration").glob("*/sp-metadata.xml"))
        self.provider.trust(file.read_text() for file in found)
        return len(found)

    def add(self, host: str) -> str:
        """Have one more empty host, which has the homes' disk as well; its address."""
        self.fleet.add([host], {host: [_HOMES]})
        self._mount_homes(host)
        known = self.names.read_text().partition("\n")[2]
        text = self.fleet.run(host, "cat", "/etc/hosts")
        self.fleet.write(host, "/etc/hosts", text + known)
        self._know_hosts()
        return self.fleet.address(host)

    def remove(self, host: str) -> None:
        """Give up a host that was added."""
        self.fleet.remove(host)
        self._know_hosts()

    def started(self, host: str, unit: str) -> str:
        """Which start of a systemd unit it is that runs there: each has an ID of its own."""
        argv = ("systemctl", "show", "--property=ActiveState,InvocationID", unit)
        said = self.fleet.run(host, *argv)
        assert "ActiveState=active" in said, f"{unit} on {host}: {said}"
        return said

    def job_of(self, name: str) -> str:
        """Somebody's jobs, by number, state, node and start."""
        asked = ("squeue", "--noheader", f"--user={name}", "--format=%i %T %N %S")
        return self.fleet.run("controller", *asked)

    def tell_names(self, leads: Mapping[str, str]) -> None:
        """What the institution's DNS says from now on: which name leads to which host."""
        lines = "".join(f"{self.fleet.address(host)} {name}\n" for name, host in leads.items())
        self.names.write_text(self.names.read_text() + lines)
        for host in self.fleet.hosts:
            text = self.fleet.run(host, "cat", "/etc/hosts")
            self.fleet.write(host, "/etc/hosts", text + lines)

    def _know_hosts(self) -> None:
        shutil.copy(self.fleet.ssh_config, self.folder / "ssh_config")

    def _mount_homes(self, host: str) -> None:
        self.fleet.write(host, "/etc/systemd/system/home-people.mount", _MOUNT)


@contextmanager
def institution(name: str) -> Iterator[Institution]:
    """One with a fleet of this name and a folder, both of which are gone at the end."""
    fleet = HeldFleet.start(name)
    folder = Path(tempfile.mkdtemp(prefix="shub-site-"))
    try:
        prepared = Institution(folder, fleet)
        prepared.prepare()
        yield prepared
    finally:
        fleet.down()
        shutil.rmtree(folder)
