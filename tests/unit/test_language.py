"""Which language a request asks for, and that everything people read is said in it."""

from __future__ import annotations

import asyncio
import json
import string
from collections import Counter
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment
from markupsafe import Markup
from tornado import web
from tornado.httpclient import HTTPRequest
from tornado.testing import AsyncHTTPTestCase

from slurmhub import language
from slurmhub.language import (
    COOKIE,
    LearnLanguage,
    Translating,
    choose,
    decimal,
    spoken,
    told,
    told_html,
    translate,
)
from slurmhub.slurm.reasons import plain_reason
from tests.rig import catalogue

FRENCH = catalogue.LOCALE / "fr" / "LC_MESSAGES" / "slurmhub.po"


@pytest.mark.parametrize(
    ("cookie", "preference", "expected"),
    [
        ("", "", None),
        ("fr", "en", "fr"),
        ("en", "fr", "en"),
        ("tlh", "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("", "de, en-GB;q=0.3, fr;q=0.7", "fr"),
        ("", "fr;q=0, en;q=0.1", "en"),
        ("", "FR", "fr"),
        ("", "de,es;q=0.5", None),
        ("", "fr;q=x", None),
        ("../../etc", "\x00,;;;q=,fr;q=1", "fr"),
        ("", "x," * 10_000 + "fr", None),
    ],
)
def test_the_language_is_chosen_or_the_browsers(
    cookie: str, preference: str, expected: str | None
) -> None:
    assert choose(cookie, preference) == expected


def test_english_is_left_as_it_is() -> None:
    with spoken("en"):
        assert told("The job is running.") == "The job is running."
        assert translate("{a} {b}", a="x", b=2) == "x 2"
        # Without values nothing is filled in: braces may be anybody's.
        assert translate("{a}") == "{a}"


def test_sentences_of_python_are_found_again() -> None:
    with spoken("fr"):
        assert told("The job is running.") == "La tâche est en cours."
        assert told(plain_reason("JobHoldMaxRequeue")) == (
            "Elle a été lancée trop de fois sans succès. Elle est retenue jusqu\u2019à ce "
            "qu\u2019on la libère\u202f; consultez votre équipe de soutien."
        )
        assert told("Job 12 waits in the queue. It reached its time limit.") == (
            "La tâche 12 est dans la file d\u2019attente. Elle a atteint sa limite de temps."
        )
        assert told("Slurm says: no such thing here") == "Slurm dit\u00a0: no such thing here"
        assert told("No server can be started now.\nWell then.") == (
            "Aucun serveur ne peut démarrer maintenant.\nWell then."
        )
        assert told("1.5 hours") == "1,5\u00a0heure"
        assert told("0.25 hours") == "0,25\u00a0heure"
        assert told("2.5 hours") == "2,5\u00a0heures"
        assert told("2 CPUs and 4.5 GB of memory") == "2\u00a0CPU et 4,5\u00a0Go de mémoire"


def test_moments_are_written_as_in_canada() -> None:
    with spoken("fr"):
        assert told("2026-11-21 08:05") == "2026-11-21 à 8\u00a0h\u00a005"
        assert told("2026-11-21 18:00 UTC") == "2026-11-21 à 18\u00a0h UTC"
        assert translate("Shown from {time}.", time="2026-11-21 18:30") == (
            "Affichée à partir du 2026-11-21 à 18\u00a0h\u00a030."
        )
    with spoken("en"):
        assert told("2026-11-21 08:05") == "2026-11-21 08:05"


def test_a_page_for_anybody_is_in_each_language() -> None:
    with spoken("fr"):
        assert language.said_in("en", "Home") == "Home"
        assert language.said_in("fr", "Home") == "Accueil"
        assert language.language() == "fr"


def test_numbers_in_fields() -> None:
    with spoken("fr"):
        assert [decimal(text) for text in ("1.5", "2", "4000M", "1.2.3")] == [
            *("1,5", "2", "4000M", "1.2.3")
        ]
    with spoken("en"):
        assert decimal("1.5") == "1.5"


def test_texts_of_somebody_elses_html() -> None:
    with spoken("fr"):
        said = told_html('<option value="">Never</option>\n<b title="Never">R&amp;D</b>')
        assert said == '<option value="">Jamais</option>\n<b title="Never">R&amp;D</b>'


def test_what_is_not_ours_stays() -> None:
    with spoken("fr"):
        for words in ("", "this and that", "2 CPUs and a dog", "{0.__class__}", "x" * 100_000):
            assert told(words) == words


def test_values_are_escaped_and_markup_is_not() -> None:
    pages = Environment(
        autoescape=True,
        extensions=[Translating],
        loader=DictLoader({"page": '{{ _("Slurm says: {shown}", shown=shown) }}'}),
    )
    for code in ("en", "fr"):
        with spoken(code):
            assert "<b>" not in pages.get_template("page").render(shown="<b>")
            assert "<b>" in pages.get_template("page").render(shown=Markup("<b>"))


def test_a_page_says_which_language_it_is_in() -> None:
    loader = DictLoader({"page.html": '<html lang="en">'})
    page = Environment(autoescape=True, loader=loader, extensions=[Translating]).get_template(
        "page.html"
    )
    with spoken("fr"):
        assert page.render() == '<html lang="fr">'
    assert page.render() == '<html lang="en">'


class _Page(web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(0)
        self.finish(await asyncio.create_task(_language_of_a_task()))


class _Refusing(web.RequestHandler):
    def get(self) -> None:
        self.set_status(int(self.get_query_argument("status")))
        if self.get_query_argument("html", ""):
            self.finish("<p>There is no such server.</p>")
        elif self.get_query_argument("list", ""):
            self.set_header("Content-Type", "application/json")
            self.finish("[1]")
        else:
            self.finish({"status": 404, "message": "There is no such server."})


async def _language_of_a_task() -> str:
    return language.language()


class TestRequests(AsyncHTTPTestCase):
    """Tornado's own server: the handler's task has the language, and no other request has it."""

    def get_app(self) -> web.Application:
        app = web.Application([("/", _Page), ("/refusing", _Refusing)])
        app.add_transform(LearnLanguage)
        return app

    def ask(self, **headers: str) -> str:
        return self.fetch("/", headers=headers).body.decode()

    def test_each_request_has_its_own(self) -> None:
        for _ in range(2):
            assert self.ask(**{"Accept-Language": "fr-CA"}) == "fr"
            assert self.ask() == "en"
            assert self.ask(Cookie=f"{COOKIE}=fr") == "fr"

    def refused(self, query: str, language: str = "fr-CA") -> str:
        headers = {"Accept-Language": language}
        return self.fetch(f"/refusing?{query}", headers=headers).body.decode()

    def test_what_rest_refuses_is_said_in_the_language_that_is_asked_for(self) -> None:
        english = {"status": 404, "message": "There is no such server."}
        assert json.loads(self.refused("status=404")) == {
            **english,
            "message": "Ce serveur n\u2019existe pas.",
        }
        assert json.loads(self.refused("status=404", "en")) == english
        assert json.loads(self.refused("status=404", "")) == english
        # An answer that is no error is whatever it is.
        assert json.loads(self.refused("status=200")) == english
        assert self.refused("status=404&html=yes") == "<p>There is no such server.</p>"
        assert self.refused("status=404&list=yes") == "[1]"

    def test_also_on_one_connection(self) -> None:
        async def both() -> list[str]:
            client, url = self.http_client, self.get_url("/")
            asked = [HTTPRequest(url, headers={"Accept-Language": code}) for code in ("fr", "de")]
            return [(await client.fetch(each)).body.decode() for each in asked]

        assert self.io_loop.run_sync(both) == ["fr", "en"]


def test_the_french_catalogue_has_every_sentence() -> None:
    lacking = catalogue.lacking(catalogue.read_catalogue(FRENCH))
    said = "\n".join(f"{one.where}: {one.text}" for one in lacking)
    assert not lacking, f"Translate these in {FRENCH.name}, then run script/catalogues:\n{said}"


def test_the_compiled_catalogues_are_those_of_the_texts() -> None:
    assert catalogue.catalogues() == [FRENCH]
    for path in catalogue.catalogues():
        compiled = catalogue.compiled(catalogue.read_catalogue(path))
        assert path.with_suffix(".mo").read_bytes() == compiled, "run script/catalogues"


def test_each_sentence_is_there_once_and_keeps_its_placeholders() -> None:
    text = FRENCH.read_text(encoding="utf-8")
    keys = Counter(line for line in text.splitlines() if line.startswith("msgid "))
    assert [key for key, count in keys.items() if count > 1] == []
    for sentence, said in catalogue.read_catalogue(FRENCH).items():
        if sentence:
            assert _names(said) <= _names(sentence), sentence


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_french_has_its_spaces() -> None:
    for said in catalogue.read_catalogue(FRENCH).values():
        for sign in (" :", " ;", " !", " ?", "« ", " »", "'"):
            assert sign not in said or said.startswith("Project-Id"), said


def test_what_looks_like_a_sentence_is_found_in_code(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "page.py").write_text(
        '"""Not this docstring."""\n'
        "RULES = {'not this key': 'But this value.'}\n"
        "def say(job, log):\n"
        '    """Nor this one."""\n'
        "    log.warning('Not for people.')\n"
        "    return f'Job {job.id} is {job.state} for {len(log)}. ' + 'not_this'\n"
    )
    found = [said.text for said in catalogue.said_by_code(tmp_path)]
    assert found == ["But this value.", "Job {id} is {state} for {len}."]
