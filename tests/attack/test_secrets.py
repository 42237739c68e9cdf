"""The secrets of a job and of the hub, searched for wherever another account may look."""

from __future__ import annotations

import os
import pwd
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from slurmhub_deploy.cluster.embedded import EmbeddedCluster
from slurmhub_deploy.cluster.plan import standard_plan
from tests.attack.trespass import (
    Sightings,
    Ticket,
    as_account,
    environment_of,
    lookout,
    processes,
    slurm_as,
    ticket_of,
)
from tests.conftest import HubMaker, running_cluster
from tests.rig.hub import HubUnderTest, Visitor, until

# A value that only the order to the launcher carries.
ORDERED = f"password-{secrets.token_hex(16)}"
PROXY_TOKEN = "proxy-token-of-a-test"
PROGRAMS = ("sbatch", "scancel", "squeue", "sinfo", "scontrol")


@dataclass
class Scene:
    """Alice's running server, and what others saw of the machine while it started."""

    hub: HubUnderTest
    cluster: EmbeddedCluster
    alice: Visitor
    ticket: Ticket
    accounts: dict[str, str]
    seen_by_mallory: Sightings
    seen_by_alice: Sightings

    @property
    def of_the_job(self) -> list[str]:
        """Secrets that only alice's processes may know, and root."""
        return [self.ticket.token, ORDERED]

    @property
    def of_the_hub(self) -> list[str]:
        """Secrets that nobody but the hub's own account may know."""
        key = (self.hub.folder / "slurmhub_key").read_bytes()
        cookies = (self.hub.folder / "jupyterhub_cookie_secret").read_text().strip()
        return [PROXY_TOKEN, cookies, key.hex(), key.decode("latin-1")]


@pytest.fixture(scope="module")
def cluster(ground: Path, accounts: dict[str, str]) -> Iterator[EmbeddedCluster]:
    """A cluster that logs all it can."""
    lines = ("SlurmctldDebug=debug3", "SlurmdDebug=debug3")
    with running_cluster(ground, standard_plan, extra_lines=lines) as running:
        yield running


@pytest.fixture(scope="module")
def slow_programs(ground: Path, cluster: EmbeddedCluster) -> Path:
    """Slurm's commands, each living long enough for everybody to have a look at it.

    Their environment stays in its order: at debug3, slurmctld logs its first three variables.
    """
    folder = ground / "slow"
    folder.mkdir(mode=0o755)
    for name in PROGRAMS:
        program = folder / name
        program.write_text(
            "#!/usr/bin/python3 -IS\nimport os, sys, time\ntime.sleep(0.2)\n"
            f"os.execv({str(cluster.bin_dir / name)!r}, [{name!r}, *sys.argv[1:]])\n"
        )
        program.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def scene(
    make_shared_hub: HubMaker,
    cluster: EmbeddedCluster,
    slow_programs: Path,
    accounts: dict[str, str],
) -> Scene:
    """The scene: mallory and alice watched from before the request until the server was ready."""
    settings = f"""
c.Spawner.environment = {{"SITE_PASSWORD": "{ORDERED}"}}
c.SlurmHubSpawner.slurm_bin_dir = "{slow_programs}"
"""
    hub = make_shared_hub(cluster, settings)
    alice = hub.visitor("alice")
    with lookout(accounts["mallory"]) as mallorys, lookout(accounts["alice"]) as alices:
        assert alice.start(partition="cpu").status_code in (201, 202)
        job_id = alice.wait_ready()["job_id"]
        # A server that comes and goes: submission, cancellation and the end are watched too.
        alice.start("other", partition="cpu")
        alice.wait_ready("other")
        alice.stop("other")
        alice.wait_for("ended", "other")
    return Scene(hub, cluster, alice, ticket_of(cluster, job_id), accounts, mallorys, alices)


def holding(texts: list[str], wanted: list[str]) -> list[str]:
    """Those of the texts that hold one of these."""
    return [text for text in texts if any(secret in text for secret in wanted)]


def test_no_command_line_holds_a_secret(scene: Scene) -> None:
    seen = scene.seen_by_mallory.arguments
    # The watch was kept: it saw the helper, and all that it and the hub asked of Slurm.
    for name in ("slurmhub-as-user", "sbatch\0--parsable", "scancel\0", "squeue\0"):
        assert holding(seen, [name]), name
    assert holding(seen, scene.of_the_job + scene.of_the_hub) == []
    now = [Path("/proc", str(pid), "cmdline") for pid, _ in processes()]
    texts = [path.read_bytes().decode("latin-1") for path in now if path.exists()]
    assert holding(texts, ["stub_server.py"])
    assert holding(texts, scene.of_the_job + scene.of_the_hub) == []


def test_no_environment_that_others_can_read_holds_a_secret(scene: Scene) -> None:
    seen = scene.seen_by_mallory.environments
    assert holding(seen, scene.of_the_job + scene.of_the_hub) == []
    # The same look shows alice what is hers, so it would have shown mallory what is not.
    assert holding(scene.seen_by_alice.environments, [scene.ticket.token])
    alice = pwd.getpwnam(scene.accounts["alice"]).pw_uid
    holders = [
        (pid, owner)
        for pid, owner in processes()
        if holding(list(environment_of(pid).values()), scene.of_the_job)
    ]
    # The script's shell, the launcher and the server.
    assert len(holders) >= 3
    for pid, owner in holders:
        assert owner == alice
        denied = as_account(scene.accounts["mallory"], "cat", f"/proc/{pid}/environ")
        assert denied.returncode != 0
        assert denied.stdout == ""


def test_what_runs_as_a_person_gets_nothing_of_the_hubs(scene: Scene) -> None:
    seen = scene.seen_by_alice
    assert holding(seen.environments, ["SLURMHUB_JOB="])
    assert holding(seen.environments + seen.arguments, scene.of_the_hub) == []
    assert "CONFIGPROXY_AUTH_TOKEN" not in "".join(seen.environments)


def test_slurm_tells_nobody(scene: Scene) -> None:
    job = str(scene.ticket.job_id)
    questions = [
        ("scontrol", "-dd", "show", "job", job),
        ("scontrol", "write", "batch_script", job, "-"),
        ("scontrol", "show", "step", job),
        ("squeue", "--all", "--jobs", job, "--format=%all"),
        ("squeue", "--all", "--steps", "--format=%all"),
        ("squeue", "--all", "--jobs", job, "-O", "Comment:500,Command:500,Name:500,WCKey:500"),
        ("scontrol", "show", "config"),
    ]
    for account in (*scene.accounts.values(), None):
        for question in questions:
            if account is None:
                told = scene.cluster.run(*question, check=False)
            else:
                done = slurm_as(account, scene.cluster, *question)
                told = done.stdout + done.stderr
            assert holding([told], scene.of_the_job + scene.of_the_hub) == [], question
    # They did answer: the job is seen by all, and its script by its owner, as on the page.
    shown = slurm_as(scene.accounts["mallory"], scene.cluster, *questions[0]).stdout
    assert f"JobId={job}" in shown
    own = slurm_as(scene.accounts["alice"], scene.cluster, *questions[1]).stdout
    page = scene.alice.get("/hub/slurmhub/script/alice").text
    assert page.strip() == own.strip()
    assert "slurmhub_order=$SLURMHUB_JOB" in page
    denied = slurm_as(scene.accounts["mallory"], scene.cluster, *questions[1])
    assert "slurmhub_order" not in denied.stdout


def test_no_log_holds_a_secret(scene: Scene) -> None:
    job_log = next(Path(scene.ticket.environment["HOME"]).glob(".local/share/slurmhub/logs/*.log"))
    # The job's output comes with Slurm's own delay.
    until(lambda: "the stub listens" in job_log.read_text(), what="the job's output")
    logs = [
        scene.hub.folder / "hub.log",
        scene.hub.folder / "proxy.log",
        job_log,
        *scene.cluster.layout.log.iterdir(),
    ]
    texts = {path: path.read_text("latin-1") for path in logs if path.is_file()}
    # They say enough to have said it.
    assert "[D " in texts[scene.hub.folder / "hub.log"]
    assert any("debug3" in text for path, text in texts.items() if "slurmd" in path.name)
    hidden = scene.of_the_job + scene.of_the_hub
    assert [path for path, text in texts.items() if holding([text], hidden)] == []


def files_below(folder: Path) -> Iterator[Path]:
    """Every plain file there."""
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            with suppress(OSError):
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path


def test_only_files_of_root_hold_a_secret(scene: Scene, ground: Path) -> None:
    """Slurm keeps the environment of a batch job in its controller's state: root's own folder."""
    alice = pwd.getpwnam(scene.accounts["alice"]).pw_uid
    files = set(files_below(ground))
    for public in ("/tmp", "/var/tmp", "/dev/shm", "/var/spool", "/run"):
        with suppress(OSError):
            files |= {path for path in files_below(Path(public)) if path.stat().st_uid == alice}
    hidden = scene.of_the_job + scene.of_the_hub
    holders = set()
    for path in files:
        with suppress(FileNotFoundError):
            if holding([path.read_bytes().decode("latin-1")], hidden):
                holders.add(path)
    state = scene.cluster.layout.state
    assert any(path.is_relative_to(state) for path in holders)
    for path in holders:
        assert path.is_relative_to(state) or path.is_relative_to(scene.hub.folder), path
        assert path.stat().st_uid == 0
        for person in scene.accounts.values():
            assert as_account(person, "cat", str(path)).stdout == "", path
    # The look was wide enough: it passed the job's log, its script and the launcher.
    texts = [path.name for path in files]
    assert "slurm_script" in texts
    assert any(name.startswith("jupyter-") for name in texts)


def test_the_hubs_own_files_are_for_the_hub_alone(scene: Scene) -> None:
    """Also in a folder that everybody may enter, as that of a hub often is."""
    scene.hub.folder.chmod(0o755)
    try:
        for name in ("slurmhub_key", "slurmhub.sqlite", "slurmhub.sqlite-wal"):
            path = scene.hub.folder / name
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, name
            denied = as_account(scene.accounts["mallory"], "cat", str(path))
            assert denied.returncode != 0
            assert denied.stdout == ""
        # It is the files that are closed, not the way to them.
        readable = as_account(scene.accounts["mallory"], "cat", str(scene.hub.folder / "hub.log"))
        assert readable.returncode == 0
    finally:
        scene.hub.folder.chmod(0o700)
