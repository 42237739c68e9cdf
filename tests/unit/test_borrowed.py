"""JupyterHub's words are where we look for them, in the version that is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment
from jupyterhub._data import DATA_FILES_PATH

from slurmhub.borrowed import marked, unknown

TEMPLATES = Path(DATA_FILES_PATH) / "templates"
NAMES = (
    "page.html",
    "login.html",
    "logout.html",
    "home.html",
    "error.html",
    "404.html",
    "spawn.html",
    "stop_pending.html",
    "not_running.html",
)


@pytest.mark.parametrize("name", NAMES)
def test_every_word_that_we_mark_is_in_jupyterhubs_template(name: str) -> None:
    source = (TEMPLATES / name).read_text()
    assert unknown(source, name) == []
    assert Environment(autoescape=True).parse(marked(source, name))


def test_words_are_marked_where_they_stand_and_nowhere_else() -> None:
    said = marked('<a title="Home" href="/Home">\n  Home\n</a><i>Homes</i>', "page.html")
    assert said == ('<a title="{{ _("Home") }}" href="/Home">\n  {{ _("Home") }}\n</a><i>Homes</i>')


def test_a_template_of_another_name_stays_as_it_is() -> None:
    assert marked("<b>Home</b>", "theirs.html") == "<b>Home</b>"
