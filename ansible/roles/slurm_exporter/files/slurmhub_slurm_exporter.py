#!/usr/bin/python3 -I
"""Tells Prometheus of a Slurm cluster: nodes, CPUs, GPUs, memory, jobs, and the controller itself.

    slurmhub_slurm_exporter.py --listen ADDRESS --port PORT [--bin-dir DIR] [--fresh SECONDS]

It asks squeue, sinfo and sdiag, all three at once, when it is scraped, and not again within
`--fresh` seconds however often it is scraped. When one of them fails, `slurmhub_slurm_up` is 0 and
nothing else of Slurm is told: old numbers would look like new ones. No label holds a person's name.

Standard library only, Python 3.8 on, for any host that has Slurm's commands. Understands what
22.05 to 26.05 print: sinfo and squeue are asked for single fields with separators between them,
sdiag has but one form (sdiag(1)). Text format: Prometheus's "Exposition formats", 0.0.4.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

COLUMN, ROW = "\x1f", "\x1e"
SINFO = ("NodeList", "StateComplete", "CPUsState", "Memory", "AllocMem", "Gres", "GresUsed")
SINFO_ARGV = ("sinfo", "--all", "--noheader", "--Node", "--exact", "-O")
SQUEUE_ARGV = ("squeue", "--all", "--noheader", "--array", "-O")
SQUEUE = ("State", "Partition", "Reason")
# Reasons are Slurm's own words, but a site's plugin may make up others: these have a label.
REASONS = frozenset(
    {"AssocGrpCpuLimit", "AssocGrpGRES", "AssocGrpMemLimit", "AssocMaxJobsLimit", "BeginTime"}
    | {"Dependency", "DependencyNeverSatisfied", "JobHeldAdmin", "JobHeldUser", "Licenses"}
    | {"MaxCpuPerAccount", "None", "PartitionConfig", "PartitionDown", "PartitionInactive"}
    | {"PartitionNodeLimit", "PartitionTimeLimit", "Priority", "Prolog", "QOSGrpCpuLimit"}
    | {"QOSGrpGRES", "QOSMaxCpuPerUserLimit", "QOSMaxGRESPerUser", "QOSMaxJobsPerUserLimit"}
    | {"QOSMaxMemoryPerUser", "ReqNodeNotAvail", "Reservation", "Resources"}
)
USABLE = frozenset({"allocated", "completing", "idle", "mixed", "reserved", "planned"})
# What has a name of its own among a node's flags, the gravest first.
GRAVE = (
    *(("down", "down"), ("fail", "down"), ("error", "down"), ("unknown", "down")),
    *(("not_responding", "not_responding"), ("invalid_reg", "down"), ("future", "future")),
    *(("powered_down", "powered_down"), ("powering_down", "powered_down")),
    *(("powering_up", "powering_up"), ("maintenance", "maintenance"), ("maint", "maintenance")),
    ("reboot", "maintenance"),
)


class NotUnderstood(Exception):
    """An answer of Slurm that is not of the form that was asked for."""


class Sample(NamedTuple):
    """One value of a metric."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


METRICS = {
    "slurmhub_slurm_up": ("gauge", "Whether the controller answered all questions"),
    "slurmhub_slurm_read_seconds": ("gauge", "How long the newest answers took"),
    "slurmhub_slurm_nodes": ("gauge", "Nodes of a partition by state"),
    "slurmhub_slurm_node_unusable": (
        "gauge",
        "1 for each node that starts no jobs, with its state: down, drained, draining ...",
    ),
    "slurmhub_slurm_cpus": ("gauge", "CPUs of a partition: allocated, idle, unusable"),
    "slurmhub_slurm_memory_bytes": (
        "gauge",
        "Memory of a partition that jobs may have: allocated, idle, unusable",
    ),
    "slurmhub_slurm_gpus": ("gauge", "GPUs of a partition: allocated, idle, unusable"),
    "slurmhub_slurm_jobs": ("gauge", "Jobs of everybody by partition and state"),
    "slurmhub_slurm_pending_jobs": ("gauge", "Jobs that wait, by partition and Slurm's reason"),
    "slurmhub_slurm_threads": ("gauge", "Threads of the controller that serve requests"),
    "slurmhub_slurm_agent_queue": ("gauge", "Messages of the controller to nodes that wait"),
    "slurmhub_slurm_dbd_queue": ("gauge", "Messages of the controller to slurmdbd that wait"),
    "slurmhub_slurm_cycle_seconds": ("gauge", "How long the newest scheduling cycle took"),
    "slurmhub_slurm_cycle_mean_seconds": ("gauge", "How long a scheduling cycle takes on average"),
    "slurmhub_slurm_backfill_seconds": ("gauge", "How long the newest backfill cycle took"),
    "slurmhub_slurm_rpcs_total": ("counter", "Messages to the controller by type"),
    "slurmhub_slurm_rpc_seconds_total": ("counter", "Time spent on messages by type"),
}


# What Slurm prints


def field_format(fields: Iterable[str]) -> str:
    """The format for -O: fields in full width, each with its mark."""
    *first, last = fields
    return ",".join([*(f"{name}:{COLUMN}" for name in first), f"{last}:{ROW}"])


def rows(output: str, width: int) -> Iterator[list[str]]:
    """The rows of an answer; raises NotUnderstood when one is cut or has another width."""
    *whole, rest = output.split(ROW + "\n")
    for row in whole:
        columns = [column.strip() for column in row.split(COLUMN)]
        if len(columns) != width:
            raise NotUnderstood(f"a row has {len(columns)} columns instead of {width}")
        yield columns
    if rest.strip():
        raise NotUnderstood("the last row is cut")


def node_state(text: str) -> str:
    """One word of a fixed set for a state and its flags, as in `idle+drain` or `down*`."""
    words = text.lower().split("+")
    base, flags = words[0].rstrip("*~#!%$@^-"), set(words[1:])
    if words[0].endswith("*"):
        flags.add("not_responding")
    for word, state in GRAVE:
        if word in (base, *flags):
            return state
    if flags & {"drain", "draining", "drained"} or base in ("drain", "draining", "drained"):
        busy = base in ("allocated", "mixed", "completing", "draining") or "completing" in flags
        return "draining" if busy else "drained"
    return base if base in USABLE else "other"


def gpus(text: str) -> int:
    """How many GPUs `gpu:h100:4(S:0),shard:8` has; 0 for none."""
    found = 0
    for part in re.split(r",(?![^()]*\))", text):
        bare = re.sub(r"\([^)]*\)", "", part)
        name, *rest = bare.split(":")
        if name == "gpu" and rest and rest[-1].isdigit():
            found += int(rest[-1])
    return found


def read_nodes(output: str) -> list[Sample]:
    """What sinfo says, where a node has a row for each of its partitions."""
    counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
    unusable: dict[str, str] = {}
    for name, text, cpus, memory, taken, gres, used, partition in rows(output, len(SINFO) + 1):
        of = partition.rstrip("*")
        state = node_state(text)
        _add(counts, "slurmhub_slurm_nodes", of, state, 1)
        usable = state in USABLE
        if not usable:
            unusable[name] = state
        allocated, idle, other, _total = (int(part) for part in cpus.split("/"))
        has = {
            "slurmhub_slurm_cpus": (
                allocated,
                idle if usable else 0,
                other if usable else idle + other,
            ),
            "slurmhub_slurm_memory_bytes": _split(int(memory) << 20, int(taken) << 20, usable),
            "slurmhub_slurm_gpus": _split(gpus(gres), gpus(used), usable),
        }
        for metric, values in has.items():
            for number, kind in enumerate(("allocated", "idle", "unusable")):
                _add(counts, metric, of, kind, values[number])
    found = [Sample(name, labels, value) for (name, labels), value in counts.items()]
    return found + [
        Sample("slurmhub_slurm_node_unusable", (("node", name), ("state", state)), 1)
        for name, state in unusable.items()
    ]


def _split(total: int, taken: int, usable: bool) -> tuple[int, int, int]:
    rest = max(0, total - taken)
    return taken, rest if usable else 0, 0 if usable else rest


def _add(
    counts: Counter[tuple[str, tuple[tuple[str, str], ...]]],
    metric: str,
    partition: str,
    state: str,
    value: int,
) -> None:
    counts[(metric, (("partition", partition), ("state", state)))] += value


def read_jobs(output: str) -> list[Sample]:
    """What squeue says; a job that waits for several partitions waits in each."""
    jobs: Counter[tuple[str, str]] = Counter()
    pending: Counter[tuple[str, str]] = Counter()
    for state, partitions, reason in rows(output, len(SQUEUE)):
        for partition in partitions.split(","):
            jobs[partition, state.lower()] += 1
            if state == "PENDING":
                # Some have more to say: "ReqNodeNotAvail, UnavailableNodes:c1".
                word = reason.strip("()").split(",")[0]
                pending[partition, word if word in REASONS else "other"] += 1
    return [
        Sample("slurmhub_slurm_jobs", (("partition", partition), ("state", state)), count)
        for (partition, state), count in jobs.items()
    ] + [
        Sample("slurmhub_slurm_pending_jobs", (("partition", partition), ("reason", why)), count)
        for (partition, why), count in pending.items()
    ]


def read_diagnosis(output: str) -> list[Sample]:
    """What sdiag says of the controller; its part by user is not read."""
    section = ""
    values: dict[tuple[str, str], str] = {}
    found: list[Sample] = []
    for line in output.splitlines():
        if line and not line[0].isspace():
            section = line.split("(")[0].strip(" :")
        name, _, value = line.partition(":")
        values.setdefault((section if line[:1].isspace() else "", name.strip()), value.strip())
        call = re.match(r"\s+(\w+)\s+\(\s*\d+\)\s+count:(\d+)\s.*total_time:(\d+)", line)
        if call and section.startswith("Remote Procedure Call statistics by message type"):
            label = (("type", call[1]),)
            found.append(Sample("slurmhub_slurm_rpcs_total", label, int(call[2])))
            found.append(Sample("slurmhub_slurm_rpc_seconds_total", label, int(call[3]) / 1e6))
    for metric, where, name, unit in (
        ("slurmhub_slurm_threads", "", "Server thread count", 1.0),
        ("slurmhub_slurm_agent_queue", "", "Agent queue size", 1.0),
        ("slurmhub_slurm_dbd_queue", "", "DBD Agent queue size", 1.0),
        ("slurmhub_slurm_cycle_seconds", "Main schedule statistics", "Last cycle", 1e-6),
        ("slurmhub_slurm_cycle_mean_seconds", "Main schedule statistics", "Mean cycle", 1e-6),
        ("slurmhub_slurm_backfill_seconds", "Backfilling stats", "Last cycle", 1e-6),
    ):
        text = values.get((where, name), "")
        if text.isdigit():
            found.append(Sample(metric, (), int(text) * unit))
        elif metric == "slurmhub_slurm_agent_queue":
            raise NotUnderstood("sdiag does not tell the agent's queue")
    return found


# Asking, and telling


class Cluster:
    """Asks Slurm, at most once in `fresh` seconds."""

    def __init__(self, bin_dir: str, fresh: float, timeout: float) -> None:
        self._bin_dir, self._fresh, self._timeout = bin_dir, fresh, timeout
        self._lock = threading.Lock()
        self._taken: float | None = None
        self._text = ""

    def text(self) -> str:
        """What Prometheus is told now."""
        with self._lock:
            if self._taken is None or time.monotonic() - self._taken >= self._fresh:
                self._text = exposition(self._read())
                self._taken = time.monotonic()
            return self._text

    def _read(self) -> list[Sample]:
        began = time.monotonic()
        try:
            nodes, jobs, diagnosis = self._ask(
                [*SINFO_ARGV, field_format((*SINFO, "Partition"))],
                [*SQUEUE_ARGV, field_format(SQUEUE)],
                ["sdiag"],
            )
            found = [*read_nodes(nodes), *read_jobs(jobs), *read_diagnosis(diagnosis)]
        except (OSError, subprocess.SubprocessError, NotUnderstood, ValueError) as error:
            print(f"Slurm could not be read: {error}", flush=True)
            found = []
        took = Sample("slurmhub_slurm_read_seconds", (), time.monotonic() - began)
        return [Sample("slurmhub_slurm_up", (), 1 if found else 0), took, *found]

    def _ask(self, *questions: list[str]) -> list[str]:
        """The answers to questions that are put at once; raises when one of them fails."""
        limit = time.monotonic() + self._timeout
        started = [
            subprocess.Popen(
                [os.path.join(self._bin_dir, argv[0]), *argv[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(),
            )
            for argv in questions
        ]
        try:
            answers = []
            for argv, process in zip(questions, started):  # noqa: B905 - Python 3.9 has no strict
                out, err = process.communicate(timeout=max(0.1, limit - time.monotonic()))
                if process.returncode != 0:
                    words = err.decode("utf-8", "replace").strip()[-300:]
                    raise NotUnderstood(f"{argv[0]}: {words}")
                answers.append(out.decode("utf-8", "replace"))
            return answers
        finally:
            for process in started:
                if process.poll() is None:
                    process.kill()
                    process.communicate()


def _environment() -> dict[str, str]:
    kept = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    if "SLURM_CONF" in os.environ:
        kept["SLURM_CONF"] = os.environ["SLURM_CONF"]
    return kept


def exposition(samples: Iterable[Sample]) -> str:
    """The samples in Prometheus's text format, each metric together with its meaning."""
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample.name, []).append(sample)
    lines = []
    for name, (kind, words) in METRICS.items():
        if name in by_name:
            lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
            lines += [_line(sample) for sample in sorted(by_name[name])]
    return "\n".join(lines) + "\n"


def _line(sample: Sample) -> str:
    escaped = (
        (name, value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
        for name, value in sample.labels
    )
    labels = ",".join(f'{name}="{value}"' for name, value in escaped)
    return (
        f"{sample.name}{{{labels}}} {sample.value:.10g}"
        if labels
        else (f"{sample.name} {sample.value:.10g}")
    )


def server(address: str, port: int, cluster: Cluster) -> ThreadingHTTPServer:
    """Listens, and answers /metrics and nothing else."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def do_GET(self) -> None:
            there = self.path.split("?")[0] == "/metrics"
            body = cluster.text().encode() if there else b"Metrics are at /metrics.\n"
            self.send_response(200 if there else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Scrapes are no news."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    return Server((address, port), Handler)


def main() -> None:
    """Serve until the end."""
    parser = argparse.ArgumentParser(description="Tells Prometheus of a Slurm cluster.")
    parser.add_argument("--listen", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=9341)
    parser.add_argument("--bin-dir", default="/usr/bin", help="where squeue is")
    parser.add_argument("--fresh", type=float, default=30, help="seconds between two readings")
    parser.add_argument("--timeout", type=float, default=8, help="seconds for Slurm's answers")
    chosen = parser.parse_args()
    cluster = Cluster(chosen.bin_dir, chosen.fresh, chosen.timeout)
    server(chosen.listen, chosen.port, cluster).serve_forever()


if __name__ == "__main__":
    main()
