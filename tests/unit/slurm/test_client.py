"""The client, against commands that answer as real ones did, and commands that fail."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import timezone
from pathlib import Path

import pytest

from slurmhub.slurm import answers
from slurmhub.slurm.client import SlurmClient
from slurmhub.slurm.errors import (
    JobUnknown,
    SlurmDenied,
    SlurmError,
    SlurmMissing,
    SlurmUnreachable,
)
from slurmhub.slurm.records import JobRecord
from slurmhub.slurm.version import SlurmVersion
from tests.unit.slurm.fake_commands import Fakes, all_commands
from tests.unit.slurm.recorded import RELEASES, recorded

UNKNOWN_JOB = "slurm_load_jobs error: Invalid job id specified"


@pytest.mark.parametrize("release", RELEASES)
async def test_the_whole_way(fakes: Fakes, release: str) -> None:
    all_commands(fakes, release)
    fakes.add("squeue", recorded("version", release), when="--version")
    client = fakes.client()
    facts = await client.facts()
    assert facts.version == SlurmVersion.parse(release)
    assert facts.cluster_name == {"22": "partb", "24": "trixie", "26": "forky"}[release[:2]]
    assert {node.name for node in facts.nodes} == {"n1", "n2", "g1", "g2"}
    assert len(facts.partitions) == 8
    assert "maint" in [one.name for one in facts.reservations]
    assert facts.taken_at.tzinfo is timezone.utc


async def test_facts_cost_three_commands_once_the_name_is_known(fakes: Fakes) -> None:
    all_commands(fakes, "22.05.8")
    fakes.add("squeue", recorded("version", "22.05.8"), when="--version")
    client = fakes.client()
    await client.facts()
    before = len(fakes.calls())
    await client.facts()
    assert [name for name, _, _ in fakes.calls()[before:]] == ["sinfo", "scontrol", "scontrol"]


async def test_reservations_that_are_not_shown_hide_nothing_else(fakes: Fakes) -> None:
    all_commands(fakes, "22.05.8")
    fakes.add("squeue", recorded("version", "22.05.8"), when="--version")
    denied = "slurm_load_reservations error: Access/permission denied"
    fakes.add("scontrol", stderr=denied, status=1, when="reservation")
    facts = await fakes.client().facts()
    assert facts.reservations == ()
    assert len(facts.nodes) == 4


async def test_one_squeue_for_all_jobs(fakes: Fakes) -> None:
    all_commands(fakes, "22.05.8")
    found = await fakes.client().jobs([47, 40, 40, 999, 41])
    assert list(found) == [40, 41, 47]
    assert all(record.job_id == job_id for job_id, record in found.items())
    ((name, arguments, _),) = fakes.calls()
    assert name == "squeue"
    assert arguments == [
        "--noheader",
        "--all",
        "--local",
        "--states=all",
        "--noconvert",
        "--jobs=40,41,47,999",
    ]


async def test_two_thousand_jobs_in_one_command(fakes: Fakes) -> None:
    fakes.add("squeue")
    assert await fakes.client().jobs(range(10**7, 10**7 + 2000)) == {}
    assert len(fakes.calls()) == 1


async def test_no_jobs_need_no_command(fakes: Fakes) -> None:
    assert await fakes.client().jobs([]) == {}
    assert fakes.calls() == []


async def test_the_environment_is_clean(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIGPROXY_AUTH_TOKEN", "secret")
    monkeypatch.setenv("SQUEUE_FORMAT", "%i")
    monkeypatch.setenv("SLURM_CLUSTERS", "other")
    monkeypatch.setenv("LD_PRELOAD_X", "x")
    all_commands(fakes, "22.05.8")
    client = fakes.client(conf=Path("/etc/slurm/slurm.conf"))
    await client.jobs([40, 41])
    ((_, _, environment),) = fakes.calls()
    environment.pop("LC_CTYPE", None)  # set by the Python that plays squeue
    marks = environment.pop("SQUEUE_FORMAT2")
    assert environment == client.env
    assert set(client.env) == {"PATH", "LANG", "SLURM_TIME_FORMAT", "SLURM_CONF"}
    assert marks.startswith("JobID:\x1f")


async def test_the_marks_are_not_on_the_command_line(fakes: Fakes) -> None:
    all_commands(fakes, "22.05.8")
    await fakes.client().jobs([40, 41])
    ((_, arguments, environment),) = fakes.calls()
    word = environment["SQUEUE_FORMAT2"].rpartition("\x1e")[2]
    assert word
    assert word not in " ".join(arguments)


async def test_one_job(fakes: Fakes) -> None:
    all_commands(fakes, "22.05.8")
    client = fakes.client()
    assert (await client.job(47)).name == "toobig"
    assert list(await client.jobs([47])) == [47]


async def test_the_exact_denial_of_one_job(fakes: Fakes) -> None:
    fakes.add("squeue", stderr=f"{UNKNOWN_JOB}\n", status=1)
    client = fakes.client()
    with pytest.raises(JobUnknown) as raised:
        await client.job(99)
    assert "99" in raised.value.what
    assert await client.jobs([99]) == {}


@pytest.mark.parametrize(
    "stderr",
    [
        "",
        "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
        "slurm_load_jobs error: Socket timed out on send/recv operation",
        "slurm_load_jobs error: Slurm backup controller in standby mode",
        "slurm_load_jobs error: Zero Bytes were transmitted or received",
        "slurm_load_jobs error: Invalid job id specified (maybe)",
        "squeue: error: Invalid job id: abc",
        "error: Invalid job id specified",
        "Invalid job id specified",
        "slurm_load_jobs error: Unexpected message received",
        "slurm_load_jobs error: Rate limit exceeded, please retry momentarily",
        f"squeue: error: Munge encode failed: Did you start munged?\n{UNKNOWN_JOB}",
        "squeue: error: slurm_send_node_msg: auth_g_create: REQUEST_JOB_INFO_SINGLE has "
        "authentication error\nslurm_load_jobs error: Protocol authentication error",
        "squeue: fatal: Could not establish a configuration source",
        "/usr/bin/squeue: error while loading shared libraries: libslurm.so",
        "Killed",
        "Segmentation fault",
    ],
)
async def test_nothing_else_says_that_a_job_is_unknown(fakes: Fakes, stderr: str) -> None:
    fakes.add("squeue", stderr=stderr, status=1)
    client = fakes.client()
    with pytest.raises(SlurmUnreachable):
        await client.job(99)
    with pytest.raises(SlurmUnreachable):
        await client.jobs([99])
    with pytest.raises(SlurmUnreachable):
        await client.jobs([98, 99])


async def test_a_warning_beside_the_denial_changes_nothing(fakes: Fakes) -> None:
    fakes.add("squeue", stderr=f"squeue: some plugin is old\n{UNKNOWN_JOB}\n", status=1)
    with pytest.raises(JobUnknown):
        await fakes.client().job(99)


@pytest.mark.parametrize("program", ["sinfo", "scontrol"])
async def test_the_denial_is_known_from_squeue_only(fakes: Fakes, program: str) -> None:
    all_commands(fakes, "22.05.8")
    fakes.add("squeue", recorded("version", "22.05.8"), when="--version")
    for case in (fakes.folder / "cases" / program).iterdir():
        fakes.add(program, when=case.name, stderr=f"{UNKNOWN_JOB}\n", status=1)
    with pytest.raises(SlurmUnreachable):
        await fakes.client().facts()


async def test_silence_about_one_job_proves_nothing(fakes: Fakes) -> None:
    fakes.add("squeue")
    with pytest.raises(SlurmUnreachable):
        await fakes.client().job(99)


async def test_an_answer_about_another_job_proves_nothing(fakes: Fakes) -> None:
    all_commands(fakes, "22.05.8")
    with pytest.raises(SlurmUnreachable):
        await fakes.client().job(99)


async def test_denied(fakes: Fakes) -> None:
    fakes.add("sdiag", stderr="slurm_reset_statistics: Access/permission denied\n", status=210)
    with pytest.raises(SlurmDenied):
        await fakes.client().reset_rpc_counts()


async def test_a_missing_program(tmp_path: Path) -> None:
    client = SlurmClient(tmp_path, None)
    with pytest.raises(SlurmMissing) as raised:
        await client.jobs([1, 2])
    assert str(tmp_path / "squeue") in raised.value.what


async def test_a_silent_controller(fakes: Fakes) -> None:
    fakes.add("squeue", sleep=60)
    started = time.monotonic()
    with pytest.raises(SlurmUnreachable) as raised:
        await fakes.client(timeout=0.4).jobs([1, 2])
    assert time.monotonic() - started < 5
    assert "0.4 seconds" in raised.value.what


async def test_garbage_is_not_understood(fakes: Fakes) -> None:
    fakes.add("squeue", "JOBID PARTITION NAME\n40 cpu x\n")
    with pytest.raises(SlurmUnreachable):
        await fakes.client().jobs([40, 41])


async def test_the_columns_of_another_question_are_not_understood(fakes: Fakes) -> None:
    fakes.add("squeue", recorded("sinfo", "22.05.8"))
    with pytest.raises(SlurmUnreachable):
        await fakes.client().jobs([40, 41])


async def test_jobs_of_an_account(fakes: Fakes) -> None:
    all_commands(fakes, "22.05.8")
    found = await fakes.client().jobs_of("alice")
    assert len(found) == 11
    ((_, arguments, _),) = fakes.calls()
    assert arguments[-1] == "--user=alice"


async def test_an_account_that_slurm_does_not_know(fakes: Fakes) -> None:
    # squeue then ends with 0 and an empty list.
    fakes.add("squeue", "\n", stderr="squeue: error: Invalid user: alice\n")
    with pytest.raises(SlurmUnreachable) as raised:
        await fakes.client().jobs_of("alice")
    assert "alice" in raised.value.what


@pytest.mark.parametrize("name", ["", "alice,bob"])
async def test_not_one_account(fakes: Fakes, name: str) -> None:
    with pytest.raises(SlurmError):
        await fakes.client().jobs_of(name)
    assert fakes.calls() == []


@pytest.mark.parametrize("release", RELEASES)
async def test_fingerprint(fakes: Fakes, release: str) -> None:
    all_commands(fakes, release)
    client = fakes.client()
    first = await client.fingerprint()
    assert f"euid={os.geteuid()}" in first.splitlines()
    assert "PrivateData=none" in first.splitlines()
    assert "SlurmctldHost[0]=head(127.0.0.1)" in first.splitlines()
    later = recorded("config", release).replace("data as of ", "data as of 1")
    fakes.add("scontrol", later, when="config")
    assert await client.fingerprint() == first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("PrivateData             = none", "PrivateData             = jobs"),
        ("ClusterName             = partb", "ClusterName             = other"),
        ("SlurmUser               = root(0)", "SlurmUser               = slurm(64030)"),
        ("head(127.0.0.1)", "spare(127.0.0.2)"),
    ],
)
async def test_fingerprint_changes_with_what_may_be_seen(fakes: Fakes, old: str, new: str) -> None:
    all_commands(fakes, "22.05.8")
    client = fakes.client()
    first = await client.fingerprint()
    config = recorded("config", "22.05.8")
    assert old in config
    fakes.add("scontrol", config.replace(old, new), when="config")
    assert await client.fingerprint() != first


@pytest.mark.parametrize(
    ("release", "submits"), [("22.05.8", 11), ("24.11.5", 11), ("26.05.5", 11)]
)
async def test_rpc_counts(fakes: Fakes, release: str, submits: int) -> None:
    all_commands(fakes, release)
    counts = await fakes.client().rpc_counts()
    assert counts["REQUEST_JOB_INFO"] > 0
    assert counts["REQUEST_SUBMIT_BATCH_JOB"] >= submits
    assert "root" not in counts


async def test_version_is_asked_once(fakes: Fakes) -> None:
    fakes.add("squeue", "slurm-wlm 22.05.8\n")
    client = fakes.client()
    assert await client.version() == await client.version() == SlurmVersion(22, 5, 8)
    assert len(fakes.calls()) == 1


async def test_a_version_that_is_not_one(fakes: Fakes) -> None:
    fakes.add("squeue", "torque 6\n")
    with pytest.raises(SlurmUnreachable):
        await fakes.client().version()


async def test_a_large_answer_does_not_hold_up_the_loop(
    fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Real rows, many times over; about 3 MB.
    fakes.add("squeue", recorded("squeue", "24.11.5") * 1200)
    reading, went_on = threading.Event(), threading.Event()
    read_jobs = answers.read_jobs

    def reads(rows: Iterable[Sequence[str]]) -> list[JobRecord]:
        reading.set()
        # Read in the loop's own thread, nothing would ever set it.
        assert went_on.wait(timeout=20)
        return read_jobs(rows)

    monkeypatch.setattr(answers, "read_jobs", reads)
    asking = asyncio.create_task(fakes.client().jobs_of("root"))
    await asyncio.to_thread(reading.wait, 20)
    went_on.set()
    assert len(await asking) == 11 * 1200
