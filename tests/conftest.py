"""Fixtures for everything that needs a real cluster; unit tests use none of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import ClusterPlan, standard_plan
from tests.rig.accounts import PREFIX, unix_accounts
from tests.rig.attacks import ATTACKS, outcomes
from tests.rig.course_attacks import ATTACKS_ON_COURSES
from tests.rig.hub import HubUnderTest
from tests.rig.slurm_release import slurm_programs, version_of

STUB = Path(__file__).parent / "rig" / "stub_server.py"
PEOPLE = ("alice", "bob", "mallory")

# How long an example takes says what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def proxy_command() -> list[str]:
    """How configurable-http-proxy is run; script/test says where it was installed."""
    return os.environ["SLURMHUB_TEST_PROXY"].split()


@pytest.fixture(scope="session")
def ground(record_testsuite_property: Callable[[str, object], None]) -> Iterator[Path]:
    """A folder that every account may pass through, for clusters, homes and hubs."""
    record_testsuite_property("slurm", version_of(slurm_programs()))
    folder = Path(tempfile.mkdtemp(prefix="shub-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def accounts(ground: Path) -> Iterator[dict[str, str]]:
    """Local accounts for alice, bob and mallory, the attacker."""
    homes = ground / "home"
    homes.mkdir(mode=0o711)
    with unix_accounts(homes, *PEOPLE) as made:
        yield made


@pytest.fixture(scope="session")
def code(ground: Path) -> Path:
    """The package as a wheel lays it out, where every account can read it."""
    project = Path(__file__).parents[1]
    copy = ground / "code"
    shutil.copytree(
        project / "spawner" / "slurmhub",
        copy / "slurmhub",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copytree(project / "libexec", copy / "slurmhub" / "_assets" / "libexec")
    text = (project / "pyproject.toml").read_text()
    entry_points = re.findall(
        r'^\[project\.entry-points\."(.+)"\]\n((?:.+\n)+)', text, re.MULTILINE
    )
    assert len(entry_points) == 2
    info = copy / "slurmhub-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slurmhub\nVersion: 0\n")
    (info / "entry_points.txt").write_text(
        "".join(f"[{group}]\n{lines}".replace('"', "") for group, lines in entry_points)
    )
    subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)
    return copy


@pytest.fixture(scope="session")
def stub(ground: Path) -> Path:
    """The stub server, where every account can read it."""
    copy = ground / "stub_server.py"
    shutil.copy(STUB, copy)
    copy.chmod(0o644)
    return copy


@pytest.fixture(scope="module")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster of two CPU nodes and one with four GPUs, with fast scheduling."""
    with running_cluster(ground, standard_plan) as running:
        yield running


class running_cluster:  # noqa: N801 - used as a function
    """Start a cluster of this plan in a folder of its own; removed at the end."""

    def __init__(self, ground: Path, plan: Callable[..., ClusterPlan], **changes: object) -> None:
        root = Path(tempfile.mkdtemp(prefix="c", dir=ground))
        root.chmod(0o711)
        self._cluster = EmbeddedCluster(plan(root, **changes), slurm_programs())

    def __enter__(self) -> EmbeddedCluster:
        self._cluster.start()
        return self._cluster

    def __exit__(self, *_: object) -> None:
        self._cluster.remove()


def bind_prologue(cluster: EmbeddedCluster) -> str:
    """Shell lines that make a server listen on its own node's address only."""
    cases = " ".join(
        f"{node.name}) export SLURMHUB_BIND_ADDRESS={node.address};;" for node in cluster.plan.nodes
    )
    return f'case "$SLURMD_NODENAME" in {cases} esac'


def hub_settings(cluster: EmbeddedCluster, stub: Path, extra: str = "") -> str:
    """The lines that tie a hub to a cluster and to the stub server."""
    return f"""
c.SlurmHubSpawner.slurm_conf = {str(cluster.conf)!r}
c.SlurmHubSpawner.slurm_bin_dir = {str(cluster.bin_dir)!r}
c.SlurmHubSpawner.unix_account = lambda name: {PREFIX!r} + name
c.SlurmHubSpawner.prologue = {bind_prologue(cluster)!r}
c.SlurmHubSpawner.shell = ["/bin/bash"]
c.SlurmHubSpawner.warning_seconds = 60
c.Spawner.cmd = ["/usr/bin/python3", {str(stub)!r}]
c.Spawner.poll_interval = 5
{extra}
"""


HubMaker = Callable[..., HubUnderTest]


@contextmanager
def _hubs(ground: Path, stub: Path, code: Path, proxy_command: list[str]) -> Iterator[HubMaker]:
    with ExitStack() as stack:

        def make(cluster: EmbeddedCluster, extra: str = "", **options: object) -> HubUnderTest:
            folder = Path(tempfile.mkdtemp(prefix="h", dir=ground))
            hub = HubUnderTest(
                folder,
                hub_settings(cluster, stub, extra),
                proxy_command,
                code=code,
                **options,  # type: ignore[arg-type]
            )
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.callback(hub.stop)
            hub.start()
            return hub

        yield make


@pytest.fixture
def make_hub(ground: Path, stub: Path, code: Path, proxy_command: list[str]) -> Iterator[HubMaker]:
    """Make hubs on a cluster; all are stopped at the end of the test."""
    with _hubs(ground, stub, code, proxy_command) as make:
        yield make


@pytest.fixture(scope="module")
def make_shared_hub(
    ground: Path, stub: Path, code: Path, proxy_command: list[str]
) -> Iterator[HubMaker]:
    """Make hubs that serve all tests of a module."""
    with _hubs(ground, stub, code, proxy_command) as make:
        yield make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below these folders makes accounts and daemons: only root can."""
    if os.geteuid() == 0:
        return
    for item in items:
        if {"slurm", "browser", "attack", "faults", "shibboleth"} & set(Path(item.path).parts):
            sys.exit("These tests make accounts and daemons of their own: run them as root.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Of a run that tried attacks: what was tried, and what held."""

    def ids(*states: str) -> list[str]:
        reports = [each for state in states for each in terminalreporter.stats.get(state, ())]
        return [str(each.nodeid) for each in reports]

    for target, attacks in (("the sign-in", ATTACKS), ("courses", ATTACKS_ON_COURSES)):
        tried = outcomes(ids("passed"), ids("failed", "error"), attacks)
        if tried:
            terminalreporter.section(f"attacks on {target}: what was tried, and what held")
            for outcome in tried:
                terminalreporter.write_line(outcome.line)
