"""An institution with one machine, which does not reach the internet, and a bundle for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from slurmhub_deploy.front.tls import make_certificate
from tests.lab.idp import DOMAIN as PROVIDER
from tests.lab.idp import PASSWORD
from tests.lab.whole.institution import HUB, Institution
from tests.lab.whole.operator import Operator
from tests.rig.checkout import PROJECT

HOST = "hub"
_SLURMHUB = (sys.executable, "-c", "from slurmhub_deploy.main import main; main()")
_SECONDS = 1800
_PROVIDER_ID = f"https://{PROVIDER}/simplesaml/saml2/idp/metadata.php"
_SECRETS = {"vault-password": "a-vault-for-tests\n", "probe-password": f"{PASSWORD}\n"}
_ANSWERS = {
    "hubs.main.sign_in.provider": _PROVIDER_ID,
    "hubs.main.sign_in.metadata[0].file": "idp-metadata.xml",
    "homes.main.path": "/home/people",
    "homes.main.quota": "512M",
    "clusters.main.nodes[0].cpus": "2",
    "clusters.main.nodes[0].memory": "6G",
    "hubs.main.limits.max_cpus": "2",
    "hubs.main.limits.max_memory": "4G",
}
METADATA, EVERYTHING = "      metadata:\n", "    everything: false\n"
"""Lines of the example."""
_CHANGES = {
    "directory:\n  kind: files\n": "directory: {kind: made, host: hub, base: 'dc=example,dc=ca'}\n",
    "tls:\n  kind: acme\n  challenge: http-01\n  staging_first: true\n": (
        "tls: {kind: given, certificate: tls.pem, key: {from_command: [cat, tls.key]}}\n"
    ),
    # The machine has not as many sockets and so on as it says.
    "    controller: hub\n": (
        "    controller: hub\n    extra: {SlurmdParameters: config_overrides}\n"
    ),
    "fields: {cpus: 1, memory: 2G, hours: 3}": "fields: {cpus: 1, memory: 1G, hours: 3}",
    "cpus: {min: 1, max: 4, default: 2}": "cpus: {min: 1, max: 2, default: 2}",
    "memory: {choices: [4G, 8G]}": "memory: {choices: [2G, 4G]}",
    METADATA: f"      scopes: {{'{_PROVIDER_ID}': [example.ca]}}\n      metadata:\n",
    EVERYTHING: (
        "    everything: false\n    probe: {username: probe, profile: course, trust: tls.pem,"
        " password: {from_command: [cat, probe-password]}}\n"
    ),
}
_MORE = """
ssh: {user: debian, config: ssh_config}
vault: {password: {from_command: [cat, vault-password]}}
monitoring: {host: hub}
"""


class Alone(Institution):
    """One empty machine, and the teaching example for it with all that a hub can have."""

    online: ClassVar[bool] = False
    changes: ClassVar[Mapping[str, str]] = _CHANGES
    more: ClassVar[str] = f"{_MORE}bundle: bundle\n"
    """What is different in the example of this institution, and what it has at its end."""

    def prepare(self) -> None:
        """Start the machine, set up the identity provider, and write the folder; no bundle yet."""
        self.fleet.add([HOST], {HOST: ["homes:4"]}, online=self.online)
        # What this computer fetched for other hosts is none of an empty machine's.
        self.fleet.run(HOST, "apt-get", "clean")
        self.fleet.add(["idp"])
        leads = {HUB: self.fleet.address(HOST), PROVIDER: self.fleet.address("idp")}
        lines = "".join(f"{address} {name}\n" for name, address in leads.items())
        self.names.write_text(f"127.0.0.1 localhost\n{lines}")
        for host in (HOST, "idp"):
            known = self.fleet.run(host, "cat", "/etc/hosts")
            self.fleet.write(host, "/etc/hosts", known + lines)
        make_certificate(self.folder, [HUB, PROVIDER])
        for name, text in _SECRETS.items():
            (self.folder / name).touch(mode=0o600)
            (self.folder / name).write_text(text)
        shutil.copy(self.fleet.ssh_config, self.folder / "ssh_config")
        self.provider.install()
        (self.folder / "idp-metadata.xml").write_text(self.provider.metadata())
        self._write_site()

    def make_bundle(self) -> None:
        """From where this computer reaches mirrors and registries, in some minutes."""
        self._run([*_SLURMHUB, "bundle", "--to", "bundle"])

    def visit(self, name: str, code: str) -> str:
        """Somebody signs in, starts a server, which runs on, and has a kernel run the code."""
        visitor = self.within(sys.executable, "-m", "tests.lab.whole.visitor", name, code)
        return self._run(visitor).strip()

    def on_host(self, *argv: str | Path, check: bool = True) -> str:
        """Run a program on the machine as root; all that it said, but for spaces around."""
        return self.fleet.run(HOST, *argv, check=check).strip()

    def _write_site(self) -> None:
        """The example with this institution's answers, and what the example leaves out."""
        asked = self._run([*_SLURMHUB, "init", "--from", "teaching", "--questions"])
        (self.folder / "answers.yml").write_text(asked)
        answers = {**_ANSWERS, "hosts.hub.address": self.fleet.address(HOST)}
        given = [word for key in answers for word in ("--set", f"{key}={answers[key]}")]
        self._run([*_SLURMHUB, "init", "--from", "teaching", "--answers", "answers.yml", *given])
        text = (self.folder / "site.yml").read_text()
        for old, new in self.changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (self.folder / "site.yml").write_text(text + self.more)

    def _run(self, argv: Sequence[str]) -> str:
        environment = dict(Operator(self).environment)
        environment["PYTHONPATH"] += f":{PROJECT}"
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        assert done.returncode == 0, f"{argv}: {done.stdout}"
        return done.stdout
