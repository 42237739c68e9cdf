"""The benchmark as a whole: a cluster, two series, a table, a page."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from slurmhub.assets import asset
from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import standard_plan
from slurmhub_deploy.demo.environment import plain_workshop, proxy_command
from tests.bench.arms import lab_series, stub_series
from tests.bench.environments import environments
from tests.bench.measure import Times, run_series
from tests.bench.report import Setting, page, setting, table, verdict
from tests.rig.accounts import unix_accounts

FULL_ROUNDS = (30, 12)
QUICK_ROUNDS = (3, 2)
PAGE = Path("docs/benchmarks.md")
_STUB = Path(__file__).with_name("stub.py")


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; exit status 1 when slurmhub is slower than it should be."""
    asked = _parser().parse_args(arguments)
    stub, lab = asked.rounds or (QUICK_ROUNDS if asked.quick else FULL_ROUNDS)
    smoke = stub < FULL_ROUNDS[0] or lab < FULL_ROUNDS[1]
    results, where = run((stub, lab), say=lambda text: print(text, file=sys.stderr, flush=True))
    print(table(results))
    output = asked.output or (None if smoke else asset("pyproject.toml").parent / PAGE)
    if output is not None:
        output.parent.mkdir(exist_ok=True)
        output.write_text(page(results, where))
        print(f"Written to {output}.")
    problems = verdict(results, smoke=smoke)
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


def run(rounds: tuple[int, int], *, say: Callable[[str], None]) -> tuple[list[Times], Setting]:
    """Measure this many rounds with the stub and with JupyterLab, and where that was."""
    workshop = plain_workshop()
    proxy = proxy_command(workshop)
    with _ground() as ground, _cluster(ground) as cluster:
        made = environments(workshop, ground)
        stub = _executable_stub(ground)
        with unix_accounts(ground / "home", "bench") as accounts:
            series = (
                stub_series(cluster, made, stub, rounds=rounds[0]),
                lab_series(cluster, made, rounds=rounds[1]),
            )
            results = [
                run_series(each, cluster, ground, proxy, accounts["bench"], say) for each in series
            ]
            return results, setting(cluster, made)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description="Compare slurmhub with batchspawner: from the request of a server to its first"
        " answer, on an embedded cluster with fast scheduling. Takes about ten minutes.",
    )
    how_many = parser.add_mutually_exclusive_group()
    how_many.add_argument("--quick", action="store_true", help="a few rounds, in two minutes")
    how_many.add_argument(
        "--rounds",
        type=_count,
        nargs=2,
        metavar=("STUB", "LAB"),
        help=f"so many rounds (default: {FULL_ROUNDS[0]} {FULL_ROUNDS[1]})",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help=f"where to write the page (default: {PAGE}, or nowhere when there are fewer rounds)",
    )
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


@contextmanager
def _ground() -> Iterator[Path]:
    """A folder that every account may pass through; its path is short, for Slurm's sockets."""
    folder = Path(tempfile.mkdtemp(prefix="shub-", dir="/tmp"))
    try:
        folder.chmod(0o711)
        folder.joinpath("home").mkdir(mode=0o711)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _cluster(ground: Path) -> Iterator[EmbeddedCluster]:
    root = ground / "c"
    root.mkdir(mode=0o711)
    cluster = EmbeddedCluster(standard_plan(root, scheduling="fast"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


def _executable_stub(ground: Path) -> Path:
    """The stub as a program: batchspawner's wrapper runs it in itself, we start it."""
    program = ground / "stub-server"
    program.write_text(f"#!/usr/bin/python3 -IS\n{_STUB.read_text()}")
    program.chmod(0o755)
    return program
