"""What somebody who waits is told at once, from what is known, and in which words."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from slurmhub.hub.status import status_of
from slurmhub.job.job import Job
from slurmhub.ledger import Outcome
from slurmhub.options.limits import SiteLimits
from slurmhub.options.offer import Offer
from slurmhub.options.reading import read_request
from slurmhub.options.request import JobRequest
from slurmhub.slurm.records import ClusterFacts
from slurmhub.slurm.states import JobState, Phase
from slurmhub.waiting.estimate import Estimate
from slurmhub.waiting.outlook import Outlook, Waiting
from slurmhub.waiting.sooner import Suggestion
from tests.unit.fakes import ALICE, ASKED, intent, job_record
from tests.unit.options.conftest import make_facts, make_node, make_partition

# Two nodes, so that Slurm's trial counts half of the time of each job that waits.
FACTS = make_facts(
    [make_node("c1", partitions=("cpu",)), make_node("c2", partitions=("cpu",))],
    [make_partition("cpu", "c1", "c2", default=True)],
)
OFFER = Offer.from_facts(FACTS, SiteLimits())
ASKED_LONG = {**ASKED, "cpus": 4, "hours": "4:00:00"}


class Facts:
    """Facts that are there already."""

    facts: ClusterFacts | None = FACTS

    def refresh(self) -> None:
        """Nothing newer."""


@dataclass
class Trials:
    """What Slurm said of jobs of so many minutes; others are not known."""

    waits: dict[int, float] = field(default_factory=dict)

    def of(self, request: JobRequest, account: object, script: Any) -> Estimate | None:
        wait = self.waits.get(request.time.minutes or 0) if request.cpus == 4 else None
        return None if wait is None else Estimate(time.time() + wait, "", time.time())


def spawner(*, granted: bool = True) -> Any:
    return SimpleNamespace(
        judge=lambda options: read_request(options, OFFER),
        grants=lambda request, like: granted,
        script_policy=lambda: None,
    )


def waiting(trials: Trials, before: int | None = None) -> Waiting:
    queue = SimpleNamespace(before=lambda job: before)
    return Waiting(queue, trials, Facts(), lambda job: None)  # type: ignore[arg-type]


def job(planned: float | None = None, state: JobState = JobState.PENDING) -> Job:
    at = None if planned is None else datetime.now(timezone.utc) + timedelta(seconds=planned)
    record = job_record(7, state, reason="Priority", expected_start=at)
    asked = intent(job_id=7, request=ASKED_LONG)
    phase = Phase.PENDING if state is JobState.PENDING else Phase.RUNNING
    return Job(asked, ALICE, record=record, phase=phase)


def test_fewer_hours_are_offered_where_slurm_would_start_them_sooner() -> None:
    # Two hours of each trial are the job that waits itself.
    trials = Trials({240: 7200 + 9000, 60: 7200, 120: 7200 + 8000})
    outlook = waiting(trials).outlook(job(), OFFER, spawner())
    assert [(one.words, one.promise) for one in outlook.suggestions] == [
        ("Start with 1 hour instead", "It could start now.")
    ]
    assert outlook.start == pytest.approx(time.time() + 9000, abs=5)


def test_slurms_plan_is_better_known_than_a_trial() -> None:
    trials = Trials({240: 7200 + 9000, 60: 7200})
    outlook = waiting(trials).outlook(job(planned=200), OFFER, spawner())
    assert outlook.suggestions == ()
    assert outlook.start == pytest.approx(time.time() + 200, abs=5)


def test_what_is_not_granted_is_not_offered() -> None:
    trials = Trials({240: 7200 + 9000, 60: 7200})
    assert not waiting(trials).outlook(job(), OFFER, spawner(granted=False)).suggestions


def test_who_has_a_second_request_gets_no_suggestions() -> None:
    second = job()
    looks = waiting(Trials({240: 9000, 60: 0}))
    looks.second_of = lambda job: second
    outlook = looks.outlook(job(), OFFER, spawner())
    assert outlook.second is second
    assert outlook.suggestions == ()


def test_who_waits_no_more_is_told_nothing_of_the_queue() -> None:
    outlook = waiting(Trials({240: 9000, 60: 0}), before=3).outlook(
        job(state=JobState.RUNNING), OFFER, spawner()
    )
    assert outlook == Outlook()


def test_without_an_offer_there_is_still_a_place() -> None:
    outlook = waiting(Trials(), before=3).outlook(job(), None, spawner())
    assert outlook == Outlook(before=3)


def test_nothing_is_promised_to_who_waits_for_a_limit() -> None:
    trials = Trials({240: 0, 60: 0, 120: 0})
    waits = job()
    assert waiting(trials).outlook(waits, OFFER, spawner()).start is not None
    assert waits.record is not None
    for reason in ("QOSMaxCpuPerUserLimit", "JobHeldUser", "JobHeldAdmin"):
        waits.record = replace(waits.record, reason=reason)
        assert waiting(trials).outlook(waits, OFFER, spawner()) == Outlook()


def facts_of(outlook: Outlook) -> dict[str, str]:
    return dict(status_of(job(), outlook=outlook).facts)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (0, "no job is before yours in partition cpu"),
        (1, "1 job is before yours in partition cpu"),
        (312, "312 jobs are before yours in partition cpu"),
    ],
)
def test_the_place_in_words(before: int, words: str) -> None:
    assert facts_of(Outlook(before=before))["Place in the queue"] == words


def test_what_is_not_known_is_not_said() -> None:
    facts = facts_of(Outlook())
    assert "Place in the queue" not in facts
    assert "Slurm's rough estimate" not in facts


def test_a_trial_is_told_as_rough() -> None:
    facts = facts_of(Outlook(start=time.time() + 1205))
    assert facts["Slurm's rough estimate"] == "in about 20 minutes"


def test_the_second_request_and_what_became_of_it() -> None:
    said = status_of(job(), outlook=Outlook(second=job())).other
    assert said.startswith("You asked for this as well: 4 CPUs")
    lost = Outcome("refused", "Slurm refused this job.", "Ask for less.")
    said = status_of(job(), outlook=Outlook(lost=lost)).other
    assert said == (
        "Your other request came to nothing. Slurm refused this job. "
        "Your first job keeps its place."
    )


def test_what_would_start_sooner_is_in_the_status() -> None:
    suggestion = Suggestion("Start with 1 GPU instead", "It could start now.", {})
    found = status_of(job(), outlook=Outlook(suggestions=(suggestion,))).as_json()
    assert found["sooner"] == ("Start with 1 GPU instead: It could start now.",)
