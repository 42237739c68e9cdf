"""What no site file may have in it, wherever it stands: secrets, and templates.

Found by name or by look, before anything else is done with the file. The value is never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slurmhub_deploy.site.model import Path

WITHHELD = {"vault": "withheld"}
"""Stands in place of a secret while the rest of the file is checked."""

_NAMES = re.compile(
    r"(?:^|[_-])(?:password|passwd|passphrase|pass|secret|token|credential|api_?key|private_?key"
    r"|munge_?key|access_?key)s?(?:$|[_-])|^key$",
    re.IGNORECASE,
)
_LOOKS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"), "a private key"),
    (re.compile(r"\$(?:1|2[aby]|5|6|7|y|gy|argon2id?)\$\S{8}"), "a password's hash"),
    (re.compile(r"\{(?:S?SHA\d*|S?MD5|CRYPT)\}\S{6}", re.IGNORECASE), "a password's hash"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "a key of AWS"),
    (re.compile(r"\b(?:gh[opsu]_|github_pat_|glpat-|xox[abps]-|hvs\.)\w{10}"), "an access token"),
    (re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\."), "a signed token"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/@:]*:[^\s/@]+@", re.IGNORECASE), "an address with a"
     " password"),
    (re.compile(r"(?:^|[\s-])(?:password|passwd|token|secret)[=:]\S", re.IGNORECASE), "a password"),
)  # fmt: skip
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")


@dataclass(frozen=True)
class Forbidden:
    """Something that may not stand in the file."""

    path: Path
    rule: str
    reason: str
    remedy: str


def forbidden_in(data: object, path: Path = ()) -> Iterator[Forbidden]:
    """Everything of that kind in the data of a file."""
    if isinstance(data, dict):
        for key, value in data.items():
            here = (*path, key)
            if _NAMES.search(str(key)) and _has_text(value):
                yield _secret(here, "is a secret by its name")
            else:
                yield from forbidden_in(value, here)
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from forbidden_in(value, (*path, number))
    elif isinstance(data, str):
        yield from _in_text(data, path)


def without(data: Any, path: Path) -> Any:
    """The data with something harmless in this place. It is changed in place."""
    if not path:
        return WITHHELD
    inner = data
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = dict(WITHHELD)
    return data


def _in_text(text: str, path: Path) -> Iterator[Forbidden]:
    for pattern, what in _LOOKS:
        if pattern.search(text):
            yield _secret(path, f"looks like {what}")
            return
    if _TEMPLATE.search(text):
        yield Forbidden(
            path,
            "template",
            "has {{, {% or {# in it, which Ansible would take for a template",
            "Write the value itself.",
        )


def _has_text(value: object) -> bool:
    if isinstance(value, list):
        return any(_has_text(each) for each in value)
    return isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""


def _secret(path: Path, why: str) -> Forbidden:
    return Forbidden(
        path,
        "secret",
        f"{why}; no secret may stand in a site file",
        "Take it out, and change it where it is used if others have seen this file. Then say where"
        " it comes from: `from_command: [program, argument]`, or `vault: NAME`.",
    )
