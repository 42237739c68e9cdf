"""Reservations as real releases of Slurm print them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from slurmhub.slurm.reservations import read_reservations
from tests.unit.slurm.recorded import RELEASES, recorded


@pytest.mark.parametrize("release", RELEASES)
def test_a_maintenance_of_all_nodes(release: str) -> None:
    found = {one.name: one for one in read_reservations(recorded("reservations", release))}
    upgrade = found["maint"]
    assert upgrade.maintenance
    assert not upgrade.floating
    assert upgrade.nodes == ("g1", "n1", "n2")
    assert (upgrade.users, upgrade.accounts, upgrade.partition) == (("root",), (), "")
    assert upgrade.start is not None
    assert upgrade.end is not None
    assert (upgrade.end - upgrade.start).total_seconds() == 3600
    assert upgrade.start.tzinfo is timezone.utc
    assert upgrade.cpus == 24
    assert found["flo"].floating


def test_who_may_use_one_and_who_may_not() -> None:
    found = {one.name: one for one in read_reservations(recorded("reservations", "22.05.8"))}
    acc, cor = found["acc"], found["cor"]
    assert (acc.users, acc.not_accounts, acc.accounts) == (("nobody",), ("chem",), ())
    assert (cor.not_users, cor.accounts, cor.cpus) == (("nobody",), ("chem",), 2)
    assert (cor.partition, cor.partitions) == ("cpu", ())


def test_a_comment_cannot_say_more() -> None:
    line = "ReservationName=a StartTime=100 EndTime=200 Nodes=n1 Users=bob Comment=x Users=alice"
    (one,) = read_reservations(line)
    assert one.users == ("bob",)
    assert one.start == datetime.fromtimestamp(100, timezone.utc)


def test_one_that_is_odd_hides_no_other() -> None:
    good = "ReservationName=good StartTime=100 EndTime=200 Nodes=n1"
    odd = "ReservationName=odd StartTime=yesterday EndTime=200 Nodes=n1"
    found = read_reservations(f"{odd}\n{good}\nNo reservations in the system\n")
    assert [one.name for one in found] == ["good"]
