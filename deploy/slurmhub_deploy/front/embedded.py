"""The front as a whole, private to the demo or a test: Apache, mod_shib, shibd, and providers.

The files are those that `slurmhub front render` writes for a site; only folders and ports differ.
Nothing of the machine's own Apache or Shibboleth is read, apart from the programs.
"""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from slurmhub_deploy.cluster.layout import free_ports
from slurmhub_deploy.daemon import Daemon
from slurmhub_deploy.front.apache import PrivateApache
from slurmhub_deploy.front.keys import make_keys
from slurmhub_deploy.front.provider import EmbeddedProviders, IdentityProvider, Person
from slurmhub_deploy.front.registration import METADATA, write_registration
from slurmhub_deploy.front.render import render, write
from slurmhub_deploy.front.settings import FrontSettings, check_settings
from slurmhub_deploy.front.tls import make_certificate
from slurmhub_deploy.processes import end_all, processes_with_file_in

_SHIBD = Path("/usr/sbin/shibd")
_SHIBD_ACCOUNT = "_shibd"
_START_SECONDS = 30


@dataclass(frozen=True)
class ProviderPlan:
    """An identity provider to be: its address, scopes and people."""

    name: str
    address: str
    scopes: tuple[str, ...]
    people: Mapping[str, Person]
    port: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class FrontPlan:
    """What is to be started: where the front listens, what is behind it, who signs people in."""

    root: Path
    proxy: str
    providers: tuple[ProviderPlan, ...]
    address: str = "127.0.0.1"
    https_port: int | None = None
    hub_account: str = "root"
    settings: Mapping[str, object] = field(default_factory=dict)
    """Settings of the front that differ from a plain one's."""


class EmbeddedFront:
    """A front that runs, with its identity providers; a context manager that starts and stops it.

    What it knows is on disk below the plan's root: an object made for the same root by another
    process can stop what the first one started.
    """

    def __init__(self, plan: FrontPlan) -> None:
        self.plan = plan
        self.root = plan.root
        self._settings: FrontSettings | None = None
        self._providers: EmbeddedProviders | None = None

    @property
    def settings(self) -> FrontSettings:
        """The settings it was started with."""
        assert self._settings is not None, "not started"  # noqa: S101 - a caller's mistake
        return self._settings

    @property
    def providers(self) -> tuple[IdentityProvider, ...]:
        """Its identity providers, in the plan's order."""
        assert self._providers is not None, "not started"  # noqa: S101 - a caller's mistake
        return self._providers.providers

    @property
    def url(self) -> str:
        """Where browsers find it."""
        return self.settings.origin

    @property
    def certificate(self) -> Path:
        """What a client must trust to speak to the front and its providers."""
        return self.root / "tls" / "tls.pem"

    @property
    def secret_file(self) -> Path:
        """The secret that proves the front to the hub."""
        return self.root / "front-secret"

    @property
    def shibd_log(self) -> Path:
        """What shibd says."""
        return self.root / "shibboleth-log" / "shibd.log"

    def prepare(self) -> FrontSettings:
        """Write every file and make keys, certificate and secret; nothing is started."""
        self._make_folders()
        count = 2 + (self.plan.https_port is None) + len(self.plan.providers)
        ports = free_ports(count)
        notify, http, *others = ports
        https = self.plan.https_port or others.pop()
        names = [self.plan.address, *(each.address for each in self.plan.providers)]
        certificate, key = make_certificate(self.root / "tls", list(dict.fromkeys(names)))
        listed = tuple(
            IdentityProvider(
                self.root / "providers" / each.name,
                each.name,
                each.scopes,
                each.address,
                each.port or others.pop(),
                each.people,
                each.options,
            )
            for each in self.plan.providers
        )
        self._providers = EmbeddedProviders(self.root / "providers", listed, certificate, key)
        self._settings = check_settings(
            self._described(https, http, notify, certificate, key), f"the front in {self.root}"
        )
        make_keys(self.settings)
        write_registration(self.settings, self.root / "registration")
        return self.settings

    def start(self) -> None:
        """Start providers, shibd and Apache; return when a browser can sign in.

        Raises DeployError when one of them does not come up, and leaves nothing running then.
        """
        if self._settings is None:
            self.prepare()
        assert self._providers is not None  # noqa: S101 - prepare made it
        try:
            self._providers.start(self.root / "registration" / METADATA)
            for provider in self.providers:
                self._metadata_of(provider).write_text(self._providers.metadata(provider))
            self._write()
            self.shibd_start()
            self.apache.write(self._body())
            self.apache.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything that belongs to it; the folder stays, for its logs."""
        self.apache.stop()
        self._shibd.stop()
        end_all(processes_with_file_in(self.root, program="shibd"), grace=1)
        EmbeddedProviders(self.root / "providers", (), self.certificate, self.certificate).stop()

    def __enter__(self) -> EmbeddedFront:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def daemons(self) -> tuple[Daemon, ...]:
        """What must go on running for people to sign in."""
        providers = EmbeddedProviders(
            self.root / "providers", (), self.certificate, self.certificate
        )
        return self.apache.daemon, self._shibd, providers.apache.daemon

    def shibd_start(self) -> None:
        """Start shibd, and wait until Apache could speak to it."""
        self._shibd.start({"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"})
        self._shibd.wait_for(self._shibd_answers, seconds=_START_SECONDS, what="it answered")

    def shibd_stop(self) -> None:
        """End shibd: sessions of the service provider are gone, nobody can sign in."""
        self._shibd.stop()

    @property
    def apache(self) -> PrivateApache:
        """The Apache of the front itself."""
        listen: tuple[str, ...] = ()
        if self._settings is not None:
            address = self.plan.address
            listen = (
                f"{address}:{self.settings.https_port}",
                f"{address}:{self.settings.http_port}",
            )
        return PrivateApache(self.root / "apache", listen)

    def _body(self) -> str:
        return (self.root / "rendered" / "apache" / "slurmhub.conf").read_text()

    def _write(self) -> None:
        texts = render(self.settings)
        write(texts, self.root / "rendered")

    @property
    def _shibd(self) -> Daemon:
        run = self.root / "run"
        argv = [str(_SHIBD), "-F", "-f", "-p", str(run / "shibd.pid"), "-c"]
        argv.append(str(self.root / "rendered" / "shibboleth" / "shibboleth2.xml"))
        if os.geteuid() == 0:
            argv += ["-u", _SHIBD_ACCOUNT, "-g", _SHIBD_ACCOUNT]
        return Daemon("shibd", tuple(argv), run / "shibd.process", self.root / "shibd.out", run)

    def _shibd_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self.root / "run" / "shibd.sock"))
            except OSError:
                return False
            return True

    def _metadata_of(self, provider: IdentityProvider) -> Path:
        return self.root / "metadata" / f"{provider.name}.xml"

    def _make_folders(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o711)
        for name in ("tls", "metadata", "providers"):
            (self.root / name).mkdir(exist_ok=True)
        (self.root / "apache-log").mkdir(mode=0o700, exist_ok=True)
        for name, mode in (("run", 0o711), ("cache", 0o700), ("shibboleth-log", 0o700)):
            folder = self.root / name
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
            if os.geteuid() == 0:
                entry = pwd.getpwnam(_SHIBD_ACCOUNT)
                os.chown(folder, entry.pw_uid, entry.pw_gid)

    def _described(
        self, https: int, http: int, notify: int, certificate: Path, key: Path
    ) -> dict[str, object]:
        root, origin = self.root, f"https://{self.plan.address}:{https}"
        me = pwd.getpwuid(os.geteuid()).pw_name
        somebody = {"name": "Help desk", "mail": "help@example.ca"}
        first = self.providers[0].entity_id
        described: dict[str, object] = {
            "domain": self.plan.address,
            "proxy": self.plan.proxy,
            "https_port": https,
            "http_port": http,
            "notify_port": notify,
            "hsts_days": 0,
            "institution": "Example University",
            "name": {"en": "Example hub", "fr": "Hub d'exemple"},
            "description": {"en": "Notebooks on a cluster.", "fr": "Des carnets sur une grappe."},
            "information_url": f"{origin}/hub/about",
            "privacy_url": f"{origin}/hub/privacy",
            "support": somebody,
            "technical": somebody,
            "security": somebody,
            "entity_id": f"{origin}/shibboleth",
            "metadata": [
                {"kind": "file", "file": str(self._metadata_of(each))} for each in self.providers
            ],
            "tls_certificate": str(certificate),
            "tls_key": str(key),
            "key_folder": str(root / "keys"),
            "key_account": _SHIBD_ACCOUNT if os.geteuid() == 0 else me,
            "hub_account": self.plan.hub_account if os.geteuid() == 0 else me,
            "secret_file": str(self.secret_file),
            "apache_folder": str(root / "rendered" / "apache"),
            "apache_log_folder": str(root / "apache-log"),
            "shibboleth_folder": str(root / "rendered" / "shibboleth"),
            "shibboleth_cache": str(root / "cache"),
            "shibboleth_socket": str(root / "run" / "shibd.sock"),
            "shibboleth_log_folder": str(root / "shibboleth-log"),
        }
        one = len(self.providers) == 1
        described |= {"provider": first} if one else {"discovery": "built-in"}
        return described | dict(self.plan.settings)
