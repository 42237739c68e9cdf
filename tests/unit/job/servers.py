"""Servers that a launcher is made to start, each with its own way of behaving."""

from __future__ import annotations

_HEAD = """
import json, os, signal, socket, subprocess, sys, time
url = os.environ["JUPYTERHUB_SERVICE_URL"]
host, _, port = url.split("//")[1].split("/")[0].rpartition(":")
port = int(port)
def listen(port, host="0.0.0.0"):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, port))
    made.listen()
    return made
def note(name, text):
    with open(os.path.join(os.environ["NOTES"], name), "a") as file:
        file.write(text)
"""

LISTENS = (
    _HEAD
    + """
time.sleep(float(os.environ.get("DELAY", "0")))
note("before-listening", str(time.monotonic()))
made = listen(port)
print("listening on", port, flush=True)
while True:
    time.sleep(60)
"""
)

TELLS_ITS_CIRCUMSTANCES = (
    _HEAD
    + """
with open("/proc/self/status") as status:
    ignored = [line.split()[1] for line in status if line.startswith("SigIgn")][0]
note("facts", json.dumps({
    "environment": dict(os.environ), "argv": sys.argv, "ignored": int(ignored, 16),
    "blocked": [int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "stdin": os.readlink("/proc/self/fd/0"), "descriptors": sorted(os.listdir("/proc/self/fd")),
    "session": os.getsid(0) == os.getpid(),
}))
made = listen(port)
time.sleep(60)
"""
)

DIES = (
    _HEAD
    + """
print("reading the settings", flush=True)
print("cannot import notebook: broken installation", file=sys.stderr, flush=True)
sys.exit(3)
"""
)

KILLS_ITSELF = _HEAD + "os.kill(os.getpid(), signal.SIGKILL)"

NEVER_LISTENS = _HEAD + "time.sleep(60)"

STUBBORN = (
    _HEAD
    + """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
note("deaf", "yes")
time.sleep(60)
"""
)

LISTENS_ELSEWHERE = (
    _HEAD
    + """
made = listen(int(os.environ["ELSEWHERE"]))
time.sleep(60)
"""
)

LISTENS_ON_LOOPBACK = _HEAD + "made = listen(port, '127.0.0.1')\ntime.sleep(60)"

# The child of this wrapper listens; the wrapper only waits.
GRANDCHILD_LISTENS = (
    _HEAD
    + """
if os.fork() == 0:
    if os.environ["HOW"] == "own-session":
        os.setsid()
    elif os.environ["HOW"] == "orphan":
        if os.fork():
            os._exit(0)
    made = listen(port)
    time.sleep(60)
time.sleep(60)
"""
)

# The first time, somebody else takes the port before this server can: a process that leaves the
# session and the family of processes it began in.
PORT_IS_SNATCHED = (
    _HEAD
    + """
first = not os.path.exists(os.path.join(os.environ["NOTES"], "ports"))
note("ports", f"{port}\\n")
if first:
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        made = listen(port)
        note("snatcher", str(os.getpid()))
        os.close(1), os.close(2)
        os.write(writing, b"x")
        time.sleep(30)
    os.wait()
    os.read(reading, 1)
    if os.environ["THEN"] == "waits":
        time.sleep(60)
    try:
        listen(port)
    except OSError as problem:
        print(problem if os.environ["THEN"] == "says" else "sorry", flush=True)
        sys.exit(1)
made = listen(port)
time.sleep(60)
"""
)

SAVES_SLOWLY = (
    _HEAD
    + """
def stop(number, frame):
    note("signals", f"{number}\\n")
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGUSR1, stop)
made = listen(port)
while not os.path.exists(os.path.join(os.environ["NOTES"], "signals")):
    signal.sigtimedwait([], 0.02)
end = time.monotonic() + float(os.environ.get("SAVING", "1"))
while time.monotonic() < end:
    time.sleep(0.05)
note("saved", "all of it")
"""
)

LEAVES_A_KERNEL = (
    _HEAD
    + """
if os.fork() == 0:
    os.setsid()
    note("kernel", str(os.getpid()))
    time.sleep(20)
    os._exit(0)
print("the server ends, its kernel does not", flush=True)
sys.exit(4)
"""
)

SERVES_TLS = (
    _HEAD
    + """
import ssl
names = ("CERTFILE", "KEYFILE", "CLIENT_CA")
parts = {name: os.environ["JUPYTERHUB_SSL_" + name] for name in names}
modes = {name: oct(os.stat(path).st_mode & 0o7777) for name, path in parts.items()}
folder = os.path.dirname(parts["KEYFILE"])
note("facts", json.dumps({"url": url, "modes": modes, "folder": folder,
                          "folder_mode": oct(os.stat(folder).st_mode & 0o7777)}))
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=parts["CLIENT_CA"])
context.load_cert_chain(parts["CERTFILE"], parts["KEYFILE"])
made = context.wrap_socket(listen(port), server_side=True)
while True:
    made.accept()[0].close()
"""
)
