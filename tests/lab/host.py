"""A whole Debian host on this machine: systemd, packages and accounts of its own, our network.

systemd-nspawn(1) boots a tree that mmdebstrap(1) made once; what the host writes goes to a layer of
its own. It is as fresh as a new machine: the tree holds an init, sudo and nothing of ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.rig.hub import until

TREES = Path("/var/cache/slurmhub/hosts")
NAME = "hub"
_PACKAGES = ("systemd", "systemd-sysv", "dbus", "sudo", "git", "ca-certificates")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_BOOT_SECONDS = 60


class Host:
    """A booted host; `folder` is for its layers, and must be empty."""

    def __init__(self, folder: Path, suite: str = "bookworm") -> None:
        self.root = folder / "root"
        self._layer = folder / "layer"
        self._suite = suite
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._init = 0

    def boot(self) -> None:
        """Start it, and return when its systemd has started everything."""
        for place in (self.root, self._layer / "upper", self._layer / "work"):
            place.mkdir(parents=True)
        layers = f"lowerdir={tree(self._suite)},upperdir={self._layer}/upper"
        _run(
            "mount", "-t", "overlay", "-o", f"{layers},workdir={self._layer}/work", "lab", self.root
        )
        self.write("/etc/hostname", f"{NAME}\n")
        self.write("/etc/hosts", f"127.0.0.1 localhost {NAME}\n")
        self._let_it_reach_packages()
        self._power_on()

    def reboot(self) -> None:
        """Have it end everything in its order, and start again from what is on its disk."""
        assert self._nspawn is not None
        # This program ends with the rest.
        self.run("systemctl", "reboot", check=False)
        self._nspawn.wait(_BOOT_SECONDS)
        _remove_control_groups()
        self._power_on()

    def _power_on(self) -> None:
        with (self._layer / "console").open("ab") as console:
            self._nspawn = subprocess.Popen(
                [
                    *("systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot"),
                    *("--register=no", "--keep-unit", f"--machine={NAME}"),
                    *("--resolv-conf=copy-host", "--timezone=off", "--link-journal=no"),
                    *("--console=pipe", "--kill-signal=SIGRTMIN+4"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        self._init = until(self._find_init, seconds=_BOOT_SECONDS, what="an init")
        until(self._started, seconds=_BOOT_SECONDS, what=f"the host's start: {self._state()}")

    def remove(self) -> None:
        """Power it off and leave nothing of it."""
        if self._nspawn is not None:
            self._nspawn.send_signal(signal.SIGTERM)
            try:
                self._nspawn.wait(20)
            except subprocess.TimeoutExpired:
                # All that runs there ends with its process 1.
                os.kill(self._init, signal.SIGKILL)
                self._nspawn.wait(20)
        _run("umount", self.root)
        shutil.rmtree(self.root.parent)
        _remove_control_groups()

    def run(
        self, *argv: str | Path, user: str = "", seconds: float = 600, check: bool = True
    ) -> str:
        """Run a program there, as root or as `user` in a login shell's environment; its output."""
        done = subprocess.run(
            self.command(*argv, user=user),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert not check or done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def command(self, *argv: str | Path, user: str = "") -> list[str]:
        """The words that run a program there, for whoever starts it."""
        words = [str(word) for word in argv]
        if user:
            words = ["runuser", "--user", user, "--", *words]
        home = f"/home/{user}" if user else "/root"
        settings = [f"PATH={_PATH}", "LANG=C.UTF-8", f"HOME={home}", "TERM=dumb"]
        inside = ["nsenter", f"--target={self._init}", "--all", f"--wd={self.root}{home}"]
        return [*inside, "--", "env", "--ignore-environment", *settings, *words]

    def terminal(self, line: str, user: str, answers: Mapping[str, str]) -> str:
        """Run a line of shell there as somebody at a terminal, who answers each prompt once.

        Returns all that the terminal showed.
        """
        argv = self.command(
            "script", "--quiet", "--return", "--command", line, "/dev/null", user=user
        )
        shown, open_prompts = "", dict(answers)
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            while part := os.read(process.stdout.fileno(), 4096):
                shown += part.decode(errors="replace")
                for prompt in [each for each in open_prompts if shown.rstrip().endswith(each)]:
                    process.stdin.write(f"{open_prompts.pop(prompt)}\n".encode())
                    process.stdin.flush()
        assert process.returncode == 0, shown
        return shown

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of root's there."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def _let_it_reach_packages(self) -> None:
        """What this machine was told about certificates, for apt, pip and npm there."""
        if _CERTIFICATES.exists():
            shutil.copy(_CERTIFICATES, self.root / _CERTIFICATES.relative_to("/"))
            self.write("/etc/pip.conf", f"[global]\ncert = {_CERTIFICATES}\n")
            self.write("/etc/npmrc", f"cafile={_CERTIFICATES}\n")

    def _find_init(self) -> int:
        """The process that is the host's process 1, as seen from here."""
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, (self._layer / "console").read_text(errors="replace")
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text()
        for pid in map(int, children.split()):
            status = Path(f"/proc/{pid}/status").read_text()
            if any(line.split()[-1] == "1" for line in status.splitlines() if "NSpid" in line):
                return pid
        return 0

    def _state(self) -> str:
        return self.run("systemctl", "is-system-running", check=False).strip()

    def _started(self) -> bool:
        return self._state() in ("running", "degraded")


def tree(suite: str, packages: tuple[str, ...] = _PACKAGES) -> Path:
    """The files of a fresh host, made once: about fifteen seconds."""
    recipe = repr((suite, packages))
    files = TREES / f"{suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    TREES.mkdir(parents=True, exist_ok=True)
    with (TREES / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not files.exists():
            partial = files.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            _run(
                *("setpriv", "--pdeathsig", "KILL"),
                *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
                *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}"),
                # Mirrors that keep an old state of Debian have an old date.
                '--aptopt=Acquire::Check-Valid-Until "false"',
                *(suite, partial),
            )
            partial.rename(files)
    return files


def _remove_control_groups() -> None:
    """The groups that systemd-nspawn leaves where systemd is not the machine's own init."""
    left = [
        group
        for name in ("payload", "supervisor")
        for group in Path("/sys/fs/cgroup").glob(f"*/{name}")
    ]

    def gone() -> bool:
        # The kernel lets go of a group a moment after its last process has ended.
        for group in left:
            for folder in sorted((group, *group.rglob("*/")), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()
        return not any(group.exists() for group in left)

    until(gone, seconds=10, what="the end of the host's control groups")


def _run(*argv: str | Path) -> None:
    done = subprocess.run(
        [str(word) for word in argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
    )
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
