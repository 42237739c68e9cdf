"""The table that people see, and the page in docs that a full run writes."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from tests.bench.environments import Environments
from tests.bench.figures import Spread, paired_ratio, quartiles
from tests.bench.measure import TICK, Times


@dataclass(frozen=True)
class Setting:
    """On what the figures were taken: names and values for people."""

    day: date
    facts: tuple[tuple[str, str], ...]


def setting(cluster: EmbeddedCluster, made: Environments) -> Setting:
    """This machine, and the versions of what ran on it."""
    return Setting(
        date.today(),
        (
            ("Processor cores", str(len(os.sched_getaffinity(0)))),
            ("Processor", _processor()),
            ("Slurm", cluster.run("sinfo", "--version").split()[-1]),
            ("JupyterHub", version("jupyterhub")),
            ("batchspawner", version("batchspawner")),
            ("JupyterLab", _installed(made.plain, "jupyterlab")),
            ("Python of the hub", platform.python_version()),
        ),
    )


def table(results: Sequence[Times]) -> str:
    """Medians and ratios in lines for a terminal."""
    return "\n".join(line for times in results for line in _lines(times))


def page(results: Sequence[Times], where: Setting) -> str:
    """The page as Markdown."""
    parts = [_INTRODUCTION.format(day=where.day.isoformat(), tick=int(TICK * 1000))]
    for times in results:
        title = times.series.title
        parts.append(f"## {title[:1].upper()}{title[1:]}\n\n{_markdown(times)}")
    facts = "\n".join(f"| {name} | {value} |" for name, value in where.facts)
    parts.append(f"## Where\n\n| | |\n| --- | --- |\n{facts}")
    return "\n\n".join(parts) + "\n"


def verdict(results: Sequence[Times], *, smoke: bool) -> list[str]:
    """One sentence for each series in which slurmhub takes more than it should.

    A few rounds (`smoke`) say no more than which of the two is faster.
    """
    found = []
    for times in results:
        most = 1.0 if smoke else times.series.expected
        _, ratio = ratios(times)[0]
        if ratio.median > most:
            found.append(
                f"{times.series.title}: slurmhub takes {_number(ratio.median)} of batchspawner's "
                f"time, and at most {most} is expected. Is the machine busy with other work?"
            )
    return found


def ratios(times: Times) -> list[tuple[str, Spread]]:
    """Ours to each of the others, with the other's title."""
    ours, *others = times.seconds
    return [
        (arm.title, paired_ratio(ours, theirs))
        for arm, theirs in zip(times.series.arms[1:], others, strict=True)
    ]


def _rows(times: Times) -> Iterator[tuple[str, str, str, str]]:
    """For each arm its title, median, quartiles, and what part of its time ours takes.

    The floor comes last.
    """
    parts = ["", *(f"{_number(ratio.median)} ({_range(ratio)})" for _, ratio in ratios(times))]
    for arm, seconds, part in zip(times.series.arms, times.seconds, parts, strict=True):
        found = quartiles(seconds)
        yield arm.title, f"{_number(found.median)} s", f"{_range(found)} s", part
    found, above = quartiles(times.floor), paired_ratio(times.seconds[0], times.floor)
    part = f"{_number(above.median)} ({_range(above)})"
    yield _FLOOR, f"{_number(found.median)} s", f"{_range(found)} s", part


def _lines(times: Times) -> Iterator[str]:
    head = (f"{times.series.title}, {len(times.seconds[0])} rounds", "median", "quartiles")
    for title, median, spread, part in [(*head, "slurmhub takes"), *_rows(times)]:
        yield f"{title:46} {median:>8}  {spread:>16}  {part}".rstrip()


def _markdown(times: Times) -> str:
    head = ["| | n | median | quartiles | slurmhub takes |", "| --- | --- | --- | --- | --- |"]
    count = len(times.seconds[0])
    return "\n".join(
        [*head, *(f"| {a} | {count} | {b} | {c} | {d} |" for a, b, c, d in _rows(times))]
    )


def _range(spread: Spread) -> str:
    return f"{_number(spread.low)} to {_number(spread.high)}"


def _number(value: float) -> str:
    return f"{value:.2f}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _installed(environment: Path, package: str) -> str:
    found = next(environment.glob(f"lib/python3*/site-packages/{package}-*.dist-info"))
    return found.name.removesuffix(".dist-info").partition("-")[2]


_FLOOR = "Slurm alone, to the script's first line"
_INTRODUCTION = """\
# How long a server takes to start

Written by `script/bench` on {day}, never by hand. Ratios travel from machine to machine; times do
not.

Measured is the time from the POST that asks JupyterHub for a server to the first answer 200 of
that server through the proxy, whose routes are asked for every {tick} ms. Every arm is a JupyterHub
with a proxy of its own, running as root, on the same embedded Slurm cluster with fast scheduling
(`batch_sched_delay=0,sched_min_interval=0`), for the same account. The arms take turns (A, B, A, B
or A, B, C, A, B, C), one server at a time, after a pause of chance length; each server is stopped
and its job gone before the next begins. A first round of each arm does not count. *Slurm alone* is
a bare `sbatch` in the same rounds, up to the first line of its script: what no spawner that submits
batch jobs can save. Slurm 22.05 does not look at a batch job when it is submitted, but once a
second, whatever its settings.

The stub server is a program that answers 200 and imports as good as nothing.

*As shipped* is batchspawner with its defaults and nothing set but what it needs to run here: which
Slurm, the addresses of its nodes (`MultiSlurmSpawner.daemon_resolver`) and the paths of its
programs. The *plain environment* is what pip makes of the same versions of JupyterHub and
JupyterLab with all their default dependencies, and batchspawner. *slurmhub's environment* leaves
out `rfc3987-syntax` and does not run node while JupyterLab is imported. node is on the PATH of all
jobs here, as the proxy needs it; where compute nodes have none, a plain environment starts about a
quarter of a second sooner.

What slurmhub takes of another arm's time is taken round by round: the median of these ratios, and
its 95% interval by bootstrap over the rounds."""
