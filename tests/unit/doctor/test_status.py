"""One screen: what it says of a site that is well, and of one that is not."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from rich.console import Console

from slurmhub_deploy.doctor.facts import HostFacts
from slurmhub_deploy.status.command import show
from slurmhub_deploy.status.summary import LOOKS, Status, summary
from tests.unit.doctor.well import NOW, facts, seen_by_host


def shown(found: Status) -> str:
    """The screen, as it is where there is no terminal."""
    out = io.StringIO()
    show(found, Console(file=out, width=140), NOW)
    return out.getvalue()


def of(seen: dict[str, dict[str, Any]]) -> Status:
    """The status of what was seen, where only what it needs was looked at."""
    chosen = {
        host: {look: each[look] for look in each if look in LOOKS} for host, each in seen.items()
    }
    return summary(facts(chosen))


def test_courses_that_do_not_answer_are_said() -> None:
    seen = seen_by_host()
    assert of(seen).hubs[0].courses is None
    seen["hub"]["hubs"]["main"]["courses"] = ""
    assert of(seen).hubs[0].courses is True
    assert of(seen).well
    seen["hub"]["hubs"]["main"]["courses"] = "status 503"
    found = of(seen)
    assert not found.well
    assert "hub.example.ca: its courses do not answer" in shown(found)


def test_a_site_that_is_well() -> None:
    found = of(seen_by_host())
    assert found.well
    hub = found.hubs[0]
    assert (hub.up, hub.version, hub.people, hub.servers) == (True, "0.1", 12, 7)
    assert hub.smoke is True
    assert hub.days_left == 60
    cluster = found.clusters[0]
    assert (cluster.up, cluster.nodes, cluster.unusable) == (True, 6, ())
    assert cluster.jobs == {"running": 3}
    assert found.homes[0].available == 500 << 30
    text = shown(found)
    for words in ("hub.example.ca", "6 of 6", "3 running", "60 days", "well, 10 min ago", "500.0"):
        assert words in text
    assert "alerts: none" in text


def test_what_is_wrong_is_seen() -> None:
    seen = seen_by_host()
    seen["hub"]["hubs"]["main"]["health"] = 503
    seen["controller"]["slurm"]["nodes"]["c2"] = ["down*", "it burns"]
    seen["controller"]["work"]["reservations"] = {"maint": ["2027-01-01T08:00:00", "2027-01-02"]}
    seen["controller"]["alerts"] = [
        {"name": "TargetDown", "severity": "page", "summary": "c2 is away.", "since": "2027-01-01"}
    ]
    seen["hub"]["textfiles"]['slurmhub_probe_success{hub="main"}'] = 0.0
    found = of(seen)
    assert not found.well
    text = shown(found)
    for words in (
        *("DOWN: status 503", "5 of 6, not c2", "maint to 2027-01-02", "FAILED"),
        "page: TargetDown: c2 is away.",
    ):
        assert words in text


def test_homes_are_seen_where_a_host_only_serves_them() -> None:
    seen = seen_by_host()
    (homes,) = of(seen).homes
    (disk,) = (each for each in seen[homes.server]["disks"] if each["path"] == homes.path)
    disk["path"] = f"/srv/slurmhub/homes/{homes.name}"
    assert of(seen).homes == (homes,)
    assert homes.available == 500 << 30


def test_what_was_not_seen_is_not_made_up() -> None:
    well = facts(seen_by_host())
    gone = {host: HostFacts(unreachable="Connection refused") for host in well.hosts}
    found = summary(replace(well, hosts=gone))
    assert not found.well
    assert found.alerts is None
    text = shown(found)
    assert "hub was not reached: Connection refused" in text
    assert "alerts: unknown" in text
    assert "? it was not looked at" in text
    for words in ("DOWN", "never", "none", "0 of 0"):
        assert words not in text


def test_programs_are_told_everything() -> None:
    data = of(seen_by_host()).as_data()
    assert data["well"] is True
    assert data["hubs"][0]["domain"] == "hub.example.ca"
    assert data["unreachable"] == {}
