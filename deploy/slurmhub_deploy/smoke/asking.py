"""From a site and one of its hubs to a run of the smoke test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.site.model import Site
from slurmhub_deploy.smoke.report import Report, Step
from slurmhub_deploy.smoke.run import Plan, run
from slurmhub_deploy.smoke.signing_in import Credentials


def smoke(
    site: Site,
    hub: str,
    secrets: Mapping[str, str],
    *,
    folder: Path = Path(),
    addresses: Mapping[str, str] | None = None,
    on_step: Callable[[Step], None] = lambda _: None,
) -> Report:
    """Try a hub of this site with its test account.

    `secrets` has probe_password.HUB, `folder` is that of the site file. Raises DeployError if the
    hub has no test account; what does not work is in the report.
    """
    made = plan(site, hub, secrets, folder=folder, addresses=addresses or {})
    return asyncio.run(run(made, on_step))


def plan(
    site: Site,
    hub: str,
    secrets: Mapping[str, str],
    *,
    folder: Path = Path(),
    addresses: Mapping[str, str],
) -> Plan:
    """What such a run needs to know."""
    asked = site.hubs[hub]
    probe = asked.probe
    if probe is None:
        raise DeployError(
            f"The hub {hub} has no test account.",
            remedy=f"Ask the institution for one, and name it in `hubs.{hub}.probe`.",
        )
    return Plan(
        hub,
        f"https://{asked.domain}{asked.base_url}",
        Credentials(probe.username, secrets[f"probe_password.{hub}"], probe.provider),
        probe.profile,
        folder / probe.trust if probe.trust else None,
        addresses,
        probe.start_minutes * 60.0,
    )
