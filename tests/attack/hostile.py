"""Values that try to be something else than a value, and how to tell that they were not."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

import requests

# Where one of these came through as more than text, a page or a log shows it.
MARK = "shubmark"
PRODUCT = str(4321 * 8765)

LINES = (
    "gpu\n#SBATCH --uid=0",
    "gpu\r\nSet-Cookie: shubmark=1",
    "4\n",
    "\x1b[2J\x1b]0;shubmark\x07",
    "4\x00",
    "\u2028#SBATCH --partition=gpu",
    "\u202eupg",
    "\x85#SBATCH",
)
SHELL = (
    "$(touch /tmp/shubmark)",
    "`touch /tmp/shubmark`",
    "'; touch /tmp/shubmark #",
    '"; touch /tmp/shubmark "',
    "\\",
    "--uid=0",
    "%j",
    "../../etc",
)
MARKUP = (
    "<shubmark>",
    '"><img src=x onerror=shubmark>',
    "' onmouseover=shubmark x='",
    "</script><script>shubmark</script>",
    "</textarea></select><shubmark>",
    "javascript:shubmark",
)
TEMPLATES = (
    "{{ 4321 * 8765 }}",
    "{% shubmark %}",
    "${4321*8765}",
    "{0.__class__}",
    "{username}",
    "%(shubmark)s",
    "%s%n",
    "#{4321*8765}",
)
NUMBERS = ("-1", "1e3", "\uff14", "٤", "0x4", "9" * 5000, "NaN", "UNLIMITED")
GREAT = ("x" * 100_000, "é" * 20_000)

VALUES = (*LINES, *SHELL, *MARKUP, *TEMPLATES, *NUMBERS, *GREAT)


_STRING = re.compile(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")


class _Page(HTMLParser):
    """Everything in a page that a browser would act upon."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.acted_upon: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.acted_upon.append(tag)
        for name, value in attrs:
            self.acted_upon.append(name)
            text = (value or "").strip().lower()
            runs = name.startswith("on") or name in ("style", "srcdoc", "http-equiv")
            leads = name in ("href", "src", "action", "formaction", "content")
            if runs or (leads and text.startswith(("javascript:", "data:", "//"))):
                self.acted_upon.append(text)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_comment(self, data: str) -> None:
        self.acted_upon.append(data)

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            # A whole string of a script is a value; what is outside of one is code.
            self.acted_upon.append(_STRING.sub("", data))


def came_alive(page: str) -> list[str]:
    """What of our values a browser or a template engine took for more than text."""
    found = [part for part in _Page(page).acted_upon if MARK in part]
    return found + [PRODUCT] * (PRODUCT in page)


def alive_in(answer: requests.Response) -> list[str]:
    """The same of an answer: a browser takes nothing in JSON or plain text for more than text."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    plain = kind in ("application/json", "text/plain") or answer.headers.get("Location")
    return [] if plain else came_alive(answer.text)


def control_characters(text: str) -> set[str]:
    """Characters that move a terminal's cursor or hide text, other than the line's end."""
    kinds = ("Cc", "Cf", "Zl", "Zp")
    return {char for char in set(text) - {"\n"} if unicodedata.category(char) in kinds}


def directives(script: str) -> list[str]:
    """The lines of a batch script that sbatch acts upon, and those that look like it."""
    return [
        line for line in re.split(r"[\n\r\x0b\x0c\x85\u2028\u2029]", script) if "#SBATCH" in line
    ]
