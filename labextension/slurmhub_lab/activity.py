"""What JupyterLab asks by itself while nobody does anything, kept from counting as use.

An open tab asks its server for kernels, sessions, terminals and the folder that it shows, every
ten seconds, and writes its workspace back as often. jupyter_server takes each of these for use,
and tells the hub. What is not listed here goes on to count: a document that is opened or saved, a
kernel that writes, a terminal in which something moves, a page that is loaded. And a kernel counts
while it computes, which jupyter_server only knows of when it says something.
"""

from __future__ import annotations

import re
import sys
from datetime import datetime, timezone
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.ioloop import PeriodicCallback
from tornado.web import OutputTransform

# The name by which jupyter_server lets a request say that it is no use.
_SAYS_SO = "no_track_activity"
_ASKED_BY_ITSELF = re.compile(
    r"api/(kernels|sessions|terminals|kernelspecs|me|status|contents(/.*)?)"
    r"|lab/api/workspaces(/.*)?"
)
# jupyter_server takes the latest time in its settings whose name ends so.
_COMPUTED = "slurmhub_last_activity"
_LOOK_EVERY = 10_000  # milliseconds
# Where people edit together, what they type reaches the server by a websocket that tells nobody.
_TOGETHER = ("jupyter_server_ydoc", "jupyter_collaboration")
_WRITTEN_BY_ITSELF = re.compile(r"lab/api/workspaces/.*")


def by_itself(method: str, path: str, asked: Any) -> bool:
    """Whether JupyterLab sends this without a person; `path` is below the server's base URL.

    `asked` are the names in the query: a document that somebody opens is asked for with its type,
    a folder that is only looked at again is not.
    """
    if method == "GET":
        return bool(_ASKED_BY_ITSELF.fullmatch(path)) and "type" not in asked
    return method == "PUT" and bool(_WRITTEN_BY_ITSELF.fullmatch(path))


def leave_out_polling(app: Any) -> None:
    """Let only what people do, and what computes, be this server's activity."""
    base = str(app.settings["base_url"])

    class LeavePollingOut(OutputTransform):
        """Marks such requests before their handlers run; it transforms no output."""

        def __init__(self, request: HTTPServerRequest) -> None:
            if not sys.modules.keys().isdisjoint(_TOGETHER):
                return
            below = request.path.startswith(base)
            path = request.path[len(base) :].strip("/") if below else ""
            if by_itself(request.method or "", path, request.query_arguments):
                request.arguments[_SAYS_SO] = [b"1"]

    app.add_transform(LeavePollingOut)


def count_busy(app: Any) -> None:
    """If a kernel is busy now, this server is in use now."""
    kernels = app.settings["kernel_manager"]
    # A kernel that is just being made has no state yet.
    found = [kernels.get_kernel(name) for name in kernels.list_kernel_ids()]
    if any(getattr(kernel, "execution_state", "") == "busy" for kernel in found):
        app.settings[_COMPUTED] = datetime.now(timezone.utc)


def count_computing(app: Any) -> None:
    """Let a kernel that is busy be activity, also one that says nothing for hours."""
    PeriodicCallback(lambda: count_busy(app), _LOOK_EVERY).start()
