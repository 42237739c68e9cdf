"""Runs the probe on all hosts at once, over ssh; that one cannot be reached is a fact as well."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import ValidationError

from slurmhub_deploy.doctor.facts import Facts, HostFacts, Looks
from slurmhub_deploy.doctor.probe import program
from slurmhub_deploy.doctor.registration import registered_certificates
from slurmhub_deploy.doctor.tasks import Tasks, tasks_of
from slurmhub_deploy.operate.reaching import ssh_argv
from slurmhub_deploy.operate.site_file import OpenSite

# The probe itself ends after 45 seconds.
SECONDS = 90.0
AT_ONCE = 32


def gather(opened: OpenSite, only: frozenset[str] = frozenset()) -> Facts:
    """Look at every host of the site, and at the names of its hubs from here.

    With `only`, it is these looks alone, and hosts that have none of them are left out.
    """
    tasks = tasks_of(opened.inventory)
    if only:
        chosen = {host: _chosen(task, only) for host, task in tasks.items()}
        tasks = {host: task for host, task in chosen.items() if task}
    controllers = {
        each["controller"]
        for each in opened.inventory["all"]["vars"]["slurmhub_clusters"].values()
        if each["kind"] == "made"
    }
    # A credential of the controller is shown to the others.
    first = _ask({host: opened.hosts[host] for host in controllers if host in tasks}, tasks)
    shown = _with_credentials(opened, tasks, first)
    rest = {host: opened.hosts[host] for host in tasks if host not in controllers}
    answers = first | _ask(rest, shown)
    hubs = opened.inventory["all"]["vars"]["slurmhub_hubs"]
    return Facts(
        inventory=opened.inventory,
        hosts={host: answers[host][0] for host in opened.hosts if host in answers},
        now=time.time(),
        domains={hub["domain"]: _resolve(hub["domain"]) for hub in hubs.values()},
        registered={name: registered_certificates(opened.state, name) for name in hubs},
    )


def _chosen(task: Mapping[str, Any], only: frozenset[str]) -> dict[str, Any]:
    return {look: argument for look, argument in task.items() if look in only}


Answer = tuple[HostFacts, dict[str, Any]]


def _ask(hosts: Mapping[str, dict[str, Any]], tasks: Tasks) -> dict[str, Answer]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {name: pool.submit(ask, host, tasks[name]) for name, host in hosts.items()}
        return {name: each.result() for name, each in asked.items()}


def ask(host: Mapping[str, Any], task: Mapping[str, Any]) -> Answer:
    """Run the probe on one host: what was seen there, and all that it told."""
    argv = ssh_argv(host, ["/usr/bin/python3", "-I", "-"], terminal=False)
    asked = time.time()
    try:
        done = subprocess.run(
            argv, input=program(task), capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return HostFacts(unreachable=f"it did not answer within {SECONDS:.0f} s"), {}
    answered = time.time()
    try:
        told = json.loads(done.stdout)
        return _facts(told, asked, answered), told
    except (json.JSONDecodeError, KeyError, TypeError, ValidationError):
        words = done.stderr.strip().splitlines() or done.stdout.strip().splitlines()
        said = " ".join(words[-3:])[-400:] or f"ssh ended with {done.returncode}"
        return HostFacts(unreachable=said, asked=asked, answered=answered), {}


def _facts(told: Mapping[str, Any], asked: float, answered: float) -> HostFacts:
    # What the probe took itself is no doubt about the clock.
    return HostFacts(
        looks=Looks.model_validate(told["seen"]),
        troubles=dict(told["troubles"]),
        asked=asked,
        answered=answered - (told["ended"] - told["began"]),
        host_time=told["began"],
    )


def _with_credentials(opened: OpenSite, tasks: Tasks, first: Mapping[str, Answer]) -> Tasks:
    """The tasks, where each host of a cluster is shown a credential of its controller."""
    found = dict(tasks)
    for name, cluster in opened.inventory["all"]["vars"]["slurmhub_clusters"].items():
        if cluster["kind"] != "made" or cluster["controller"] not in first:
            continue
        munge = first[cluster["controller"]][1].get("seen", {}).get("munge") or {}
        group = opened.inventory["all"]["children"][f"cluster_{name.replace('-', '_')}"]
        for host in group["hosts"]:
            if "munge" in found.get(host, {}):
                found[host] = found[host] | {"munge": munge.get("credential", "")}
    return found


def _resolve(name: str) -> tuple[str, ...]:
    try:
        return tuple(sorted({str(each[4][0]) for each in socket.getaddrinfo(name, None)}))
    except OSError:
        return ()
