"""Tell slurmhub what happens, one JSON object a line, on a descriptor that it opened."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.playbook.handler import Handler
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: slurmhub_events
type: notification
short_description: Tell slurmhub what happens
description:
  - Writes one JSON object a line to the file descriptor that E(SLURMHUB_EVENTS_FD) names.
  - Without that variable it is silent, so that playbooks can be run by hand.
requirements:
  - To be named in C(callbacks_enabled).
"""

_UNITS = ("service", "systemd", "systemd_service", "sysvinit", "slurmhub_current")
_LONGEST = 20000


class CallbackModule(CallbackBase):
    """One line for each play, task and result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "slurmhub_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._play_path = ""
        self._lost = False
        self._output: int | None = None
        number = os.environ.get("SLURMHUB_EVENTS_FD")
        if number is None:
            self.disabled = True
            return
        self._output = int(number)
        # What Ansible starts must not keep it open.
        os.set_inheritable(self._output, False)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A play begins."""
        self._play_path = play.get_path()
        self._tell("play", name=play.get_name(), path=self._play_path)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """A task begins."""
        self._tell("task", name=task.name or task.action, role=_role(task), handler=False)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """A handler begins."""
        self._tell("task", name=task.name or task.action, role=_role(task), handler=True)

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task went well."""
        if not isinstance(result.task, TaskInclude):
            self._ended(result, "changed" if result.is_changed() else "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task failed."""
        self._ended(result, "failed", ignored=ignore_errors)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """A task was not for this host."""
        self._ended(result, "skipped")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host did not answer."""
        self._ended(result, "unreachable", ignored=bool(result.task.ignore_unreachable))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The run is over."""
        hosts = [
            {
                "host": host,
                "ok": stats.ok.get(host, 0),
                "changed": stats.changed.get(host, 0),
                "failed": stats.failures.get(host, 0),
                "unreachable": stats.dark.get(host, 0),
            }
            for host in sorted(stats.processed)
        ]
        self._tell("run", hosts=hosts)

    def _ended(self, result: Any, status: str, *, ignored: bool = False) -> None:
        found = result.result
        items = [each for each in found.get("results") or [] if isinstance(each, dict)]
        task = result.task
        bad = status in ("failed", "unreachable")
        told: dict[str, Any] = {
            "host": result.host.get_name(),
            "name": task.name or task.action,
            "role": _role(task),
            "play_path": self._play_path,
            "action": task.action.rpartition(".")[2],
            "status": status,
            "handler": isinstance(task, Handler),
            "ignored": ignored,
            "would_destroy": [n for one in [found, *items] for n in one.get("would_destroy") or []],
        }
        if bad:
            told["message"] = _message(found, items)
            told["path"] = task.get_path()
        if status == "changed":
            told["diff"] = [d for one in [found, *items] for d in _diffs(one)]
            told["units"] = _units(told["action"], found, items)
        self._tell("ended", **told)

    def _tell(self, event: str, **data: Any) -> None:
        if self._output is None or self._lost:
            return
        line = json.dumps({"event": event, **data}, default=str) + "\n"
        try:
            _write(self._output, line.encode())
        except BrokenPipeError:
            # Whoever started this run is gone, and the kernel told the run to end.
            self._lost = True


def _write(output: int, data: bytes) -> None:
    while data:
        data = data[os.write(output, data) :]


def _role(task: Any) -> str:
    return str(task._role.get_name()) if task._role else ""


def _message(found: Any, items: list[Any]) -> str:
    """What the task said, with what its programs wrote: what is needed to know why."""
    said = []
    for one in [found, *(item for item in items if item.get("failed"))]:
        for key in ("msg", "reason", "stderr", "module_stderr", "module_stdout"):
            text = one.get(key)
            if isinstance(text, list):
                text = "\n".join(str(each) for each in text)
            text = _with_command(str(text or "").strip(), one)
            if text and text not in said:
                said.append(text)
    if len(said) > 1:
        # Ansible's own words for a loop say nothing.
        said = [text for text in said if text != "One or more items failed"]
    if found.get("censored") and not said:
        said.append("What it said is not shown, since it was given secrets.")
    return "\n".join(said)[:_LONGEST]


def _with_command(text: str, one: Any) -> str:
    """Of a program that only ended badly, which one, and how."""
    if text != "non-zero return code":
        return text
    command = one.get("cmd")
    words = " ".join(map(str, command)) if isinstance(command, list) else command
    return f"{words} ended with status {one.get('rc')}."


def _diffs(one: Any) -> list[Any]:
    """What a module says it changed, with the file that it is about."""
    diff = one.get("diff")
    found = [each for each in (diff if isinstance(diff, list) else [diff]) if each]
    asked = (one.get("invocation") or {}).get("module_args") or {}
    # Ansible's own headers name the temporary file that a template was written to.
    about = one.get("dest") or one.get("path") or asked.get("dest") or asked.get("path") or ""
    return [_short(each, str(about)) for each in found]


def _short(diff: Any, about: str) -> Any:
    if not isinstance(diff, dict):
        return {"prepared": str(diff)[:_LONGEST]}
    header = about or diff.get("after_header") or diff.get("before_header") or ""
    kept = {key: diff[key] for key in ("before", "after", "prepared") if key in diff}
    return {"header": header} | {
        key: value[:_LONGEST] if isinstance(value, str) else value for key, value in kept.items()
    }


def _units(action: str, found: Any, items: list[Any]) -> list[dict[str, Any]]:
    """Which units a task changed, and into what state they were to come."""
    if action not in _UNITS:
        return []
    units = []
    for one in [item for item in items if item.get("changed")] or [found]:
        asked = (one.get("invocation") or {}).get("module_args") or {}
        name = one.get("name") or asked.get("name")
        if name:
            units.append({"name": str(name), "state": asked.get("state") or one.get("state")})
    return units
