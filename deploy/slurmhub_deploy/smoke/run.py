"""The smoke test itself: what a student does in a first minute, step by step."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from slurmhub_deploy.smoke.errors import StepFailed
from slurmhub_deploy.smoke.kernel import kernel
from slurmhub_deploy.smoke.report import Report, Step
from slurmhub_deploy.smoke.server import Server
from slurmhub_deploy.smoke.signing_in import Credentials, sign_in
from slurmhub_deploy.smoke.web import Web

_KERNEL_SECONDS = 60.0
_STOP_SECONDS = 120.0
# The words are made at each run, so that nothing of an earlier one is read.
_WRITE = """
import os, pathlib
place = pathlib.Path.home() / {name!r}
with place.open("x") as file:
    file.write({words!r})
    file.flush()
    os.fsync(file.fileno())
print(6 * 7)
"""
_READ = """
import pathlib
place = pathlib.Path.home() / {name!r}
print(place.read_text())
place.unlink()
"""


@dataclass(frozen=True)
class Plan:
    """One hub and who tries it."""

    hub: str
    """Its name in the site file."""

    url: str
    """Its address, such as https://hub.example.ca/ (with a slash at its end)."""

    who: Credentials
    profile: str | None = None
    trust: Path | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    start_seconds: float = 300.0


class _Taking:
    """Takes steps one after the other, and keeps how each went."""

    def __init__(self, on_step: Callable[[Step], None]) -> None:
        self.steps: list[Step] = []
        self._on_step = on_step

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        began = time.monotonic()
        try:
            yield
        except StepFailed as error:
            self._add(Step(name, time.monotonic() - began, error.what, error.remedy))
            raise
        self._add(Step(name, time.monotonic() - began))

    def _add(self, step: Step) -> None:
        self.steps.append(step)
        self._on_step(step)


async def run(plan: Plan, on_step: Callable[[Step], None] = lambda _: None) -> Report:
    """Take every step; the first that fails ends it. What was started is stopped in any case."""
    taking = _Taking(on_step)
    with contextlib.suppress(StepFailed):
        await _student(plan, taking)
    return Report(plan.hub, plan.url, tuple(taking.steps))


async def _student(plan: Plan, taking: _Taking) -> None:
    web = Web(trust=plan.trust, addresses=plan.addresses)
    hub = f"{plan.url}hub/"
    async with taking.step("sign-in"):
        await sign_in(web, hub, plan.who)
        server = Server(web, hub, await _name(web, hub))
    try:
        await _work(plan, taking, web, server)
    except StepFailed:
        with contextlib.suppress(StepFailed):
            await server.stop(_STOP_SECONDS)
        raise
    async with taking.step("stop"):
        await server.stop(_STOP_SECONDS)


async def _work(plan: Plan, taking: _Taking, web: Web, server: Server) -> None:
    name, words = f".slurmhub-smoke-{secrets.token_hex(4)}", secrets.token_hex(16)
    async with taking.step("start"):
        await server.start({"profile": plan.profile} if plan.profile else {}, plan.start_seconds)
        await server.open()
    async with contextlib.AsyncExitStack() as first:
        async with taking.step("kernel"):
            writer = await first.enter_async_context(kernel(web, server.url))
            _same(await writer.compute("print(6 * 7)", _KERNEL_SECONDS), "42", "6 * 7")
        async with taking.step("file"):
            code = _WRITE.format(name=name, words=words)
            _same(await writer.compute(code, _KERNEL_SECONDS), "42", "after it wrote a file")
    # Another process reads it, from the disk and not from the first one's memory.
    async with taking.step("read"), kernel(web, server.url) as reader:
        code = _READ.format(name=name)
        _same(await reader.compute(code, _KERNEL_SECONDS), words, "of the file that was written")


async def _name(web: Web, hub: str) -> str:
    answer = await web.api("GET", f"{hub}api/user")
    if answer.status != 200:
        raise StepFailed(
            f"The hub does not say who is signed in: it answers {answer.status}.",
            remedy="slurmhub logs hub says why.",
        )
    return str(answer.json()["name"])


def _same(said: str, wanted: str, what: str) -> None:
    if said.strip() != wanted:
        raise StepFailed(
            f"The kernel says {said.strip()[:80]!r} {what}, and not {wanted!r}.",
            remedy="See what the kernel of the job's environment is.",
        )
