"""The pages for people: what is in them, and the tables that the code itself writes.

python -m tests.rig.docs          writes the tables of all pages again
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from prometheus_client import metrics as prometheus
from traitlets import HasTraits

from slurmhub import metrics
from slurmhub.courses.folders import measures as folder_measures
from slurmhub.courses.hub_settings import CourseTraits
from slurmhub.courses.service import measures as service_measures
from slurmhub.courses.service.api.openapi import document_text
from slurmhub.courses.slurm import measures as slurm_measures
from slurmhub.hub.configure import _REPLACED
from slurmhub.hub.page_traits import PageTraits
from slurmhub.idle.settings import IdleTraits
from slurmhub.options.choice_traits import ChoiceTraits
from slurmhub.options.profiles import ProfileTraits
from slurmhub.session.settings import SessionTraits
from slurmhub.spawner import SlurmHubSpawner
from slurmhub.traits import ClusterTraits, LimitTraits, ScriptTraits
from slurmhub_deploy.doctor.checks import CHECKS
from slurmhub_deploy.site.schema import schema_text
from tests.rig import role_docs
from tests.rig.attacks import ATTACKS, Attack
from tests.rig.course_attacks import ATTACKS_ON_COURSES
from tests.rig.site_docs import site_settings
from tests.rig.site_metrics import site_metrics

PROJECT = Path(__file__).parents[2]
SCHEMA = PROJECT / "docs/site.schema.json"
API = PROJECT / "docs/api/courses.json"
# Written by the runs that they are about, and checked where they are made.
WRITTEN_BY_RUNS = frozenset({"docs/benchmarks.md", "docs/matrix.md"})

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_TABLE = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: the page it is on, the line it begins in, its language and its text."""

    page: Path
    line: int
    language: str
    text: str


@dataclass(frozen=True)
class Page:
    """One page of the documentation."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """The page's path below the project."""
        return str(self.path.relative_to(PROJECT))

    @property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[Block]:
        """Its fenced blocks of one language."""
        return [
            Block(self.path, self.text.count("\n", 0, found.start()) + 2, language, found[2])
            for found in _FENCE.finditer(self.text)
            if found[1] == language
        ]

    def links(self) -> list[str]:
        """The targets of its links and pictures that are not on other hosts."""
        return [target for target in _LINK.findall(self.prose) if "://" not in target]

    def anchors(self) -> set[str]:
        """What a link can name after "#": its headings, as code hosts write them."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def pages() -> list[Page]:
    """Every page that people write, in a fixed order."""
    found = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
    return [
        Page(path, path.read_text())
        for path in found
        if str(path.relative_to(PROJECT)) not in WRITTEN_BY_RUNS
    ]


def rewritten(text: str) -> str:
    """A page's text with each of its tables as the code has it now. Raises KeyError."""
    return _TABLE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", text)


def tables_in(text: str) -> list[str]:
    """The names of the tables of a page."""
    return [found[2] for found in _TABLE.finditer(text)]


def settings_of(kind: type[HasTraits]) -> str:
    """The settings that a class declares, in its own order: name, default, meaning."""
    spawner = SlurmHubSpawner()
    rows = [
        (f"`{name}`", f"`{getattr(spawner, name)!r}`", trait.help)
        for name, trait in vars(kind).items()
        if getattr(trait, "metadata", {}).get("config")
    ]
    return table(("Setting", "Default", "Meaning"), rows)


def replaced_settings() -> str:
    """Settings of batchspawner that do nothing here, and what does it instead."""
    rows = [(f"`{name}`", instead) for name, instead in sorted(_REPLACED.items())]
    return table(("Setting of batchspawner", "Instead"), rows)


Metric = tuple[str, str, Sequence[str], str]


def exported_metrics(told: Iterator[Metric]) -> str:
    """Every metric as Prometheus sees it: name, kind, labels, meaning."""
    return table(
        ("Metric", "Kind", "Labels", "Meaning"),
        [
            (f"`{name}`", kind, ", ".join(f"`{label}`" for label in labels), help_)
            for name, kind, labels, help_ in told
        ],
    )


def attacks_tried(attacks: Sequence[Attack]) -> str:
    """Every attack that is tried, what holds against it, and the tests that try it."""
    return table(
        ("What is tried", "What holds", "Tests, and those of what must work beside it"),
        [
            (each.tried, each.held, ", ".join(f"`{name}`" for name in each.named))
            for each in attacks
        ],
    )


def metrics_of_sites() -> str:
    """Every metric of clusters and of timers: name, kind, labels, meaning, who tells it."""
    return table(
        ("Metric", "Labels", "Meaning", "Role"),
        [
            (f"`{name}`", ", ".join(f"`{label}`" for label in labels), meaning, f"`{role}`")
            for name, labels, meaning, role in site_metrics()
        ],
    )


def doctor_checks() -> str:
    """Every check of `slurmhub doctor`, in its order."""
    return table(
        ("Check", "What is looked at", "What it means for people"),
        [(f"`{check.name}`", check.looks_at, check.matters) for check in CHECKS],
    )


def metrics_of_code() -> Iterator[Metric]:
    """Name, kind, labels and help of each metric that the hub exports."""
    yield from _metrics_in(metrics)


def metrics_of_courses() -> Iterator[Metric]:
    """Those that the service of courses exports."""
    for module in (service_measures, slurm_measures, folder_measures):
        yield from _metrics_in(module)


def _metrics_in(module: ModuleType) -> Iterator[Metric]:
    for value in vars(module).values():
        if isinstance(value, prometheus.MetricWrapperBase):
            described = next(iter(value.describe()))
            # The text format adds this to the name of every counter.
            ending = "_total" if described.type == "counter" else ""
            labels: Any = value._labelnames
            yield f"{described.name}{ending}", described.type, labels, described.documentation


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


TABLES: dict[str, Callable[[], str]] = {
    "cluster-settings": lambda: settings_of(ClusterTraits),
    "script-settings": lambda: settings_of(ScriptTraits),
    "limit-settings": lambda: settings_of(LimitTraits),
    "profile-settings": lambda: settings_of(ProfileTraits),
    "choice-settings": lambda: settings_of(ChoiceTraits),
    "session-settings": lambda: settings_of(SessionTraits),
    "idle-settings": lambda: settings_of(IdleTraits),
    "course-settings": lambda: settings_of(CourseTraits),
    "page-settings": lambda: settings_of(PageTraits),
    "spawner-settings": lambda: settings_of(SlurmHubSpawner),
    "replaced-settings": replaced_settings,
    "metrics": lambda: exported_metrics(metrics_of_code()),
    "courses-metrics": lambda: exported_metrics(metrics_of_courses()),
    "site-metrics": metrics_of_sites,
    "doctor-checks": doctor_checks,
    "attacks": lambda: attacks_tried(ATTACKS),
    "attacks-on-courses": lambda: attacks_tried(ATTACKS_ON_COURSES),
    "site-settings": site_settings,
}


def main() -> int:
    """Write the tables of every page again; says which pages changed."""
    for page in pages():
        text = rewritten(page.text)
        if text != page.text:
            page.path.write_text(text)
            sys.stdout.write(f"{page.name}: written\n")
    if SCHEMA.read_text() != schema_text():
        SCHEMA.write_text(schema_text())
        sys.stdout.write("docs/site.schema.json: written\n")
    if not API.exists() or API.read_text() != document_text():
        API.parent.mkdir(exist_ok=True)
        API.write_text(document_text())
        sys.stdout.write("docs/api/courses.json: written\n")
    for name in role_docs.rewrite():
        sys.stdout.write(f"{name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
