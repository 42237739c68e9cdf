"""Where a job's log lies, and how it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slurmhub.job.crossing import SubmissionRefused
from slurmhub.job.policy import ScriptPolicy
from slurmhub.session import log as module
from slurmhub.session.log import JobLog, LogReader, LogUnreadable, log_file
from slurmhub.slurm.command import Account
from tests.unit.fakes import intent


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/home/alice/logs/jupyter-%j.log", "/home/alice/logs/jupyter-47.log"),
        ("/logs/%u/%x-%A", "/logs/alice/jupyter-47"),
        ("/logs/%6j.log", "/logs/000047.log"),
        ("/100%%/%j", "/100%/47"),
        ("/logs/%N-%j", "/logs/n1-47"),
        ("/logs/%q-%j", "/logs/%q-47"),
    ],
)
def test_the_file_that_sbatch_makes(pattern: str, path: str) -> None:
    assert log_file(pattern, "jupyter", intent(job_id=47, node="n1.example.org")) == path


class Crossing:
    """Answers with a text, or as it is told to fail."""

    def __init__(self, answer: tuple[str, bool] | Exception) -> None:
        self.answer = answer
        self.paths: list[str] = []

    async def log(self, account: Account, path: str) -> tuple[str, bool]:
        self.paths.append(path)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture(autouse=True)
def _alice(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(name="alice", uid=1001, gid=1001, groups=())

    class Person:
        home = "/home/alice"

    Person.account = account  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "person", lambda name: Person)


def reader(answer: tuple[str, bool] | Exception) -> tuple[LogReader, Crossing]:
    crossing = Crossing(answer)
    made: Any = crossing
    return LogReader(made), crossing


async def test_control_characters_are_not_obeyed() -> None:
    found, crossing = reader(("one\r\n\x1b[2Jtwo\ttab\n", False))
    shown = await found.read(intent(job_id=47, started=1.0), ScriptPolicy())
    path = "/home/alice/.local/share/slurmhub/logs/jupyter-47.log"
    assert shown == JobLog("one\n\N{REPLACEMENT CHARACTER}[2Jtwo\ttab\n", path, whole=False)
    assert crossing.paths == [path]


async def test_before_the_job_there_is_none() -> None:
    found, crossing = reader(("", True))
    assert await found.read(intent(), ScriptPolicy()) == JobLog("")
    assert not crossing.paths
    found, _ = reader(SubmissionRefused("no-file", "gone"))
    assert await found.read(intent(job_id=47, started=1.0), ScriptPolicy()) == JobLog("")


async def test_a_job_that_waits_is_not_given_the_log_of_another() -> None:
    # An older cluster's job of the same number left it in the same folder.
    found, crossing = reader(("another's", True))
    assert await found.read(intent(job_id=47), ScriptPolicy()) == JobLog("")
    assert not crossing.paths
    shown = await found.read(intent(job_id=47, ended=2.0), ScriptPolicy())
    assert shown.text == "another's"


async def test_what_cannot_be_read_is_said() -> None:
    found, _ = reader(SubmissionRefused("forbidden", "It is a folder."))
    with pytest.raises(LogUnreadable, match="It is a folder"):
        await found.read(intent(job_id=47, started=1.0), ScriptPolicy(log_file=str(Path("/x/%j"))))
