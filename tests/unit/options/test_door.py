"""The door: which profile a request was made by, and what may be made like it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from traitlets import Any, HasTraits

from slurmhub.options.admission import admit
from slurmhub.options.door import OptionsDoor, ServerFailed
from slurmhub.options.offer import Offer
from slurmhub.options.profiles import Allowed, read_profiles

PROFILE = {"name": "lab", "title": "Lab", "fields": {"partition": "cpu", "cpus": {"max": 4}}}


class Settings(HasTraits):
    """What JupyterHub's own spawner has of a form."""

    options_from_form = Any()


class Door(OptionsDoor, Settings):
    """A door of one person, without a hub around it."""

    job: object = None
    may: Allowed
    there: Offer

    def offer(self) -> Offer:
        return self.there

    def allowed(self) -> Allowed:
        return self.may


@pytest.fixture
def door(offer: Offer) -> Door:
    made = Door()
    made.there = offer
    made.may = read_profiles([PROFILE], everything=False).allowed([])
    made.name = ""
    return made


def test_what_may_be_made_like_another(door: Door) -> None:
    few = admit({"profile": "lab", "cpus": 2}, door.there, door.may)
    many = few.request.model_copy(update={"cpus": 8})
    assert door.grants(few.request, {"profile": "lab"})
    assert not door.grants(many, {"profile": "lab"})
    assert not door.grants(few.request, {})
    door.may = read_profiles([PROFILE]).allowed([])
    assert door.grants(many, {})
    assert not door.grants(many, {"profile": "lab"})


def test_the_profile_of_a_job_outlives_the_hub(door: Door) -> None:
    assert door.by_profile() == {}
    door.job = SimpleNamespace(intent=SimpleNamespace(request={"profile": "lab", "cpus": 2}))
    assert door.by_profile() == {"profile": "lab"}


def test_the_form_asks_for_what_its_button_says(door: Door) -> None:
    read = door.options_from_form
    assert read({"card": ["lab"], "lab.cpus": ["2"], "cpus": ["9"], "_xsrf": ["x"]}) == {
        "profile": "lab",
        "cpus": ["2"],
    }
    with pytest.raises(ServerFailed, match="Press the Start button") as caught:
        read({"card": [""], "lab.cpus": ["2"]})
    assert caught.value.status_code == 400
