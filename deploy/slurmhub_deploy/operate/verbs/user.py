"""`slurmhub user show`: all that the site knows of one account, from every host that knows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import typer

from slurmhub_deploy.operate.asking_homes import HomeQuota, homes_of, quota_of
from slurmhub_deploy.operate.asking_hub import ask_hub
from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.operate.site_file import USUAL, OpenSite, SiteFile, open_site
from slurmhub_deploy.operate.verbs.nodes import Ask, over_ssh
from slurmhub_deploy.operate.verbs.quota import as_text as quota_as_text
from slurmhub_deploy.site.clusters import MadeCluster

user = typer.Typer(help="People's accounts.", no_args_is_help=True)

_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_AT_ONCE = 16
_SEPARATOR = "\x1f"
# Run on a host, by its own Python.
_THERE = """
import grp, json, os, pwd, sys
try:
    one = pwd.getpwnam(sys.argv[1])
except KeyError:
    print("null")
else:
    groups = []
    for number in os.getgrouplist(one.pw_name, one.pw_gid):
        try:
            groups.append(grp.getgrgid(number).gr_name)
        except KeyError:
            groups.append(str(number))
    print(json.dumps({"uid": one.pw_uid, "gid": one.pw_gid, "home": one.pw_dir, "groups": groups}))
"""


@dataclass(frozen=True)
class AccountThere:
    """An account as one host has it."""

    uid: int
    gid: int
    home: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """A job that is queued or runs."""

    number: str
    partition: str
    state: str
    node: str


@dataclass
class Shown:
    """What was found; `unknown` says what could not be, and why."""

    name: str
    accounts: dict[str, AccountThere | None] = field(default_factory=dict)
    quota: HomeQuota | None = None
    associations: dict[str, list[str]] = field(default_factory=dict)
    jobs: dict[str, list[Job]] = field(default_factory=dict)
    hubs: dict[str, dict[str, Any]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


Asks = Callable[[str], Ask]


@user.command()
def show(
    name: Annotated[str, typer.Argument(help="The account.")],
    hub: Annotated[str | None, typer.Option("--hub", help="Of which hub, if homes differ.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    site: SiteFile = USUAL,
) -> None:
    """Show an account: its number on every host, home and quota, associations, jobs, servers.

    Changes nothing. Exit status: 0; 1 if no host knows the account; 2 for a wrong command.
    """
    if not _NAME.fullmatch(name):
        raise OperateError(
            f"{name!r} is not an account's name.", remedy="Give one.", status=UNUSABLE
        )
    opened = open_site(site)
    found = look_up(opened, name, hub)
    typer.echo(json.dumps(asdict(found), indent=2) if as_json else "\n".join(as_lines(found)))
    if not any(found.accounts.values()):
        raise typer.Exit(1)


def look_up(opened: OpenSite, name: str, hub: str | None, asks: Asks | None = None) -> Shown:
    """Ask every host at once; one that does not answer is said, and is no error."""
    to = asks or (lambda host: over_ssh(opened, host))
    found = Shown(name)

    def part(what: str, ask: Callable[[], None]) -> None:
        try:
            ask()
        except OperateError as error:
            found.unknown[what] = error.what

    def homes() -> None:
        found.quota = quota_of(opened, homes_of(opened, hub), name)

    jobs: list[tuple[str, Callable[[], None]]] = [("the home", homes)]
    for host in opened.hosts:
        jobs.append((f"the account on {host}", lambda h=host: _account(found, to(h), h)))  # type: ignore[misc]
    for cluster, host in _asked_for_clusters(opened).items():
        jobs.append((f"the cluster {cluster}", lambda c=cluster, h=host: _slurm(found, to(h), c)))  # type: ignore[misc]
    for each in [hub] if hub is not None else list(opened.site.hubs):
        jobs.append((f"the hub {each}", lambda n=each: _hub(found, opened, n)))  # type: ignore[misc]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda job: part(*job), jobs))
    found.accounts = {host: found.accounts[host] for host in opened.hosts if host in found.accounts}
    return found


def _asked_for_clusters(opened: OpenSite) -> dict[str, str]:
    """The host on which each cluster is asked: the controller, or one of its hubs."""
    hosts: dict[str, str] = {}
    for hub in opened.site.hubs.values():
        cluster = opened.site.clusters[hub.cluster]
        host = cluster.controller if isinstance(cluster, MadeCluster) else hub.host
        hosts.setdefault(hub.cluster, host)
    return hosts


def _account(found: Shown, ask: Ask, host: str) -> None:
    data = json.loads(ask(["/usr/bin/python3", "-I", "-c", _THERE, found.name]))
    found.accounts[host] = None
    if data is not None:
        account = AccountThere(data["uid"], data["gid"], data["home"], tuple(data["groups"]))
        found.accounts[host] = account


def _slurm(found: Shown, ask: Ask, cluster: str) -> None:
    words = ["sacctmgr", "--noheader", "--parsable2", "show", "associations"]
    lines = ask([*words, f"user={found.name}", "format=Account"])
    found.associations[cluster] = sorted(set(lines.split()))
    shape = _SEPARATOR.join(("%i", "%P", "%T", "%N"))
    lines = ask(["squeue", "--noheader", "--all", f"--user={found.name}", f"--format={shape}"])
    found.jobs[cluster] = [Job(*line.split(_SEPARATOR)) for line in lines.splitlines() if line]


def _hub(found: Shown, opened: OpenSite, name: str) -> None:
    data = ask_hub(opened, name, "GET", f"users/{found.name}").data
    kept = ("admin", "last_activity", "servers", "groups")
    found.hubs[name] = {key: data[key] for key in kept if key in data}


def as_lines(found: Shown) -> list[str]:
    """For people."""
    by_account: dict[AccountThere | None, list[str]] = {}
    for host, account in found.accounts.items():
        by_account.setdefault(account, []).append(host)
    lines = []
    for account, hosts in by_account.items():
        where = ", ".join(hosts)
        if account is None:
            lines.append(f"no account on    {where}")
        else:
            lines.append(f"account          uid {account.uid}, gid {account.gid} on {where}")
            lines.append(f"  home           {account.home}")
            lines.append(f"  groups         {', '.join(account.groups)}")
    if len([each for each in by_account if each is not None]) > 1:
        lines.append(
            "                 The hosts differ: 'slurmhub doctor' says why and what to do."
        )
    if found.quota is not None:
        lines.append(f"quota            {quota_as_text(found.quota)}")
    for cluster, accounts in found.associations.items():
        said = ", ".join(accounts) or "none: jobs may be refused"
        lines.append(f"associations     {said} (cluster {cluster})")
    for cluster, jobs in found.jobs.items():
        for job in jobs:
            node = f" on {job.node}" if job.node else ""
            lines.append(f"job              {job.number} {job.state}{node} (cluster {cluster})")
    for hub, data in found.hubs.items():
        seen = data.get("last_activity") or "not known"
        servers = ", ".join(name or "the default one" for name in data.get("servers") or {})
        lines.append(f"hub {hub:<12} last seen {seen}; servers: {servers or 'none'}")
    lines += [f"not known        {what}: {why}" for what, why in sorted(found.unknown.items())]
    return lines
