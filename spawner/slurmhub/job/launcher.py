"""Runs inside a Slurm job: starts one Jupyter server and tells the hub about it.

    launcher.py -- COMMAND [ARGUMENT ...]

Carried by the batch script; needs only Python 3.8. SLURMHUB_METER is meter.py, SLURMHUB_JOB JSON:
environment, hub {url, token, tls}, listen {address, ports}, launch_timeout, usage_interval (in s),
maybe config of Jupyter. SLURMHUB_TROUBLE says why not to start, SLURMHUB_BIND_ADDRESS where.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

TYPE_CHECKING = False  # importing typing takes longer than all of the others
if TYPE_CHECKING:
    from typing import Any

PORT_ATTEMPTS = 10
HTTP_SECONDS = 10.0
ENDED_SECONDS = 20.0  # how long the news of the end is offered to a hub that is away
STOP_SECONDS = 10.0  # until a server that we end ourselves is killed
SSL_PARTS = (("certificate", "CERTFILE"), ("key", "KEYFILE"), ("authority", "CLIENT_CA"))
LOOPBACK = ("127.", "::ffff:127.", "::1", "localhost")


class CannotStart(Exception):
    """The server cannot be started; the text says why and holds no secret."""


class Log:
    """The job's output, and the last 4 KiB of it."""

    tail = b""

    def write(self, data: bytes) -> None:
        self.tail = (self.tail + data)[-4096:]
        # A full disk costs lines of the log, never the server.
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(1, data) :]

    def say(self, text: str) -> None:
        self.write(f"slurmhub: {text}\n".encode("utf-8", "replace"))


class Hub(threading.Thread):
    """Tells the hub what happens, one thing after the other, and asks again while it is away."""

    def __init__(self, url: str, token: str, job: dict[str, int], log: Log, wake: int) -> None:
        super().__init__(daemon=True)
        self.answers: list[tuple[str, int, dict[str, Any]]] = []  # event, status, body
        self.heard_of_end = threading.Event()
        self.certificate: dict[str, str] = {}  # with internal TLS, the files of the job's own
        self._scheme, _, self._place, self._path = url.split("/", 3)
        self._token, self._job, self._log, self._wake = token, job, log, wake
        self._queue: list[tuple[str, dict[str, Any]]] = []
        self._changed, self._trouble = threading.Condition(), ""
        self.start()

    def post(self, event: str, **facts: Any) -> None:
        """Queues one event; a new use makes an older one old, and the end all other news."""
        with self._changed:
            old = {"usage": ["usage"], "ended": [name for name, _ in self._queue]}.get(event, [])
            self._queue = [*(one for one in self._queue if one[0] not in old), (event, facts)]
            if event == "ended" or len(self._queue) == 1:  # other news do not end a pause
                self._changed.notify()

    def run(self) -> None:
        import random  # in this thread imports hold up nobody

        delay = 0.2
        while not self.heard_of_end.is_set():
            with self._changed:
                while not self._queue:
                    self._changed.wait()
                item = self._queue[0]
            status, body, wait = self._ask(*item)
            with self._changed:
                if status and item in self._queue:
                    self._queue.remove(item)
                elif item in self._queue:
                    self._changed.wait(max(wait, delay * random.uniform(0.5, 1)))  # noqa: S311
            delay = 0.2 if status else min(2 * delay, 1.0 if self._trouble == "status 425" else 5.0)
            if status:
                self.answers.append((item[0], status, body))
                with contextlib.suppress(BlockingIOError):  # so full that main wakes anyway
                    os.write(self._wake, b"\0")
                if item[0] == "ended":
                    self.heard_of_end.set()

    def _ask(self, event: str, facts: dict[str, Any]) -> tuple[int, dict[str, Any], float]:
        """One request: its status and body, or 0 and the least time to wait, in seconds."""
        trouble = wait = ""
        try:
            with contextlib.closing(self._connection()) as connection:
                headers = {"Authorization": f"token {self._token}"}
                said = json.dumps({**self._job, **facts})
                connection.request("POST", f"/{self._path}/{event}", said, headers)
                response = connection.getresponse()
                trouble, text = f"status {response.status}", response.read(65536)
            wait = response.getheader("Retry-After", "")
            body = dict(json.loads(text))
            known = (200, 400, 403, 410, {"listening": 409, "usage": 429}.get(event, 200))
            if response.status in known or (response.status == 404 and "slurmhub" in body):
                self._trouble = ""
                return response.status, body, 0.0
        except Exception as problem:  # its text may quote the token
            trouble = trouble or type(problem).__name__
        if trouble not in (self._trouble, "status 425"):
            self._log.say(f"the hub does not answer ({trouble}); asking again until it does")
        self._trouble = trouble
        return 0, {}, min(float(wait), 30.0) if wait.isdigit() else 0.0

    def _connection(self) -> Any:
        import http.client

        if self._scheme != "https:":
            return http.client.HTTPConnection(self._place, timeout=HTTP_SECONDS)
        import ssl

        context = ssl.create_default_context(cafile=self.certificate.get("CLIENT_CA"))
        if self.certificate:
            context.load_cert_chain(self.certificate["CERTFILE"], self.certificate["KEYFILE"])
        return http.client.HTTPSConnection(self._place, timeout=HTTP_SECONDS, context=context)


class Launcher:
    """From the order to the end of the server; all decisions are the main thread's."""

    def __init__(self, command: list[str], order: dict[str, Any], environ: dict[str, str]) -> None:
        self._command, self._order, self._environ = command, order, environ
        self._bind = environ.get("SLURMHUB_BIND_ADDRESS") or order["listen"]["address"]
        self._deadline = time.monotonic() + order["launch_timeout"]
        # _over is why all must end: "terminated" or "refused-by-hub"
        self._log, self._folder, self._over = Log(), "", ""
        self._server: subprocess.Popen[bytes] | None = None
        self._copier: threading.Thread | None = None
        self._tls_awaited = bool(order["hub"]["tls"])
        self._tls: dict[str, str] = {}
        self._signals: set[int] = set()
        self._awake, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        restarts = int(environ.get("SLURM_RESTART_COUNT", 0))
        job = {"job": int(environ["SLURM_JOB_ID"]), "restarts": restarts}
        self._hub = Hub(order["hub"]["url"], order["hub"]["token"], job, self._log, wake)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        # INT and QUIT because a shell's background jobs ignore them, and what is ignored stays so
        # in the server and its kernels; what has a handler does not.
        for name in ("TERM", "INT", "HUP", "QUIT", "USR1", "CHLD"):
            signal.signal(getattr(signal, f"SIG{name}"), lambda got, _: self._signals.add(got))

    def run(self) -> int:
        """Returns the exit status: the server's, 128 and its signal, or 1."""
        why = ""
        try:
            if self._tls_awaited:
                self._hub.certificate = self._store("job", self._order["hub"]["tls"])
                self._hub.post("started")
            if self._environ.get("SLURMHUB_TROUBLE"):
                raise CannotStart(self._environ["SLURMHUB_TROUBLE"])
            while self._tls_awaited and not self._over:
                self._pause(None)
            for number in range(PORT_ATTEMPTS):
                why = why or self._over or self._attempt(first=number == 0)
            if not why:
                raise CannotStart(f"{PORT_ATTEMPTS} ports in turn could not be used")
        except Exception as problem:  # the texts of other errors may quote a secret
            known = isinstance(problem, (CannotStart, OSError))
            self._log.say(f"cannot start the server: {problem if known else type(problem)}")
            why = "cannot-start"
        code = self._finish(why)
        if self._folder:
            import shutil

            shutil.rmtree(self._folder, ignore_errors=True)
        return code

    def _attempt(self, *, first: bool) -> str:
        """One port and one server: why all is over, or "" to try the next port."""
        port = free_port(self._bind, *self._order["listen"]["ports"])
        self._start(port)
        if first and not self._tls:  # only now, for the news costs imports
            self._hub.post("started")
        if first and "SLURMHUB_METER" in self._environ:
            meter = [self._environ["SLURMHUB_METER"], {"report_to": (self._hub.post, self._order)}]
            threading.Thread(target=exec, args=meter, daemon=True).start()
        why = self._until_listening(port)
        if why == "listening":
            self._hub.post("listening", port=port)
            while not self._over and not self._port_refused and self._code() is None:
                self._pause(None)
            why = "" if self._port_refused else "server-exited"
        if why == "server-exited":  # Slurm signals a whole job: it may go before our SIGTERM
            self._pause(0.1)
        if not why and not self._over:
            self._log.say(f"port {port} cannot be used; taking another")
            self._stop(STOP_SECONDS)
        return self._over or why

    def _start(self, port: int) -> None:
        self._port_refused, self._log.tail = False, b""
        self._server = subprocess.Popen(
            self._command,
            env=self._server_environment(port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._copier = threading.Thread(target=self._copy, args=[self._server.stdout], daemon=True)
        self._copier.start()

    def _copy(self, pipe: Any) -> None:
        for data in iter(lambda: os.read(pipe.fileno(), 65536), b""):
            self._log.write(data)

    def _until_listening(self, port: int) -> str:
        """Returns "listening", why all is over, or "" if the port is somebody else's."""
        began = seen = time.monotonic()
        pid = self._server.pid if self._server else 0
        while not self._over:
            died = self._code() is not None
            holder = port_holder(port, pid, self._bind)
            if holder == "other":
                return ""
            if died:
                end = self._log.tail.decode("utf-8", "replace").lower()
                signs = ("address already in use", "eaddrinuse", f"port {port} is ")
                return "" if any(sign in end for sign in signs) else "server-exited"
            if holder == "server":
                return "listening"
            now = time.monotonic()
            self._deadline += max(0.0, now - seen - 1)  # Slurm had paused the job for so long
            seen = now
            if now > self._deadline:
                own = sockets_of(pid)
                there = sorted({f"{host} {number}" for host, number, i in listening() if i in own})
                self._log.say(f"the server must listen on {self._bind} {port}, not on {there}")
                return "never-listened"
            self._pause(min(max((now - began) / 20, 0.005), 0.2))
        return self._over

    def _code(self) -> int | None:
        """The server's exit code, or the negative number of its signal; None while it runs."""
        code = self._server.poll() if self._server else None
        if code is not None and self._copier:
            # Not for ever: kernels that outlive their server may keep the pipe open.
            self._copier.join(0.5)
            self._copier = None
        return code

    def _stop(self, patience: float) -> None:
        """Ends the server and what wraps it, by SIGKILL if it is not gone after `patience` s."""
        for number, limit in ((signal.SIGTERM, patience), (signal.SIGKILL, float("inf"))):
            end = time.monotonic() + limit
            if self._server and self._code() is None:
                os.killpg(self._server.pid, number)  # not reaped yet, so the group is still its own
            while self._server and self._code() is None and time.monotonic() < end:
                self._pause(max(0.0, min(end - time.monotonic(), 60.0)))

    def _finish(self, why: str) -> int:
        self._stop(float("inf") if why == "terminated" else STOP_SECONDS)  # Slurm's KillWait is one
        code = self._code()
        code, number = (None, -code) if code is not None and code < 0 else (code, None)
        tail = self._log.tail.decode("utf-8", "replace")
        used = self._order.get("last_use", dict)()
        self._hub.post("ended", exit_code=code, signal=number, why=why, tail=tail, **used)
        self._hub.heard_of_end.wait(ENDED_SECONDS)
        if why not in ("server-exited", "terminated"):
            return 1
        return code if code is not None else 128 + (number or signal.SIGTERM)

    def _pause(self, limit: float | None) -> None:
        """Sleeps until a signal, an answer of the hub, or for `limit` s; then takes the news in."""
        select.select([self._awake], [], [], limit)
        with contextlib.suppress(BlockingIOError):
            os.read(self._awake, 65536)
        while self._signals:
            number = self._signals.pop()
            if number == signal.SIGUSR1:
                end = self._environ.get("SLURM_JOB_END_TIME", "")
                left = int(end) - int(time.time()) if end.isdigit() else -1
                # Below zero: the job was given more time after it began.
                self._hub.post("warning", seconds_left=left if left >= 0 else None)
            elif number != signal.SIGCHLD:
                self._over = self._over or "terminated"
        while self._hub.answers:
            event, status, body = self._hub.answers.pop(0)
            if event == "listening" and status == 409:
                self._port_refused = True
            elif event in ("started", "listening") and status != 200:
                self._log.say(f"the hub refuses this job: {body.get('message', status)!r:.300}")
                self._over = self._over or "refused-by-hub"
            elif event == "started" and self._tls_awaited:
                self._tls = self._store("server", body["tls"]) if body.get("tls") else {}
                self._tls_awaited = False

    def _store(self, prefix: str, tls: dict[str, str]) -> dict[str, str]:
        """Writes the three parts into a 0700 folder; returns the paths by SSL_PARTS' names."""
        return {name: self._private(f"{prefix}-{part}.pem", tls[part]) for part, name in SSL_PARTS}

    def _private(self, name: str, text: str) -> str:
        import tempfile

        self._folder = self._folder or tempfile.mkdtemp(prefix="slurmhub-")
        path = os.path.join(self._folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return file.name

    def _server_environment(self, port: int) -> dict[str, str]:
        kept = {k: v for k, v in self._environ.items() if not k.startswith("SLURMHUB_")}
        kept.update(self._order["environment"])
        kept.update({f"JUPYTERHUB_SSL_{name}": path for name, path in self._tls.items()})
        scheme, _, _, *path = kept.get("JUPYTERHUB_SERVICE_URL", "http:///").split("/", 3)
        host = f"[{self._bind}]" if ":" in self._bind else self._bind
        place = ["https:" if self._tls else scheme, "", f"{host}:{port}", *path]
        kept["JUPYTERHUB_SERVICE_URL"] = "/".join(place)
        with contextlib.suppress(OSError, KeyError):  # on a full disk, or without any, so it starts
            for name, text in self._order["config"].items():
                self._private(name, text)
            paths = [self._folder, *filter(None, [kept.get("JUPYTER_CONFIG_PATH")])]
            kept["JUPYTER_CONFIG_PATH"] = ":".join(paths)
        return kept


def free_port(address: str, low: int, high: int) -> int:
    """A port of the range, by chance, that nobody listens on and that can be bound."""
    taken, span = {port for _, port, _ in listening()}, high - low + 1
    first = int.from_bytes(os.urandom(4), "big")
    ports = (low + (first + offset) % span for offset in range(span))
    for port in (number for number in ports if number not in taken):
        try:
            place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(*place[:3]) as probe:
                probe.bind(place[4])
            return port
        except OSError as problem:
            if problem.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise CannotStart(f"cannot bind to {address}: {problem.strerror}") from problem
    raise CannotStart(f"no free port from {low} to {high} on this node")


def listening() -> list[tuple[str, int, str]]:
    """Every listening TCP socket of this host: address, port, inode (proc(5))."""
    found = []
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):  # if IPv6 is on
        with contextlib.suppress(FileNotFoundError), open(f"/proc/net/{table}") as lines:
            for fields in (line.split() for line in lines if " 0A " in line):
                digits, _, port = fields[1].partition(":")
                words = [int(digits[i : i + 8], 16) for i in range(0, len(digits), 8)]
                packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
                found.append((socket.inet_ntop(family, packed), int(port, 16), fields[9]))
    return found


def sockets_of(root: int) -> set[str]:
    """Inodes of the sockets held by `root`, its session and its descendants."""
    facts: dict[int, tuple[int, int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        # Processes end while we look, and those of other people keep their descriptors to them.
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            facts[int(name)] = (int(fields[1]), int(fields[3]))
    family = fresh = {root} | {pid for pid, (_, session) in facts.items() if session == root}
    while fresh:
        fresh = {pid for pid, (parent, _) in facts.items() if parent in fresh} - family
        family = family | fresh
    links = []
    for folder in (f"/proc/{pid}/fd" for pid in family):
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(folder):
                with contextlib.suppress(OSError):
                    links.append(os.readlink(f"{folder}/{descriptor}"))
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def port_holder(port: int, root: int, bind: str) -> str:
    """Who listens there: "server", "other", or "" for nobody that the hub could reach."""
    there = [(host, inode) for host, number, inode in listening() if number == port]
    own = sockets_of(root) if there else set()
    if any(inode not in own for _, inode in there):
        return "other"
    local = bind.startswith(LOOPBACK)
    return "server" if any(local or not host.startswith(LOOPBACK) for host, _ in there) else ""


def main() -> int:
    order = os.environ.pop("SLURMHUB_JOB", "")
    try:
        launcher = Launcher(sys.argv[2:], json.loads(order), dict(os.environ))
    except (ValueError, LookupError, TypeError, RecursionError):
        Log().say("usage: launcher.py -- COMMAND [ARGUMENT ...], in a job, with SLURMHUB_JOB")
        return 2
    return launcher.run()


if __name__ == "__main__":
    # Not sys.exit: a thread that still waits for an absent hub must not hold up the end.
    os._exit(main())
