"""What one submission hands over: the script to run and the secrets apart from it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slurmhub.certificates import issue
from slurmhub.errors import SlurmhubError
from slurmhub.job.crossing import Person
from slurmhub.job.script import batch_script, server_config_source
from slurmhub.job.tag import JobTag
from slurmhub.options.refusal import shown
from slurmhub.options.request import JobRequest

# The kernel gives one variable of an environment 128 KiB; the launcher's own share is small.
MOST_PAYLOAD = 120_000
# Seconds.
_HELP_ENDS_WITHIN = 15.0


class PayloadUnusable(SlurmhubError):
    """The environment of a server does not fit where Slurm carries it."""


@dataclass(frozen=True)
class Submission:
    """A batch script anyone may read, a payload nobody else may, folders to make first."""

    script: str
    payload: str
    directories: tuple[str, ...]


async def prepare(
    spawner: Any, request: JobRequest, nonce: str, owner: Person, *, token: str
) -> Submission:
    """Build the submission of one server from its validated request and the site's policy.

    `token` is the API token of this job, which need not be the one the hub has for the server now.
    Raises SlurmhubError when the environment cannot be carried to the job.
    """
    policy = spawner.script_policy()
    tag = JobTag(hub=spawner.hub_name, user=spawner.user.name, server=spawner.name, nonce=nonce)
    command = [*spawner.cmd, *spawner.get_args()]
    environment = _environment(spawner, token)
    api_url = environment["JUPYTERHUB_API_URL"]
    payload = json.dumps(
        {
            "environment": _texts(environment),
            "hub": {
                "url": f"{api_url}/slurmhub/jobs/{nonce}",
                "token": token,
                "tls": await _client_certificate(spawner),
            },
            "listen": {"address": spawner.ip, "ports": list(spawner.port_range)},
            "launch_timeout": spawner.launch_timeout,
            "usage_interval": spawner.usage_interval,
            **_config(spawner),
        }
    )
    if len(payload.encode()) > MOST_PAYLOAD:
        raise PayloadUnusable(
            f"The environment of this server takes {len(payload)} bytes, and Slurm carries "
            f"{MOST_PAYLOAD}.",
            remedy="For the operator: shorten c.Spawner.environment.",
        )
    script = batch_script(request, tag, policy, command, owner.home)
    return Submission(script, payload, policy.directories(owner.home))


def _config(spawner: Any) -> dict[str, dict[str, str]]:
    """Jupyter's configuration for this job, where there is any, by the names of its files.

    The hub's sign-in may want every server to notice soon that access has ended; at that of a
    course somebody may be let in to help, for some time only.
    """
    within = getattr(getattr(spawner.hub_app, "authenticator", None), "servers_notice_within", 0)
    if spawner.is_courses_server():
        within = min(within or _HELP_ENDS_WITHIN, _HELP_ENDS_WITHIN)
    files = dict(spawner.course_files())
    if within:
        source = f"HALF = {float(within) / 2}\n{server_config_source()}"
        files["jupyter_server_config.py"] = source
    return {"config": files} if files else {}


def _environment(spawner: Any, token: str) -> dict[str, Any]:
    """The server's environment, with the token of this job in it."""
    held, spawner.api_token = spawner.api_token, token
    try:
        return dict(spawner.get_env())
    finally:
        spawner.api_token = held


async def _client_certificate(spawner: Any) -> Mapping[str, str] | None:
    """What the job shows the hub under internal_ssl; made in a thread."""
    if not spawner.internal_ssl:
        return None
    trust = Path(spawner.internal_trust_bundles["notebooks-ca"])
    certificate = await asyncio.to_thread(
        issue,
        Path(spawner.internal_certs_location),
        name=f"user-{spawner.user.name}",
        addresses=[],
        trust=trust,
    )
    return certificate.payload()


def _texts(environment: Mapping[str, Any]) -> dict[str, str]:
    texts = {name: str(value) for name, value in environment.items()}
    for name, value in texts.items():
        try:
            usable = name and "=" not in name and "\0" not in (name + value).encode().decode()
        except UnicodeEncodeError:
            usable = False
        if not usable:
            raise PayloadUnusable(
                f"The variable {shown(name)} cannot be set in a server's environment.",
                remedy="For the operator: correct c.Spawner.environment.",
            )
    return texts
