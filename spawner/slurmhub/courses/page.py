"""The page that starts a course's server: what it is, and nothing to choose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from slurmhub.courses.cards import has_words
from slurmhub.courses.model import Course
from slurmhub.language import Translating
from slurmhub.options.refusal import Problem

_TEMPLATES = Path(__file__).parents[1] / "web" / "templates"


def draw_course(course: Course | None, why: Sequence[Problem] = ()) -> str:
    """What stands in the form of the page; `why` says what was refused, or why it cannot start.

    `course` is None where its server cannot be started at all.
    """
    return _template().render(
        title="" if course is None else course.title,
        has=() if course is None else has_words(course),
        problems=[one.message for one in why],
        closed=course is None,
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[Translating],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("slurmhub_course_form.html")
