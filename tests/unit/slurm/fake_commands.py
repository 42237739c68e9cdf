"""Programs that stand in for Slurm's commands and answer as a test tells them to."""

from __future__ import annotations

import sys
from pathlib import Path

from slurmhub.slurm.client import SlurmClient
from tests.unit.slurm.recorded import recorded

# Stands in for every command: notes how it was called, then does what the test wrote down.
FAKE = """#!{python} -I
import os, sys, time
from pathlib import Path

here = Path(__file__).resolve().parent
name = Path(__file__).name
with open(here / "calls", "a") as calls:
    calls.write(repr((name, sys.argv[1:], dict(os.environ))) + "\\n")
for case in sorted((here / "cases" / name).iterdir(), key=lambda case: case.name == "any"):
    if case.name == "any" or any(case.name in argument for argument in sys.argv[1:]):
        break
else:
    sys.exit(name + ": no case for " + repr(sys.argv))
formats = [os.environ.get("SQUEUE_FORMAT2", "")] + sys.argv
word = max((one.rpartition("\\x1e")[2] for one in formats if "\\x1e" in one), default="")
answer = (case / "stdout").read_text(encoding="utf-8")
for sign, mark in (("|", "\\x1f" + word), ("¶", "\\x1e" + word)):
    answer = answer.replace(sign, mark) if word else answer
sys.stdout.write(answer.replace("␟", "\\x1f"))
sys.stderr.write((case / "stderr").read_text())
sys.stdout.flush()
time.sleep(float((case / "sleep").read_text()))
sys.exit(int((case / "status").read_text()))
"""


class Fakes:
    """A folder of commands that answer as they are told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(
        self,
        name: str,
        stdout: str = "",
        *,
        when: str = "any",
        stderr: str = "",
        status: int = 0,
        sleep: float = 0,
    ) -> None:
        """Let a command answer this, when one of its arguments contains a word."""
        program = self.folder / name
        program.write_text(FAKE.format(python=sys.executable))
        program.chmod(0o755)
        case = self.folder / "cases" / name / when
        case.mkdir(parents=True, exist_ok=True)
        for file, text in (
            ("stdout", stdout),
            ("stderr", stderr),
            ("status", str(status)),
            ("sleep", str(sleep)),
        ):
            (case / file).write_text(text, encoding="utf-8")

    def calls(self) -> list[tuple[str, list[str], dict[str, str]]]:
        """Every call so far: the name, the arguments, the environment."""
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [eval(line) for line in lines]  # noqa: S307

    def client(self, conf: Path | None = None, timeout: float = 30) -> SlurmClient:
        """A client that uses these commands."""
        return SlurmClient(self.folder, conf, timeout)


def all_commands(fakes: Fakes, release: str) -> None:
    """Commands that answer what a release answered."""
    fakes.add("squeue", recorded("squeue", release))
    fakes.add("sinfo", recorded("sinfo", release))
    fakes.add("scontrol", recorded("partitions", release), when="partition")
    fakes.add("scontrol", recorded("reservations", release), when="reservation")
    fakes.add("scontrol", recorded("config", release), when="config")
    fakes.add("sdiag", recorded("sdiag", release))
