"""Idle policies as a site writes them, and every mistake in them in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from slurmhub.idle.policy import IdlePolicy, IdlePolicyWrong, read_policies


def test_a_policy_for_a_profile_and_one_for_all_others() -> None:
    policies = read_policies(
        {
            "": {"server": "2:00:00", "gpu": "0:30:00", "warning": "0:10:00"},
            "course": {"server": "0:45:00"},
            "lab": {},
        },
        ["course", "lab"],
    )
    assert policies == {
        "": IdlePolicy(server=7200, gpu=1800, warning=600),
        "course": IdlePolicy(server=2700, gpu=None, warning=600),
    }


def test_nobody_is_warned_of_a_short_policy_before_its_half() -> None:
    assert read_policies({"": {"gpu": "10"}})[""] == IdlePolicy(None, 600, 300)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"lab": {"server": "2:00:00"}}, "there is no profile of that name"),
        ({"": "2:00:00"}, "a mapping of server, gpu, warning"),
        ({"": {"servers": "2:00:00"}}, "a mapping of server, gpu, warning"),
        ({"": {"server": "two hours"}}, "has server 'two hours'"),
        ({"": {"server": "0"}}, "no length of time"),
        ({"": {"server": "UNLIMITED"}}, "no length of time"),
        ({"": {"warning": "0:10:00"}}, "neither server nor gpu"),
        ({"": {"server": "1:00:00", "gpu": "2:00:00"}}, "for longer than the whole server"),
        ({"": {"server": "0:10:00", "warning": "0:10:00"}}, "warns as early"),
    ],
)
def test_a_mistake_is_named_with_its_place(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(IdlePolicyWrong, match=r"c\.SlurmHubSpawner\.idle_policies") as caught:
        read_policies(setting, ["course"])
    assert said in str(caught.value)
