"""A compute node comes and goes while a job on another one goes on."""

from __future__ import annotations

from tests.lab.whole.institution import Institution
from tests.lab.whole.operator import Operator
from tests.lab.whole.student import Enter

NEW = "compute3"


def test_a_node_is_added_and_removed_while_a_job_goes_on(
    enter: Enter, up: Operator, whole: Institution
) -> None:
    alice = enter("alice")
    alice.start("Notebook")
    assert alice.computes("thought = 'here'; print(thought)") == "here"
    mine = whole.job_of("alice")
    address = whole.add(NEW)
    try:
        site = up.changed_site(
            {
                "  monitor: {address:": f"  {NEW}: {{address: {address}}}\n  monitor: {{address:",
                "      - hosts: compute2\n": f"      - {{hosts: {NEW}, cpus: 1, memory: 1G}}\n"
                "      - hosts: compute2\n",
                "nodes: compute1, default": f"nodes: 'compute1,{NEW}', default",
            }
        )
        up.run("up", "--yes", site=site)
        assert _runs_on(whole, NEW) == NEW
        number = whole.fleet.run("controller", "id", "--user", "alice")
        assert whole.fleet.run(NEW, "id", "--user", "alice") == number
        assert "Nothing was changed." in up.run("up", "--yes", site=site)
        assert alice.computes("print(thought)") == "here"
        up.run("up", "--yes")
    finally:
        whole.remove(NEW)
    nodes = whole.fleet.run("controller", "sinfo", "--noheader", "--Node", "--format=%N %T")
    assert NEW not in nodes
    assert "compute1 mixed" in nodes or "compute1 allocated" in nodes, nodes
    assert alice.computes("print(thought.upper())") == "HERE"
    assert whole.job_of("alice") == mine
    assert "Nothing was changed." in up.run("up", "--yes")


def _runs_on(whole: Institution, node: str) -> str:
    """What a job of alice's says that asks for this node."""
    place = "/home/people/alice"
    argv = ("sbatch", "--wait", f"--nodelist={node}", f"--chdir={place}", "--mem=100M")
    line = ("--output=seen.txt", "--wrap=hostname")
    whole.fleet.run("hub", "runuser", "--user", "alice", "--", *argv, *line)
    return whole.fleet.run("hub", "cat", f"{place}/seen.txt").strip()
