"""Asking `slurmhub-account`, the program of root's that makes accounts.

A hub that is root starts it; any other asks sudo for that one program, without arguments.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slurmhub.errors import SlurmhubError
from slurmhub.slurm.command import run
from slurmhub.slurm.errors import CommandError

INSTALLED = Path("/usr/local/libexec/slurmhub/slurmhub-account")
# The program ends by itself before this: it waits for others, and for its directory, less long.
HELPER_TIMEOUT = 90.0


class HelperRefused(SlurmhubError):
    """The program did not do it; `kind` is its own word for why."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message, remedy="Look into the log of authpriv on the hub's host.")
        self.kind = kind
        self.message = message


class HelperUnusable(SlurmhubError):
    """The program could not be run, or did not answer as it should."""


@dataclass(frozen=True)
class MadeAccount:
    """An account as the program made or found it; `made` says that this call made it."""

    uid: int
    gid: int
    home: str
    made: bool


@dataclass(frozen=True)
class AccountHelper:
    """How this hub runs the program; `installed` is where it is."""

    installed: Path = INSTALLED

    async def ensure(
        self, name: str, *, token: str, uid: int | None = None, full_name: str = ""
    ) -> MadeAccount:
        """Have the account made, or finished; the same one for the same token.

        Raises HelperRefused or HelperUnusable.
        """
        request: dict[str, Any] = {"verb": "ensure", "name": name, "token": token}
        if uid is not None:
            request["uid"] = uid
        if full_name:
            request["gecos"] = full_name
        return self._made(await self.ask(request))

    async def home(self, name: str) -> MadeAccount:
        """Have the home made of an account that others made; `made` says that this call made it.

        Raises HelperRefused or HelperUnusable.
        """
        return self._made(await self.ask({"verb": "home", "name": name}))

    def _made(self, answer: Mapping[str, Any]) -> MadeAccount:
        uid_given, gid, home = answer.get("uid"), answer.get("gid"), answer.get("home")
        numbers = isinstance(uid_given, int) and isinstance(gid, int)
        if not numbers or not isinstance(home, str):
            raise HelperUnusable(
                f"{self.installed} answered without a uid, a gid and a home.",
                remedy="Run 'slurmhub helper install' again: it may be of another release.",
            )
        return MadeAccount(int(uid_given or 0), int(gid or 0), home, answer.get("made") is True)

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Have one request answered. Raises HelperRefused or HelperUnusable."""
        argv = [str(self.installed)]
        if os.geteuid() != 0:
            argv = ["/usr/bin/sudo", "-n", "--", *argv]
        remedy = "Run 'slurmhub helper install --accounts' on the hub's host, as root."
        try:
            done = await run(
                argv,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                stdin=json.dumps(request).encode(),
                timeout=HELPER_TIMEOUT,
                max_output=65536,
            )
        except CommandError as error:
            raise HelperUnusable(error.what, remedy=remedy) from error
        try:
            answer = json.loads(done.stdout)
            accepted = answer["ok"]
        except (ValueError, TypeError, KeyError) as error:
            lines = done.complaint.splitlines() or ["it gave no answer"]
            raise HelperUnusable(
                f"{self.installed} could not be asked: {lines[-1][:300]}.", remedy=remedy
            ) from error
        if accepted is not True:
            raise HelperRefused(str(answer.get("kind", "")), str(answer.get("message", "")))
        return dict(answer)
