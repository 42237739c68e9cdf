"""The demo's life: made, served, and taken away by this process or by a later one."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from slurmhub_deploy.cluster import EmbeddedCluster, standard_plan
from slurmhub_deploy.cluster.layout import free_ports
from slurmhub_deploy.daemon import Daemon
from slurmhub_deploy.demo import courses
from slurmhub_deploy.demo import hub as hubs
from slurmhub_deploy.demo import shibboleth as fronts
from slurmhub_deploy.demo.accounts import PEOPLE, make_accounts, remove_accounts
from slurmhub_deploy.demo.environment import (
    Workshop,
    hub_python,
    jupyter_environment,
    proxy_command,
)
from slurmhub_deploy.demo.interrupts import Interrupts
from slurmhub_deploy.demo.passwords import new_passwords, write_hashes
from slurmhub_deploy.demo.places import Places, make_state
from slurmhub_deploy.demo.reach import check_others_can_run
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.front.embedded import EmbeddedFront
from slurmhub_deploy.processes import ProcessId

_READY_SECONDS = 60
# A hub that ends is started again, as a service manager would; this often within a minute.
_RESTARTS = 3
# Seconds that servers get to save when the demo ends.
_SAVE_SECONDS = 3.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Running:
    """A demo that runs: where it answers, and the process that looks after it."""

    url: str
    supervisor: ProcessId


class AlreadyRunning(DeployError):
    """This account has a demo already."""


class Demo:
    """One demo of this account, from its lock to its last file."""

    def __init__(
        self,
        places: Places,
        python: Path,
        port: int,
        interrupts: Interrupts,
        say: Say,
        *,
        shibboleth: bool = False,
    ) -> None:
        self._shibboleth = shibboleth
        self._front: EmbeddedFront | None = None
        self._places = places
        self._python = python
        self._port = port
        self._interrupts = interrupts
        self._say = say
        self._token = hubs.new_token()
        self._courses_token = hubs.new_token()
        self._hub: Daemon | None = None

    def run(self, ready: Callable[[], None]) -> None:
        """Start everything, call `ready`, and serve until a signal asks for the end.

        Everything is gone when this returns or raises.
        """
        if self._shibboleth:
            fronts.require_root(self._places)
        with locked(self._places):
            remove_remains(self._places, but=self._places.lock)
            try:
                check_port(self._port)
                self._record()
                plan, passwords = self._start()
                self._announce(plan, passwords)
                ready()
                self._serve(plan)
            except DeployError:
                # What failed because the end was asked for is no failure.
                self._interrupts.check()
                raise
            finally:
                self._say("Stopping …")
                remove_remains(self._places)

    def _start(self) -> tuple[hubs.HubPlan, dict[str, str]]:
        places = self._places
        workshop = Workshop(places.cache, self._python, self._interrupts.run, self._say)
        jupyter = jupyter_environment(workshop)
        proxy = proxy_command(workshop)
        python = hub_python(workshop)
        self._interrupts.check()
        plan = self._plan(jupyter.command)
        _make_homes(places)
        if places.root:
            check_others_can_run(jupyter.python)
        self._say("Starting Slurm: a controller, two CPU nodes, one node with four GPUs …")
        cluster = cluster_of(places)
        cluster.start()
        self._interrupts.check()
        self._say("Starting the hub …")
        passwords = new_passwords(PEOPLE)
        if self._shibboleth:
            self._front = fronts.make_front(places, plan, passwords)
        self._start_hub(plan, cluster, python, proxy, passwords)
        if self._front is not None:
            self._say("Starting Apache, Shibboleth and a test identity provider …")
            self._front.start()
        return plan, passwords

    def _start_hub(
        self,
        plan: hubs.HubPlan,
        cluster: EmbeddedCluster,
        python: Path,
        proxy: tuple[str, ...],
        passwords: dict[str, str],
    ) -> None:
        places = self._places
        places.hub.mkdir(mode=0o700, exist_ok=True)
        write_hashes(passwords, places.hub / "passwords.json")
        instead = None if self._front is None else fronts.hub_settings(self._front)
        text = hubs.configuration(plan, places, cluster, instead)
        (places.hub / "jupyterhub_config.py").write_text(text)
        environment = self._environment()
        if self._front is None:
            self._start_courses(plan, python)
        hubs.proxy_daemon(places, proxy, plan).start(environment)
        self._hub = hubs.hub_daemon(places, python)
        self._hub.start(environment)
        process = ProcessId.load(self._hub.record)
        if process is None or not self._interrupts.until(
            lambda: hubs.answers(plan), process=process, seconds=_READY_SECONDS
        ):
            raise DeployError(
                f"The hub does not answer. Its last words: {self._hub.last_words(12)}",
                remedy="If they do not say why, run the demo again.",
            )

    def _environment(self) -> dict[str, str]:
        """What the hub and its proxy are told."""
        environment = hubs.environment(self._places, self._token)
        return {**environment, courses.TOKEN: self._courses_token}

    def _start_courses(self, plan: hubs.HubPlan, python: Path) -> None:
        places = self._places
        courses.write_settings(places)
        self._interrupts.run(
            courses.make_command(places, python),
            what="The demo's course could not be made",
            remedy="Run the demo again.",
        )
        told = courses.service_environment(
            self._courses_token, port=plan.courses_port, hub_port=plan.hub_port
        )
        courses.service_daemon(places, python).start({**self._environment(), **told})

    def _serve(self, plan: hubs.HubPlan) -> None:
        """Wait for a signal; start the hub again when it ends, unless it ends again and again."""
        restarts: deque[float] = deque(maxlen=_RESTARTS)
        _, proxy = hubs.stopped_daemons(self._places)
        while True:
            watched = [*self._others(proxy), *([self._hub] if self._hub else [])]
            processes = [ProcessId.load(daemon.record) for daemon in watched]
            self._interrupts.wait([process for process in processes if process is not None])
            for daemon in self._others(proxy):
                if daemon.process() is None:
                    raise DeployError(
                        f"The {daemon.name} ended. Its last words: {daemon.last_words()}",
                        remedy="Start the demo again.",
                    )
            assert self._hub is not None  # noqa: S101 - for the type checker: it was started
            if len(restarts) == _RESTARTS and time.monotonic() - restarts[0] < 60:
                raise DeployError(
                    f"The hub ended {_RESTARTS} times. Its last words: {self._hub.last_words(12)}",
                    remedy="Start the demo again.",
                )
            restarts.append(time.monotonic())
            self._say("The hub ended; it is started again.")
            self._hub.start(self._environment())

    def _others(self, proxy: Daemon) -> tuple[Daemon, ...]:
        """What must go on running besides the hub, which is started again."""
        if self._front is not None:
            return (proxy, *self._front.daemons())
        return (proxy, courses.service_daemon(self._places))

    def _plan(self, singleuser: tuple[str, ...]) -> hubs.HubPlan:
        first, second, third, inner = free_ports(4)
        return hubs.HubPlan(
            port=inner if self._shibboleth else self._port,
            public_port=self._port if self._shibboleth else None,
            hub_port=first,
            proxy_api_port=second,
            courses_port=third,
            singleuser=singleuser,
            launcher_python=str(self._python),
            own_accounts=self._places.root,
        )

    def _record(self) -> None:
        scheme = "https" if self._shibboleth else "http"
        url = f"{scheme}://{hubs.ADDRESS}:{self._port}"
        record = {"url": url, "supervisor": asdict(ProcessId.of(os.getpid()))}
        self._places.record.write_text(json.dumps(record))

    def _announce(self, plan: hubs.HubPlan, passwords: dict[str, str]) -> None:
        if self._front is not None:
            for line in fronts.words(self._front, passwords):
                self._say(line)
        else:
            self._say(f"\nThe hub answers at {plan.url}/ with these accounts and passwords:\n")
            for person, password in passwords.items():
                self._say(f"{person} {password}")
            self._say(
                "\nThere is a course: the student starts its server from Home; the instructor's "
                f"pages are at {plan.url}/services/courses/"
            )
        self._say(f"\nSlurm's commands reach the cluster with SLURM_CONF={self._conf}")

    @property
    def _conf(self) -> Path:
        return cluster_of(self._places).conf


def cluster_of(places: Places) -> EmbeddedCluster:
    """The demo's cluster, whoever started it."""
    return EmbeddedCluster(standard_plan(places.cluster, name="slurmhub_demo", kill_wait=10))


@contextlib.contextmanager
def locked(places: Places) -> Iterator[None]:
    """Hold the lock of this account's demo; raises AlreadyRunning when another process does."""
    make_state(places)
    while True:
        with places.lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _already_running(places) from None
            if not _is_at(file.fileno(), places.lock):
                # The demo that held it has just removed its folder.
                make_state(places)
                continue
            yield
            return


def running(places: Places) -> Running | None:
    """The demo of this account that somebody looks after; None when there is none."""
    try:
        record = json.loads(places.record.read_text())
    except FileNotFoundError:
        return None
    found = Running(record["url"], ProcessId(**record["supervisor"]))
    return found if found.supervisor.alive() else None


def remove_remains(places: Places, *, but: Path | None = None) -> None:
    """End and remove all that a demo of this account started, also one that was killed.

    To be called with the lock held. Works from what is on disk alone. The file `but` stays.
    """
    hub, proxy = hubs.stopped_daemons(places)
    cluster = cluster_of(places)
    # While the hub still listens: a server that cannot tell of its end waits for a while.
    cluster.cancel_jobs(grace=_SAVE_SECONDS)
    hub.stop(grace=10)
    courses.service_daemon(places).stop()
    cluster.stop(grace=1)
    proxy.stop()
    fronts.front_of(places).stop()
    if places.root:
        remove_accounts(places.homes)
    for entry in places.state.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != but:
            entry.unlink()
    if but is None:
        places.state.rmdir()


def check_port(port: int) -> None:
    """Raise DeployError unless the proxy could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((hubs.ADDRESS, port))
        except PermissionError:
            raise DeployError(
                f"Only root may listen on port {port}.", remedy="Choose a port above 1023."
            ) from None
        except OSError as error:
            raise DeployError(
                f"Port {port} is not to be had: {error.strerror}.",
                remedy=f"Choose another: script/demo --port {port + 1}",
            ) from None


def _already_running(places: Places) -> AlreadyRunning:
    found = running(places)
    where = f"already running at {found.url}/" if found else "being started or stopped already"
    return AlreadyRunning(
        f"A demo of this account is {where}.", remedy="script/demo --stop ends it."
    )


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _make_homes(places: Places) -> None:
    if places.root:
        make_accounts(places.homes)
    else:
        places.homes.mkdir(mode=0o700, exist_ok=True)
