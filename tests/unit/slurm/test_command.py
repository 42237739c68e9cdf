"""Running external programs: what they get, and that none is left behind."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from slurmhub.slurm.command import Account, Completed, run
from slurmhub.slurm.errors import ProgramMissing, ProgramOutputTooLarge, ProgramTimeout

ENV = {"PATH": "/usr/bin:/bin"}
ROOT = os.geteuid() == 0


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def alive(pid: int) -> bool:
    """Whether a process still runs; a zombie that its own parent has not reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def known(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def gone(pid: int) -> bool:
    for _ in range(100):
        if not alive(pid):
            return True
        await asyncio.sleep(0.02)
    return False


def read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def pid_in(file: Path) -> int:
    for _ in range(250):
        if text := read(file):
            return int(text)
        await asyncio.sleep(0.02)
    pytest.fail("the program did not start")


async def test_returns_what_a_program_wrote() -> None:
    done = await run(["sh", "-c", "echo out; echo err >&2; exit 3"], env=ENV, timeout=10)
    assert done == Completed(("sh", "-c", "echo out; echo err >&2; exit 3"), 3, b"out\n", b"err\n")
    assert (done.output, done.complaint) == ("out\n", "err")


async def test_bytes_that_are_no_text_are_replaced() -> None:
    done = await run(["printf", r"a\377b"], env=ENV, timeout=10)
    assert done.stdout == b"a\xffb"
    assert done.output == "a\N{REPLACEMENT CHARACTER}b"


async def test_arguments_are_never_read_by_a_shell(tmp_path: Path) -> None:
    evil = f"$(touch {tmp_path}/made); touch {tmp_path}/made\n`touch {tmp_path}/made`"
    done = await run(["printf", "%s", evil], env=ENV, timeout=10)
    assert done.output == evil
    assert not (tmp_path / "made").exists()


async def test_the_environment_is_the_one_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    done = await run(["env"], env={**ENV, "ONE": "1"}, timeout=10)
    assert sorted(done.output.split()) == ["ONE=1", "PATH=/usr/bin:/bin"]


async def test_the_working_directory_and_descriptors_are_not_inherited() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        done = await run(
            python("import os; print(os.getcwd(), sorted(map(int, os.listdir('/proc/self/fd'))))"),
            env=ENV,
            timeout=10,
        )
    finally:
        os.close(reading)
        os.close(writing)
    # The fourth is the one that lists the folder.
    assert done.output == "/ [0, 1, 2, 3]\n"


async def test_standard_input_is_given_and_then_closed() -> None:
    done = await run(["wc", "-c"], env=ENV, stdin=b"x" * 300_000, timeout=10)
    assert done.output.strip() == "300000"
    assert (await run(["cat"], env=ENV, timeout=10)).stdout == b""


async def test_a_program_that_does_not_read_its_input_is_no_error() -> None:
    done = await run(["true"], env=ENV, stdin=b"x" * 5_000_000, timeout=10)
    assert done.returncode == 0


async def test_a_signal_is_a_negative_status() -> None:
    assert (await run(["sh", "-c", "kill -9 $$"], env=ENV, timeout=10)).returncode == -9


@pytest.mark.parametrize(
    "name", ["no-such-program-anywhere", "/etc/passwd/x", "/etc/hostname", "/"]
)
async def test_a_program_that_cannot_be_started(name: str) -> None:
    with pytest.raises(ProgramMissing) as raised:
        await run([name], env=ENV, timeout=10)
    assert name in raised.value.what
    assert raised.value.remedy


async def test_a_slow_program_is_killed_with_its_children(tmp_path: Path) -> None:
    script = f"sleep 300 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/own; wait"
    started = time.monotonic()
    with pytest.raises(ProgramTimeout) as raised:
        await run(["sh", "-c", script], env=ENV, timeout=0.5)
    assert time.monotonic() - started < 4
    assert "0.5 seconds" in raised.value.what
    assert await gone(await pid_in(tmp_path / "own"))
    assert await gone(await pid_in(tmp_path / "child"))


async def test_a_program_that_ignores_signals_is_killed(tmp_path: Path) -> None:
    script = f"trap '' TERM INT HUP; echo $$ > {tmp_path}/own; while :; do sleep 1; done"
    with pytest.raises(ProgramTimeout):
        await run(["sh", "-c", script], env=ENV, timeout=0.5)
    assert await gone(await pid_in(tmp_path / "own"))


async def test_cancelling_kills_and_reaps(tmp_path: Path) -> None:
    script = f"sleep 300 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/own; wait"
    task = asyncio.create_task(run(["sh", "-c", script], env=ENV, timeout=60))
    own, child = await pid_in(tmp_path / "own"), await pid_in(tmp_path / "child")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # Reaped, not merely dead: there is not even a zombie.
    assert not known(own)
    assert await gone(child)


@pytest.mark.parametrize("turns", range(12))
async def test_a_hub_that_ends_at_any_moment_waits_for_no_program(turns: int) -> None:
    # As JupyterHub ends: it cancels all tasks that there are, and waits for them without a limit.
    program = asyncio.create_task(run(["sleep", "60"], env=ENV, timeout=60))
    for _ in range(turns):
        await asyncio.sleep(0)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    _, waiting = await asyncio.wait(tasks, timeout=10)
    assert program in tasks
    assert not waiting


async def test_too_much_output_ends_the_program(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/own; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done"
    with pytest.raises(ProgramOutputTooLarge):
        await run(["sh", "-c", script], env=ENV, timeout=30, max_output=10_000)
    assert await gone(await pid_in(tmp_path / "own"))


async def test_error_output_counts_as_well() -> None:
    with pytest.raises(ProgramOutputTooLarge):
        await run(["sh", "-c", "yes >&2"], env=ENV, timeout=30, max_output=10_000)


async def test_output_up_to_the_limit_is_kept() -> None:
    done = await run(["head", "-c", "100000", "/dev/zero"], env=ENV, timeout=10, max_output=100_000)
    assert len(done.stdout) == 100_000


async def test_a_descendant_that_goes_on_is_not_waited_for(tmp_path: Path) -> None:
    # It has a session of its own and keeps the pipes open.
    script = f"setsid sh -c 'echo $$ > {tmp_path}/own; exec sleep 300' & echo done"
    started = time.monotonic()
    done = await run(["sh", "-c", script], env=ENV, timeout=60)
    assert time.monotonic() - started < 10
    assert done.output == "done\n"
    os.kill(await pid_in(tmp_path / "own"), 9)


async def test_many_at_once_do_not_block_the_loop() -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    heart = asyncio.create_task(beat())
    done = await asyncio.gather(*(run(["sleep", "0.5"], env=ENV, timeout=10) for _ in range(20)))
    heart.cancel()
    assert [one.returncode for one in done] == [0] * 20
    assert beats > 10


@pytest.mark.skipif(not ROOT, reason="only root may run a program as another account")
async def test_runs_as_another_account() -> None:
    account = Account("nobody", 65534, 65534, (65533,))
    done = await run(["id"], env=ENV, timeout=10, account=account)
    assert "uid=65534" in done.output
    assert "gid=65534" in done.output
    assert "groups=65534" in done.output
    assert "(root)" not in done.output
    assert "65533" in done.output


@pytest.mark.skipif(ROOT, reason="root may run a program as another account")
async def test_another_account_is_refused_without_root() -> None:
    with pytest.raises(ProgramMissing):
        await run(["id"], env=ENV, timeout=10, account=Account("root", 0, 0, ()))
