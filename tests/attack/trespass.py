"""Doing things as another account of this machine, and looking at what its processes hold."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slurmhub.job.tag import JobTag
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.rig.hub import until


def credentials(account: str) -> dict[str, Any]:
    """What makes a child process that account's, and nothing more."""
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def as_account(
    account: str, *argv: str, env: Mapping[str, str] | None = None, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program as this account, in a bare environment."""
    return subprocess.run(
        argv,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **(env or {})},
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=60,
        cwd="/",
        **credentials(account),
    )


def slurm_as(
    account: str, cluster: EmbeddedCluster, *argv: str, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of Slurm's commands as this account."""
    return as_account(account, *argv, env=cluster.env(), text=text)


def processes() -> Iterator[tuple[int, int]]:
    """Every process there is: its number and its owner."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            yield int(name), Path("/proc", name).stat().st_uid


def environment_of(pid: int) -> dict[str, str]:
    """The environment a process was started with; empty when it is gone."""
    with contextlib.suppress(OSError):
        raw = Path("/proc", str(pid), "environ").read_bytes().decode(errors="replace")
        return dict(entry.split("=", 1) for entry in raw.split("\0") if "=" in entry)
    return {}


def processes_of(cluster: EmbeddedCluster, job_id: int) -> Iterator[int]:
    """Every process that runs in this job of this cluster."""
    wanted = {"SLURM_JOB_ID": str(job_id), "SLURM_CONF": str(cluster.conf)}
    for pid, _ in processes():
        if wanted.items() <= environment_of(pid).items():
            yield pid


_LOOKOUT = """
import json, os, select
seen = {"cmdline": set(), "environ": set()}
print("here", flush=True)
while not select.select([0], [], [], 0.004)[0]:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name, found in seen.items():
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    found.add(file.read().decode("latin-1"))
            except OSError:
                pass
print(json.dumps({name: sorted(found) for name, found in seen.items()}))
"""


@dataclass
class Sightings:
    """Argument lists and environments of processes, as somebody saw them."""

    arguments: list[str]
    environments: list[str]


@contextmanager
def lookout(account: str) -> Iterator[Sightings]:
    """An account that watches every process of this machine all the while; what it got to see."""
    found = Sightings([], [])
    process = subprocess.Popen(
        ["/usr/bin/python3", "-IS", "-c", _LOOKOUT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={},
        **credentials(account),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "here\n"
        yield found
        process.stdin.write("enough\n")
        process.stdin.flush()
        seen = json.loads(process.stdout.read())
        found.arguments, found.environments = seen["cmdline"], seen["environ"]
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@dataclass(frozen=True)
class Ticket:
    """What one job was given to speak to the hub with, read out of its server by root."""

    job_id: int
    nonce: str
    token: str
    environment: Mapping[str, str]


def ticket_of(cluster: EmbeddedCluster, job_id: int) -> Ticket:
    """The ticket of a running job whose server has been started."""
    tag = JobTag.from_comment(comment_of(cluster, job_id))
    assert tag is not None

    def server() -> dict[str, str] | None:
        for pid in processes_of(cluster, job_id):
            found = environment_of(pid)
            if "JUPYTERHUB_API_TOKEN" in found:
                return found
        return None

    found = until(server, what=f"a server in job {job_id}")
    return Ticket(job_id, tag.nonce, found["JUPYTERHUB_API_TOKEN"], found)


def comment_of(cluster: EmbeddedCluster, job_id: int) -> str:
    """The comment that Slurm keeps with a job."""
    return cluster.run("squeue", "--noheader", "--all", f"--jobs={job_id}", "-O", "Comment:\x1f")
