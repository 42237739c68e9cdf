"""The hub restarts, and is upgraded in place, while people's kernels go on."""

from __future__ import annotations

from pathlib import Path

from tests.lab.whole.institution import Institution
from tests.lab.whole.operator import Operator
from tests.lab.whole.student import Enter
from tests.rig.checkout import copy_checkout

HUB_UNIT = "slurmhub-main.service"
PROXY_UNIT = "slurmhub-main-proxy.service"


def test_a_kernel_outlives_a_restart_of_the_hub(enter: Enter, whole: Institution) -> None:
    alice = enter("alice")
    alice.start("Notebook")
    assert alice.computes("thought = 'six by nine'; print(thought)") == "six by nine"
    job = whole.job_of("alice")
    before = whole.started("hub", HUB_UNIT)
    whole.fleet.run("hub", "systemctl", "restart", HUB_UNIT)
    assert whole.started("hub", HUB_UNIT) != before
    alice.another_tab().sees("ready")
    assert alice.computes("print(thought.upper())") == "SIX BY NINE"
    assert whole.job_of("alice") == job


def test_the_hub_is_upgraded_in_place_while_a_kernel_lives_on(
    enter: Enter, up: Operator, whole: Institution, tmp_path: Path
) -> None:
    newer = copy_checkout(tmp_path / "newer")
    with (newer / "spawner/slurmhub/__init__.py").open("a") as module:
        module.write('\nNEWS = "of another release"\n')
    alice = enter("alice")
    alice.start("Notebook")
    assert alice.computes("thought = 'six by nine'; print(thought)") == "six by nine"
    job = whole.job_of("alice")
    before = [whole.started("hub", unit) for unit in (HUB_UNIT, PROXY_UNIT)]
    try:
        said = Operator(whole, newer).run("up", "--yes")
        after = [whole.started("hub", unit) for unit in (HUB_UNIT, PROXY_UNIT)]
        assert after[0] != before[0], said
        assert after[1] == before[1], said
        assert _news(whole) == "of another release"
        assert alice.computes("print(thought.upper())") == "SIX BY NINE"
        assert whole.job_of("alice") == job
    finally:
        # And back again, as somebody does whom the new release does not please.
        up.run("up", "--yes", "--only", "hub")
    assert _news(whole) == ""
    assert alice.computes("print(thought.title())") == "Six By Nine"
    assert whole.job_of("alice") == job


def _news(whole: Institution) -> str:
    code = "import slurmhub; print(getattr(slurmhub, 'NEWS', ''))"
    return whole.fleet.run("hub", "/opt/slurmhub/hub/bin/python", "-I", "-c", code).strip()
