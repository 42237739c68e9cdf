"""What a job says that it uses: checked to the last number, kept, and said in plain words."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.session.use import checked, keep, meters
from tests.unit.fakes import intent

GPU = {"index": 0, "busy": 80, "memory": 2**31}
USE: dict[str, Any] = {
    "cpu_seconds": 12.5,
    "memory": 3 * 2**29,
    "memory_peak": 2**31,
    "memory_kills": 0,
    "processes": 7,
    "gpus": [GPU, {"index": 1, "busy": None, "memory": 0}],
}


def test_a_true_use_is_taken_as_it_is() -> None:
    assert checked(json.loads(json.dumps(USE))) == USE
    assert checked({**USE, "cpu_seconds": 3})["cpu_seconds"] == 3.0
    # Jobs from before an upgrade of the hub do not know of it.
    assert checked({name: USE[name] for name in USE if name != "memory_kills"}) == USE


@pytest.mark.parametrize(
    "wrong",
    [
        {"cpu_seconds": "1"},
        {"cpu_seconds": True},
        {"cpu_seconds": -1},
        {"cpu_seconds": math.nan},
        {"cpu_seconds": math.inf},
        {"cpu_seconds": 1e13},
        {"memory": 1.5},
        {"memory": True},
        {"memory": -1},
        {"memory": 2**53 + 1},
        {"memory_peak": None},
        {"memory_kills": -1},
        {"memory_kills": True},
        {"memory_peak": 10**400},
        {"processes": 10**8},
        {"gpus": {}},
        {"gpus": [GPU] * 2},
        {"gpus": [{**GPU, "index": n} for n in range(65)]},
        {"gpus": [{**GPU, "index": -1}]},
        {"gpus": [{**GPU, "busy": 101}]},
        {"gpus": [{**GPU, "busy": False}]},
        {"gpus": [{**GPU, "name": "<b>"}]},
        {"gpus": [{"index": 0, "busy": 1}]},
        {"gpus": [[0, 1, 2]]},
        {"kernels": 1},
    ],
)
def test_anything_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked({**USE, **wrong})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*USE, "x"]), inner),
    )
)
def test_nothing_but_a_value_error_comes_of_it(said: object) -> None:
    try:
        assert set(checked(said)) == set(USE)
    except ValueError:
        return


def test_the_busy_cpus_are_those_since_the_last_news() -> None:
    job = intent(started=1000.0)
    keep(job, {**USE, "cpu_seconds": 30.0}, 1060.0)
    assert job.usage is not None
    assert job.usage["cpu_busy"] == pytest.approx(0.5)
    keep(job, {**USE, "cpu_seconds": 90.0}, 1120.0)
    assert job.usage["cpu_busy"] == pytest.approx(1.0)
    assert job.usage["at"] == 1120.0
    # A job that was started again counts from nothing.
    job.started = 1130.0
    keep(job, {**USE, "cpu_seconds": 5.0}, 1140.0)
    assert job.usage["cpu_busy"] == pytest.approx(0.5)


def test_words_and_shares_for_people() -> None:
    job = intent(started=time.time() - 100)
    job.request = {**job.request, "cpus": 2, "memory": "4096M"}
    keep(job, {**USE, "cpu_seconds": 100.0}, time.time())
    found = {meter.name: (meter.percent, meter.words) for meter in meters(job, 300)}
    assert found == {
        "cpu": (50, "50 % of 2 CPUs"),
        "memory": (38, "Memory 1.5 GB of 4 GB"),
        "gpu0": (80, "GPU 0: 80 %, 2 GB of memory"),
        "gpu1": (None, "GPU 1: 0 MB of memory"),
    }


@pytest.mark.parametrize(
    ("kills", "words"),
    [
        (0, []),
        (1, ["Memory ran out: a program of this server was ended, a notebook's kernel perhaps."]),
        (3, ["Memory ran out 3 times: each time a program of this server was ended."]),
    ],
)
def test_what_the_want_of_memory_cost_is_said(kills: int, words: list[str]) -> None:
    job = intent(started=time.time() - 100)
    keep(job, {**USE, "memory_kills": kills}, time.time())
    assert [one.words for one in meters(job, 300) if one.name == "memory-kills"] == words


def test_old_news_say_nothing_of_now() -> None:
    job = intent(started=time.time() - 5000)
    assert meters(job, 300) == ()
    keep(job, USE, time.time() - 3 * 300 - 20)
    assert meters(job, 300) == ()
    keep(job, USE, time.time() - 3 * 300)
    assert meters(job, 300)
