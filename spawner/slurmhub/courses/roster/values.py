"""What one field of a roster may hold: cleaned of what files add, and judged by itself."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from slurmhub.courses.roster.headings import Field

LONGEST_NAME = 200
LONGEST_VALUE = 384
"""Characters of anything else; a mail address has at most so many (RFC 5321, section 4.5.3.1)."""

COMPUTING = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula in spreadsheets (OWASP, CSV Injection); the last four are the same signs
in full width, which those of some languages take as well."""

# A mail address as sign-in takes it, without what an address is never given with.
_MAIL = re.compile(r"[^@\s\"'<>()\[\],;:\\]{1,128}@[^@\s\"'<>()\[\],;:\\]{1,255}")
_MAIL_WITHIN = re.compile(r"<\s*([^<>\s]{1,384})\s*>")
_EPPN = re.compile(r"[!-?A-~]{1,128}@[A-Za-z0-9][A-Za-z0-9.-]{0,126}")
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_NUMBER = re.compile(r"[A-Za-z]{0,3}[ -]?[0-9](?:[ -]?[0-9]){2,19}[A-Za-z]?")
# Quebec's code permanent: four letters of the name, a date, two digits.
_CODE_PERMANENT = re.compile(r"[A-Za-z]{4} ?[0-9]{4} ?[0-9]{4}")
_AS_TEXT = re.compile(r'="([^"]*)"')
_DECIMALS = re.compile(r"([0-9]+)[.,]0+")
_SCIENTIFIC = re.compile(r"[0-9][.,]?[0-9]*E\+?[0-9]+", re.IGNORECASE)
_LOST = "\N{REPLACEMENT CHARACTER}"
_NO_PERSON = frozenset({"n/a", "na", "none", "null", "nil", "-", "--", "?", "tba", "tbd", "aucun"})


@dataclass(frozen=True)
class Value:
    """What was read of one field; None: nothing that can be used. `message` says why, or how."""

    text: str | None
    message: str = ""


def cleaned(text: str) -> str:
    """One line with single spaces, composed (Unicode NFC), without what cannot be seen."""
    composed = unicodedata.normalize("NFC", text)
    seen = "".join(_seen(letter) for letter in composed)
    return " ".join(seen.split())


def _seen(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind in ("Cc", "Zl", "Zp"):
        return " "
    # Marks of reading direction, of width nothing, halves of characters, and what is nobody's.
    return "" if kind in ("Cf", "Cs", "Cn", "Co") else letter


def as_text(cell: str) -> str:
    """A field without the wrapping that makes spreadsheets keep it as text: ="0123" and '0123."""
    wrapped = _AS_TEXT.fullmatch(cell)
    if wrapped:
        return wrapped[1].strip()
    if cell.startswith("'") and cell[1:2] and (cell[1] in COMPUTING or cell[1:].isdigit()):
        return cell[1:].strip()
    return cell


def read_value(field: Field, cell: str) -> Value:
    """One field that identifies somebody; never raises."""
    text = cleaned(as_text(cell[: 2 * LONGEST_VALUE]))
    if not text or text.casefold() in _NO_PERSON:
        return Value(None)
    if len(text) > LONGEST_VALUE:
        return Value(None, "This is too long; it is not used.")
    if _LOST in text:
        return Value(None, "A letter of this was lost before; it is not used.")
    if field is Field.MAIL:
        return _mail(text)
    if field is Field.NUMBER:
        return _number(text)
    if field is Field.EPPN:
        return _eppn(text)
    return _login(text)


def _mail(text: str) -> Value:
    within = _MAIL_WITHIN.search(text)
    bare = within[1] if within else text
    bare = re.sub(r"^mailto:", "", bare, flags=re.IGNORECASE)
    several = [one for one in re.split(r"[;, ]+", bare) if one]
    usable = [one for one in several if _MAIL.fullmatch(one.rstrip("."))]
    if not usable:
        return Value(None, "This is no mail address; it is not used.")
    found = usable[0].rstrip(".")
    if not found.isascii():
        return Value(found, "This address has letters that addresses seldom have.")
    if len(usable) > 1:
        return Value(found, "There are several addresses here; the first is taken.")
    if len(several) > 1:
        return Value(None, "This is no mail address; it is not used.")
    return Value(found)


def _number(text: str) -> Value:
    bare = text.removeprefix("#").strip()
    decimals = _DECIMALS.fullmatch(bare)
    if decimals:
        return Value(
            decimals[1], "This was written as a number with decimals; those were left out."
        )
    if _SCIENTIFIC.fullmatch(bare) and not bare.isdigit():
        message = "A spreadsheet has rounded this number; it is not used."
        return Value(None, message)
    if _NUMBER.fullmatch(bare) or _CODE_PERMANENT.fullmatch(bare):
        return Value(bare)
    return Value(None, "This is no student number; it is not used.")


def _eppn(text: str) -> Value:
    if _EPPN.fullmatch(text):
        return Value(text)
    return Value(None, "This is no principal name, such as name@example.ca; it is not used.")


def _login(text: str) -> Value:
    bare = text.removeprefix("#").strip()
    if _LOGIN.fullmatch(bare):
        return Value(bare)
    return Value(None, "This is no login; it is not used.")


def read_name(cell: str) -> Value:
    """What somebody is called, as it is written: it is shown, and never compared."""
    text = cleaned(as_text(cell[: 4 * LONGEST_NAME]))
    if len(text) > LONGEST_NAME:
        return Value(text[:LONGEST_NAME].strip(), "This name is too long; its beginning is taken.")
    if text.startswith(COMPUTING):
        message = (
            "A spreadsheet would compute this name. It is kept and shown as text, and files that "
            "are made here mark it as text."
        )
        return Value(text, message)
    if _LOST in text:
        return Value(text, "A letter of this name was lost before it came here.")
    return Value(text or None)
