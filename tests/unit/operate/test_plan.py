"""From events to a plan, and how people read it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from slurmhub_deploy.operate.planning.consequences import TABLE, act_of, consequence, hub_of_unit
from slurmhub_deploy.operate.planning.plan import Plan, plan_of
from slurmhub_deploy.operate.planning.show import as_text
from slurmhub_deploy.operate.running.events import Change, Event, TaskEnded, Unit, event
from tests.unit.site.fixtures import site

CHANGED = TaskEnded(
    host="hub",
    name="Write it",
    role="hub",
    layer="hub",
    action="template",
    status="changed",
    changes=(Change("/etc/a", "one\ntwo\n", "one\nthree\n"),),
)
RESTART = replace(
    CHANGED,
    name="Restart the hub",
    action="systemd_service",
    handler=True,
    changes=(),
    units=(Unit("slurmhub-main.service", "restarted"),),
)


def plan(*events: Event, servers: int | None = 41) -> Plan:
    return plan_of(events, site(), {"main": servers})


def touched(unit: str, state: str, host: str = "hub", servers: int | None = 41) -> str:
    one = replace(RESTART, host=host, units=(Unit(unit, state),))
    return "; ".join(each.as_text() for each in plan(one, servers=servers).touched)


def test_nothing() -> None:
    found = plan(replace(CHANGED, status="ok"), replace(CHANGED, status="skipped"))
    assert found.nothing
    assert as_text(found, ["hub"]) == "Nothing would change."


def test_a_change_is_shown_as_it_is() -> None:
    found = plan(CHANGED, replace(CHANGED, host="ctl"))
    assert as_text(found, ["base", "hub"]).splitlines() == [
        "hub: 2 changes",
        "  ctl, hub  hub: Write it",
        "      /etc/a",
        "       one",
        "      -two",
        "      +three",
    ]


def test_a_long_new_file_is_only_counted() -> None:
    new = replace(CHANGED, changes=(Change("/etc/a", "", "x\n" * 100),))
    assert "/etc/a: new, 100 lines" in as_text(plan(new), [])


def test_a_restart_of_the_hub_says_whom_it_touches() -> None:
    assert touched("slurmhub-main.service", "restarted") == (
        "restarts slurmhub-main.service on hub: people cannot sign in or start servers for some"
        " seconds; 41 running servers go on"
    )
    assert "1 running server goes on" in touched("slurmhub-main", "restarted", servers=1)
    assert "; running servers go on" in touched("slurmhub-main", "restarted", servers=None)


@pytest.mark.parametrize(
    ("unit", "state", "words"),
    [
        ("slurmhub-main-proxy.service", "restarted", "open pages lose their connection"),
        ("slurmhub-main-proxy", "stopped", "nobody reaches hub.example.ca"),
        ("apache2", "reloaded", "nobody notices"),
        ("shibd.service", "restarted", "people who are signed in stay"),
        ("slurmctld", "restarted", "queued and running jobs go on"),
        ("slurmd.service", "restarted", "running jobs on the node go on"),
        ("slurmhub-main-backup.timer", "stopped", "no backup"),
        ("unknown.service", "restarted", "restarts unknown.service on hub"),
    ],
)
def test_services(unit: str, state: str, words: str) -> None:
    assert words in touched(unit, state)


def test_a_unit_that_begins_touches_nobody() -> None:
    assert touched("slurmctld", "started") == ""
    assert touched("slurmctld", "") == ""


def test_the_same_twice_is_said_once() -> None:
    assert len(plan(RESTART, RESTART).touched) == 1


def test_a_reboot() -> None:
    found = plan(replace(CHANGED, host="c1", action="reboot", changes=()))
    assert found.touched[0].as_text().startswith("reboots c1: jobs on it end")


def test_what_would_be_destroyed_is_refused() -> None:
    bad = replace(CHANGED, status="failed", message="no", would_destroy=("tank", "tank"))
    found = plan(bad)
    assert found.would_destroy == ("tank",)
    assert found.unforeseen == ()
    assert "REFUSED: it would destroy what is on tank." in as_text(found, [])


def test_what_fails_in_check_mode_is_not_foreseen() -> None:
    found = plan(replace(CHANGED, status="failed", message="no such unit"))
    assert not found.nothing
    assert "no such unit" in as_text(found, [])
    assert plan(replace(CHANGED, status="failed", ignored=True)).nothing
    assert "this is to be expected" in as_text(found, [])


def test_a_host_that_is_not_reached_is_not_to_be_expected() -> None:
    found = plan(replace(CHANGED, status="unreachable", message="No route to host"))
    text = as_text(found, [])
    assert "No route to host" in text
    assert "this is to be expected" not in text


def test_new_secrets_are_counted_and_not_shown() -> None:
    found = plan_of([], site(), {}, ["munge.main"])
    assert not found.nothing
    assert "1 secret would be made and kept in the vault." in as_text(found, [])


def test_it_is_plain_data() -> None:
    data = json.loads(json.dumps(plan(CHANGED, RESTART).as_data()))
    assert data["planned"][0]["changes"] == [
        {"header": "/etc/a", "before": "one\ntwo\n", "after": "one\nthree\n"}
    ]


def test_the_table_fills_only_what_is_known() -> None:
    for each in TABLE:
        for words in (each.restart, each.reload, each.stop):
            words.format(servers="", hub="")
    assert act_of("restarted") == "restart"
    assert act_of("started") is None
    assert consequence("no-such-unit", "stop") == ""
    assert hub_of_unit("slurmhub-main-proxy.service", ["main"]) == "main"
    assert hub_of_unit("slurmctld.service", ["main"]) is None
    # A hub may have a name that another unit's looks like.
    assert hub_of_unit("slurmhub-slurm-exporter.service", ["slurm"]) is None
    assert hub_of_unit("slurmhub-slurm", ["slurm-exporter", "slurm"]) == "slurm"


def ended(**data: Any) -> TaskEnded:
    usual = {
        "event": "ended",
        "host": "hub",
        "name": "Task",
        "role": "hub",
        "play_path": "/x/playbooks/hub.yml:3",
        "action": "copy",
        "status": "changed",
        "handler": False,
        "ignored": False,
    }
    found = event(json.dumps({**usual, **data}))
    assert isinstance(found, TaskEnded)
    return found


def test_events_are_read() -> None:
    one = ended(
        diff=[{"header": "/etc/a", "before": {"mode": "1", "x": 1}, "after": {"mode": "2", "x": 1}}]
    )
    assert one.layer == "hub"
    assert one.changes == (Change("/etc/a", "mode: 1\n", "mode: 2\n"),)
    assert ended(diff=[{"prepared": "as it is"}]).changes == (Change("", "", "as it is"),)
    assert ended(units=[{"name": "a", "state": None}]).units == (Unit("a", ""),)
    assert ended(would_destroy=["tank"]).would_destroy == ("tank",)
    assert event('{"event": "of another version"}') is None
    with pytest.raises(ValueError, match="Expecting value"):
        event("no JSON")
