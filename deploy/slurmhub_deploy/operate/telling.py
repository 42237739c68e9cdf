"""What verbs say at their end."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from slurmhub_deploy.operate.errors import FAILED, INTERRUPTED, REFUSED
from slurmhub_deploy.operate.running.run import Outcome, Wanted
from slurmhub_deploy.operate.running.summary import summary


def told(outcome: Outcome, wanted: Wanted, console: Console) -> int:
    """Say what came of a run; the exit status that follows from it."""
    say(console, "")
    for line in summary(outcome, wanted.layers):
        say(console, line)
    say(console, f"The full log: {outcome.log}")
    if outcome.interrupted:
        say(console, f"Interrupted. 'slurmhub {wanted.verb}' goes on where it ended.")
        return INTERRUPTED
    if outcome.would_destroy and outcome.status:
        names = ", ".join(outcome.would_destroy)
        say(console, f"Refused: this would destroy what is on {names}. Nothing of it was touched.")
        return REFUSED
    if outcome.status == 0:
        return 0
    hosts = list(dict.fromkeys(each.host for each in outcome.failures))
    if hosts:
        say(
            console,
            f"Failed on {', '.join(hosts)}: see above. What is done stays; when that is corrected,"
            f" run 'slurmhub {wanted.verb}' again.",
        )
    else:
        say(console, f"Ansible ended with status {outcome.status}: {last_words(outcome.log)}")
    return FAILED


def last_words(log: Path) -> str:
    """What Ansible wrote last, where it failed before any task."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [number for number, line in enumerate(lines) if line.startswith("[ERROR]")]
    return "\n".join(lines[errors[-1] :] if errors else lines[-5:])


def say(console: Console, text: str) -> None:
    """Lines, as they are."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
