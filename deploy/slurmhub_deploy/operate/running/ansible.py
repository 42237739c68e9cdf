"""Starts ansible-playbook of this environment, and tells what happens while it runs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from slurmhub.assets import asset
from slurmhub_deploy.operate.ansible_core import need_ansible
from slurmhub_deploy.operate.running.events import Event, event
from slurmhub_deploy.operate.running.folder import RunFolder
from slurmhub_deploy.operate.running.redaction import Redaction

PASSED_ON = frozenset(
    {
        *("HOME", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "TERM", "TMPDIR", "USER", "XDG_CACHE_HOME"),
        *("NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"),
    }
)
"""What a run has of this environment. What steers Ansible or Python is not among it."""
_PASSED_PREFIXES = ("PIP_", "UV_", "npm_config_", "NPM_CONFIG_")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_PR_SET_PDEATHSIG = 1  # prctl(2)
_PATIENCE = (30.0, 10.0)
"""Seconds that a run has to end after SIGINT, and then after SIGTERM."""


@dataclass(frozen=True)
class Run:
    """One run of a playbook."""

    playbook: Path
    folder: RunFolder
    limit: Sequence[str] = ()
    tags: Sequence[str] = ()
    check: bool = False
    keep_open: Sequence[int] = ()
    """Descriptors that it holds until it ends, such as that of a lock."""

    @property
    def ansible(self) -> Path:
        """The folder with the playbooks, roles and modules."""
        return self.playbook.parent.parent


@dataclass(frozen=True)
class Ended:
    """How a run ended; `interrupted` is by ^C or SIGTERM."""

    status: int
    interrupted: bool


def run_playbook(
    run: Run, redaction: Redaction, log: IO[str], told: Callable[[Event], None]
) -> Ended:
    """Run it to its end. What Ansible writes goes to `log`; events go to `told`, as they come.

    SIGINT and SIGTERM end it in order: tasks that run on hosts come to their end or are cut off
    as Ansible does, and no other begins. Raises OperateError if there is no ansible-core.
    """
    need_ansible()
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            _argv(run),
            cwd=run.folder.path,
            env=_environment(run, writing),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(writing, *run.keep_open),
            # ^C at the terminal comes to us alone, who then tell Ansible.
            start_new_session=True,
            preexec_fn=_end_with_us,
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    logging = threading.Thread(target=_log, args=(process, redaction, log), daemon=True)
    logging.start()
    with _ending(process) as asked, open(reading, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found = event(redaction.json(line))
            if found is not None:
                told(found)
        status = process.wait()
    logging.join()
    _close_connections(run)
    return Ended(status, interrupted=bool(asked))


def _end_with_us() -> None:
    """Have the kernel interrupt the run when we are killed: nobody would see how it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _argv(run: Run) -> list[str]:
    argv = [sys.executable, "-m", "ansible", "playbook"]
    argv += ["-i", str(run.folder.inventory), "-e", f"@{run.folder.variables}", "--diff"]
    if run.check:
        argv.append("--check")
    if run.limit:
        argv += ["--limit", ",".join(run.limit)]
    if run.tags:
        argv += ["--tags", ",".join(run.tags)]
    return [*argv, str(run.playbook)]


def _environment(run: Run, events: int) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith(_PASSED_PREFIXES) or name.lower() in _PROXIES
    }
    home = run.folder.home
    return kept | {
        # Ansible starts only where the locale is UTF-8.
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(_packages()),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "SLURMHUB_EVENTS_FD": str(events),
        "ANSIBLE_CONFIG": str(run.ansible / "ansible.cfg"),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_LOCAL_TEMP": str(home / "t"),
        "ANSIBLE_ROLES_PATH": str(run.ansible / "roles"),
        "ANSIBLE_LIBRARY": str(run.ansible / "library"),
        "ANSIBLE_FILTER_PLUGINS": str(run.ansible / "filter_plugins"),
        "ANSIBLE_CALLBACK_PLUGINS": str(asset("ansible/callback_plugins")),
        "ANSIBLE_CALLBACKS_ENABLED": "slurmhub_events",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(home),
        "ANSIBLE_SSH_ARGS": "-C -o ControlMaster=auto -o ControlPersist=60s -o BatchMode=yes",
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        # What a task changed is taken up by its service also where a later task fails.
        "ANSIBLE_FORCE_HANDLERS": "True",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_SHOW_TASK_PATH_ON_FAILURE": "yes",
    }


def _packages() -> list[str]:
    """Where `slurmhub` and `slurmhub_deploy` are, for plugins that use them."""
    import slurmhub_deploy
    from slurmhub import assets

    folders = [assets.PACKAGE.parent, *(Path(each).parent for each in slurmhub_deploy.__path__)]
    return list(dict.fromkeys(str(folder) for folder in folders))


def _log(process: subprocess.Popen[bytes], redaction: Redaction, log: IO[str]) -> None:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    for line in process.stdout:
        log.write(redaction.text(line.decode(errors="replace")))
        log.flush()


@contextlib.contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """SIGINT and SIGTERM go to the run, in a way that it ends; those that came are in the list."""
    came: list[int] = []

    def end() -> None:
        for number, patience in zip(
            (signal.SIGINT, signal.SIGTERM, signal.SIGKILL), (*_PATIENCE, 1.0), strict=True
        ):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
                return

    def on_signal(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:
            threading.Thread(target=end, daemon=True).start()

    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {each: signal.signal(each, on_signal) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _close_connections(run: Run) -> None:
    """End the ssh processes that wait for the next task: their sockets go with the folder."""
    for socket in run.folder.home.iterdir():
        if socket.is_socket():
            subprocess.run(
                ["ssh", "-F", "none", "-O", "exit", "-o", f"ControlPath={socket}", "unused"],  # noqa: S607
                check=False,
                capture_output=True,
                timeout=10,
            )
