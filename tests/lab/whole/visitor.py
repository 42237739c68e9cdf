"""Somebody at the hub without a browser, whose server runs on when they leave.

`python -m tests.lab.whole.visitor NAME CODE`, where the names lead to the hosts; the folder that it
is run in has the hub's certificate.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from slurmhub_deploy.smoke.kernel import kernel
from slurmhub_deploy.smoke.server import Server
from slurmhub_deploy.smoke.signing_in import Credentials, sign_in
from slurmhub_deploy.smoke.web import Web
from tests.lab.idp import PASSWORD
from tests.lab.whole.institution import HUB

_SECONDS = 300.0


async def visit(name: str, code: str) -> str:
    """Sign in, start a server, have a kernel run the code; what it prints. Raises StepFailed."""
    web, hub = Web(trust=Path("tls.pem")), f"https://{HUB}/hub/"
    await sign_in(web, hub, Credentials(name, PASSWORD))
    server = Server(web, hub, name)
    await server.start({"profile": "course"}, _SECONDS)
    await server.open()
    async with kernel(web, server.url) as one:
        return await one.compute(code, _SECONDS)


if __name__ == "__main__":
    print(asyncio.run(visit(*sys.argv[1:])))
