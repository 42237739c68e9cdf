"""The page on courses from a terminal: its file is a course, and no verb is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
import yaml
from pydantic import TypeAdapter

from slurmhub.courses.bounds import problems
from slurmhub.courses.course_file import parse_course
from slurmhub.courses.policy import Policy
from slurmhub_deploy.courses.command import course
from slurmhub_deploy.site.courses import Courses
from slurmhub_deploy.site.homes import Homes
from tests.rig.docs import pages

TERMINAL, OPERATORS = (
    next(page for page in pages() if page.name == name)
    for name in ("docs/instructors/terminal.md", "docs/operators/courses.md")
)


def verbs(app: Any, name: str = "slurmhub course") -> Iterator[str]:
    """Every verb, with those before it."""
    for word, command in sorted(app.commands.items()):
        if hasattr(command, "commands"):
            yield from verbs(command, f"{name} {word}")
        else:
            yield f"{name} {word}"


def test_the_file_that_is_shown_is_a_course() -> None:
    (shown,) = TERMINAL.blocks("yaml")
    found = parse_course(shown.text, "phys101.yml")
    assert found.roster == "class.csv"
    assert found.staff.instructors == ("bob",)
    assert problems(found.course, Policy()) == ()


def test_every_verb_is_shown() -> None:
    lines = [line for block in TERMINAL.blocks("sh") for line in block.text.splitlines()]
    shown = {verb for verb in verbs(typer.main.get_command(course)) if _in(verb, lines)}
    assert shown == set(verbs(typer.main.get_command(course)))


def _in(verb: str, lines: list[str]) -> bool:
    return any(f"{line} ".startswith(f"{verb} ") for line in lines)


def test_the_policy_that_is_shown_is_one() -> None:
    shown, _ = OPERATORS.blocks("yaml")
    policy = Courses.model_validate(yaml.safe_load(shown.text)["courses"]).policy
    assert policy.free is not None
    assert policy.makers == ("instructors",)


def test_the_disk_of_their_own_that_is_shown_can_be_read() -> None:
    _, shown = OPERATORS.blocks("yaml")
    found = yaml.safe_load(shown.text)
    homes = TypeAdapter(dict[str, Homes]).validate_python(found["homes"])
    courses = Courses.model_validate(found["hubs"]["main"]["courses"])
    assert courses.folders in homes
