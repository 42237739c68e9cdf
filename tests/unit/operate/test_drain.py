"""`slurmhub drain` and `undrain`: which nodes, what Slurm is asked, what people are told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from slurmhub_deploy.operate.errors import UNUSABLE, OperateError
from slurmhub_deploy.operate.verbs import drain as verb
from slurmhub_deploy.operate.verbs import nodes as slurm
from slurmhub_deploy.site.load import load_site
from slurmhub_deploy.site.model import Site

EXAMPLES = Path(slurm.__file__).parents[2] / "site/examples"


def site(name: str) -> Site:
    found = load_site(EXAMPLES / f"{name}.yml").site
    assert found is not None
    return found


class Asked:
    """Answers as Slurm 22.05 does, and notes what it is asked."""

    def __init__(self, *, jobs: Sequence[str] = (), states: str = "") -> None:
        self.jobs = list(jobs)
        self.states = states
        self.commands: list[str] = []

    def __call__(self, command: Sequence[str]) -> str:
        self.commands.append(" ".join(command))
        if command[0] == "squeue":
            return self.jobs.pop(0) if self.jobs else ""
        return self.states if "show" in command else ""


def test_nodes_by_their_names() -> None:
    choice = slurm.chosen(site("department"), ["c[1-2]", "g1", "c1"], hub=None, cluster=None)
    assert choice == slurm.Choice("main", "controller", ("c1", "c2", "g1"))


def test_all_nodes_of_a_hub() -> None:
    choice = slurm.chosen(site("department"), [], hub="main", cluster=None)
    assert choice.nodes == ("c1", "c2", "c3", "c4", "g1", "g2")


def test_nodes_of_a_cluster_that_exists_are_asked_for_on_a_hubs_host() -> None:
    campus = site("campus")
    (name,) = (name for name, each in campus.clusters.items() if each.kind == "existing")
    host = next(hub.host for hub in campus.hubs.values() if hub.cluster == name)
    assert slurm.chosen(campus, ["n7"], hub=None, cluster=name) == slurm.Choice(name, host, ("n7",))


@pytest.mark.parametrize(
    ("texts", "hub", "cluster", "said"),
    [
        ([], None, None, "No node is named"),
        (["hub"], None, None, "hub is not a compute node"),
        (["c1"], "main", None, "both given"),
        (["c[1-"], None, None, "must be one host"),
        ([], "other", None, "no hub other"),
        (["c1"], None, "other", "no cluster other"),
    ],
)
def test_what_cannot_be_meant(
    texts: list[str], hub: str | None, cluster: str | None, said: str
) -> None:
    with pytest.raises(OperateError, match=said) as caught:
        slurm.chosen(site("department"), texts, hub=hub, cluster=cluster)
    assert caught.value.status == UNUSABLE
    assert caught.value.remedy


def test_what_slurm_is_asked() -> None:
    ask = Asked(jobs=["7|alice|c1|2026-11-21T23:57:03\n8|bob|c[1-2]|NONE\n"])
    slurm.drain(ask, ["c1", "c2"], "new memory (until Friday)")
    found = slurm.jobs_on(ask, ["c1", "c2"])
    assert ask.commands[0] == (
        "scontrol update NodeName=c1,c2 State=DRAIN Reason=new memory (until Friday)"
    )
    assert found[0] == slurm.JobThere("7", "alice", "c1", "2026-11-21T23:57:03")
    assert verb.as_text(found).splitlines()[0] == "2 jobs on them:"
    assert verb.as_text(found[:1]).splitlines() == [
        "1 job on them:",
        "  7  alice  on c1, until 2026-11-21T23:57:03",
    ]
    assert verb.as_text([]) == "No jobs are on them."


def test_only_nodes_that_are_away_are_called_back() -> None:
    states = (
        "NodeName=c1 Arch=x86_64 State=IDLE X=\n"
        "NodeName=c2 State=IDLE+DRAIN\nNodeName=c3 State=DOWN*\n"
    )
    ask = Asked(states=states)
    slurm.undrain(ask, ["c1", "c2", "c3"])
    assert ask.commands[-1] == "scontrol update NodeName=c2,c3 State=RESUME"
    ask = Asked(states="NodeName=c1 State=MIXED\n")
    slurm.undrain(ask, ["c1"])
    assert not [each for each in ask.commands if "update" in each]


def test_waiting_ends_with_the_last_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verb, "_LOOK_AGAIN", 0.0)
    ask = Asked(jobs=["7|alice|c1|NONE\n8|bob|c1|NONE\n", "7|alice|c1|NONE\n", ""])
    choice = slurm.Choice("main", "controller", ("c1",))
    verb._wait(ask, choice, [slurm.JobThere("7", "alice", "c1", "NONE")])
    assert capsys.readouterr().out.splitlines()[-1] == "No jobs are on them."
    assert ask.jobs == []
