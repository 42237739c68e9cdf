"""From the text of a file that people write to plain data, with the line of everything in it.

YAML 1.2's core schema, which editors use as well: `no` is a text, `8:00:00` is no number.
(YAML 1.1, which PyYAML reads by itself, takes them for false and 28800.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]
"""Where something is in the data: names of mappings, places in lists."""

LARGEST = 1_000_000
DEEPEST = 40
MOST_VALUES = 100_000
_TAG = "tag:yaml.org,2002:"
TEXT = f"{_TAG}str"
"""The tag of a text."""
_NUMBER = re.compile(r"[-+]?[0-9]{1,18}")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Composes nodes, with the words of YAML 1.2 for what is no text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way


for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]{1,18}", list("-+0123456789")),
    ("float", r"[-+]?[0-9]{1,18}\.[0-9]{1,18}", list("-+0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(rf"(?:{_pattern})\Z"), _first)


@dataclass(frozen=True)
class Mark:
    """A place in the file, counted from 1."""

    line: int
    column: int


class NotReadable(Exception):
    """The text is no YAML of plain data; `mark` is where that shows."""

    def __init__(self, reason: str, remedy: str, mark: Mark | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.mark = mark or Mark(1, 1)


@dataclass
class Document:
    """A file's data, where each part of it is, and keys that stand twice."""

    data: Any = None
    marks: dict[Path, Mark] = field(default_factory=dict)
    twice: list[tuple[Path, Mark]] = field(default_factory=list)
    nodes: dict[Path, Any] = field(default_factory=dict)

    def mark(self, path: Path) -> Mark:
        """Where this is, or else the nearest part around it that is in the file."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.marks:
                return self.marks[path[:end]]
        return Mark(1, 1)


def read_document(text: str) -> Document:
    """The data in this text; raises NotReadable, and no other exception."""
    if len(text) > LARGEST:
        raise NotReadable(
            f"The file has more than {LARGEST} characters.", "Look whether it is the right file."
        )
    try:
        _check_depth(text)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _not_yaml(error, text) from error
    document = Document()
    if root is not None:
        document.data = _Reader(document).value(root, ())
    return document


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise NotReadable(
                    f"Something is nested more than {DEEPEST} deep.",
                    "Nothing in such a file is.",
                    _mark(event.start_mark),
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Reader:
    """Turns nodes into data; aliases are followed, up to a number of values."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._values = 0
        self._inside: list[int] = []

    def value(self, node: Any, path: Path) -> Any:
        self._values += 1
        if self._values > MOST_VALUES:
            raise NotReadable(
                f"There are more than {MOST_VALUES} values, with what its aliases repeat.",
                "Write fewer.",
                _mark(node.start_mark),
            )
        self._document.marks.setdefault(path, _mark(node.start_mark))
        self._document.nodes[path] = node
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if node.tag not in {f"{_TAG}map", f"{_TAG}seq"}:
            raise _tagged(node)
        self._enter(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self.value(each, (*path, n)) for n, each in enumerate(node.value)]
        finally:
            self._inside.pop()

    def _enter(self, node: Any) -> None:
        if id(node) in self._inside:
            raise NotReadable(
                "An alias stands inside what it repeats.", "Write it out.", _mark(node.start_mark)
            )
        if len(self._inside) >= DEEPEST:
            raise NotReadable(
                f"Something is nested more than {DEEPEST} deep.",
                "Nothing in such a file is.",
                _mark(node.start_mark),
            )
        self._inside.append(id(node))

    def _mapping(self, node: Any, path: Path) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            mark = _mark(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                raise NotReadable("A list or mapping stands as a name.", "Write a word.", mark)
            if key_node.tag == f"{_TAG}merge":
                merged += list(_merged(value_node))
                continue
            if key_node.tag not in {f"{_TAG}{each}" for each in ("str", "int", "float", "bool")}:
                raise NotReadable("A name before a colon is empty.", "Write a word.", mark)
            key = key_node.value
            here = (*path, key)
            if key in found:
                self._document.twice.append((here, mark))
                continue
            self._document.marks[here] = mark
            found[key] = self.value(value_node, here)
        for each in merged:
            for key, value in self._merge(each, path, found).items():
                found.setdefault(key, value)
        return found

    def _merge(self, node: Any, path: Path, found: dict[Any, Any]) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise NotReadable(
                "<< merges something that is no mapping.",
                "Give it an alias of a mapping.",
                _mark(node.start_mark),
            )
        before = dict(self._document.marks)
        self._enter(node)
        try:
            values = self._mapping(node, path)
        finally:
            self._inside.pop()
        # What the mapping says itself stays where it is.
        for known in before:
            if len(known) > len(path) and known[len(path)] in found:
                self._document.marks[known] = before[known]
        return values


def _merged(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    else:
        yield node


def _scalar(node: Any) -> Any:
    text, kind = node.value, node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int" and _NUMBER.fullmatch(text):
        return int(text)
    if kind == "float" and re.fullmatch(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}", text):
        return float(text)
    if kind in {"str", "merge"}:
        return text
    raise _tagged(node)


def _tagged(node: Any) -> NotReadable:
    return NotReadable(
        "A value has a tag (!) that has no meaning here.",
        "Write the value without it; in quotes if it begins with '!'.",
        _mark(node.start_mark),
    )


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _not_yaml(error: yaml.YAMLError, text: str) -> NotReadable:
    found = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if found is not None:
        mark = _mark(found)
    else:
        before = text[: max(int(getattr(error, "position", 0)), 0)]
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
    # The words of PyYAML, without the excerpt of the file, which may have a secret in it.
    words = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is not"
    return NotReadable(
        f"This is not YAML: {' '.join(str(words).split())}.",
        "Look at this line and the one before: indentation, a missing colon, quotes, a tab.",
        mark,
    )
