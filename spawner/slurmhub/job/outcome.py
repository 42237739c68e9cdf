"""How a job ended, in words for the person it ran for."""

from __future__ import annotations

import re
import signal as signals
from dataclasses import replace

from slurmhub.job.last_words import finding
from slurmhub.job.who import cancelled
from slurmhub.ledger import Intent, Outcome
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.records import JobRecord
from slurmhub.slurm.states import JobState, plain_state

_START_AGAIN = "You can start it again."
_SHOW_SUPPORT = "If this comes back, show this page to your support."
_NOT_YOURS = "This was not your doing. You can start it again, on another computer."
_MORE_MEMORY = "Start it again with more memory, or load less data at a time."
_RAN_OUT = (
    "Before that its job had run out of memory, and a program in it was ended, a notebook's kernel "
    "perhaps."
)
_LOOK_AT_LOG = "Look at the end of its log; if it does not help, show it to your support."
_REMEDIES = {
    JobState.OUT_OF_MEMORY: _MORE_MEMORY,
    JobState.TIMEOUT: "Your files are kept. Start it again, with more hours if you need them.",
    JobState.DEADLINE: "Start it again with fewer hours.",
    JobState.NODE_FAIL: _NOT_YOURS,
    JobState.BOOT_FAIL: _NOT_YOURS,
    JobState.LAUNCH_FAILED: _NOT_YOURS,
    JobState.RECONFIG_FAIL: _NOT_YOURS,
    JobState.PREEMPTED: "Your files are kept. You can start it again; it waits for a new place.",
}
# What Slurm knows better than the launcher, which only saw its server die.
_SLURM_KNOWS_BEST = {
    JobState.OUT_OF_MEMORY,
    JobState.TIMEOUT,
    JobState.DEADLINE,
    JobState.NODE_FAIL,
    JobState.BOOT_FAIL,
    JobState.PREEMPTED,
}
# A killed server whose job had used this part of its memory most likely died of that.
_NEARLY_ALL = 0.9
# How Slurm's step daemon ends a job whose log it cannot open.
_CANNOT_OPEN_LOG = 53
# What a shell answers for a program that was killed.
_SHELL_KILLED = 128 + signals.SIGKILL
# What a shell answers for a program that is not there, or may not be run.
_NO_PROGRAM = (126, 127)

STOPPED = Outcome("stopped", "This server was stopped.", _START_AGAIN)
VANISHED = Outcome(
    "vanished", "Slurm no longer knows this job; how it ended is not known.", _START_AGAIN
)
LOST = Outcome(
    "submission-lost",
    "The hub asked Slurm for this job, but Slurm never answered.",
    "You can start it again. If that job turns up after all, it ends by itself.",
)

INVISIBLE = Outcome(
    "invisible",
    "The hub submitted this job, but its account is not allowed to see it.",
    "For the operator: the cluster hides jobs (PrivateData=jobs). Let the hub's account see them: "
    "sacctmgr modify user where name=<the hub's account> set adminlevel=operator",
)
QUEUED_TOO_LONG = Outcome(
    "queue-timeout",
    "This server waited in the queue for longer than this hub allows.",
    "Ask for less, or for a partition with free room, and start it again.",
)
NEVER_LISTENED = Outcome(
    "never-listened",
    "The job started, but its server was not ready in time.",
    "Please try once more; if it fails again, show this page to your support.",
)
UNREACHABLE = Outcome(
    "unreachable",
    "The server started, but it did not answer the hub.",
    "Please try once more; if it fails again, show this page to your support.",
)


def words_of(outcome: Outcome | None) -> str:
    """What is said of an end in one go, also where nothing is known of it."""
    if outcome is None:
        return "The job of this server ended."
    return f"{outcome.plain} {outcome.remedy}".strip()


def ended_in_slurm(record: JobRecord, intent: Intent) -> Outcome:
    """The outcome of a job that Slurm calls ended, given what its launcher had said before."""
    state, before = record.state, intent.outcome
    if before is not None and not _knows_better(state, before, intent):
        ran_out = state is JobState.OUT_OF_MEMORY and intent.cancel_requested is None
        return _after_want_of_memory(before) if ran_out else before
    if state is None:
        return before or VANISHED
    if state is JobState.CANCELLED:
        outcome = cancelled(None, intent.uid)
    elif state is JobState.FAILED:
        outcome = _failed(record, intent)
    else:
        kind = state.value.lower().replace("_", "-")
        plain = " ".join([plain_state(state), *_measured(state, intent)])
        outcome = Outcome(kind, plain, _REMEDIES.get(state, _START_AGAIN))
    detail = before.detail if before else ""
    return replace(outcome, detail=detail, exit_code=record.exit_code)


def _knows_better(state: JobState | None, before: Outcome, intent: Intent) -> bool:
    """Whether Slurm's state says more of an end than what was known of it before."""
    if before.kind == "terminated":
        # "Asked to end" is all the launcher knows; by whom or why, Slurm's state may tell.
        return True
    if state is JobState.OUT_OF_MEMORY and not _was_killed(before):
        # Slurm says so of every job of which it ever killed a process, a notebook's kernel perhaps.
        return False
    return state in _SLURM_KNOWS_BEST and intent.cancel_requested is None


def _was_killed(before: Outcome) -> bool:
    """Whether the server did not choose its end."""
    by_itself = before.kind in ("finished", "server-exited", "cannot-start")
    return not by_itself or before.exit_code in (None, _SHELL_KILLED)


def _after_want_of_memory(outcome: Outcome) -> Outcome:
    """This end of a server, of whose job the kernel had ended another program before."""
    if _RAN_OUT in outcome.plain:
        return outcome
    further = [] if outcome.remedy == _START_AGAIN else [outcome.remedy]
    plain, remedy = f"{outcome.plain} {_RAN_OUT}", " ".join([_MORE_MEMORY, *further])
    return replace(outcome, plain=plain, remedy=remedy)


def with_log(known: Outcome | None, told: Outcome) -> Outcome:
    """What was known of an end that the hub asked for, with the log that its launcher sent."""
    if known is None:
        return told
    return known if known.detail else replace(known, detail=told.detail)


def take_facts(intent: Intent, record: JobRecord) -> None:
    """Keep where and since when an ended job ran, which a short one may not have told."""
    if record.started is not None:
        intent.started = intent.started or record.started.timestamp()
        intent.node = intent.node or record.batch_host


def _measured(state: JobState, intent: Intent) -> list[str]:
    """What is known in figures of how a job came to this end: sentences."""
    if state is JobState.OUT_OF_MEMORY:
        return _memory_words(intent)
    if state in (JobState.NODE_FAIL, JobState.BOOT_FAIL) and intent.node:
        return [f"It was {intent.node}."]
    return []


def _memory_words(intent: Intent) -> list[str]:
    asked = memory_asked(intent)
    words = [f"It had asked for {asked.plain()}."] if asked else []
    peak = memory_peak(intent)
    # What was measured a while before may be far from what it was at the end.
    if peak is not None and (asked is None or _nearly_all(peak, asked)):
        words.append(f"It used {peak.plain()} at its peak.")
    return words


def _nearly_all(peak: Memory, asked: Memory) -> bool:
    return peak.mebibytes >= _NEARLY_ALL * asked.mebibytes


def memory_kills(intent: Intent) -> int:
    """How many of the job's processes the kernel had ended for want of memory, as it last told."""
    return int((intent.usage or {}).get("memory_kills") or 0)


def memory_asked(intent: Intent) -> Memory | None:
    """The memory that the job asked for."""
    asked = intent.request.get("memory")
    return Memory.parse(str(asked)) if asked else None


def memory_peak(intent: Intent) -> Memory | None:
    """The most memory that the job told of, None when it never did."""
    peak = (intent.usage or {}).get("memory_peak")
    return Memory(int(peak) // 2**20) if isinstance(peak, int) and peak >= 2**20 else None


def _failed(record: JobRecord, intent: Intent) -> Outcome:
    """A job that failed without a word of its launcher: its script did not come so far."""
    if record.exit_signal == _CANNOT_OPEN_LOG or record.exit_code == _CANNOT_OPEN_LOG:
        return Outcome(
            "no-log",
            "The job could not open its log in your home folder, so it ended at once.",
            "Your home may be full, or the folder of the logs may not be yours. "
            "Make room there and start it again; if this comes back, show this page to your "
            "support.",
        )
    if record.exit_signal == signals.SIGKILL or record.exit_code == _SHELL_KILLED:
        words = "The whole job was killed at once, most often for using more memory than it had."
        plain = " ".join([words, *_memory_words(intent)])
        return Outcome("killed", plain, f"{_MORE_MEMORY} {_SHOW_SUPPORT}")
    if record.exit_code in _NO_PROGRAM:
        return Outcome(
            "failed",
            "A program that starts this server is not on the computer that ran the job.",
            "This is not your doing: please show this page to your support.",
        )
    return Outcome(
        "failed",
        "The job ended with an error before its server could start.",
        "Start it again. If this comes back, show this page and the job's log to your support.",
    )


_WHY = {
    "server-exited": "The server in this job ended by itself",
    "never-listened": "The server in this job started, but never began to listen",
    "cannot-start": "The server in this job could not be started",
    "terminated": "The job was asked to end",
    "refused-by-hub": "The hub no longer wanted this job",
}
LAUNCHER_REASONS = frozenset(_WHY)


def told_by_launcher(
    why: str, exit_code: int | None, signal: int | None, tail: str, intent: Intent
) -> Outcome:
    """The outcome as the launcher in the job reported it."""
    if why == "terminated":
        return Outcome(why, "The job was asked to end.", _START_AGAIN, tail, exit_code)
    if _died_of_memory(exit_code, signal, intent):
        sure = "The server was killed because its job ran out of memory."
        words = "The server was killed when its job had used nearly all of its memory."
        plain = " ".join([sure if memory_kills(intent) else words, *_memory_words(intent)])
        return Outcome("out-of-memory", plain, _MORE_MEMORY, tail, exit_code)
    outcome = _ended_by_itself(why, exit_code, signal, tail, intent)
    ran_out = memory_kills(intent) and outcome.kind in ("finished", "server-exited")
    return _after_want_of_memory(outcome) if ran_out else outcome


def _ended_by_itself(
    why: str, exit_code: int | None, signal: int | None, tail: str, intent: Intent
) -> Outcome:
    if why == "server-exited" and exit_code == 0:
        return _finished(intent, tail)
    found = finding(tail, _home_of(intent))
    if found is not None:
        return Outcome(found.kind, found.plain, found.remedy, tail, exit_code)
    plain = _by_signal(signal) if signal else f"{_WHY[why]}{_how(exit_code)}."
    return Outcome(why, plain, _remedy(why, signal, tail), tail, exit_code)


def _finished(intent: Intent, tail: str) -> Outcome:
    if intent.port is not None:
        plain = "The server ended without an error: it was shut down from inside."
        return Outcome("finished", plain, _START_AGAIN, tail, 0)
    plain = "The server ended before it was ready, though it told of no error."
    return Outcome("server-exited", plain, f"{_START_AGAIN} {_SHOW_SUPPORT}", tail, 0)


def _died_of_memory(exit_code: int | None, signal: int | None, intent: Intent) -> bool:
    if signal != signals.SIGKILL and exit_code != _SHELL_KILLED:
        return False
    asked, peak = memory_asked(intent), memory_peak(intent)
    used_up = asked is not None and peak is not None and _nearly_all(peak, asked)
    return used_up or memory_kills(intent) > 0


def _by_signal(number: int) -> str:
    if number == signals.SIGKILL:
        return "The server in this job was killed (signal SIGKILL)."
    if number in (signals.SIGTERM, signals.SIGINT, signals.SIGHUP):
        return f"The server in this job was told to end (signal {signals.Signals(number).name})."
    known = {one.value: one.name for one in signals.Signals}
    return f"The server in this job crashed (signal {known.get(number, number)})."


def _how(exit_code: int | None) -> str:
    return "" if exit_code is None else f" (exit code {exit_code})"


def _remedy(why: str, signal: int | None, tail: str) -> str:
    if why in ("cannot-start", "never-listened"):
        return "Please show this page, with the log below, to your support."
    if signal == signals.SIGKILL:
        return (
            "Most often this means that there was not enough memory: start it again with more. "
            f"{_SHOW_SUPPORT}"
        )
    if why == "server-exited" and tail:
        return _LOOK_AT_LOG
    if why == "server-exited":
        return f"{_START_AGAIN} {_SHOW_SUPPORT}"
    return _START_AGAIN


def _home_of(intent: Intent) -> str:
    """Where the job began: its owner's home, where the site has no other folder for that."""
    named = re.search(r'^#SBATCH --chdir="?(/.+?)"?$', intent.script, re.MULTILINE)
    return named[1] if named else ""
