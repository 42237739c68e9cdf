"""A real JupyterHub with its proxy, run as processes of its own, and a browser without a screen."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import requests

PASSWORD = "a-password-for-tests"
READY_SECONDS = 40


def free_port() -> int:
    """A port of loopback that nobody holds at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until(true: Callable[[], Any], *, seconds: float = 120, what: str = "it") -> Any:
    """Poll until something is true and return it; fail with `what` when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true within {seconds} seconds")


@dataclass
class HubUnderTest:
    """A hub in a folder of its own; `settings` are lines of its jupyterhub_config.py."""

    folder: Path
    settings: str
    proxy_command: Sequence[str]
    account: Mapping[str, Any] = field(default_factory=dict)
    code: Path | None = None
    own_proxy: bool = False
    port: int = field(default_factory=free_port)
    hub_port: int = field(default_factory=free_port)
    proxy_port: int = field(default_factory=free_port)
    _hub: subprocess.Popen[bytes] | None = None
    _proxy: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the proxy serves the hub."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything the hub has logged so far."""
        return (self.folder / "hub.log").read_text(errors="replace")

    @property
    def news(self) -> str:
        """The end of the log, without what a test's own polling leaves in it."""
        return news_of(self.log)

    def start(self) -> None:
        """Write the configuration, start proxy and hub, return when it answers."""
        config = _CONFIG.format(
            url=self.url,
            hub_port=self.hub_port,
            proxy_port=self.proxy_port,
            password=PASSWORD,
        )
        (self.folder / "jupyterhub_config.py").write_text(config + self.settings)
        if self.account:
            os.chown(self.folder, self.account["user"], self.account["group"])
        if not self.own_proxy:
            self.start_proxy()
        self.start_hub()

    def start_proxy(self) -> None:
        """The proxy runs apart from the hub, as it does at sites."""
        with (self.folder / "proxy.log").open("ab") as log:
            self._proxy = subprocess.Popen(
                [
                    *self.proxy_command,
                    "--ip=127.0.0.1",
                    f"--port={self.port}",
                    "--api-ip=127.0.0.1",
                    f"--api-port={self.proxy_port}",
                    f"--default-target=http://127.0.0.1:{self.hub_port}",
                    "--error-target",
                    f"http://127.0.0.1:{self.hub_port}/hub/error",
                ],
                env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": "proxy-token-of-a-test"},
                stdout=log,
                stderr=log,
            )
        until(lambda: _listens(self.proxy_port), what="the proxy")

    def start_hub(self, *, wait: bool = True) -> None:
        """Start the hub process alone."""
        with (self.folder / "hub.log").open("ab") as log:
            self._hub = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", "jupyterhub_config.py"],
                cwd=self.folder,
                env={
                    "PATH": os.environ["PATH"],
                    "LANG": "C.UTF-8",
                    "HOME": str(self.folder),
                    "CONFIGPROXY_AUTH_TOKEN": "proxy-token-of-a-test",
                    **({"PYTHONPATH": str(self.code)} if self.code else {}),
                },
                stdout=log,
                stderr=log,
                **self.account,
            )
        if wait:
            self.wait()

    def wait(self) -> None:
        """Wait until the hub answers through its proxy."""
        until(self._answers, seconds=READY_SECONDS, what=f"the hub ({self.folder}/hub.log)")

    def _answers(self) -> bool:
        if self._hub is not None and self._hub.poll() is not None:
            raise AssertionError(f"the hub ended with {self._hub.returncode}:\n{self.news}")
        try:
            return requests.get(f"{self.url}/hub/api/", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def stop_hub(self, number: int = signal.SIGTERM) -> None:
        """End the hub with a signal and wait for it; the proxy goes on."""
        if self._hub is not None:
            self._hub.send_signal(number)
            try:
                self._hub.wait(10)
            except subprocess.TimeoutExpired:
                self._tell_what_it_waits_for(self._hub)
            self._hub = None

    def _tell_what_it_waits_for(self, hub: subprocess.Popen[bytes]) -> None:
        """Wait as long as systemd gives a unit (TimeoutStopSec), and have it in the run's summary.

        At SIGUSR1 a hub writes its stacks and tasks to its log.
        """
        before = len(self.log)
        hub.send_signal(signal.SIGUSR1)
        began = time.monotonic()
        try:
            hub.wait(80)
        finally:
            seconds = 10 + time.monotonic() - began
            said = self.log[before : before + 20_000]
            warnings.warn(f"A hub took {seconds:.0f} s to end.\n{said}", stacklevel=3)

    def restart(self, number: int = signal.SIGTERM) -> None:
        """End the hub and start it again."""
        self.stop_hub(number)
        self.start_hub()

    def stop(self) -> None:
        """End hub and proxy; jobs are the cluster's to end."""
        self.stop_hub()
        if self._proxy is not None:
            self._proxy.terminate()
            self._proxy.wait(10)
            self._proxy = None
        # With a proxy of its own, the hub leaves it running for the next hub.
        pid_file = self.folder / "jupyterhub-proxy.pid"
        if pid_file.exists():
            os.kill(int(pid_file.read_text()), signal.SIGTERM)

    def routes(self) -> dict[str, str]:
        """The proxy's routes: path to target."""
        answer = requests.get(
            f"http://127.0.0.1:{self.proxy_port}/api/routes",
            headers={"Authorization": "token proxy-token-of-a-test"},
            timeout=10,
        )
        return {f"{path.rstrip('/')}/": route["target"] for path, route in answer.json().items()}

    def visitor(self, name: str) -> Visitor:
        """Sign in as this person."""
        return Visitor(self, name)

    def metric(self, name: str, labels: str = "") -> float:
        """The value of one of the hub's metrics."""
        text = self.visitor("admin").get("/hub/metrics").text
        found = re.search(rf"^{re.escape(name)}{re.escape(labels)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0


def news_of(log: str) -> str:
    """The end of a hub's log, without what a test's own polling leaves in it."""
    noise = ("/slurmhub/status", "Skipping XSRF", "/hub/api/ ")
    lines = [line for line in log.splitlines() if not any(each in line for each in noise)]
    return "\n".join(lines[-60:])


class Served(Protocol):
    """A hub that somebody can visit."""

    @property
    def url(self) -> str:
        """Where its proxy serves it."""

    @property
    def news(self) -> str:
        """What it said last, for whoever reads why a test failed."""


class Visitor:
    """A person in a browser: a session with cookies, and JupyterHub's XSRF token."""

    def __init__(self, hub: Served, name: str) -> None:
        self.hub = hub
        self.name = name
        self.session = requests.Session()
        self.get("/hub/login")
        answer = self.post(
            "/hub/login", {"username": name, "password": PASSWORD}, allow_redirects=False
        )
        assert answer.status_code == 302, answer.text[-2000:]

    @property
    def xsrf(self) -> str:
        """The token that forms carry."""
        # A server of the person's own has another cookie of this name, for its own path.
        cookies = [c for c in self.session.cookies if c.name == "_xsrf" and c.value]
        return str(next(c.value for c in cookies if c.path == "/hub/"))

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET a page."""
        options.setdefault("timeout", 30)
        return self.session.get(self.hub.url + path, **options)

    def post(self, path: str, data: Mapping[str, Any], **options: Any) -> requests.Response:
        """POST a form, with the XSRF token."""
        options.setdefault("timeout", 30)
        return self.session.post(self.hub.url + path, data={**data, "_xsrf": self.xsrf}, **options)

    def api(self, method: str, path: str, json: Any = None) -> requests.Response:
        """Call JupyterHub's REST interface as this person."""
        return self.session.request(
            method,
            f"{self.hub.url}/hub/api{path}",
            json=json,
            headers={"X-XSRFToken": self.xsrf, "Referer": f"{self.hub.url}/hub/home"},
            timeout=60,
        )

    def start(self, server: str = "", **options: Any) -> requests.Response:
        """Ask for a server by REST; again while a hub that just started knows no cluster."""
        answer = self.api("POST", self._server(server), options or {})
        for _ in range(120):
            if answer.status_code != 503:
                break
            time.sleep(0.5)
            answer = self.api("POST", self._server(server), options or {})
        return answer

    def stop(self, server: str = "") -> requests.Response:
        """Stop a server by REST."""
        return self.api("DELETE", self._server(server))

    def status(self, server: str = "") -> dict[str, Any]:
        """Our own status endpoint."""
        suffix = f"/{server}" if server else ""
        answer = self.api("GET", f"/slurmhub/status/{self.name}{suffix}")
        return dict(answer.json())

    def wait_for(self, step: str, server: str = "", seconds: float = 120) -> dict[str, Any]:
        """Wait until the server's status is at this step."""
        seen: list[dict[str, Any]] = []

        def there() -> bool:
            seen.append(self.status(server))
            return bool(seen[-1].get("step") == step)

        try:
            until(there, seconds=seconds, what=step)
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen[-1]}\n{self.hub.news}") from None
        return seen[-1]

    def wait_ready(self, server: str = "", seconds: float = 120) -> dict[str, Any]:
        """Wait until the hub serves this server."""
        ready: dict[str, Any] = {}

        def there() -> bool:
            ready.update(self.status(server))
            return "url" in ready and ready["step"] == "ready"

        try:
            until(there, seconds=seconds, what="ready")
        except AssertionError as error:
            raise AssertionError(f"{error}: {ready}\n{self.hub.news}") from None
        return ready

    def asks_server(self, server: str = "") -> dict[str, Any]:
        """What the stub behind the proxy says of itself."""
        path = f"/user/{self.name}/" + (f"{server}/" if server else "")
        answers = []

        def served() -> bool:
            # After its restart JupyterHub calls a server ready a moment before it has its route.
            answers.append(self.get(f"{path}api", allow_redirects=False))
            return bool(answers[-1].status_code == 200)

        until(served, what=f"{path} served")
        return dict(answers[-1].json())

    def _server(self, server: str) -> str:
        return f"/users/{self.name}/servers/{server}" if server else f"/users/{self.name}/server"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


_CONFIG = """
import slurmhub

slurmhub.configure(c)
c.JupyterHub.bind_url = "{url}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.auth_token = "proxy-token-of-a-test"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "{password}"
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {{"admin"}}
c.JupyterHub.allow_named_servers = True
c.JupyterHub.log_level = "DEBUG"
# Answers to REST come soon, so that tests see what happens meanwhile.
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 1, "slow_stop_timeout": 1}}
c.JupyterHub.load_roles = [{{"name": "user", "scopes": ["self", "read:metrics"]}}]
"""
