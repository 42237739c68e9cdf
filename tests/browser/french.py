"""Reads a page as somebody does who knows no English, and says which words are none of French.

A word is French when a sentence of the French catalogue has it. Everything else on a page must be
a name, or stand where others speak: both are listed here, each with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from playwright.sync_api import Error, Page

from tests.rig import catalogue

FRENCH = catalogue.LOCALE / "fr" / "LC_MESSAGES" / "slurmhub.po"

NAMES = {
    "jupyterhub": "a product",
    "alice": "an account of these tests",
    "bob": "an account of these tests",
    "admin": "an account of these tests",
    "cpu": "a partition of the cluster, and the word itself",
    "gpu": "a partition of the cluster, and the word itself",
    "big": "a partition of the cluster",
    "lab": "a named server of these tests",
    "ok": "a word of every language, on a button of JupyterHub",
    "utc": "a time zone",
    **dict.fromkeys(
        ("janv", "févr", "mars", "avr", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc"),
        "a month, as browsers say",
    ),
    "resources": "Slurm's own reason for a job that waits, shown beside ours",
    "priority": "Slurm's own reason for a job that waits, shown beside ours",
    "none": "Slurm's own reason of a job that it has not looked at",
    "nodename": "Slurm's own spelling",
    "english": "the name of a language, in its own words",
    "français": "the name of a language, in its own words",
    "vendredi": "what an operator wrote in these tests",
}
"""Words that may stand on a French page, and why."""

OTHERS = {
    "[lang]:not([lang^=fr])": "is marked as another language, and a screen reader says it so",
    ".spawn-error-msg": "is shown only where a browser cannot hide it; the form says it better",
    "[translate=no]": "is a name, as its owner wrote it",
    "pre": "a log, in the words of the programs that wrote it",
    "code": "a path of a file",
    "script, style, noscript": "is read by programs only",
}
"""Elements in which others speak, and why."""

# Words that are in some French sentence by chance must not hide an English one.
_NEVER = frozenset(
    {"the", "of", "is", "are", "was", "your", "you", "this", "that", "it", "its", "with", "for"}
    | {"from", "and", "not", "has", "have", "been", "which", "who", "what", "when", "where", "can"}
)
_SPOKEN_ATTRIBUTES = ("title", "alt", "aria-label", "placeholder")
# Addresses, hidden files, people of these tests (alice-dies), and what their servers wrote.
_ADDRESS = re.compile(r"\S*[/@_=]\S*|(?<!\w)\.\w+|\b(?:alice|bob)-\w+|\bsaved-\d+")
_WORD = re.compile(r"[^\W\d_]{2,}")

_READ = """([others, attributes]) => {
    const found = [document.title];
    const walk = node => {
        if (node.nodeType === Node.TEXT_NODE) { found.push(node.data); return; }
        if (node.nodeType !== Node.ELEMENT_NODE) { return; }
        if (node !== document.documentElement && node.matches(others)) { return; }
        for (const name of attributes) { found.push(node.getAttribute(name) || ""); }
        if (node.matches("input[type=submit], input[type=button]")) { found.push(node.value); }
        for (const child of node.childNodes) { walk(child); }
    };
    walk(document.documentElement);
    return [document.documentElement.lang, found];
}"""


@dataclass
class French:
    """What was read so far; `names` are words of one's own tests besides those of all."""

    names: Iterable[str] = ()

    def __post_init__(self) -> None:
        self.found: list[str] = []

    @cached_property
    def known(self) -> frozenset[str]:
        """Every word that may stand on a page."""
        sentences = catalogue.read_catalogue(FRENCH)
        french = {
            word for key, said in sentences.items() if key for word in _words(_unfilled(said))
        }
        return frozenset((french - _NEVER) | NAMES.keys())

    def leftovers(self, texts: Iterable[str]) -> list[str]:
        """The words in these texts that are not French, each with the text around it."""
        found = []
        known = self.known | {word for name in self.names for word in _words(name)}
        for text in texts:
            strange = [word for word in _words(text) if word not in known]
            if strange:
                found.append(f"{', '.join(sorted(set(strange)))} in {' '.join(text.split())!r}")
        # Each once, in order.
        return list(dict.fromkeys(found))

    def read(self, page: Page, name: str) -> None:
        """Read one page: what it shows, says to a screen reader, and has in its title."""
        language, texts = _read(page)
        if language != "fr":
            self.found.append(f"{name}: the page says that its language is {language!r}")
        self.hear(texts, name)

    def hear(self, texts: Iterable[str], name: str) -> None:
        """Read texts from elsewhere: a dialog, a notification, an answer in JSON."""
        said = map(_unfilled, texts)
        self.found += [f"{name}: {one}" for one in self.leftovers(said)]

    def verify(self) -> None:
        """Fail with every leftover of every page that was read."""
        assert not self.found, "\n".join(["English on French pages:", *self.found])


def _read(page: Page) -> tuple[str, list[str]]:
    """The language and the texts of a page, which may lead on to another while it is read."""
    for _ in range(5):
        page.wait_for_load_state()
        try:
            said: tuple[str, list[str]] = page.evaluate(
                _READ, [", ".join(OTHERS), list(_SPOKEN_ATTRIBUTES)]
            )
        except Error as error:
            if "Execution context was destroyed" not in str(error):
                raise
        else:
            return said
    raise AssertionError(f"{page.url} is never still")


def _unfilled(sentence: str) -> str:
    return re.sub(r"\{\w+\}", " ", sentence)


def _words(text: str) -> list[str]:
    plain = _ADDRESS.sub(" ", text).replace("\u2019", " ").replace("'", " ")
    return [word.lower() for word in _WORD.findall(plain)]
