"""A private Apache: its main configuration, its process."""

from __future__ import annotations

import os
import pwd
import re
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slurmhub_deploy.daemon import Daemon
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.front.errors import FrontError
from slurmhub_deploy.front.render import apache_text
from slurmhub_deploy.processes import end_all, processes_with_file_in

PROGRAM = Path("/usr/sbin/apache2")
_MODULES = Path("/usr/lib/apache2/modules")
_FRONT = (
    *("mpm_event", "alias", "authn_core", "authz_core", "authz_host", "headers"),
    *("mime", "proxy", "proxy_http", "rewrite", "setenvif", "socache_shmcb", "ssl"),
)
_PROVIDER = (
    *("mpm_prefork", "alias", "authz_core", "dir", "env", "mime", "setenvif", "socache_shmcb"),
    "ssl",
)
_ACCOUNT = "www-data"
_START_SECONDS = 15


@dataclass(frozen=True)
class PrivateApache:
    """Apache in a folder of its own, for the front or, with `php`, for identity providers."""

    root: Path
    listen: tuple[str, ...]
    php: bool = False

    @property
    def log(self) -> Path:
        """What Apache and its modules complain of."""
        return self.root / "log" / "error.log"

    @property
    def conf(self) -> Path:
        """The configuration that it is started with."""
        return self.root / "apache.conf"

    def write(self, body: str) -> None:
        """Make its folders and its configuration around `body`."""
        for folder, mode in ((self.root, 0o711), (self.root / "run", 0o711)):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)
        (self.root / "log").mkdir(mode=0o700, exist_ok=True)
        modules = modules_of(php=self.php)
        self.conf.write_text(
            apache_text(
                "embedded/apache.conf.j2",
                root=self.root,
                listen=self.listen,
                php=self.php,
                modules=list(modules),
                paths=modules,
                account=_ACCOUNT if os.geteuid() == 0 else None,
                group=_ACCOUNT,
                body=body,
            )
        )

    def check(self) -> None:
        """Have Apache itself read the configuration; raises FrontError with what it says."""
        done = subprocess.run(
            [str(PROGRAM), "-t", "-f", str(self.conf)],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            start_new_session=True,
        )
        if done.returncode != 0:
            raise FrontError(
                f"Apache does not accept {self.conf}: {done.stderr.strip()}",
                remedy="Correct the setting that it names.",
            )

    def start(self) -> None:
        """Start it, and return when every address answers."""
        self.check()
        daemon = self.daemon
        daemon.start(_environment())
        daemon.wait_for(self._answers, seconds=_START_SECONDS, what="it answered")

    def stop(self) -> None:
        """End it with all of its processes."""
        self.daemon.stop()
        end_all(processes_with_file_in(self.root, program=PROGRAM.name), grace=1)

    @property
    def daemon(self) -> Daemon:
        """The process that all others of it come from."""
        run = self.root / "run"
        argv = (str(PROGRAM), "-D", "FOREGROUND", "-f", str(self.conf))
        return Daemon("apache", argv, run / "apache.process", self.root / "log" / "out", self.root)

    def _answers(self) -> bool:
        return all(_listens(address) for address in self.listen)


def modules_of(*, php: bool) -> dict[str, Path]:
    """The modules to load, by the name that LoadModule wants. Raises DeployError if one lacks."""
    names = _PROVIDER if php else (*_FRONT, "shib")
    found = {f"{name}_module": _MODULES / f"mod_{name}.so" for name in names}
    if "shib_module" in found:
        found["mod_shib"] = found.pop("shib_module")
    if php:
        found["php_module"] = next(
            iter(sorted(_MODULES.glob("libphp*.so"))), _MODULES / "libphp.so"
        )
    missing = [path for path in found.values() if not path.exists()]
    if missing:
        raise DeployError(
            f"Apache's module {missing[0]} is not there.",
            remedy="Install apache2, libapache2-mod-shib and, for the test identity provider,"
            " libapache2-mod-php.",
        )
    return found


def account_of_apache() -> tuple[int, int] | None:
    """The user and group that a root's Apache serves as; None for an ordinary account's."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(_ACCOUNT)
    return entry.pw_uid, entry.pw_gid


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def _listens(address: str) -> bool:
    found = re.fullmatch(r"(.+):(\d+)", address)
    host, port = (found[1], int(found[2])) if found else ("127.0.0.1", int(address))
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((host, port)) == 0


def hand_over(paths: Sequence[Path], account: tuple[int, int] | None) -> None:
    """Give files to the account that serves, where that is another."""
    if account is not None:
        for path in paths:
            os.chown(path, *account)
