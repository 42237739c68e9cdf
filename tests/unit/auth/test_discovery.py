"""The list of institutions: read from the SP's feed, searched, kept while the SP is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from slurmhub.auth import discovery
from slurmhub.auth.discovery import Institutions, InstitutionsUnknown, read_feed, search
from slurmhub.language import spoken
from tests.unit.fakes import LOG

FEED: list[Any] = [
    {
        "entityID": "https://idp.example.ca/shibboleth",
        "DisplayNames": [
            {"value": "University of Example", "lang": "en"},
            {"value": "Universit\u00e9 de l\u2019Exemple", "lang": "fr-CA"},
        ],
        "Keywords": [{"value": "UofE maple", "lang": "en"}],
        "Logos": [{"value": "https://evil.example/logo.png"}],
    },
    {"entityID": "https://idp.example.org/shibboleth", "DisplayNames": [{"value": "Other"}]},
    {"entityID": "https://bare.example/shibboleth"},
    {"entityID": ""},
    {"entityID": 5},
    {"DisplayNames": []},
    "x",
    {"entityID": "https://odd.example", "DisplayNames": [5, {"value": 6}, {"value": " "}]},
]
KNOWN = read_feed(json.dumps(FEED).encode())


def test_what_can_be_used_is_read() -> None:
    assert [one.entity_id for one in KNOWN] == [
        "https://idp.example.ca/shibboleth",
        "https://idp.example.org/shibboleth",
        "https://bare.example/shibboleth",
        "https://odd.example",
    ]
    with spoken("en"):
        assert [one.name for one in KNOWN[:3]] == [
            "University of Example",
            "Other",
            "https://bare.example/shibboleth",
        ]
    with spoken("fr"):
        assert KNOWN[0].name == "Universit\u00e9 de l\u2019Exemple"


@pytest.mark.parametrize("text", [b"", b"{}", b"5", b"<x/>", b"\xff"])
def test_a_feed_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json has its own, too
        read_feed(text)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("", 4),
        ("universite", 1),
        ("UNIVERSIT\u00c9", 1),
        ("maple uofe", 1),
        ("other", 1),
        ("maple other", 0),
        ("example.org", 1),
        ("zzz", 0),
        ("x" * 10_000, 0),
    ],
)
def test_a_search_needs_no_accents_and_no_order(words: str, number: int) -> None:
    assert len(search(KNOWN, words)) == number


@pytest.fixture
def sp() -> Iterator[HTTPServer]:
    """Something that answers as the SP's feed does, while `answer` is set."""

    class Feed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.asked += 1  # type: ignore[attr-defined]
            self.send_response(self.server.status)  # type: ignore[attr-defined]
            self.end_headers()
            self.wfile.write(json.dumps(FEED).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Feed)
    server.asked, server.status = 0, 200  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


async def test_it_is_asked_for_once_and_kept(
    sp: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    institutions = Institutions(f"http://127.0.0.1:{sp.server_port}/feed", log=LOG)
    assert len(await institutions.known()) == 4
    assert len(await institutions.known()) == 4
    assert sp.asked == 1
    monkeypatch.setattr(discovery, "FRESH_SECONDS", -1.0)
    sp.status = 500
    assert len(await institutions.known()) == 4
    assert "cannot be had" in caplog.text
    assert sp.asked == 2


async def test_without_any_list_it_says_so(sp: Any) -> None:
    sp.status = 404
    for url in (f"http://127.0.0.1:{sp.server_port}/feed", "", "http://127.0.0.1:1/feed"):
        with pytest.raises(InstitutionsUnknown):
            await Institutions(url, log=LOG).known()
