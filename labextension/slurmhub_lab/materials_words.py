"""The sentences of the page of materials, in the languages of the hub's pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

WORDS: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
)
"""By language and name."""

# Of the hub's own pages.
COOKIE = "slurmhub-language"
_RANGE = re.compile(r"\s*([A-Za-z]{1,8})(?:[-_][\w-]*)?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")


def language(chosen: str, accepted: str) -> str:
    """The language of a page: the one chosen on the hub's, else the first the browser accepts.

    Source for `accepted`: RFC 9110, section 12.5.4.
    """
    ranges = [_RANGE.fullmatch(one) for one in accepted.split(",")[:20]]
    wished = [(float(one[2] or 1), one[1].lower()) for one in ranges if one]
    wished.sort(key=lambda one: -one[0])
    found = [chosen[:2].lower(), *(name for weight, name in wished if weight > 0)]
    return next((name for name in found if name in WORDS), "en")
