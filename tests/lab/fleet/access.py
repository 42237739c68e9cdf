"""ssh(1) to the hosts of a fleet, from outside of its network: a key, known hosts, a configuration.

It reaches each host by its name and by its address; a host's key is known before it first starts.
"""

from __future__ import annotations

from pathlib import Path

from tests.lab.programs import run

ACCOUNT = "debian"
_HOST_KEY = "etc/ssh/ssh_host_ed25519_key"


class Access:
    """The files for ssh, in a folder; they take the way through the process's network."""

    def __init__(self, folder: Path, process: int) -> None:
        self._folder = folder
        self._process = process
        self._hosts: dict[str, str] = {}
        folder.mkdir(mode=0o700)
        _make_key(self.key)
        self._write()

    @property
    def key(self) -> Path:
        """The private key that every host lets in."""
        return self._folder / "id_ed25519"

    @property
    def public_key(self) -> str:
        """The line for authorized_keys."""
        return self.key.with_suffix(".pub").read_text()

    @property
    def config(self) -> Path:
        """For `ssh -F`."""
        return self._folder / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """Every host's key."""
        return self._folder / "known_hosts"

    @property
    def inventory(self) -> Path:
        """For `ansible-playbook -i`: every host, reached so, and nothing else."""
        return self._folder / "inventory.yml"

    def let_in(self, name: str, address: str, disk: Path) -> None:
        """Give a host that has not started yet its key, and remember it."""
        key = disk / _HOST_KEY
        key.parent.mkdir(parents=True, exist_ok=True)
        _make_key(key)
        public = key.with_suffix(".pub").read_text().split()[:2]
        with self.known_hosts.open("a") as known:
            known.write(f"{name},{address} {' '.join(public)}\n")
        self._hosts[name] = address
        self._write()

    def forget(self, name: str) -> None:
        """The host is gone."""
        del self._hosts[name]
        lines = self.known_hosts.read_text().splitlines(keepends=True)
        self.known_hosts.write_text(
            "".join(each for each in lines if not each.startswith(f"{name},"))
        )
        self._write()

    def _write(self) -> None:
        through = f"nsenter --target={self._process} --net -- nc %h %p"
        text = "".join(
            f"Host {name} {address}\n    HostName {address}\n    HostKeyAlias {name}\n"
            for name, address in self._hosts.items()
        )
        common = {
            "User": ACCOUNT,
            "IdentityFile": self.key,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.known_hosts,
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",
            "ConnectTimeout": 10,
            "LogLevel": "ERROR",
            "ProxyCommand": through,
        }
        text += "Host *\n" + "".join(f"    {name} {value}\n" for name, value in common.items())
        self.config.write_text(text)
        lines = ["all:", "  vars:", f"    ansible_ssh_common_args: -F {self.config}"]
        lines += ["    ansible_become: true", "    ansible_python_interpreter: /usr/bin/python3"]
        lines += ["  hosts:"]
        for name, address in self._hosts.items():
            lines.append(f"    {name}: {{ansible_host: {address}, ansible_user: {ACCOUNT}}}")
        self.inventory.write_text("\n".join(lines) + "\n")


def _make_key(path: Path) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "fleet", "-f", path)
