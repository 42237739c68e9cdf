"""Signals that ask for the end are noticed where the demo waits, and nowhere else."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slurmhub_deploy.demo.interrupts import Interrupted, Interrupts
from slurmhub_deploy.errors import DeployError
from slurmhub_deploy.processes import ProcessId

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield Interrupts()
    for number, handler in before.items():
        signal.signal(number, handler)


def interrupt_soon(number: signal.Signals = signal.SIGINT) -> None:
    threading.Timer(0.2, os.kill, (os.getpid(), number)).start()


def ended(pid: int) -> bool:
    try:
        return ProcessId.of(pid).wait(5)
    except ProcessLookupError:
        return True


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_wait_at_once_and_only_a_wait(
    interrupts: Interrupts, number: signal.Signals
) -> None:
    os.kill(os.getpid(), number)  # raises nothing here
    with pytest.raises(Interrupted):
        interrupts.pause(30)
    with pytest.raises(Interrupted):
        interrupts.check()


def test_an_interrupted_program_is_ended_with_its_children(
    interrupts: Interrupts, tmp_path: Path
) -> None:
    interrupt_soon()
    began = time.monotonic()
    script = f"sleep 60 & echo $! > {tmp_path}/child; wait"
    with pytest.raises(Interrupted):
        interrupts.run(["sh", "-c", script], what="", remedy="")
    assert time.monotonic() - began < 5
    child = int((tmp_path / "child").read_text())
    assert ended(child)


def test_a_failing_program_is_told_with_its_last_lines(interrupts: Interrupts) -> None:
    with pytest.raises(DeployError) as caught:
        interrupts.run(["sh", "-c", "echo first; echo no route; exit 4"], what="X", remedy="Y")
    assert caught.value.what == "X: sh failed.\nfirst\nno route"
    assert caught.value.remedy == "Y"


def test_a_process_that_ends_ends_the_wait(interrupts: Interrupts) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.2)"])
    found = ProcessId.of(process.pid)
    assert not interrupts.wait([found], 0.01)
    assert interrupts.wait([found], 5)
    process.wait()
    assert interrupts.wait([found], 5)


def test_until_looks_a_last_time_after_the_end(interrupts: Interrupts) -> None:
    process = subprocess.Popen(["true"])
    found = ProcessId.of(process.pid)
    process.wait()
    assert not interrupts.until(lambda: False, process=found, seconds=5)
    assert interrupts.until(lambda: True, process=found, seconds=5)


def test_words_are_passed_on_up_to_the_mark(interrupts: Interrupts) -> None:
    source, sink = os.pipe()
    os.write(sink, "Starting …\nREADY\n".encode())
    heard = io.StringIO()
    assert interrupts.relay(source, heard, until=b"READY")
    assert heard.getvalue() == "Starting …\n"
    os.write(sink, b"Sorry.\n")
    os.close(sink)
    assert not interrupts.relay(source, heard, until=b"READY")
    assert heard.getvalue() == "Starting …\nSorry.\n"
    os.close(source)
