"""From the bytes of a file to its text, and what was guessed on the way.

Excel writes UTF-16 as "Unicode text", Windows-1252 as "CSV", Mac Roman as "CSV (Macintosh)" and
UTF-8 with a byte order mark as "CSV UTF-8"; registrars' systems write the rest.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from slurmhub.courses.roster.remarks import Done, Remark, RosterUnreadable

ENCODINGS = {
    "UTF-8": "utf-8-sig",
    "UTF-16": "utf-16",
    "Windows-1252": "cp1252",
    "ISO 8859-15": "iso8859-15",
    "Mac Roman": "mac-roman",
    "DOS 850": "cp850",
}
"""Encodings that may be chosen, by their names for people, and as Python calls them."""

# Those of one byte a character; the first is taken where several fit as well.
_OLD = ("Windows-1252", "ISO 8859-15", "Mac Roman", "DOS 850")

# A mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "UTF-32", "utf-32"),
    (codecs.BOM_UTF8, "UTF-8", "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16"),
)

_SAVE_AS_CSV = "Open it in the program that made it, save it as “CSV UTF-8” and bring that file."
_OTHERS = (
    (b"PK\x03\x04", "This is a workbook, such as Excel's, or another packed file."),
    (b"\xd0\xcf\x11\xe0", "This is a workbook of an old Excel."),
    (b"%PDF", "This is a PDF."),
    (b"\x1f\x8b", "This is a packed file."),
    (b"{\\rtf", "This is a text of a word processor."),
)
_PAGE = re.compile(rb"\s*<(?:!doctype|html|\?xml|table)", re.IGNORECASE)

_LETTERS = frozenset("àâäáãåæçéèêëíìîïñóòôöõøœúùûüýÿšžðþßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜÝŸŠŽÐÞ")
_SIGNS_IN_NAMES = frozenset(
    "\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}\N{EN DASH}"
)
_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_WORD = re.compile(r"[^\W\d_]{1,40}")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
# UTF-8 that was taken for Windows-1252 and written as UTF-8 again: é has become Ã©.
_TWICE = re.compile("[ÃÂ][\u0080-\u00bf\u0152-\u0178\u2018-\u2122]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_LOOKED_AT = 8192
_MOST_JUDGED = 5000


@dataclass(frozen=True)
class Decoded:
    """The text of a file, the name of its encoding for people, and what is to be said of it."""

    text: str
    encoding: str
    remarks: tuple[Remark, ...] = ()


def decode(data: bytes, encoding: str | None = None) -> Decoded:
    """The text; `encoding` is one of `ENCODINGS`, None to find it. Raises RosterUnreadable."""
    _check_is_text(data)
    if encoding is not None:
        found = _chosen(data, encoding)
    else:
        found = _marked(data) or _unmarked_utf16(data) or _utf8(data) or _old(data)
    return _without_controls(found)


def _check_is_text(data: bytes) -> None:
    if not data.strip(b"\x00\r\n\t ;,\xef\xbb\xbf\xff\xfe"):
        raise RosterUnreadable(
            "The file is empty.", remedy="Check which file it is, and bring the one with students."
        )
    for begins, what in _OTHERS:
        if data.startswith(begins):
            raise RosterUnreadable(what, remedy=_SAVE_AS_CSV)
    if _PAGE.match(data[:_LOOKED_AT]):
        raise RosterUnreadable(
            "This is a page of the web, perhaps one that asks to sign in.", remedy=_SAVE_AS_CSV
        )


def _chosen(data: bytes, encoding: str) -> Decoded:
    known = ENCODINGS.get(encoding)
    if known is None:
        raise RosterUnreadable(
            "There is no such encoding.", remedy=f"Choose one of {', '.join(ENCODINGS)}."
        )
    return _replacing(data, encoding, known)


def _replacing(data: bytes, encoding: str, known: str) -> Decoded:
    text = data.decode(known, errors="replace")
    remarks = []
    if "\N{REPLACEMENT CHARACTER}" in text:
        line = _line(text, text.index("\N{REPLACEMENT CHARACTER}"))
        message = f"Some of the file is not {encoding}; a � stands there, the first in this line."
        remarks.append(Remark(message, Done.TAKEN, line))
    return Decoded(text, encoding, tuple(remarks))


def _marked(data: bytes) -> Decoded | None:
    for mark, encoding, known in _MARKS:
        if data.startswith(mark):
            if encoding == "UTF-8":
                return _utf8(data[len(mark) :]) or _old(data[len(mark) :])
            return _replacing(data, encoding, known)
    return None


def _unmarked_utf16(data: bytes) -> Decoded | None:
    """In UTF-16 every other byte of most files is zero; in no other encoding is any."""
    start = data[:_LOOKED_AT]
    pairs = len(start) // 2
    if not pairs:
        return None
    zeros = (start[0::2].count(0) / pairs, start[1::2].count(0) / pairs)
    for place, known in ((1, "utf-16-le"), (0, "utf-16-be")):
        if zeros[place] > 0.5 and zeros[1 - place] < 0.05:
            return _replacing(data, "UTF-16", known)
    return None


def _utf8(data: bytes) -> Decoded | None:
    """As UTF-8, if it is, or is but for a few bytes that were pasted in; else None."""
    try:
        return Decoded(data.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as error:
        first = error.start
    others = _NOT_ASCII.findall(_SEQUENCE.sub(b"", data))
    if sum(1 for _ in _SEQUENCE.finditer(data)) <= len(others):
        return None
    line = data[:first].count(b"\n") + 1
    message = (
        "The file is UTF-8 but for some letters, the first in this line. Those were read as "
        "Windows-1252; check the names that have them."
    )
    text = data.decode("utf-8", errors=_AS_WINDOWS)
    return Decoded(text, "UTF-8", (Remark(message, Done.TAKEN, line),))


_AS_WINDOWS = "slurmhub-as-windows-1252"


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", errors="replace"), error.end


codecs.register_error(_AS_WINDOWS, _as_windows)


def _old(data: bytes) -> Decoded:
    """The encoding of one byte a character in which most of it looks like names."""
    texts = {name: data.decode(ENCODINGS[name], errors="replace") for name in _OLD}
    points = {name: _plausible(text) for name, text in texts.items()}
    best = max(_OLD, key=lambda name: points[name])
    words = list(dict.fromkeys(islice(_words(texts[best]), 30)))[:3]
    if words and points[best] > 0:
        shown = ", ".join(f"“{word}”" for word in words)
        message = f"The file is not UTF-8. It was read as {best}, in which it has {shown}."
        return Decoded(texts[best], best, (Remark(message, Done.TAKEN),))
    message = (
        f"The file is not UTF-8, and nothing tells what it is. It was read as {best}: check names "
        "with accents, or save it as “CSV UTF-8”."
    )
    return Decoded(texts[best], best, (Remark(message, Done.TAKEN),))


def _words(text: str) -> Iterator[str]:
    """Those with letters outside ASCII."""
    return (word[0] for word in _WORD.finditer(text) if not word[0].isascii())


def _plausible(text: str) -> int:
    """How much its letters with accents look like those of names: more is better."""
    points = 0
    padded = f" {text} "
    for found in islice(_BEYOND_ASCII.finditer(text), _MOST_JUDGED):
        place = found.start() + 1
        before, letter, after = padded[place - 1], padded[place], padded[place + 1]
        if letter in _LETTERS:
            # A capital within a word, or a small letter before a capital, is of another encoding.
            odd = (letter.isupper() and before.islower()) or (letter.islower() and after.isupper())
            points += -1 if odd else 1
        elif letter in _SIGNS_IN_NAMES and before.isalpha():
            points += 1
        elif before.isalpha() or after.isalpha() or not letter.isprintable():
            points -= 2
    return points


def _line(text: str, place: int) -> int:
    return text.count("\n" if "\n" in text else "\r", 0, place) + 1


def _without_controls(found: Decoded) -> Decoded:
    text = found.text.replace("\N{ZERO WIDTH NO-BREAK SPACE}", "")
    controls = len(_CONTROLS.findall(text[:_LOOKED_AT]))
    if controls > len(text[:_LOOKED_AT]) // 20:
        raise RosterUnreadable("The file is no text.", remedy=_SAVE_AS_CSV)
    remarks = list(found.remarks)
    place = _CONTROLS.search(text)
    if place:
        line = _line(text, place.start())
        message = "There are characters that cannot be seen, the first in this line; left out."
        remarks.append(Remark(message, Done.TAKEN, line))
        text = _CONTROLS.sub("", text)
    twice = _TWICE.search(text)
    if twice:
        line = _line(text, twice.start())
        message = (
            "Letters with accents were spoilt before, the first in this line: the file was "
            "converted to UTF-8 twice. Names are shown as they are."
        )
        remarks.append(Remark(message, Done.NOTED, line, text[twice.start() : twice.end()]))
    return Decoded(text, found.encoding, tuple(remarks))
