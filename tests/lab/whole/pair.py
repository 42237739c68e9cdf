"""Two hosts and their site file: a cluster, before anybody made a hub of it."""

from __future__ import annotations

from pathlib import Path

from slurmhub_deploy.front.tls import make_certificate
from tests.lab.whole.institution import HUB, Institution

SITE = Path(__file__).parents[1] / "site/pair.yml"
CONTROLLER, NODE = "ctl", "n1"
# They answer everybody until Slurm forbids it: mem(4), fuse(4).
_DEVICES = {"/srv/gpus/0": ("1", "7"), "/srv/gpus/1": ("10", "229")}
_BASE = "dc=example,dc=ca"


class Pair(Institution):
    """The two hosts, and a folder in which `slurmhub up` has all that its first layers need."""

    def prepare(self) -> None:
        """Start the hosts and write the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.fleet.add((CONTROLLER, NODE), {host: ["homes:4"] for host in (CONTROLLER, NODE)})
        self._mount_homes(NODE)
        self.fleet.run(NODE, "mkdir", "/srv/gpus")
        for path, numbers in _DEVICES.items():
            self.fleet.run(NODE, "mknod", "-m", "666", path, "c", *numbers)
        make_certificate(self.folder, [HUB])
        self.names.write_text("127.0.0.1 localhost\n")
        (self.folder / "vault-password").touch(mode=0o600)
        (self.folder / "vault-password").write_text("a-vault-for-tests\n")
        (self.folder / "idp-metadata.xml").touch()
        self._know_hosts()
        network = self.fleet.address(CONTROLLER).rpartition(".")[0]
        text = SITE.read_text().replace("10.77.0.", f"{network}.")
        (self.folder / "site.yml").write_text(text)

    def let_in(self, name: str, number: int) -> None:
        """Somebody with an account, a home, and a place in Slurm's accounting."""
        run = self.fleet.run
        entries = _ENTRIES.format(name=name, number=number, base=_BASE)
        run(CONTROLLER, "ldapadd", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///", feed=entries)
        request = f'{{"verb": "make", "homes": "main", "name": "{name}", '
        request += f'"uid": {number}, "gid": {number}}}'
        run(CONTROLLER, "/usr/local/libexec/slurmhub/slurmhub-home", feed=request)
        run(CONTROLLER, "sacctmgr", "--immediate", "add", "user", name, "account=main")


_ENTRIES = """dn: cn={name},ou=groups,{base}
objectClass: posixGroup
cn: {name}
gidNumber: {number}

dn: uid={name},ou=people,{base}
objectClass: account
objectClass: posixAccount
uid: {name}
cn: {name}
uidNumber: {number}
gidNumber: {number}
homeDirectory: /home/people/{name}
loginShell: /bin/bash
"""
