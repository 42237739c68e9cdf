"""Slurm's answers, read into records.

Owners choose the name, comment and (where accounting is not enforced) account of their jobs,
and Slurm prints these as they are, line breaks and control characters included. Rows and
columns are therefore parted by marks that hold a random word, new for every question: no job
can be named so that it looks like another job's row.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

from slurmhub.slurm.dialect import exit_status, takes_whole_nodes
from slurmhub.slurm.errors import SlurmTextError, SlurmUnreachable
from slurmhub.slurm.gres import Gres, parse_gres
from slurmhub.slurm.memory import Memory
from slurmhub.slurm.nodelist import expand
from slurmhub.slurm.records import JobRecord, NodeRecord, PartitionRecord
from slurmhub.slurm.states import JobState, Phase, phase_of
from slurmhub.slurm.times import TimeLimit, parse_timestamp
from slurmhub.slurm.tres import Tres, parse_tres

T = TypeVar("T")

_NOTHING = frozenset({"", "(null)", "n/a", "N/A", "NULL", "None assigned"})
# Base states and flags of a node on which Slurm starts nothing until somebody sees to it.
_UNUSABLE = frozenset(
    {"down", "error", "unknown", "future", "drain", "drained", "draining", "fail", "failing"}
    | {"not_responding", "invalid_reg", "external", "blocked"}
)


@dataclass(frozen=True)
class Table:
    """The columns of one question, and the marks that part its answer."""

    fields: tuple[str, ...]
    word: str = field(default_factory=lambda: secrets.token_urlsafe(9))

    @property
    def format(self) -> str:
        """The format for squeue or sinfo: each field with its mark, in full width."""
        *first, last = self.fields
        columns = [f"{name}:\x1f{self.word}" for name in first]
        return ",".join([*columns, f"{last}:\x1e{self.word}"])

    def rows(self, output: str) -> Iterator[list[str]]:
        """The rows of an answer; raises SlurmUnreachable when it is cut or not as asked for."""
        column, end = f"\x1f{self.word}", f"\x1e{self.word}\n"
        *rows, rest = output.split(end)
        width = len(self.fields)
        for row in rows:
            values = row.split(column)
            if len(values) != width:
                raise not_understood(f"a row has {len(values)} columns instead of {width}")
            yield values
        if rest:
            raise not_understood("the last row is cut")


def not_understood(why: str) -> SlurmUnreachable:
    """The error for an answer that is not what was asked for."""
    return SlurmUnreachable(
        f"Slurm's answer was not understood: {why}.",
        remedy="Check that Slurm's commands and its controller are of a supported release.",
    )


def read_jobs(rows: Iterable[Sequence[str]]) -> list[JobRecord]:
    """Records of rows that have the columns of `dialect.JOB_FIELDS`."""
    return [_job(row) for row in rows]


def read_nodes(rows: Iterable[Sequence[str]]) -> tuple[NodeRecord, ...]:
    """Records of rows that have the columns of `dialect.NODE_FIELDS`, one for each node."""
    nodes: dict[str, NodeRecord] = {}
    partitions: dict[str, list[str]] = {}
    for row in rows:
        name, partition = row[0], _word(row[-1])
        if name not in nodes:
            nodes[name] = _node(row)
        if partition:
            partitions.setdefault(name, []).append(partition)
    return tuple(
        replace(node, partitions=tuple(partitions.get(name, ()))) for name, node in nodes.items()
    )


def read_partitions(output: str) -> tuple[PartitionRecord, ...]:
    """Records of what `scontrol -o show partition` prints, one line for each partition."""
    return tuple(_partition(line) for line in output.splitlines() if line.strip())


def read_pairs(output: str) -> dict[str, str]:
    """The `name = value` lines of `scontrol show config`."""
    pairs = (line.partition("=") for line in output.splitlines())
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}


def read_canceller(output: str) -> int | None:
    """The uid in sacct's "CANCELLED by 1001", of the last state that it prints."""
    state, _, uid = (output.split("\n")[:-1] or [""])[-1].partition(" by ")
    return _number(uid.strip()) if state == "CANCELLED" else None


def read_rpc_counts(output: str) -> dict[str, int]:
    """How often each message came, from what `sdiag` prints."""
    counts: dict[str, int] = {}
    inside = False
    for line in output.splitlines():
        if not line.startswith("\t"):
            inside = line.startswith("Remote Procedure Call statistics by message type")
        elif inside:
            name, _, rest = line.strip().partition("(")
            _, found, number = rest.partition("count:")
            if found:
                counts[name.strip()] = _must_be_number(number.partition(" ")[0], "count")
    return counts


def _job(row: Sequence[str]) -> JobRecord:
    (
        job_id, uid, user, raw_state, reason, partition, batch_host, node_list, cpus, tres,
        per_node, per_job, per_task, per_socket, time_limit, time_left, submitted, start, end,
        restarts, exit_code, priority, qos, reservation, account, name, comment,
    ) = row  # fmt: skip
    state = JobState.parse(raw_state)
    phase = phase_of(state)
    # A job that is cancelled in the queue has a start time too, but never had a node.
    host, nodes, start_time = _word(batch_host), _nodes(node_list), _try(parse_timestamp, start)
    code, signal = _exit(exit_code) if phase in (Phase.GONE, Phase.ENDING) else (None, None)
    needs = _try(parse_tres, tres) or Tres()
    return JobRecord(
        job_id=_must_be_number(job_id, "job id"),
        uid=_must_be_number(uid, "user id"),
        user=user,
        name=_word(name),
        comment=_word(comment),
        state=state,
        raw_state=raw_state,
        reason=_word(reason),
        partition=_word(partition),
        account=_word(account),
        qos=_word(qos),
        reservation=_word(reservation),
        batch_host=host or None,
        node_list=nodes,
        cpus=_number(cpus) or needs.cpus or 0,
        memory=needs.memory,
        gres=_job_gres(per_node, per_job, per_task, per_socket),
        time_limit=_try(TimeLimit.parse, time_limit),
        time_left=_try(TimeLimit.parse, time_left),
        submitted=_try(parse_timestamp, submitted),
        started=None if phase is Phase.PENDING or not (nodes or host) else start_time,
        expected_start=start_time if phase is Phase.PENDING else None,
        ends=None if phase is Phase.PENDING else _try(parse_timestamp, end),
        restarts=_number(restarts) or 0,
        exit_code=code,
        exit_signal=signal,
        priority=_number(priority),
    )


def _node(row: Sequence[str]) -> NodeRecord:
    name, address, state, cpus, usage, memory, allocated, gres, used, features, _ = row
    words = state.lower().split("+")
    base = words[0].rstrip("*~#!%$@^-")
    usage_counts = usage.split("/")
    return NodeRecord(
        name=name,
        address=_word(address) or name,
        state=base,
        usable=_UNUSABLE.isdisjoint([base, *words[1:]]) and not words[0].endswith("*"),
        cpus=_must_be_number(cpus, "number of CPUs"),
        cpus_idle=(_number(usage_counts[1]) or 0) if len(usage_counts) == 4 else 0,
        memory=_try(Memory.parse, memory) or Memory(0),
        memory_allocated=_try(Memory.parse, allocated) or Memory(0),
        gres=_try(parse_gres, gres) or (),
        gres_used=_try(parse_gres, used) or (),
        features=tuple(_word(features).split(",")) if _word(features) else (),
        partitions=(),
    )


def _partition(line: str) -> PartitionRecord:
    pairs = (word.partition("=") for word in line.split())
    words = {name: value for name, _, value in pairs}
    name = words.get("PartitionName")
    if not name:
        raise not_understood("a partition has no name")
    return PartitionRecord(
        name=name,
        default=words.get("Default") == "YES",
        hidden="YES" in (words.get("Hidden"), words.get("RootOnly")),
        up=words.get("State") == "UP",
        exclusive=takes_whole_nodes(words),
        max_time=TimeLimit.parse(words.get("MaxTime", "UNLIMITED")),
        default_time=_try(TimeLimit.parse, words.get("DefaultTime", "NONE")),
        allow_groups=_allowed(words.get("AllowGroups")),
        allow_accounts=_allowed(words.get("AllowAccounts")),
        deny_accounts=_allowed(words.get("DenyAccounts")) or (),
        allow_qos=_allowed(words.get("AllowQos")),
        deny_qos=_allowed(words.get("DenyQos")) or (),
        nodes=_nodes(words.get("Nodes", "")),
        max_cpus_per_node=_number(words.get("MaxCPUsPerNode", "")),
        max_memory_per_node=_try(Memory.parse, words.get("MaxMemPerNode", "")),
        max_memory_per_cpu=_try(Memory.parse, words.get("MaxMemPerCPU", "")),
        default_memory_per_node=_try(Memory.parse, words.get("DefMemPerNode", "")),
        default_memory_per_cpu=_try(Memory.parse, words.get("DefMemPerCPU", "")),
        qos=_word(words.get("QoS", "")),
    )


def _allowed(text: str | None) -> tuple[str, ...] | None:
    """The names of a list; None where it says that all are meant, or is not there."""
    if text is None or text.upper() == "ALL" or text in _NOTHING:
        return None
    return tuple(text.split(","))


@lru_cache(maxsize=8192)
def _job_gres(*texts: str) -> tuple[Gres, ...]:
    """What a job of one node asks for, however it asks: options repeat, they do not add up."""
    found: dict[tuple[str, str | None], Gres] = {}
    for text in texts:
        # From 24.11 on there are also lists such as cpu=4, where nothing is a generic resource.
        for one in (_try(parse_gres, text) if "gres" in text else None) or ():
            known = found.get((one.name, one.type))
            if known is None or known.count < one.count:
                found[one.name, one.type] = one
    return tuple(found.values())


@lru_cache(maxsize=1024)
def _exit(text: str) -> tuple[int | None, int | None]:
    try:
        code, signal = exit_status(text)
    except ValueError:
        return None, None
    return (None if signal and not code else code), (signal or None)


@lru_cache(maxsize=8192)
def _nodes(text: str) -> tuple[str, ...]:
    return tuple(_try(expand, text) or ())


def _try(parse: Callable[[str], T | None], text: str) -> T | None:
    """What a text means, or None: one odd value must not hide the rest of the answer."""
    try:
        return parse(text)
    except SlurmTextError:
        return None


def _word(text: str) -> str:
    return "" if text in _NOTHING else text


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _must_be_number(text: str, what: str) -> int:
    number = _number(text)
    if number is None:
        raise not_understood(f"{text[:40]!r} stands where a {what} should be")
    return number
