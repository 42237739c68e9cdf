"""A site file as a whole: read, checked, and everything that is wrong with it, at once."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from slurmhub.yaml_text import LARGEST, Document, Mark, NotReadable, read_document
from slurmhub_deploy.site.checks import findings
from slurmhub_deploy.site.checks.finding import Finding
from slurmhub_deploy.site.errors import SiteError
from slurmhub_deploy.site.forbidden import forbidden_in, without
from slurmhub_deploy.site.model import Path, Site
from slurmhub_deploy.site.problems import Level, Problem, written
from slurmhub_deploy.site.validation import Validated, validate

DEFAULTS = "hub_defaults"


@dataclass(frozen=True)
class Loaded:
    """What a file says. `site` is None if there is an error among the problems."""

    site: Site | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the file from being used."""
        return tuple(each for each in self.problems if each.level == "error")


def load_site(path: FilePath) -> Loaded:
    """The site in this file, and its problems; raises SiteError if the file cannot be read."""
    try:
        with path.open("rb") as file:
            # No more than is looked at: the file may be any, /dev/zero for one.
            content = file.read(4 * LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SiteError(
            f"{path} cannot be read: {reason}.",
            remedy="Name the site file with --site, or begin one with 'slurmhub init'.",
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        mark = Mark(line, error.start - content.rfind(b"\n", 0, error.start))
        return _unreadable(
            str(path), NotReadable("This is not UTF-8.", "Save the file as UTF-8.", mark)
        )
    return read_site(text, str(path), folder=path.parent)


def read_site(text: str, file: str, *, folder: FilePath) -> Loaded:
    """The site in this text, and its problems; `folder` is where files beside it are."""
    try:
        document = read_document(text)
    except NotReadable as error:
        return _unreadable(file, error)
    if document.data is None:
        return _unreadable(
            file,
            NotReadable("There is nothing in the file.", "Begin one with 'slurmhub init'."),
        )
    told = _Telling(file, document)
    for path, mark in document.twice:
        told.add("error", "twice", path, "stands here twice", "Keep one of the two.", mark)
    data = copy.deepcopy(document.data)
    hidden: list[Path] = []
    for each in forbidden_in(document.data):
        told.add("error", each.rule, each.path, each.reason, each.remedy)
        data = without(data, each.path)
        hidden.append(each.path)
    checked = validate(with_defaults(data))
    for mistake in checked.mistakes:
        if not _meets(told.place(mistake.path), hidden):
            told.add("error", mistake.rule, mistake.path, mistake.reason, mistake.remedy)
    _cross_check(told, checked, hidden, folder)
    problems = told.in_order()
    bad = any(each.level == "error" for each in problems)
    return Loaded(None if bad else checked.site, problems)


def with_defaults(data: Any) -> Any:
    """The data with `hub_defaults` in every hub: mappings are joined, all else is taken whole."""
    if not isinstance(data, dict) or not isinstance(data.get(DEFAULTS), dict):
        return data
    hubs = data.get("hubs")
    if not isinstance(hubs, dict):
        return data
    joined = {
        name: _joined(data[DEFAULTS], {} if hub is None else hub) for name, hub in hubs.items()
    }
    return {**data, "hubs": joined}


def _joined(usual: Any, own: Any) -> Any:
    if not isinstance(usual, dict) or not isinstance(own, dict):
        return copy.deepcopy(own)
    both = {**copy.deepcopy(usual), **own}
    for name in usual.keys() & own.keys():
        # Another kind of the same thing shares nothing with it.
        if _kind(usual[name]) != _kind(own[name]) and _kind(own[name]) is not None:
            continue
        both[name] = _joined(usual[name], own[name])
    return both


def _kind(value: Any) -> Any:
    return value.get("kind") if isinstance(value, dict) else None


def _cross_check(told: _Telling, checked: Validated, hidden: list[Path], folder: FilePath) -> None:
    if checked.site is None:
        told.add(
            "warning",
            "unchecked",
            (),
            "What depends on several parts of the file is not checked yet",
            "Correct the errors, and check again.",
        )
        return
    aside = [*checked.set_aside, *(told.place(path) for path in hidden)]
    for found in findings(checked.site, folder):
        places = [found.path, *found.because]
        if not any(_meets(place, aside) or _meets(told.place(place), aside) for place in places):
            told.finding(found)


def _meets(path: Path, places: list[Path]) -> bool:
    """Whether this is one of the places, or in one, or around one."""
    return any(path[: len(each)] == each[: len(path)] for each in places)


def _unreadable(file: str, error: NotReadable) -> Loaded:
    mark = error.mark
    problem = Problem("error", "yaml", file, mark.line, mark.column, "", error.reason, error.remedy)
    return Loaded(None, (problem,))


class _Telling:
    """Problems as they are found, each once, with their place in the file."""

    def __init__(self, file: str, document: Document) -> None:
        self._file = file
        self._document = document
        self._problems: dict[tuple[Path, str, str], Problem] = {}

    def finding(self, found: Finding) -> None:
        self.add(found.level, found.rule, found.path, found.reason, found.remedy)

    def add(
        self,
        level: Level,
        rule: str,
        path: Path,
        reason: str,
        remedy: str,
        mark: Mark | None = None,
    ) -> None:
        place = self.place(path)
        mark = mark or self._document.mark(place)
        problem = Problem(
            level, rule, self._file, mark.line, mark.column, written(place), reason, remedy
        )
        # What all hubs have from their defaults is wrong once, not for each of them.
        self._problems.setdefault((place, rule, reason), problem)

    def place(self, path: Path) -> Path:
        """Where it is written: what a hub has from `hub_defaults` is there."""
        marks = self._document.marks
        if len(path) < 3 or path[0] != "hubs" or path in marks:
            return path
        for end in range(len(path), 2, -1):
            if path[:end] in marks:
                return path
            if (DEFAULTS, *path[2:end]) in marks:
                return (DEFAULTS, *path[2:])
        return path

    def in_order(self) -> tuple[Problem, ...]:
        found = self._problems.values()
        return tuple(sorted(found, key=lambda each: (each.line, each.column, each.path)))
