"""A fresh tree of the hosts' distribution, in which is found out what a host lacks.

mmdebstrap(1) makes it; programs run there by chroot(8), in mounts and processes of their own, so
that nothing of it is left when they end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from slurmhub_deploy.errors import DeployError

_SECONDS = 3600
_APART = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Tree:
    """A tree in `folder`; `say` hears what is being done."""

    def __init__(self, folder: Path, suite: str, say: Callable[[str], None]) -> None:
        self.root = folder
        self._suite = suite
        self._say = say

    def make(self) -> None:
        """Make it: about half a minute. Raises DeployError."""
        if os.geteuid() != 0:
            raise DeployError("A bundle is made by root.", remedy="Run it again with sudo.")
        if shutil.which("mmdebstrap") is None:
            raise DeployError(
                "mmdebstrap is not installed, which makes the tree that packages are chosen in.",
                remedy="apt-get install mmdebstrap",
            )
        self._say(f"a fresh tree of {self._suite}")
        # Mirrors that keep an old state of Debian have an old date.
        dated = '--aptopt=Acquire::Check-Valid-Until "false"'
        argv = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates"]
        self._run([*_APART, *argv, dated, self._suite, str(self.root)])
        for file in (_CERTIFICATES, Path("/etc/resolv.conf")):
            if file.exists():
                shutil.copy(file, self.root / file.relative_to("/"))
        (self.root / "etc/pip.conf").write_text(f"[global]\ncert = {_CERTIFICATES}\n")

    def run(self, *words: str, what: str = "") -> str:
        """Run a program in it, as root; its output. Raises DeployError."""
        if what:
            self._say(what)
        # A proc of its own for what runs there.
        inside = f'mount -t proc proc "{self.root}/proc" && exec chroot "{self.root}" "$@"'
        return self._run([*_APART, "sh", "-c", inside, "sh", *words])

    def _run(self, argv: Sequence[str]) -> str:
        env = {"PATH": _PATH, "LANG": "C.UTF-8", "HOME": "/root"}
        env |= {"DEBIAN_FRONTEND": "noninteractive"}
        env |= {name: value for name, value in os.environ.items() if name.endswith("_proxy")}
        try:
            done = subprocess.run(
                list(argv),
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
                env=env,
                stdin=subprocess.DEVNULL,
                umask=0o022,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DeployError(f"{argv[0]}: {error}.", remedy="Run it again.") from error
        if done.returncode != 0:
            raise DeployError(
                f"{' '.join(argv[-6:])} failed: {(done.stderr or done.stdout).strip()[-1500:]}",
                remedy="Does this machine reach the distribution's mirror and the registries?",
            )
        return done.stdout
