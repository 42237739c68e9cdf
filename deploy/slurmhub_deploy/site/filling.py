"""Puts answers into the text of an example, and leaves everything else of it as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from slurmhub.yaml_text import TEXT, Document, NotReadable, read_document
from slurmhub_deploy.site.errors import SiteError
from slurmhub_deploy.site.problems import written
from slurmhub_deploy.site.shape import nearest

_PLAIN = re.compile(r"[\w/](?:[\w ._/@:+'-]*[\w._/@+'-])?")


def filled(text: str, answers: Mapping[str, str]) -> str:
    """The text with these values in the places of these keys (hubs.main.domain).

    Raises SiteError where there is no such place, or a value is none.
    """
    document = read_document(text)
    places = {written(path): node for path, node in document.nodes.items()}
    changes = []
    for key, value in answers.items():
        node = places.get(key)
        if node is None or not isinstance(node.value, str):
            raise _no_place(key, document)
        if not value or not value.isprintable():
            raise SiteError(
                f"The answer to {key} is empty, or has something in it that cannot be printed.",
                remedy="Give one line of text.",
            )
        # A number stays one.
        plain = node.tag != TEXT and _PLAIN.fullmatch(value)
        changes.append(
            (node.start_mark.index, node.end_mark.index, value if plain else quoted(value))
        )
    # From the end, so that places before it stay where they are.
    for start, end, value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def quoted(value: str) -> str:
    """A text as YAML has it: as it is if that is plain, else in quotes."""
    if _PLAIN.fullmatch(value):
        try:
            if read_document(value).data == value:
                return value
        except NotReadable:
            return json.dumps(value, ensure_ascii=False)
    # A text of JSON is one of YAML as well.
    return json.dumps(value, ensure_ascii=False)


def _no_place(key: str, document: Document) -> SiteError:
    known = [written(path) for path, node in document.nodes.items() if isinstance(node.value, str)]
    near = nearest(key, [each for each in known if each])
    meant = f" Did you mean {near}?" if near else ""
    return SiteError(
        f"The example has no value at {key}.",
        remedy=f"Name the path of a value that is in it, such as institution.name.{meant}",
    )
