"""Hostile options for profiles: refused in words, or within the profile."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from slurmhub.options.admission import Admission, admit
from slurmhub.options.profiles import read_profiles
from slurmhub.options.refusal import Refusal
from slurmhub.options.request import FIELDS
from slurmhub.options.sections import filled_by_link, options_of_form, plain_options
from slurmhub.presets import PresetRefused, preset_name
from tests.attack.hostile import VALUES
from tests.attack.test_options import NASTY, OFFER, hostile_raw, many, plausible_raw, some

SITE = read_profiles(
    [
        {
            "name": "lab",
            "title": "Lab",
            "fields": {
                "partition": "cpu",
                "cpus": {"min": 1, "max": 2},
                "memory": {"choices": ["1", "2"]},
                "hours": 1,
            },
        },
        {"name": "staff", "title": "Staff", "groups": ["staff"], "fields": {"cpus": "free"}},
    ],
    everything=False,
)
MINE = SITE.allowed([])
profile_names = st.sampled_from(["lab", "staff", "", "lab\n", "LAB", *NASTY])


def attempt(raw: object, previous: Any = None) -> Admission | Refusal:
    """What is admitted, or the refusal; any other exception is the failure that is looked for."""
    try:
        return admit(raw, OFFER, MINE, previous=previous)
    except Refusal as refusal:
        return refusal


def test_the_case_that_must_work() -> None:
    assert isinstance(attempt({"profile": "lab", "cpus": 2}), Admission)


@many
@given(
    name=profile_names,
    raw=hostile_raw | plausible_raw,
    previous=st.none() | hostile_raw | plausible_raw,
)
def test_whatever_comes_is_refused_or_within_the_profile(
    name: str, raw: Any, previous: Any
) -> None:
    if isinstance(raw, dict):
        raw = {**raw, "profile": name}
    kept = previous if isinstance(previous, dict) else None
    result = attempt(raw, kept)
    if isinstance(result, Refusal):
        assert result.problems
        assert all(line.isprintable() for line in str(result).split("\n"))
        assert {one.field for one in result.problems} <= {*FIELDS, "options", "profile"}
        return
    stored = result.stored()
    assert result.profile.name == "lab"
    assert stored["partition"] == "cpu"
    assert stored["cpus"] in (1, 2)
    assert stored["memory"] in ("1024M", "2048M")
    assert stored["hours"] == "01:00:00"
    assert stored["gpus"] == 0
    assert admit(stored, OFFER, MINE).stored() == stored


@some
@given(raw=hostile_raw, previous=hostile_raw)
def test_a_link_to_a_profile_only_ever_fills_in(raw: Any, previous: Any) -> None:
    if isinstance(raw, dict) and isinstance(previous, dict):
        for name in ("lab", "staff"):
            filling = filled_by_link({**raw, "profile": name}, OFFER, MINE, previous)
            assert filling.current in ("lab", None)
        options = plain_options(raw)
        assert set(options) <= {"profile", *FIELDS}
        assert all(value.isprintable() and len(value) <= 128 for value in options.values())
        options_of_form({str(name): value for name, value in raw.items()})


@settings(many, max_examples=500)
@given(name=st.text(max_size=80) | st.sampled_from([*NASTY, *VALUES]))
def test_a_presets_name_is_one_short_line(name: str) -> None:
    try:
        kept = preset_name(name)
    except PresetRefused:
        return
    assert 0 < len(kept) <= 64
    assert kept.isprintable()
    assert preset_name(kept) == kept
