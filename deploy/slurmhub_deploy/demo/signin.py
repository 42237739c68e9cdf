"""Sign-in to the demo: its accounts and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode

from slurmhub_deploy.demo.passwords import right_name


class DemoAuthenticator(Authenticator):  # type: ignore[misc]
    """Knows the accounts whose hashes are in its file."""

    password_file = Unicode(help="File of salted hashes, written at the demo's start.").tag(
        config=True
    )

    async def authenticate(self, handler: Any, data: Mapping[str, str]) -> str | None:
        """The name, if the password is right."""
        # Hashing takes a while, and meanwhile the hub serves others.
        return await asyncio.to_thread(
            right_name, data["username"], data["password"], Path(self.password_file)
        )
