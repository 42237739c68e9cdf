"""A kernel of a real single-user server, as somebody's browser reaches it through the proxy."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass

import requests
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.rig.hub import Visitor

PAGE = "jupyter-config-data"
"""What every page of JupyterLab begins with."""


@dataclass(frozen=True)
class AtServer:
    """Somebody at a server that may be another's; `path` begins and ends with a slash."""

    visitor: Visitor
    path: str

    def opens(self) -> bool:
        """Whether JupyterLab opens, by way of the hub's own question where need be.

        JupyterHub asks whoever comes to another's server first whether they mean to.
        """
        page = self.visitor.get(f"{self.path}lab", timeout=60)
        if "/oauth2/authorize?" in page.url and page.status_code == 200:
            form = re.findall(r'name="(_xsrf|scopes)" value="([^"]+)"', page.text)
            page = self.visitor.session.post(
                page.url, data=form, headers={"Referer": page.url}, timeout=60
            )
        return page.status_code == 200 and PAGE in page.text

    def known(self) -> bool:
        """Whether what the browser has already opens the server's interface, without the hub."""
        answer = self.visitor.get(f"{self.path}api/status", allow_redirects=False, timeout=60)
        return answer.status_code == 200

    def new_kernel(self) -> requests.Response:
        """Ask for a kernel."""
        cookies = self.visitor.session.cookies
        found = (c.value for c in cookies if c.name == "_xsrf" and c.path == self.path)
        return self.visitor.session.post(
            f"{self.visitor.hub.url}{self.path}api/kernels",
            json={},
            headers={
                "X-XSRFToken": str(next(found, "")),
                "Referer": f"{self.visitor.hub.url}{self.path}lab",
            },
            timeout=60,
        )

    async def channels(self, kernel: str) -> WebSocketClientConnection:
        """The websocket to a kernel; raises HTTPClientError where that is refused."""
        path = f"{self.path}api/kernels/{kernel}/channels"
        url = self.visitor.hub.url
        prepared = self.visitor.session.prepare_request(requests.Request("GET", url + path))
        headers = {"Cookie": str(prepared.headers.get("Cookie", ""))}
        return await websocket_connect(
            HTTPRequest(url.replace("http", "ws", 1) + path, headers=headers)
        )


async def printed(channels: WebSocketClientConnection, code: str) -> str:
    """What a kernel prints for this code."""
    number = uuid.uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    message = {
        "channel": "shell",
        "header": {**header, "username": "", "session": number, "date": ""},
        "parent_header": {},
        "metadata": {},
        "content": content,
    }
    await channels.write_message(json.dumps(message))
    text = ""
    while True:
        said = await channels.read_message()
        assert said is not None, f"the kernel's channels were closed: {channels.close_code}"
        answer = json.loads(said)
        if answer["parent_header"].get("msg_id") != number:
            continue
        if answer["msg_type"] == "stream":
            text += answer["content"]["text"]
        elif answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
            return text


async def until_closed(channels: WebSocketClientConnection) -> int | None:
    """Read until the other side closes, and say with which code."""
    while await channels.read_message() is not None:
        pass
    return channels.close_code
