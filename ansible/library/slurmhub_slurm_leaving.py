#!/usr/bin/python
"""Empties compute nodes that are about to be taken out of a cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_slurm_leaving
short_description: Drains nodes that leave a cluster, and waits for their jobs
description:
  - Compares the nodes of C(nodes.conf), as it is, with those that are to stay. Those that leave
    get no more jobs, and the jobs that are on them are waited for. It fails while there are any, so
    that a node is never taken away below a job. It ends no job.
options:
  stay:
    description: Names of the nodes that stay, or come.
    type: list
    elements: str
    required: true
  conf:
    description: The file that names the nodes there are.
    type: path
    default: /etc/slurm/nodes.conf
  wait:
    description: Seconds to wait for the last job.
    type: int
    default: 60
author: [slurmhub]
attributes:
  check_mode:
    description: Says which nodes would be drained, and does not wait.
    support: full
"""

EXAMPLES = r"""
- name: Empty nodes that leave
  slurmhub_slurm_leaving:
    stay: [compute1, compute2]
"""

RETURN = r"""
leaving:
  description: Nodes that leave.
  returned: always
  type: list
  elements: str
jobs:
  description: Jobs that are on them, each with its node, owner and end.
  returned: always
  type: list
  elements: str
"""

import re  # noqa: E402 - Ansible wants the documentation first
import subprocess  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

SECONDS = 30
REASON = "slurmhub: leaves the cluster"
_LOOK_AGAIN = 2.0
_NODE = re.compile(r"NodeName=(\S+)")


def nodes_of(text: str) -> list[str]:
    """The names that nodes.conf has, one on each line, as the role slurm_client writes it."""
    return [found[1] for line in text.splitlines() if (found := _NODE.match(line))]


def states_of(output: str) -> dict[str, str]:
    """Node to state, of `scontrol --oneliner show nodes`."""
    states = {}
    for line in output.splitlines():
        words = dict(word.partition("=")[::2] for word in line.split() if "=" in word)
        if "NodeName" in words:
            states[words["NodeName"]] = words.get("State", "")
    return states


def jobs_of(output: str) -> list[str]:
    """A sentence for each job, of `squeue` with the format %i|%u|%N|%e."""
    rows = (line.strip().split("|") for line in output.splitlines() if line.strip())
    return [f"job {job} of {owner} on {nodes} until {end}" for job, owner, nodes, end in rows]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "stay": {"type": "list", "elements": "str", "required": True},
            "conf": {"type": "path", "default": "/etc/slurm/nodes.conf"},
            "wait": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    try:
        there = nodes_of(Path(module.params["conf"]).read_text(encoding="utf-8"))
    except FileNotFoundError:
        there = []
    leaving = sorted(set(there) - set(module.params["stay"]))
    if not leaving:
        module.exit_json(changed=False, leaving=[], jobs=[])

    def ask(*argv: str) -> str:
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
            said = done.stderr.strip()
        except (OSError, subprocess.TimeoutExpired) as error:
            done, said = None, str(error)
        if done is None or done.returncode:
            module.fail_json(
                msg=f"{', '.join(leaving)} cannot be taken out of the cluster: Slurm did not answer"
                f" ({said}). Leave it in the site file until slurmctld is up again.",
                leaving=leaving,
            )
        return str(done.stdout)

    def jobs() -> list[str]:
        states = "--states=RUNNING,SUSPENDED,CONFIGURING,STOPPED"
        rows = ask("squeue", "--noheader", "--all", "--local", states, f"--nodelist={names}",
                   "--format=%i|%u|%N|%e")  # fmt: skip
        return jobs_of(rows)

    names = ",".join(leaving)
    states = states_of(ask("scontrol", "--all", "--oneliner", "show", "nodes"))
    to_drain = [name for name in leaving if name in states and "DRAIN" not in states[name]]
    if to_drain and not module.check_mode:
        ask("scontrol", "update", f"NodeName={','.join(to_drain)}", "State=DRAIN",
            f"Reason={REASON}")  # fmt: skip
    known = [name for name in leaving if name in states]
    names = ",".join(known)
    until = time.monotonic() + (0 if module.check_mode else module.params["wait"])
    left = jobs() if known else []
    while left and time.monotonic() < until:
        time.sleep(_LOOK_AGAIN)
        left = jobs()
    if left and not module.check_mode:
        module.fail_json(
            msg=f"{', '.join(leaving)} cannot be taken out of the cluster yet: {'; '.join(left)}."
            " They get no new jobs. Run this again when those have ended, or end them with scancel;"
            " to keep a node, put it back into the site file and run 'slurmhub undrain'.",
            leaving=leaving,
            jobs=left,
        )
    module.exit_json(changed=bool(to_drain), leaving=leaving, jobs=left)


if __name__ == "__main__":
    main()
