"""Profiles as a site writes them: read, and every mistake in them named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slurmhub.language import spoken
from slurmhub.options.profiles import ProfilesWrong, ProfileTraits, SiteProfiles, read_profiles
from slurmhub.options.request import FIELDS
from slurmhub.options.rules import Bounded, Chosen, Fixed, Free

COURSE: dict[str, Any] = {
    "name": "course-lab",
    "title": {"en": "Course lab", "fr": "Travaux pratiques"},
    "words": "For the exercises.",
    "picture": "course",
    "groups": ["phys101"],
    "fields": {
        "partition": "cpu",
        "cpus": {"min": 1, "max": 4, "default": 2},
        "memory": {"choices": [2, "4G"]},
        "hours": "max",
        "gpus": 0,
    },
}


def test_a_profile_is_read() -> None:
    site = read_profiles([COURSE], hidden=["gpu_type"])
    (profile,) = site.profiles
    assert profile.fields == {
        "partition": Fixed("cpu"),
        "cpus": Bounded("1", "4", "2"),
        "memory": Chosen(("2", "4G"), "2"),
        "hours": Fixed("max"),
        "gpus": Fixed("0"),
    }
    assert profile.open_fields == ("cpus", "memory")
    assert set(site.whole.fields) == set(FIELDS) - {"gpu_type"}
    assert set(site.whole.fields.values()) == {Free()}


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"min": 1, "max": 4}, Bounded("1", "4", "1")),
        ({"max": "4"}, Bounded(None, "4", "4")),
        ({"min": 2}, Bounded("2", None, "2")),
        ({"min": 1, "default": 3}, Bounded("1", None, "3")),
        ({"choices": ["1", 2], "default": 2}, Chosen(("1", "2"), "2")),
        ("free", Free()),
        (" 3 ", Fixed("3")),
    ],
)
def test_what_is_said_of_a_field(said: object, rule: object) -> None:
    (profile,) = read_profiles([{"name": "a", "title": "A", "fields": {"cpus": said}}]).profiles
    assert profile.fields == {"cpus": rule}


def test_the_title_is_in_the_language_of_the_reader() -> None:
    french_only = {"name": "a", "title": {"fr": "Cours"}, "fields": {}}
    course, other = read_profiles([COURSE, french_only]).profiles
    with spoken("fr"):
        assert course.said_title == "Travaux pratiques"
    with spoken("en"):
        assert course.said_title == "Course lab"
        assert other.said_title == "Cours"


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"name": "Course Lab"}, "Profile Course Lab: name is Course Lab. Give up to 64 small letters"),
    ({"name": "a\n"}, "small letters"),
    ({"name": 7}, "Profile 1: name is 7."),
    ({"title": ""}, "Profile course-lab: title is . Give a text of at least one letter"),
    ({"title": {"de": "Kurs"}}, "title is a mapping. Give a text, or a mapping of en, fr to texts"),
    ({"words": 3}, "Profile course-lab: words is 3."),
    ({"groups": "phys101"}, "groups is phys101. Give a list of names of the hub's groups"),
    ({"colour": "red"}, "colour is red. There is no such part: a profile has name, title"),
    ({"picture": "cat"}, "picture is cat. Give one of course, cpu, gpu"),
    ({"picture": "../key.png"}, "picture is ../key.png. Give one of"),
    ({"picture": "a.svg"}, "picture is a.svg, and profile_pictures does not say where"),
    ({"fields": []}, "fields is a list of 0. Give a mapping of fields"),
    ({"fields": {"memori": 1}}, "field memori is no field. Fields are: partition"),
    ({"fields": {"cpus": 0}}, "field cpus is 0. Ask for at least 1 CPU"),
    ({"fields": {"cpus": True}}, "field cpus is true. Write a whole number"),
    ({"fields": {"hours": "UNLIMITED"}}, "field hours is UNLIMITED. Write a number of hours"),
    ({"fields": {"memory": "max"}}, "field memory is max. Write a number of GB"),
    ({"fields": {"hours": {"min": 3, "max": 2}}}, "hours is min 3, default 3, max 2. Give them in"),
    ({"fields": {"cpus": {"min": 1, "max": 2, "default": 3}}}, "cpus is min 1, default 3, max 2."),
    ({"fields": {"cpus": {"min": 1, "most": 2}}}, "cpus has min, most. Give a value, 'free', a"),
    ({"fields": {"cpus": {"default": 2}}}, "cpus has default. Give a value"),
    ({"fields": {"cpus": {}}}, "cpus has nothing. Give a value"),
    ({"fields": {"cpus": {"max": "many"}}}, "cpus is many. Write a whole number"),
    ({"fields": {"partition": {"min": "a"}}}, "partition has min, but no order. Bounds are for"),
    ({"fields": {"cpus": {"choices": []}}}, "cpus has choices a list of 0. Give a list of at"),
    ({"fields": {"cpus": {"choices": [1], "default": 2}}}, "cpus has the default 2. Give one of"),
    ({"fields": {"gpus": 0, "gpu_type": "h100"}}, "gpu_type is h100, but gpus is 0. Leave one"),
]


@pytest.mark.parametrize(("changes", "said"), MISTAKES)
def test_a_mistake_is_named_with_what_is_allowed(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfilesWrong) as caught:
        read_profiles([COURSE | changes])
    lines = str(caught.value).splitlines()
    assert said in lines[1]
    assert len(lines) == 3, "one mistake is told once"
    assert lines[2].startswith("Correct them")


def test_all_mistakes_are_told_at_once() -> None:
    wrong = [COURSE | changes for changes, _ in MISTAKES]
    with pytest.raises(ProfilesWrong) as caught:
        read_profiles([*wrong, 7, {}, COURSE, COURSE], hidden=["colour"])
    text = str(caught.value)
    for _, said in MISTAKES:
        assert said.removeprefix("Profile 1: ") in text
    assert "it is 7. Give a mapping with name, title and fields." in text
    assert "name is missing. Every profile has a name, a title and fields." in text
    assert "Profile course-lab: there is another of this name. Rename one." in text
    assert "hidden_fields: colour is no field." in text


def test_somebody_must_be_able_to_start_something() -> None:
    with pytest.raises(ProfilesWrong, match="nobody could start anything"):
        read_profiles([], everything=False)
    assert read_profiles([], everything=["staff"]).allowed(["staff"]).everything is not None


def test_pictures_are_read_when_the_hub_starts(tmp_path: Path) -> None:
    (tmp_path / "course.svg").write_text("<svg/>")
    site = read_profiles([COURSE | {"picture": "course.svg"}], pictures=tmp_path)
    assert site.pictures["course.svg"].content_type == "image/svg+xml"
    assert site.pictures["course.svg"].content == b"<svg/>"
    (tmp_path / "large.png").write_bytes(bytes(2**20 + 1))
    for name, said in (("none.svg", "cannot be read"), ("large.png", "at most 1 MB")):
        with pytest.raises(ProfilesWrong, match=said):
            read_profiles([COURSE | {"picture": name}], pictures=tmp_path)


@pytest.mark.parametrize(
    ("groups", "names", "everything"),
    [
        ([], ["open"], False),
        (["phys101"], ["course-lab", "open"], False),
        (["staff", "other"], ["open"], True),
    ],
)
def test_groups_decide(groups: list[str], names: list[str], everything: bool) -> None:
    site = read_profiles(
        [COURSE, {"name": "open", "title": "Open", "fields": {}}], everything=["staff"]
    )
    allowed = site.allowed(groups)
    assert [one.name for one in allowed.profiles] == names
    assert (allowed.everything is not None) is everything
    assert allowed.named("course-lab") is (site.profiles[0] if "phys101" in groups else None)


def test_the_settings_of_the_hub() -> None:
    assert ProfileTraits().site_profiles() == SiteProfiles()
    traits = ProfileTraits(profiles=[COURSE], everything=["staff"], hidden_fields=["hours"])
    site = traits.site_profiles()
    assert site.profiles[0].name == "course-lab"
    assert site.everything == frozenset({"staff"})
    assert site.hidden == frozenset({"hours"})
