"""What happens during a run, as our callback plugin tells it: a JSON object for each line.

The plugin is ansible/callback_plugins/slurmhub_events.py; both sides change together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, cast

Status = Literal["ok", "changed", "failed", "unreachable", "skipped"]


@dataclass(frozen=True)
class PlayStarted:
    """A play begins; `layer` is the name of its playbook."""

    name: str
    layer: str


@dataclass(frozen=True)
class TaskStarted:
    """A task begins, on any of the hosts."""

    name: str
    role: str
    handler: bool


@dataclass(frozen=True)
class Change:
    """One thing that a task changed, or would: before and after as texts, either may be empty."""

    header: str
    before: str
    after: str


@dataclass(frozen=True)
class Unit:
    """A systemd unit that a task changed, and the state it was to come into, if any."""

    name: str
    state: str


@dataclass(frozen=True)
class TaskEnded:
    """A task ended on one host."""

    host: str
    name: str
    role: str
    layer: str
    action: str
    status: Status
    handler: bool = False
    ignored: bool = False
    message: str = ""
    file: str = ""
    changes: tuple[Change, ...] = ()
    would_destroy: tuple[str, ...] = ()
    units: tuple[Unit, ...] = ()

    @property
    def bad(self) -> bool:
        """Whether the run fails because of it."""
        return self.status in ("failed", "unreachable") and not self.ignored


@dataclass(frozen=True)
class HostCounts:
    """A host at the end of the run: how many tasks ended how."""

    host: str
    ok: int
    changed: int
    failed: int
    unreachable: int


@dataclass(frozen=True)
class RunEnded:
    """The run came to its end."""

    hosts: tuple[HostCounts, ...]


Event = PlayStarted | TaskStarted | TaskEnded | RunEnded


def event(line: str) -> Event | None:
    """The event of this line; None if it is of a kind that is not known here.

    Raises ValueError if it is no line of the plugin.
    """
    data = json.loads(line)
    kind = data.pop("event")
    if kind == "play":
        return PlayStarted(str(data["name"]), layer_of(data["path"]))
    if kind == "task":
        return TaskStarted(str(data["name"]), str(data["role"]), bool(data["handler"]))
    if kind == "ended":
        return _ended(data)
    if kind == "run":
        return RunEnded(tuple(HostCounts(**counts) for counts in data["hosts"]))
    return None


def layer_of(path: str) -> str:
    """The layer that a play belongs to: the name of its playbook, without ending and line."""
    return PurePosixPath(path.rpartition(":")[0] or path).stem


def _ended(data: dict[str, Any]) -> TaskEnded:
    changes = tuple(_changes(data.get("diff")))
    return TaskEnded(
        host=str(data["host"]),
        name=str(data["name"]),
        role=str(data["role"]),
        layer=layer_of(data["play_path"]),
        action=str(data["action"]),
        status=cast(Status, data["status"]),
        handler=bool(data["handler"]),
        ignored=bool(data["ignored"]),
        message=str(data.get("message") or ""),
        file=str(data.get("path") or ""),
        changes=changes,
        would_destroy=tuple(str(name) for name in data.get("would_destroy") or ()),
        units=tuple(Unit(each["name"], each["state"] or "") for each in data.get("units") or ()),
    )


def _changes(found: Any) -> Iterable[Change]:
    """Modules give a mapping or a list of them, with texts or data before and after."""
    for each in found if isinstance(found, list) else [found]:
        if not isinstance(each, dict):
            continue
        header = str(each.get("header") or "")
        if "prepared" in each:
            yield Change(header, "", str(each["prepared"]))
        before, after = each.get("before"), each.get("after")
        if isinstance(before, dict) and isinstance(after, dict):
            # Of attributes only those that differ tell something.
            names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
            before = "".join(f"{name}: {before[name]}\n" for name in names if name in before)
            after = "".join(f"{name}: {after[name]}\n" for name in names if name in after)
        if "before" in each or "after" in each:
            yield Change(header, _text(before), _text(after))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=1, sort_keys=True)
