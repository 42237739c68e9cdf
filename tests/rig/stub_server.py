"""A single-user server that does next to nothing: it answers, and saves when it is asked to end."""

import http.server
import json
import os
import signal
import ssl
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

url = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
behaviour = os.environ.get("STUB_BEHAVIOUR", "")


class Handler(http.server.BaseHTTPRequestHandler):
    """Says who and where it is."""

    def do_GET(self) -> None:
        body = json.dumps(
            {
                "job": os.environ.get("SLURM_JOB_ID"),
                "user": os.environ.get("USER"),
                "uid": os.getuid(),
                "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
                "node": os.environ.get("SLURMD_NODENAME"),
                "restarts": os.environ.get("SLURM_RESTART_COUNT", "0"),
                "cwd": os.getcwd(),
            }
        ).encode()
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", os.environ.get("STUB_VERSION", ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing: the job's log is for the test's own lines."""


if behaviour == "dies":
    print("the stub has no licence to run", flush=True)
    sys.exit(3)
if behaviour == "deaf":
    time.sleep(600)
time.sleep(float(os.environ.get("STUB_LISTENS_AFTER", "0")))
host = "127.0.0.1" if behaviour == "elsewhere" else url.hostname or ""
server = http.server.ThreadingHTTPServer((host, url.port or 0), Handler)

if url.scheme == "https":
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=os.environ["JUPYTERHUB_SSL_CLIENT_CA"]
    )
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(
        os.environ["JUPYTERHUB_SSL_CERTFILE"], os.environ["JUPYTERHUB_SSL_KEYFILE"]
    )
    server.socket = context.wrap_socket(server.socket, server_side=True)


def end(*_: object) -> None:
    """Save, then end."""
    time.sleep(float(os.environ.get("STUB_SAVES_FOR", "0")))
    Path.home().joinpath(f"saved-{os.environ.get('SLURM_JOB_ID')}").write_text("saved")
    threading.Thread(target=server.shutdown).start()


def die() -> None:
    """End as something that breaks while it is used."""
    print("the stub has had enough", flush=True)
    os._exit(5)


def eat() -> None:
    """Use ever more memory, as a program does that reads more than there is room for."""
    kept = []
    while True:
        kept.append(bytearray(20_000_000))
        time.sleep(0.02)


signal.signal(signal.SIGTERM, end)
if "STUB_EATS_AFTER" in os.environ:
    threading.Timer(float(os.environ["STUB_EATS_AFTER"]), eat).start()
if "STUB_DIES_AFTER" in os.environ:
    threading.Timer(float(os.environ["STUB_DIES_AFTER"]), die).start()
print("the stub listens", flush=True)
server.serve_forever()
