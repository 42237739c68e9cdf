"""Hub and proxy as services of systemd, set up as the operators' page says, and restarted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.site import PEOPLE, Site
from tests.rig.hub import Visitor, until

RESTARTS = {
    "asked": ("systemctl", "restart", "jupyterhub"),
    # What systemd then starts again by itself: hub, helpers and all that they run are gone at once.
    "killed": ("systemctl", "kill", "--signal=KILL", "jupyterhub"),
}


@pytest.mark.parametrize("how", RESTARTS)
def test_everything_goes_on_when_the_service_is_restarted(site: Site, how: str) -> None:
    site.submissions_take(0)
    alice, bob, carol, dave, erin = (Visitor(site, name) for name in PEOPLE)
    for person in (alice, dave):
        person.start(hours=1)
    running = {person.name: person.wait_ready()["job_id"] for person in (alice, dave)}
    carol.start(hours=1)
    running["carol"] = carol.wait_for("starting")["job_id"]
    bob.start(cpus=4, hours=1)
    running["bob"] = bob.wait_for("queued")["job_id"]
    site.submissions_take(3)
    erin.start(hours=1)
    assert erin.status()["step"] == "asking"
    assert dave.stop().status_code == 202

    before = site.host.run("systemctl", "show", "--property=MainPID", "jupyterhub")
    site.host.run(*RESTARTS[how])
    assert alice.asks_server()["job"] == str(running["alice"]), "the proxy serves on without a hub"
    until(site.answers, what="the hub")
    assert site.host.run("systemctl", "show", "--property=MainPID", "jupyterhub") != before

    assert alice.wait_ready()["job_id"] == running["alice"]
    assert carol.wait_ready()["job_id"] == running["carol"]
    assert carol.asks_server()["uid"] == int(site.host.run("id", "-u", "carol"))
    dave.wait_for("ended")
    assert bob.wait_for("queued")["job_id"] == running["bob"]
    assert "waits in the queue" in bob.get("/hub/spawn-pending/bob").text
    if how == "asked":
        # Behind bob, for whom there is no room; asked for once, although the hub went meanwhile.
        running["erin"] = erin.wait_for("queued")["job_id"]
        everybody = sorted(running[name] for name in ("alice", "bob", "carol", "erin"))
        until(lambda: sorted(site.jobs()) == everybody, what="dave's job gone, all others there")
    else:
        # Her sbatch was killed before it had said a word, and she is told so.
        assert "Slurm" in erin.wait_for("ended", seconds=150)["message"]


@pytest.fixture(autouse=True)
def _tidy(site: Site) -> Iterator[None]:
    yield
    for name in PEOPLE:
        Visitor(site, name).stop()
    until(lambda: not site.jobs(), what="an empty queue")
