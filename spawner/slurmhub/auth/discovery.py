"""The institutions that people may sign in with, as the SP lists them for this."""

from __future__ import annotations

import json
import logging
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from slurmhub.errors import SlurmhubError
from slurmhub.language import SOURCE, language

FRESH_SECONDS = 600.0
MOST_SHOWN = 50
_ANSWER_SECONDS = 10.0
_LONGEST = 500


class InstitutionsUnknown(SlurmhubError):
    """The SP's list of institutions cannot be had."""


@dataclass(frozen=True)
class Institution:
    """One identity provider: its entityID, its names and its keywords by language."""

    entity_id: str
    names: tuple[tuple[str, str], ...]
    keywords: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the language of this request, in English, or in one that there is."""
        said = dict(reversed(self.names))
        for code in (language(), SOURCE):
            if code in said:
                return said[code]
        return self.names[0][1] if self.names else self.entity_id

    @property
    def found_by(self) -> str:
        """All the words by which it is found, without accents, in lower case."""
        return plain(" ".join([*(name for _, name in self.names), *self.keywords, self.entity_id]))


def plain(text: str) -> str:
    """Text as it is compared: without accents, in lower case."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in parts if not unicodedata.combining(sign)).casefold()


def search(known: Iterable[Institution], words: str) -> list[Institution]:
    """Those that all words are found in, by name."""
    wanted = plain(words[:200]).split()
    found = [one for one in known if all(word in one.found_by for word in wanted)]
    return sorted(found, key=lambda one: (plain(one.name), one.entity_id))


def read_feed(text: bytes) -> tuple[Institution, ...]:
    """The SP's DiscoFeed: a list of entityID, DisplayNames and Keywords. Raises ValueError."""
    entries = json.loads(text)
    if not isinstance(entries, list):
        raise ValueError("it is no list")
    return tuple(_institution(entry) for entry in entries if _usable(entry))


def _usable(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    entity_id = entry.get("entityID")
    return isinstance(entity_id, str) and 0 < len(entity_id) <= 1024


def _institution(entry: dict[str, Any]) -> Institution:
    return Institution(
        entity_id=entry["entityID"],
        names=tuple(_said(entry.get("DisplayNames"))),
        keywords=tuple(value for _, value in _said(entry.get("Keywords"))),
    )


def _said(values: object) -> Iterable[tuple[str, str]]:
    for one in values if isinstance(values, list) else ():
        value = one.get("value") if isinstance(one, dict) else None
        if isinstance(value, str) and value.strip():
            yield str(one.get("lang") or "").partition("-")[0], value.strip()[:_LONGEST]


class Institutions:
    """The list, asked for again when it is not fresh; an old one serves while the SP is away."""

    def __init__(self, url: str, *, log: logging.Logger) -> None:
        self._url = url
        self._log = log
        self._known: tuple[Institution, ...] = ()
        self._asked: float | None = None

    async def known(self) -> tuple[Institution, ...]:
        """All of them. Raises InstitutionsUnknown when there never was a list."""
        now = time.monotonic()
        if self._asked is None or now - self._asked > FRESH_SECONDS:
            try:
                self._known = await self._ask()
                self._asked = now
            except (OSError, ValueError, HTTPClientError) as error:
                self._log.error(
                    "The SP's list of institutions at %s cannot be had (%s). Check the SP's "
                    "DiscoveryFeed handler and c.ShibbolethAuthenticator.discovery_feed.",
                    self._url,
                    error,
                )
                if not self._known:
                    raise InstitutionsUnknown(
                        "The list of institutions cannot be had at the moment.",
                        remedy="Try again in a few minutes.",
                    ) from error
        return self._known

    async def _ask(self) -> tuple[Institution, ...]:
        if not self._url:
            raise ValueError("discovery_feed is not set")
        answer = await AsyncHTTPClient().fetch(
            self._url, request_timeout=_ANSWER_SECONDS, follow_redirects=False
        )
        return read_feed(answer.body)
