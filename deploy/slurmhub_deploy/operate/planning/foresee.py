"""Runs the playbook in check mode and makes a plan of what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rich.console import Console

from slurmhub_deploy.operate.errors import INTERRUPTED, OperateError
from slurmhub_deploy.operate.planning.plan import Plan, plan_of
from slurmhub_deploy.operate.planning.servers import running_servers
from slurmhub_deploy.operate.running.run import Outcome, Wanted, run_site
from slurmhub_deploy.operate.secrets.keeping import Keeping
from slurmhub_deploy.operate.site_file import OpenSite


def foresee(
    opened: OpenSite, wanted: Wanted, keeping: Keeping, console: Console
) -> tuple[Plan, Outcome]:
    """The plan of this run, and the run in check mode that it is from. Raises OperateError."""
    secrets = keeping.foreseen()
    outcome = run_site(opened, replace(wanted, check=True, verb="plan"), secrets, console)
    if outcome.interrupted:
        raise OperateError(
            "Interrupted; nothing was changed.", remedy="Run it again.", status=INTERRUPTED
        )
    if not outcome.came_to_its_end:
        raise OperateError(
            f"Ansible ended with status {outcome.status} before it came to an end.",
            remedy=f"Look into {outcome.log}.",
        )
    new = []
    if wanted.verb != "down":
        new = [name for each in keeping.missing(keeping.values()) for name in each.names]
    return plan_of(outcome.events, opened.site, _servers(opened, outcome, secrets), new), outcome


def _servers(
    opened: OpenSite, outcome: Outcome, secrets: Mapping[str, str]
) -> dict[str, int | None]:
    """The running servers of the hubs on whose hosts a unit would be touched."""
    hosts = {each.host for each in outcome.ended if each.status == "changed" and each.units}
    return {
        name: running_servers(opened, name, secrets)
        for name, hub in opened.site.hubs.items()
        if hub.host in hosts
    }
