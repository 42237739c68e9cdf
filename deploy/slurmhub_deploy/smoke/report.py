"""What a run of the smoke test came to: for people, for programs, for Prometheus."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

STEPS = ("sign-in", "start", "kernel", "file", "read", "stop")
"""In their order; a step that fails ends the run, but what was started is stopped."""


@dataclass(frozen=True)
class Step:
    """One step: how long it took, in seconds, and what went wrong if anything did."""

    name: str
    seconds: float
    problem: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Report:
    """The steps that were taken at one hub."""

    hub: str
    url: str
    steps: tuple[Step, ...]
    ended: float = field(default_factory=time.time)

    @property
    def worked(self) -> bool:
        """Whether all steps were taken, and well."""
        done = [step.name for step in self.steps if step.problem is None]
        return done == list(STEPS)

    @property
    def failed(self) -> Step | None:
        """The first step that did not go well."""
        return next((step for step in self.steps if step.problem is not None), None)

    def as_text(self) -> str:
        """A line for each step, and what to do about the one that failed."""
        lines = [f"Hub {self.hub} at {self.url}:"]
        for step in self.steps:
            word = "works" if step.problem is None else "FAILED"
            lines.append(f"  {step.name:<8} {word:<7} {step.seconds:6.1f} s")
            if step.problem is not None:
                lines += [f"    {step.problem}", f"    What to do: {step.remedy}"]
        if self.worked:
            total = sum(step.seconds for step in self.steps)
            lines.append(f"  All of it works, in {total:.0f} s.")
        return "\n".join(lines)

    def as_data(self) -> dict[str, object]:
        """For programs."""
        return {
            "hub": self.hub,
            "url": self.url,
            "worked": self.worked,
            "steps": [
                {
                    "name": step.name,
                    "seconds": round(step.seconds, 3),
                    "problem": step.problem,
                    "remedy": step.remedy,
                }
                for step in self.steps
            ],
        }

    def as_json(self) -> str:
        """The same as one text."""
        return json.dumps(self.as_data(), indent=2, ensure_ascii=False)

    def as_metrics(self) -> str:
        """For the textfile collector of node_exporter (Prometheus's text format 0.0.4)."""
        hub = f'hub="{self.hub}"'
        taken = {step.name: step.seconds for step in self.steps if step.problem is None}
        failed = self.failed.name if self.failed else None
        seconds = "".join(
            f'slurmhub_probe_step_seconds{{{hub},step="{name}"}} {taken[name]:.3f}\n'
            for name in STEPS
            if name in taken
        )
        failures = "".join(
            f'slurmhub_probe_failed_step{{{hub},step="{name}"}} {int(name == failed)}\n'
            for name in STEPS
        )
        return (
            "# HELP slurmhub_probe_success Whether a person could sign in and work.\n"
            "# TYPE slurmhub_probe_success gauge\n"
            f"slurmhub_probe_success{{{hub}}} {int(self.worked)}\n"
            "# HELP slurmhub_probe_timestamp_seconds When that was tried.\n"
            "# TYPE slurmhub_probe_timestamp_seconds gauge\n"
            f"slurmhub_probe_timestamp_seconds{{{hub}}} {self.ended:.0f}\n"
            "# HELP slurmhub_probe_step_seconds How long each step took that went well.\n"
            f"# TYPE slurmhub_probe_step_seconds gauge\n{seconds}"
            "# HELP slurmhub_probe_failed_step The step that failed, 1, and the others, 0.\n"
            f"# TYPE slurmhub_probe_failed_step gauge\n{failures}"
        )
