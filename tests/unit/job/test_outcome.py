"""How a job ended, told from Slurm's word, the launcher's, and the end of the log."""

from __future__ import annotations

import os
from typing import Any

import pytest

from slurmhub.job.last_words import finding
from slurmhub.job.outcome import STOPPED, ended_in_slurm, told_by_launcher, with_log
from slurmhub.job.refused import not_submitted
from slurmhub.job.who import Asker, cancelled, stopped_by
from slurmhub.ledger import Outcome
from slurmhub.slurm.states import JobState
from tests.unit.fakes import intent, job_record

HOME = "/home/alice"
GIB = 2**30
TERMINATED = Outcome("terminated", "The job was asked to end.", "", detail="the end of the log")


def told(why: str = "server-exited", tail: str = "", **more: Any) -> Outcome:
    values = {"exit_code": None, "signal": None, **more}
    asked = values.pop("intent", intent(script=f"#!/bin/bash\n#SBATCH --chdir={HOME}\n"))
    return told_by_launcher(why, values["exit_code"], values["signal"], tail, asked)


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("OSError: [Errno 28] No space left on device: '/home/alice/.x'", "disk-full", "your home"),
        (
            "OSError: [Errno 28] No space left on device: '/tmp/x'",
            "disk-full",
            "/tmp/x on",
        ),
        ("OSError: [Errno 28] No space left on device: '/data/x'", "disk-full", "holds /data/x"),
        ("cp: error writing '/data/x': No space left on device", "disk-full", "holds /data/x"),
        (
            "dd: error writing \u2018/home/alice/y z\u2019: Disk quota exceeded",
            "over-quota",
            "your home",
        ),
        ("tee: x: No space left on device", "disk-full", "most likely"),
        ("sqlite3.OperationalError: database or disk is full", "disk-full", "most likely"),
        ("OSError: [Errno 122] Disk quota exceeded: '/home/alice/x'", "over-quota", "your home"),
        ("OSError: [Errno 122] Disk quota exceeded: '/project/x'", "over-quota", "/project/x"),
        ("mkdir: Disk quota exceeded", "over-quota", "your home"),
        ("MemoryError", "out-of-memory", "ran out of memory"),
        ("slurmstepd: error: Detected 1 oom_kill event", "out-of-memory", "ran out of memory"),
        ("ModuleNotFoundError: No module named 'jupyterhub'", "server-exited", "jupyterhub"),
        ("PermissionError: [Errno 13] Permission denied: '/a/b'", "server-exited", "/a/b"),
    ],
)
def test_the_last_words_of_a_server_are_understood(line: str, kind: str, said: str) -> None:
    outcome = told(tail=f"started\n{line}\n", exit_code=1)
    assert (outcome.kind, outcome.exit_code) == (kind, 1)
    assert said in outcome.plain
    assert outcome.remedy
    assert line in outcome.detail


def test_words_that_say_nothing_are_left_to_the_reader() -> None:
    assert finding("all is well\nthe space left is large\n", HOME) is None
    outcome = told(tail="all is well\n", exit_code=3)
    assert outcome.plain == "The server in this job ended by itself (exit code 3)."


def test_a_server_that_was_asked_to_end_did_not_die_of_an_old_complaint() -> None:
    assert told("terminated", tail="No space left on device").kind == "terminated"


@pytest.mark.parametrize(("peak", "kind"), [(1.95, "out-of-memory"), (0.5, "server-exited")])
def test_a_killed_server_at_its_limit_ran_out_of_memory(peak: float, kind: str) -> None:
    used = intent(usage={"memory_peak": int(peak * GIB)})
    outcome = told(signal=9, intent=used)
    assert outcome.kind == kind
    if kind == "out-of-memory":
        assert "It had asked for 2 GB. It used 1.9 GB at its peak." in outcome.plain


def test_a_signal_is_named() -> None:
    assert told(signal=11).plain == "The server in this job crashed (signal SIGSEGV)."
    assert told(signal=64).plain == "The server in this job crashed (signal SIGRTMAX)."
    assert told(signal=50).plain == "The server in this job crashed (signal 50)."


def test_a_server_that_was_shut_down_from_inside_did_not_fail() -> None:
    assert told(exit_code=0, intent=intent(port=20000)).kind == "finished"
    assert told(exit_code=0).plain.startswith("The server ended before it was ready")


def test_slurm_knows_best_why_it_killed_a_job() -> None:
    record = job_record(state=JobState.OUT_OF_MEMORY)
    outcome = ended_in_slurm(record, intent(outcome=TERMINATED, usage={"memory_peak": 3 * GIB}))
    assert outcome.kind == "out-of-memory"
    assert outcome.plain.endswith("It had asked for 2 GB. It used 3 GB at its peak.")
    assert outcome.detail == "the end of the log"


def test_what_was_known_of_an_end_keeps_its_words() -> None:
    known = Outcome("idle", "Nobody used it.", "Start it again.")
    record = job_record(state=JobState.CANCELLED)
    assert ended_in_slurm(record, intent(outcome=known)) is known
    assert with_log(known, TERMINATED).plain == known.plain
    assert with_log(known, TERMINATED).detail == "the end of the log"


def test_a_kernel_that_ran_out_of_memory_once_did_not_end_the_server() -> None:
    # Slurm then calls the whole job out of memory, however it ends.
    record = job_record(state=JobState.OUT_OF_MEMORY)
    stopped = intent(outcome=STOPPED, cancel_requested=1.0)
    assert ended_in_slurm(record, stopped) is STOPPED
    finished = told(exit_code=0, intent=intent(port=20000))
    outcome = ended_in_slurm(record, intent(outcome=finished))
    assert outcome.kind == "finished"
    assert outcome.plain.startswith(f"{finished.plain} Before that its job had run out of memory")
    # It is said once, also where the job itself had told of it.
    port = intent(port=20000, usage={"memory_kills": 1})
    assert told(exit_code=0, intent=port).plain == outcome.plain
    assert ended_in_slurm(record, intent(outcome=outcome)) is outcome


def test_a_server_that_broke_after_a_kernel_had_run_out_of_memory_is_told_both() -> None:
    record = job_record(state=JobState.OUT_OF_MEMORY)
    broke = ended_in_slurm(record, intent(outcome=told(exit_code=5, tail="bad news")))
    assert broke.kind == "server-exited"
    assert broke.plain.startswith("The server in this job ended by itself (exit code 5). Before")
    assert broke.remedy.startswith("Start it again with more memory, or load less data at a time. ")
    assert "its log" in broke.remedy
    # A shell around the server tells of its death by a signal in its own way.
    wrapped = ended_in_slurm(record, intent(outcome=told(exit_code=137)))
    assert wrapped.kind == "out-of-memory"


@pytest.mark.parametrize(("exit_code", "signal"), [(None, 9), (137, None)])
def test_the_kernels_own_word_needs_no_guess(exit_code: int | None, signal: int | None) -> None:
    used = intent(usage={"memory_kills": 1, "memory_peak": GIB})
    outcome = told(exit_code=exit_code, signal=signal, intent=used)
    assert outcome.kind == "out-of-memory"
    # Half of what was asked for is not what it died of: measured before the end.
    assert outcome.plain == (
        "The server was killed because its job ran out of memory. It had asked for 2 GB."
    )


def test_a_job_that_another_cancelled_is_not_blamed_on_its_owner() -> None:
    outcome = ended_in_slurm(job_record(state=JobState.CANCELLED), intent())
    assert outcome.plain == "The job was cancelled, but not by you through this hub."


def test_who_cancelled_is_said_by_name() -> None:
    assert "You cancelled this job yourself" in cancelled(1001, 1001).plain
    assert "administrators" in cancelled(0, 1001).plain
    assert "uid 4294967" in cancelled(4294967, 1001).plain
    assert "daemon" in cancelled(1, 1001).plain or os.name != "posix"


def test_who_stopped_is_said_by_name() -> None:
    assert stopped_by(Asker("alice"), "alice").plain == "You stopped this server."
    assert "root-admin, who looks" in stopped_by(Asker("root-admin"), "alice").plain
    assert "“culler”" in stopped_by(Asker("culler", "service"), "alice").plain
    assert stopped_by(None, "alice").plain == "This server was stopped."


@pytest.mark.parametrize(
    ("exit_code", "exit_signal", "said"),
    [
        (None, 53, "could not open its log"),
        (None, 9, "killed at once, most often for using more memory than it had. It had asked"),
        (127, None, "A program that starts this server"),
        (1, None, "before its server could start"),
    ],
)
def test_a_job_that_failed_before_its_launcher(
    exit_code: int | None, exit_signal: int | None, said: str
) -> None:
    record = job_record(state=JobState.FAILED, exit_code=exit_code, exit_signal=exit_signal)
    assert said in ended_in_slurm(record, intent()).plain


@pytest.mark.parametrize(
    ("kind", "words", "said"),
    [
        ("home", "The folder /h/x cannot be used in the home: No space left on device.", "no room"),
        ("home", "The folder /h/x cannot be used in the home: Disk quota exceeded.", "used up"),
        ("home", "The home folder /h cannot be used: No such file or directory.", "does not exist"),
        ("home", "The home folder /h cannot be used: Permission denied.", "closed to your own"),
        ("home", "/h/x leads to a folder of another account.", "cannot be used"),
        ("missing", "/usr/bin/sbatch cannot be run: No such file.", "cannot run Slurm's commands"),
        ("forbidden", "uid 1 is root or a system account", "may not start servers"),
        ("late", "The deadline was past; nothing was submitted.", "too busy"),
        ("refused", "sbatch: error: Invalid qos specification", "QOS"),
    ],
)
def test_a_submission_that_was_not_taken(kind: str, words: str, said: str) -> None:
    outcome = not_submitted(kind, words)
    assert said in outcome.plain
    assert outcome.remedy
    assert outcome.detail == words
