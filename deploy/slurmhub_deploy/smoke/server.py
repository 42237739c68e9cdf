"""A person's server, as their browser starts, opens and stops it (JupyterHub's REST interface)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from slurmhub_deploy.smoke.errors import StepFailed
from slurmhub_deploy.smoke.web import Web

_EVERY = 1.0


class Server:
    """The default server of who is signed in to the hub at this address."""

    def __init__(self, web: Web, hub: str, name: str) -> None:
        self._web = web
        self._hub = hub
        self._name = name

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"{self._hub.removesuffix('hub/')}user/{self._name}/"

    async def start(self, options: Mapping[str, Any], seconds: float) -> None:
        """Start it and wait until it is served; what a run before has left is stopped first.

        Raises StepFailed with the hub's own words.
        """
        if (await self._status()).get("step") not in ("none", "ended"):
            await self.stop(seconds)
        answer = await self._web.api("POST", self._rest, dict(options))
        if answer.status not in (201, 202):
            raise StepFailed(
                f"The hub refuses to start a server: {_words(answer.text)} ({answer.status}).",
                remedy="Name a profile that the test account has in `probe.profile`, or correct"
                " what it says.",
            )
        status = await self._wait(_is_ready, seconds, "served")
        if status.get("step") != "ready":
            raise StepFailed(
                f"The server did not start: {status.get('message', 'no reason is known')}"
                f" {status.get('detail') or ''}".rstrip(),
                remedy=str(status.get("remedy") or "slurmhub logs hub says more."),
            )

    async def open(self) -> None:
        """Come in by the browser's way, which gives it a session with the server."""
        for _ in range(10):
            answer = await self._web.get(f"{self.url}lab")
            if answer.status == 200 and answer.url.startswith(self.url):
                return
            # After its start the proxy may lead to the hub for a moment.
            await asyncio.sleep(_EVERY)
        raise StepFailed(
            f"{answer.url.partition('?')[0]} answers {answer.status} instead of JupyterLab.",
            remedy="See whether the hub's host reaches the compute nodes' ports (slurmhub doctor).",
        )

    async def stop(self, seconds: float) -> None:
        """Stop it and wait until its job is gone, as the hub has it from Slurm."""
        answer = await self._web.api("DELETE", self._rest)
        if answer.status not in (202, 204, 404):
            raise StepFailed(
                f"The hub does not stop the server: {_words(answer.text)} ({answer.status}).",
                remedy="slurmhub logs hub says why; squeue shows the job.",
            )
        status = await self._wait(_is_gone, seconds, "gone")
        if not _is_gone(status):
            raise StepFailed(
                f"The job is still there after {seconds:.0f} s: {status.get('message', '')}",
                remedy="See squeue; the hub goes on asking Slurm to end it.",
            )

    @property
    def _rest(self) -> str:
        return f"{self._hub}api/users/{self._name}/server"

    async def _status(self) -> dict[str, Any]:
        answer = await self._web.api("GET", f"{self._hub}api/slurmhub/status/{self._name}")
        return dict(answer.json()) if answer.status == 200 else {}

    async def _wait(
        self, over: Callable[[Mapping[str, Any]], bool], seconds: float, what: str
    ) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while True:
            status = await self._status()
            if over(status):
                return status
            if time.monotonic() > end:
                raise StepFailed(
                    f"After {seconds:.0f} s the server is not {what}: {status.get('message', '')}",
                    remedy="If it waits in the queue, give the test account a partition or a"
                    " reservation that has room; else slurmhub logs hub says more.",
                )
            await asyncio.sleep(_EVERY)


def _is_ready(status: Mapping[str, Any]) -> bool:
    return status.get("step") in ("ready", "ended", "none")


def _is_gone(status: Mapping[str, Any]) -> bool:
    return status.get("step") in ("none", "ended")


def _words(text: str) -> str:
    import json

    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:200]
