"""The language of a page: which one a request asks for, and every sentence in it.

Sentences are written in English where they arise, and stored in English. They are translated
where a person reads them, whole, by gettext's catalogues in `locale/`, whose keys are the English
sentences themselves with {placeholders}. Templates have `_`, `told`, `language` and `languages`.
"""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import Any

from jinja2 import Environment
from jinja2.ext import Extension
from markupsafe import Markup, escape
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

from slurmhub.borrowed import marked
from slurmhub.phrases import Phrase, matches, phrases_of

LANGUAGES = {"en": "English", "fr": "Français"}
"""Languages by their code, each in its own words."""

SOURCE = "en"
COOKIE = "slurmhub-language"
DOMAIN = "slurmhub"
LOCALE = Path(__file__).parent / "locale"
TEMPLATES = Path(__file__).parent / "web" / "templates"

# A sentence within a sentence within a sentence is the deepest that our own texts go.
_DEEPEST = 4
# Longer texts are logs or somebody's own words, which nobody translates.
_LONGEST = 4000
# Fewer letters than this around a placeholder say little of what stands there.
_TELLING = 10
_SENTENCE_END = re.compile(r"(\n|(?<=[.!?]) +(?=[A-Z“]))")
_LIST_PART = re.compile(r"(, | and | or |; )")
_DECIMAL = re.compile(r"\d+\.\d+")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d):(\d\d)( [\w+-]+)?")
_ON_THE_HOUR = "00"
# In French 1.5 is singular, which English does not tell by its words.
_PLURAL_FROM = 2
_TEXT_OF_HTML = re.compile(r"(?<=>)[^<>]+(?=<)")

# Fields of JSON that programs read, and a log.
_NO_WORDS = frozenset({"step", "kind", "node", "log", "url"})

_asked: ContextVar[str | None] = ContextVar("slurmhub_language", default=None)
_usual = SOURCE


class LearnLanguage(OutputTransform):
    """Learns the language of each request before its handler runs.

    For `Application.add_transform`: tornado makes one for each request, in the context that the
    handler's task inherits. Of the output it translates the `message` of JSON errors, which
    JupyterHub's scripts show to people as it is.
    """

    def __init__(self, request: HTTPServerRequest) -> None:
        cookie = request.cookies.get(COOKIE)
        preference = request.headers.get("Accept-Language", "")
        self._language = choose(cookie.value if cookie else "", preference) or _usual
        _asked.set(self._language)

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Translate an error that is whole."""
        is_json = headers.get("Content-Type", "").startswith("application/json")
        if status_code >= 400 and is_json and finishing and self._language != SOURCE:
            with spoken(self._language):
                chunk = _told_error(chunk)
            if "Content-Length" in headers:
                headers["Content-Length"] = str(len(chunk))
        return status_code, headers, chunk


class Translating(Extension):
    """Gives templates `_` and what goes with it, and marks JupyterHub's words."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals.update(
            _=translate,
            told=told,
            told_html=told_html,
            decimal=decimal,
            said_in=said_in,
            language=language,
            languages=LANGUAGES,
        )

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """JupyterHub's own templates cannot be translated as they are."""
        ours = filename is not None and Path(filename).is_relative_to(TEMPLATES)
        return source if ours or name is None else marked(source, name)


def use(usual: str) -> None:
    """Make `usual` the language of those who ask for none that we have."""
    global _usual
    _usual = usual


def choose(chosen: str, preference: str) -> str | None:
    """The language for somebody who chose `chosen` or whose browser sends this Accept-Language.

    None when neither names one of ours. Never raises: both come from outside.
    """
    if chosen in LANGUAGES:
        return chosen
    ranked = []
    # Who sends more than a browser does is answered as well as possible, and soon.
    for place, entry in enumerate(preference[:500].lower().split(",")):
        name, _, weight = entry.strip().partition(";")
        code = name.strip().partition("-")[0]
        found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight) if weight else None
        quality = float(found[1]) if found else float(not weight)
        if quality and code in LANGUAGES:
            ranked.append((-quality, place, code))
    return min(ranked)[2] if ranked else None


def language() -> str:
    """The code of the language of this request, or the site's own where there is none."""
    return _asked.get() or _usual


@contextmanager
def spoken(code: str) -> Iterator[None]:
    """Within this, everything is said in one language."""
    token = _asked.set(code)
    try:
        yield
    finally:
        _asked.reset(token)


def translate(text: str, **values: object) -> str:
    """A sentence of a template in the language of this request, with its placeholders filled in.

    `text` may also be one that other code made, filled in already. Values that are sentences of
    ours are translated, too. The result is markup when one of the values is, and all else in it
    is escaped then.
    """
    known = _catalogue(language())
    if not values:
        return text if known is None or isinstance(text, Markup) else known.told(text)
    if known is not None:
        text = known.sentences.get(text, text)
        values = {
            name: known.told(str(value)) if _may_be_ours(value) else value
            for name, value in values.items()
        }
    if any(hasattr(value, "__html__") for value in values.values()):
        return Markup(escape(text)).format(**values)  # noqa: S704 - the text itself is escaped
    return text.format(**values)


def said_in(code: str, text: str) -> str:
    """A sentence of a template in one language: for a page that knows nothing of its reader."""
    with spoken(code):
        return translate(text)


def told(sentence: str) -> str:
    """A sentence that Python code made, in the language of this request; else as it is."""
    known = _catalogue(language())
    return sentence if known is None else known.told(sentence)


def told_json(value: Any) -> Any:
    """All sentences in a JSON value in the language of this request."""
    if isinstance(value, str):
        return told(value)
    if isinstance(value, dict):
        return {name: one if name in _NO_WORDS else told_json(one) for name, one in value.items()}
    return [told_json(one) for one in value] if isinstance(value, (list, tuple)) else value


def decimal(text: str) -> str:
    """What stands in a field: 1.5 as this language writes it, anything else as it is."""
    known = _catalogue(language())
    if known is None or not _DECIMAL.fullmatch(text):
        return text
    return text.replace(".", known.sentences.get(".", "."))


def told_html(html: str) -> Markup:
    """HTML that other code made, with each text between its tags in the language of this request.

    It is taken to be safe, as JupyterHub's own templates do.
    """
    said = _TEXT_OF_HTML.sub(lambda text: str(escape(told(unescape(text[0])))), html)
    return Markup(said)  # noqa: S704 - texts are escaped again, the rest is as it was


def _told_error(body: bytes) -> bytes:
    """A JSON object with its `message` in the language of this request; else as it is."""
    try:
        said = json.loads(body)
    except ValueError:
        return body
    if not isinstance(said, dict) or not isinstance(said.get("message"), str):
        return body
    # JupyterHub sends some as Python writes a text in an error, in quotes.
    return json.dumps({**said, "message": told(said["message"].strip('"'))}).encode()


def _may_be_ours(value: object) -> bool:
    # One word may be anybody's: a partition may well be called "Home".
    return isinstance(value, str) and not isinstance(value, Markup) and " " in value


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The sentences of one language, by those of the code."""

    sentences: Mapping[str, str]
    phrases: tuple[Phrase, ...]

    def told(self, sentence: str) -> str:
        """The sentence in this language, as far as it is known."""
        if not sentence or len(sentence) > _LONGEST:
            return sentence
        return _told(self, sentence, _DEEPEST) or sentence


@lru_cache(maxsize=2048)
def _told(known: Catalogue, sentence: str, depth: int) -> str | None:
    """The sentence in this language, or None when it is none of ours."""
    if depth <= 0:
        return known.sentences.get(sentence)
    return _surely(known, sentence, depth) or _perhaps(known, sentence, depth)


@lru_cache(maxsize=4096)
def _surely(known: Catalogue, sentence: str, depth: int) -> str | None:
    """In this language, if all of it is ours but single words and numbers."""
    exact = known.sentences.get(sentence)
    if exact is not None or depth <= 0:
        return exact
    bare = sentence.strip()
    if not bare:
        return sentence
    if bare != sentence:
        inner = _surely(known, bare, depth)
        return None if inner is None else sentence.replace(bare, inner, 1)
    moment = _MOMENT.fullmatch(sentence)
    if moment:
        return _moment(known, *moment.groups(""))
    for found, values in matches(known.phrases, sentence):
        said = {name: _sure_value(known, name, one, depth) for name, one in values.items()}
        if None not in said.values():
            return _filled(known, found.text, values, said)
    return _in_parts(known, sentence, _SENTENCE_END, depth) or _in_parts(
        known, sentence, _LIST_PART, depth
    )


def _perhaps(known: Catalogue, sentence: str, depth: int) -> str | None:
    """In this language around words of somebody else, or at least one sentence of several."""
    for found, values in matches(known.phrases, sentence):
        if found.fixed >= _TELLING:
            said = {
                name: _sure_value(known, name, one, depth) or _told(known, one, depth - 1) or one
                for name, one in values.items()
            }
            return known.sentences[found.text].format(**said)
    parts = _SENTENCE_END.split(sentence)
    if len(parts) == 1:
        return None
    told_parts = [_told(known, part, depth - 1) for part in parts]
    if all(one is None for one in told_parts):
        return None
    return "".join(
        part if one is None else one for one, part in zip(told_parts, parts, strict=True)
    )


def _sure_value(known: Catalogue, name: str, value: str, depth: int) -> str | None:
    """What stands for a placeholder in this language; None for words that are not ours."""
    if name.startswith("number") and _DECIMAL.fullmatch(value):
        return value.replace(".", known.sentences.get(".", "."))
    return _surely(known, value, depth - 1) if _may_be_ours(value) else value


def _filled(
    known: Catalogue, text: str, values: Mapping[str, str], said: Mapping[str, str | None]
) -> str:
    """A sentence with its placeholders filled in; "1.5 hours" has a form of its own in some."""
    number = values.get("number", "")
    few = _DECIMAL.fullmatch(number) and float(number) < _PLURAL_FROM
    singular = known.sentences.get(text.removesuffix("s")) if few else None
    return (singular or known.sentences[text]).format(**said)


def _moment(known: Catalogue, day: str, hour: str, minute: str, zone: str) -> str | None:
    """2026-11-21 18:05 as it is written in this language; None where that is the same."""
    whole = minute == _ON_THE_HOUR
    said = known.sentences.get("{day} {hour}:00" if whole else "{day} {hour}:{minute}")
    return said and said.format(day=day, hour=int(hour), minute=minute) + zone


def _in_parts(known: Catalogue, text: str, separators: re.Pattern[str], depth: int) -> str | None:
    """Part by part, if each is ours."""
    parts = separators.split(text)
    if len(parts) == 1:
        return None
    said = [_surely(known, part, depth - 1) for part in parts[::2]]
    if None in said:
        return None
    between = [known.sentences.get(part, part) for part in parts[1::2]]
    return "".join(f"{one}{after}" for one, after in zip(said, [*between, ""], strict=True))


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(code: str) -> Catalogue | None:
    if code == SOURCE:
        return None
    found = gettext.translation(DOMAIN, LOCALE, languages=[code])
    # gettext has no public way to list what it knows, and phrases must be searched.
    entries: Mapping[object, str] = vars(found)["_catalog"]
    sentences = {key: said for key, said in entries.items() if isinstance(key, str) and key}
    return Catalogue(sentences, phrases_of(sentences))
