"""JupyterHub's words are where we look for them, in the version that is installed."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import pytest
from jinja2 import Environment
from jupyterhub._data import DATA_FILES_PATH

from slurmhub.borrowed import MESSAGES, marked, unknown

CODE = [Path(str(distribution(name).locate_file(name))) for name in ("jupyterhub", "oauthlib")]
TEMPLATES = Path(DATA_FILES_PATH) / "templates"
NAMES = (
    "page.html",
    "accept-share.html",
    "admin.html",
    "login.html",
    "logout.html",
    "home.html",
    "error.html",
    "404.html",
    "spawn.html",
    "stop_pending.html",
    "not_running.html",
    "oauth.html",
    "token.html",
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


@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_that_we_translate_is_in_jupyterhubs_code(message: str) -> None:
    expected = re.sub(r"\{\w+\}", "{}", message)
    said = _said_by_jupyterhub()
    assert any(expected in one for one in said), message


@cache
def _said_by_jupyterhub() -> list[str]:
    """Every text in its modules, with {} for what is filled in."""
    found = []
    for path in (one for folder in CODE for one in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%[sr]", "{}", node.value))
            elif isinstance(node, ast.JoinedStr):
                found.append(
                    "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "{}"
                        for part in node.values
                    )
                )
    return found


def test_jupyterhubs_scripts_say_what_ours_replace() -> None:
    scripts = "".join(
        (Path(DATA_FILES_PATH) / "static" / "js" / name).read_text()
        for name in ("token.js", "utils.js")
    )
    for words in (
        '"API request failed (" + jqXHR.status + "): "',
        '"moment"',
    ):
        assert words in scripts, words
