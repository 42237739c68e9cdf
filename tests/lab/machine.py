"""A whole Debian host on this machine, booted by systemd-nspawn(1) from a tree that stays as it is.

What the host writes goes to a layer of its own, so that each starts as fresh as a new machine.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.lab import control_groups
from tests.lab.programs import run
from tests.rig.hub import until

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_BOOT_SECONDS = 120
# systemd(1), signals: power off, reboot.
_POWER_OFF = signal.SIGRTMIN + 4


class Machine:
    """One host. `folder` is for its layers and must be empty; `options` are of systemd-nspawn.

    `within` are words that run a program where the host is to live, such as nsenter(1)'s.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        tree: Path,
        *,
        group: str,
        options: Sequence[str] = (),
        within: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._folder = folder
        self._mountpoint = folder / "root"
        self._layer = folder / "layer"
        self._tree = tree
        self._group = group
        self._options = tuple(options)
        self._within = tuple(within)
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._init = 0

    @property
    def root(self) -> Path:
        """The host's files, as this machine sees them; while it is off, what is on its disk."""
        return Path(f"/proc/{self._init}/root") if self._init else self._layer / "upper"

    @property
    def console(self) -> str:
        """All that its console showed."""
        return (self._layer / "console").read_text(errors="replace")

    @property
    def is_on(self) -> bool:
        """Whether it was started and has not ended since."""
        return self._nspawn is not None and self._nspawn.poll() is None

    def make(self) -> None:
        """Make its disk."""
        for place in (self._mountpoint, self._layer / "upper", self._layer / "work"):
            place.mkdir(parents=True)
        self.prepare()
        layers = f"lowerdir={self._tree},upperdir={self._layer}/upper,workdir={self._layer}/work"
        # Volatile: no package waits for this machine's disk, which all hosts would share. What is
        # lost if the machine itself crashes is a test's.
        run(
            *(*self._within, "mount", "-t", "overlay", "-o", f"{layers},volatile", "lab"),
            self._mountpoint,
        )

    def prepare(self) -> None:
        """What is on its disk before it first starts."""
        self.write("/etc/hostname", f"{self.name}\n")
        self._let_it_reach_packages()

    def power_on(self) -> None:
        """Start it, and return when it has a process 1."""
        control_groups.make(self._group)
        with (self._layer / "console").open("ab") as console:
            self._nspawn = subprocess.Popen(
                [
                    *self._within,
                    *("sh", "-c", control_groups.ENTER, self._group),
                    *("systemd-nspawn", "--quiet", f"--directory={self._mountpoint}", "--boot"),
                    *("--register=no", "--keep-unit", f"--machine={self.name}"),
                    *("--timezone=off", "--link-journal=no", "--console=pipe"),
                    *("--kill-signal=SIGRTMIN+4", *self._options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        self._init = until(self._find_init, seconds=_BOOT_SECONDS, what="an init")

    def wait_started(self) -> None:
        """Return when its systemd has started everything."""
        end = time.monotonic() + _BOOT_SECONDS
        while (state := self._state()) not in ("running", "degraded"):
            assert self.is_on, f"{self.name} ended while it started: {self.console}"
            assert time.monotonic() < end, f"{self.name} is still {state} after {_BOOT_SECONDS} s"
            # Each look starts programs, which the others that are starting could use.
            time.sleep(0.3)

    def boot(self) -> None:
        """Make it, start it, and return when its systemd has started everything."""
        self.make()
        self.power_on()
        self.wait_started()

    def reboot(self) -> None:
        """Have it end everything in its order, and start again from what is on its disk."""
        self.power_off()
        self.power_on()
        self.wait_started()

    def power_off(self, *, in_order: bool = True) -> None:
        """Have it end, or pull its plug; what is on its disk stays."""
        if self._nspawn is None:
            return
        if self.is_on and self._init:
            os.kill(self._init, _POWER_OFF if in_order else signal.SIGKILL)
        try:
            self._nspawn.wait(20)
        except subprocess.TimeoutExpired:
            # All that runs there ends with its process 1.
            os.kill(self._init, signal.SIGKILL)
            self._nspawn.wait(20)
        self._nspawn, self._init = None, 0
        control_groups.remove(self._group)

    def remove(self) -> None:
        """Power it off and leave nothing of it."""
        self.power_off()
        run(*self._within, "umount", self._mountpoint)
        shutil.rmtree(self._folder)

    def run(
        self,
        *argv: str | Path,
        user: str = "",
        seconds: float = 600,
        check: bool = True,
        feed: str = "",
    ) -> str:
        """Run a program there, as root or as `user` in a login shell's environment; its output."""
        done = subprocess.run(
            self.command(*argv, user=user),
            input=feed,
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
        inside = ["nsenter", f"--target={self._init}", "--all", f"--wdns={home}"]
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
            self.write(str(_CERTIFICATES), _CERTIFICATES.read_text())
            self.write("/etc/pip.conf", f"[global]\ncert = {_CERTIFICATES}\n")
            self.write("/etc/npmrc", f"cafile={_CERTIFICATES}\n")

    def _find_init(self) -> int:
        """The process that is the host's process 1, as seen from here."""
        assert self._nspawn is not None
        assert self._nspawn.poll() is None, self.console
        looking = [self._nspawn.pid]
        while looking:
            pid = looking.pop()
            try:
                status = Path(f"/proc/{pid}/status").read_text()
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            spaces = next(line for line in status.splitlines() if line.startswith("NSpid"))
            if pid != self._nspawn.pid and spaces.split()[-1] == "1":
                return pid
            looking += map(int, children.split())
        return 0

    def _state(self) -> str:
        return self.run("systemctl", "is-system-running", check=False).strip()
