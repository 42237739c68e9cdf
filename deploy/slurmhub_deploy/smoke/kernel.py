"""A kernel over its websocket: Jupyter's messaging protocol 5.3, as far as one cell needs it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tornado.websocket import WebSocketClientConnection

from slurmhub_deploy.smoke.errors import StepFailed
from slurmhub_deploy.smoke.web import Web


class Kernel:
    """One kernel that runs on a server."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket
        self._session = uuid.uuid4().hex

    async def compute(self, code: str, seconds: float) -> str:
        """What the code prints; raises StepFailed when it fails or says nothing in time."""
        try:
            return await asyncio.wait_for(self._compute(code), seconds)
        except asyncio.TimeoutError as error:
            raise StepFailed(
                f"The kernel did not answer within {seconds:.0f} s.",
                remedy="See whether every proxy before the hub passes websockets on, and whether"
                " the kernel starts on that node: slurmhub logs hub.",
            ) from error

    async def _compute(self, code: str) -> str:
        sent = uuid.uuid4().hex
        await self._socket.write_message(json.dumps(self._request(sent, code)))
        printed = ""
        while True:
            message = await self._socket.read_message()
            if message is None:
                raise StepFailed(
                    "The websocket to the kernel was closed.",
                    remedy="See what closed it: slurmhub logs front, slurmhub logs hub.",
                )
            said: dict[str, Any] = json.loads(message)
            if said.get("parent_header", {}).get("msg_id") != sent:
                continue
            kind, content = said["header"]["msg_type"], said["content"]
            if kind == "stream" and content["name"] == "stdout":
                printed += content["text"]
            elif kind == "error":
                raise StepFailed(
                    f"The kernel says {content['ename']}: {content['evalue']}",
                    remedy="If it names a file: see whether the home is mounted on that node, and"
                    " whether the test account's quota has room.",
                )
            elif kind == "status" and content["execution_state"] == "idle":
                return printed

    def _request(self, number: str, code: str) -> dict[str, Any]:
        header = {
            "msg_id": number,
            "session": self._session,
            "username": "",
            "msg_type": "execute_request",
            "version": "5.3",
        }
        content = {
            "code": code,
            "silent": False,
            "store_history": False,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        return {
            "channel": "shell",
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
        }


@asynccontextmanager
async def kernel(web: Web, server: str) -> AsyncIterator[Kernel]:
    """A new kernel of the server at this address; it is shut down at the end."""
    answer = await web.api("POST", f"{server}api/kernels", {})
    if answer.status != 201:
        raise StepFailed(
            f"The server starts no kernel: it answers {answer.status}.",
            remedy="See whether the Jupyter environment of jobs has a kernel (ipykernel).",
        )
    place = f"{server}api/kernels/{answer.json()['id']}"
    socket = await web.websocket(f"ws{place.removeprefix('http')}/channels")
    try:
        yield Kernel(socket)
    finally:
        socket.close()
        await web.api("DELETE", place)
