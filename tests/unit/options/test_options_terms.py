"""Accounts, QOS, reservations and features: each choice bounded by what the others leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from tests.unit.options.conftest import make_facts, make_node, make_partition

from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.options.reading import read_request
from slurmhub.options.refusal import Refusal
from slurmhub.options.terms import Rights
from slurmhub.slurm.accounting import Association, JobLimits, QosRecord
from slurmhub.slurm.gres import parse_gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import ClusterFacts
from slurmhub.slurm.reservations import ReservationRecord
from slurmhub.slurm.times import TimeLimit

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
ENFORCED = frozenset({"associations", "limits", "qos"})
QOS = {
    "normal": QosRecord(name="normal", limits=JobLimits(time=TimeLimit.parse("2:00:00"))),
    "long": QosRecord(name="long", limits=JobLimits(time=TimeLimit.parse("6:00:00"), cpus=4)),
    "days": QosRecord(
        name="days",
        flags=frozenset({"PartitionTimeLimit"}),
        limits=JobLimits(time=TimeLimit.parse("3-0")),
    ),
    "class": QosRecord(name="class", flags=frozenset({"RequiresReservation"})),
    "part": QosRecord(name="part", limits=JobLimits(cpus=2)),
    "over": QosRecord(name="over", flags=frozenset({"OverPartQOS"}), limits=JobLimits(cpus=6)),
}
ALICE = Rights(
    name="alice",
    groups=frozenset({"users", "staff"}),
    known=True,
    associations=(
        Association(account="physics", qos=("normal",)),
        Association(
            account="chem",
            qos=("days", "long", "normal"),
            default_qos="normal",
            limits=JobLimits(memory=Memory(4000)),
        ),
    ),
    default_account="physics",
    qos=QOS,
    enforced=ENFORCED,
)
PARTITIONS = [
    make_partition("cpu", "c1", "c2", default=True),
    make_partition("chem", "c2", allow_accounts=("chem",)),
    make_partition("bio", "c2", allow_accounts=("bio",)),
    make_partition("notlong", "c2", deny_qos=("long",), deny_accounts=("physics",)),
    make_partition("root", "c1", allow_groups=("root",)),
]
NODES = [make_node("c1", features=("avx512", "ib")), make_node("c2", cpus=16, features=("ib",))]


def reservation(name: str, **changes: Any) -> ReservationRecord:
    values: dict[str, Any] = {"start": NOW - HOUR, "end": NOW + 3 * HOUR, "nodes": ("c1",)}
    return ReservationRecord(name=name, **values | changes)


def facts_with(*reservations: ReservationRecord, **changes: Any) -> ClusterFacts:
    partitions = [replace(one, **changes) for one in PARTITIONS]
    return replace(make_facts(NODES, partitions), reservations=reservations)


def offer_for(
    rights: Rights = ALICE,
    *reservations: ReservationRecord,
    changes: Mapping[str, Any] | None = None,
    **limits: Any,
) -> Offer:
    facts = facts_with(*reservations, **(changes or {}))
    return Offer.from_facts(facts, SiteLimits(**limits), rights, now=NOW)


def refusal(offer: Offer, **raw: Any) -> str:
    with pytest.raises(Refusal) as caught:
        read_request(raw, offer)
    return caught.value.message()


def test_partitions_are_those_of_ones_accounts_and_groups() -> None:
    offer = offer_for()
    assert offer.names == ("cpu", "chem", "notlong")
    assert "not for your accounts" in refusal(offer, partition="bio")
    assert "other groups of people" in refusal(offer, partition="root")
    unknown = replace(ALICE, groups=None)
    assert "root" in offer_for(unknown).names, "Slurm itself will say no"
    assert offer_for(Rights(name="bob", groups=frozenset())).names == (
        *("cpu", "chem", "bio", "notlong"),
    )


def test_slurms_own_choice_is_left_to_it() -> None:
    request = read_request({"partition": "cpu"}, offer_for())
    assert (request.account, request.qos, request.reservation, request.features) == (
        *(None, None, None),
        (),
    )
    assert set(request.stored()) == {"partition", "cpus", "memory", "gpus", "gpu_type", "hours"}


def test_where_the_usual_one_may_not_another_is_named() -> None:
    assert read_request({"partition": "chem"}, offer_for()).account == "chem"
    strict = replace(
        ALICE, associations=(Association(account="physics", qos=("a", "b"), default_qos="a"),)
    )
    offer = offer_for(strict, changes={"deny_qos": ("a",)})
    assert read_request({"partition": "cpu"}, offer).qos == "b"


def test_where_slurm_takes_no_qos_by_itself_one_is_named() -> None:
    few = {
        "short": QosRecord(name="short", limits=JobLimits(cpus=2)),
        "wide": QosRecord(name="wide"),
    }
    rights = replace(
        ALICE, associations=(Association(account="physics", qos=("wide", "short")),), qos=few
    )
    offer = offer_for(rights)
    assert read_request({"partition": "cpu"}, offer).qos == "short"
    assert "With QOS short, one job in partition cpu can have at most 2 CPUs" in refusal(
        offer, partition="cpu", cpus="3"
    )
    assert read_request({"partition": "cpu", "cpus": "3", "qos": "wide"}, offer).qos == "wide"


def test_each_choice_is_bounded_by_the_others() -> None:
    offer = offer_for()
    assert "You have no such account for partition chem. (choices: chem)" in refusal(
        offer, partition="chem", account="physics"
    )
    assert "Account physics has no such QOS in partition cpu. (choices: normal)" in refusal(
        offer, partition="cpu", qos="long"
    )
    assert "Account chem has no such QOS in partition notlong. (choices: normal, days)" in refusal(
        offer, partition="notlong", qos="long"
    )
    said = refusal(offer, partition="cpu", account="chem", qos="long", cpus="5")
    assert "With QOS long, one job in partition cpu can have at most 4 CPUs. (limit: 4)" in said
    said = refusal(offer, partition="cpu", account="chem", memory="5")
    assert "at most 3.9 GB of memory" in said, "the association's own limit"
    said = refusal(offer, partition="cpu", hours="3")
    assert "With QOS normal, a job in partition cpu can run for at most 2 hours." in said
    request = read_request({"partition": "cpu", "account": "chem", "qos": "long"}, offer)
    assert (request.account, request.qos) == ("chem", "long")
    assert offer.allows(request)
    assert not offer.allows(request.model_copy(update={"account": "physics"}))


def test_a_qos_may_lift_the_partitions_time_limit() -> None:
    offer = offer_for()
    asked = {"partition": "cpu", "account": "chem", "qos": "days", "hours": "2-0"}
    assert read_request(asked, offer).time == TimeLimit.parse("2-0")
    assert "at most 3 days" in refusal(offer, **asked | {"hours": "4-0"})
    assert "at most 36 hours" in refusal(
        offer_for(max_time=TimeLimit.parse("1-12")), **asked | {"hours": "1-13"}
    )


def test_the_partitions_qos_goes_first_unless_the_jobs_says_otherwise() -> None:
    rights = replace(ALICE, associations=(Association(account="physics", qos=("long", "over")),))
    offer = offer_for(rights, changes={"qos": "part"})
    assert "at most 2 CPUs" in refusal(offer, partition="cpu", qos="long", cpus="3")
    assert "at most 6 CPUs" in refusal(offer, partition="cpu", qos="over", cpus="7")


def test_limits_that_slurm_does_not_keep_bound_nobody() -> None:
    rights = replace(ALICE, enforced=frozenset({"associations"}))
    assert read_request({"partition": "cpu", "hours": "8"}, offer_for(rights)).time.minutes == 480


def test_limits_of_gpus() -> None:
    gpus = JobLimits(gpus=((None, 3), ("h100", 1)))
    rights = replace(
        ALICE,
        associations=(Association(account="physics", qos=("gpu",)),),
        qos={"gpu": QosRecord(name="gpu", limits=gpus)},
    )
    node = make_node("g1", gres=parse_gres("gpu:h100:4,gpu:a100:8"))
    facts = make_facts([node], [make_partition("gpu", "g1")])
    offer = Offer.from_facts(facts, SiteLimits(), rights, now=NOW)
    assert "at most 1 h100 GPU." in refusal(offer, gpu_type="h100", gpus=2)
    assert "at most 3 a100 GPUs." in refusal(offer, gpu_type="a100", gpus=4)
    assert "at most 3 GPUs." in refusal(offer, gpu_type="", gpus=4)


def test_what_the_site_puts_into_every_job_is_no_choice() -> None:
    offer = offer_for(account="chem", qos="long", partitions=("cpu",))
    assert (offer.accounts, offer.qos) == ((), ())
    request = read_request({"cpus": "4", "hours": "5"}, offer)
    assert (request.account, request.qos) == (None, None), "the script has the site's own"
    assert "With QOS long, one job in partition cpu can have at most 4 CPUs" in refusal(
        offer, cpus="5"
    )
    assert "choices: chem" in refusal(offer, account="physics")


def test_while_accounting_is_awaited_slurm_decides() -> None:
    offer = offer_for(Rights(name="alice", awaited=True))
    request = read_request({"partition": "cpu", "account": "physics", "qos": "any"}, offer)
    assert (request.account, request.qos) == ("physics", "any")
    known = offer_for(Rights(name="alice", known=True))
    assert "no such account" in refusal(known, partition="cpu", account="physics")


@pytest.mark.parametrize(
    ("changes", "usable"),
    [
        ({"users": ("alice", "bob")}, True),
        ({"users": ("bob",)}, False),
        ({"not_users": ("alice",)}, False),
        ({"not_users": ("bob",)}, True),
        ({"groups": ("staff",)}, True),
        ({"groups": ("wheel",)}, False),
        ({"accounts": ("chem",)}, True),
        ({"accounts": ("bio",)}, False),
        ({"not_accounts": ("chem",)}, True),
        ({"not_accounts": ("chem", "physics")}, False),
        ({"users": ("bob",), "accounts": ("chem",)}, False),
        ({"qos": ("long",)}, True),
        ({"qos": ("vip",)}, False),
        ({"end": NOW - timedelta(seconds=1)}, False),
        ({"nodes": ("elsewhere",)}, False),
        ({"partitions": ("chem",)}, False),
    ],
)
def test_who_may_use_a_reservation(changes: dict[str, Any], usable: bool) -> None:
    offer = offer_for(ALICE, reservation("r", **changes), partitions=("cpu",))
    assert offer.reservations == (("r",) if usable else ())


def test_a_reservation_has_its_own_nodes_and_ends_its_jobs() -> None:
    offer = offer_for(ALICE, reservation("r", end=NOW + HOUR))
    asked = {"partition": "cpu", "reservation": "r"}
    said = refusal(offer, **asked, cpus="16")
    assert "One job in reservation r of partition cpu can have at most 8 CPUs." in said
    said = refusal(offer, **asked, hours="1.5")
    assert "A job in reservation r of partition cpu can run for at most 1 hour." in said
    assert read_request({**asked, "hours": "1"}, offer).reservation == "r"
    assert "no such reservation for you in partition chem. (choices: none)" in refusal(
        offer, partition="chem", reservation="r"
    )
    flexible = reservation("r", end=NOW + HOUR, flags=frozenset({"FLEX"}))
    assert read_request({**asked, "hours": "1.5"}, offer_for(ALICE, flexible)).time.minutes == 90


def test_a_reservation_to_come_has_all_its_time() -> None:
    later = reservation("r", start=NOW + HOUR, end=NOW + 2 * HOUR)
    asked = {"partition": "cpu", "reservation": "r", "hours": "1"}
    assert read_request(asked, offer_for(ALICE, later)).reservation == "r"


def test_the_account_that_a_reservation_is_for_is_taken() -> None:
    offer = offer_for(ALICE, reservation("r", accounts=("chem",)))
    asked = {"partition": "cpu", "reservation": "r"}
    assert read_request(asked, offer).account == "chem"
    said = refusal(offer, **asked, account="physics")
    assert "Reservation r is not for this account. (choices: chem)" in said


def test_a_qos_that_wants_a_reservation() -> None:
    rights = replace(ALICE, associations=(Association(account="physics", qos=("class", "normal")),))
    offer = offer_for(rights, reservation("r"))
    said = refusal(offer, partition="cpu", qos="class")
    assert "QOS class is for jobs in a reservation only: choose one. (choices: r)" in said
    asked = {"partition": "cpu", "qos": "class", "reservation": "r"}
    assert read_request(asked, offer).qos == "class"


def test_features_choose_among_nodes() -> None:
    offer = offer_for()
    assert offer.features == ("avx512",), "every node has ib"
    said = refusal(offer, partition="cpu", features="avx512", cpus="16")
    assert "With feature avx512, one job in partition cpu can have at most 8 CPUs." in said
    said = refusal(offer, partition="chem", features="avx512")
    assert "No node of partition chem has this feature. (choices: ib)" in said
    assert read_request({"features": ["ib", "avx512"]}, offer).features == ("ib", "avx512")
    assert read_request({"features": "ib,avx512"}, offer).stored()["features"] == "ib,avx512"


def test_the_site_may_demand_features_and_allow_no_others() -> None:
    demanding = offer_for(features=("avx512",))
    partition = demanding.partition("cpu")
    assert partition is not None
    assert partition.max_cpus == 8
    assert "has no nodes that this hub may use" in str(demanding.why_closed("chem"))
    assert offer_for(choose_features=()).features == ()
    assert offer_for(choose_features=("ib",)).features == ()
    assert offer_for(choose_features=("avx512",)).features == ("avx512",)


def test_what_was_used_last_is_used_again_while_it_can_be() -> None:
    held = reservation("r", end=NOW + HOUR)
    last = {
        "partition": "cpu",
        "account": "chem",
        "qos": "long",
        "reservation": "r",
        "features": "avx512",
        "hours": "30:00",
    }
    again = read_request({}, offer_for(ALICE, held), previous=last)
    assert {name: again.stored()[name] for name in last} == last
    ended = read_request({}, offer_for(), previous=last)
    assert (ended.account, ended.reservation) == ("chem", None)
    less = replace(ALICE, associations=ALICE.associations[:1])
    assert read_request({}, offer_for(less), previous=last).account is None
    asked = read_request({"hours": "2"}, offer_for(ALICE, held), previous=last)
    assert asked.reservation is None, "what is asked for goes before what was used"


def test_what_was_used_last_is_not_mixed_with_what_it_does_not_go_with() -> None:
    held = reservation("r", end=NOW + HOUR, accounts=("chem",))
    offer = offer_for(ALICE, held)
    last = {"partition": "cpu", "account": "chem", "reservation": "r"}
    again = read_request({"hours": "0.5"}, offer, previous=last)
    assert (again.account, again.reservation) == ("chem", "r")
    other = read_request({"hours": "0.5", "account": "physics"}, offer, previous=last)
    assert (other.account, other.reservation) == ("physics", None)
    physics = Association(account="physics", qos=("normal", "part"))
    both = replace(ALICE, associations=(physics, ALICE.associations[1]))
    part = read_request({"qos": "part"}, offer_for(both), previous={"account": "chem"})
    assert (part.account, part.qos) == (None, "part"), "chem has no such QOS"


@pytest.mark.parametrize("name", ["account", "qos", "reservation"])
@pytest.mark.parametrize("value", ["a b", "-a", "a\n#SBATCH --uid=0", "a,b", 3, ["a", "b"], "é"])
def test_names_that_are_none(name: str, value: object) -> None:
    assert f"{name}" in refusal(offer_for(), **{name: value})


@pytest.mark.parametrize("value", ["a&b", "a|b", "[a*2]", "(a)", "a b", 3, [3], ["a"] * 3 + ["!"]])
def test_features_that_are_none(value: object) -> None:
    assert "features" in refusal(offer_for(), features=value)
    assert "at most 16" in refusal(offer_for(), features=[f"f{n}" for n in range(17)])
