#!/usr/bin/python
"""Has a unit that runs take up what was written for it and never told to it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: slurmhub_current
short_description: A unit that works with its files as they are now
description:
  - A handler tells a unit that its files changed. When a run is killed between the change and the
    handler, the next run finds the files as they should be, and tells nobody. This module compares
    the files with the moment at which the unit last took them up, and does what was left out.
  - It stands after C(meta=flush_handlers), so that what this run changed is in force already.
  - What it found is kept until the next boot, with digests of the files; so a file that is touched
    and not changed, or a clock that is set, restarts nothing.
  - A unit that does not run is left alone, since it reads its files when it is started.
options:
  name:
    description: The unit, with its ending.
    type: str
    required: true
  restart_for:
    description:
      - Files that the unit reads at its start; patterns with C(*), too. A folder counts with what
        is in it, so that a file which was removed is noticed.
    type: list
    elements: path
    default: []
  reload_for:
    description: Files that the unit reads at its start and when it is reloaded.
    type: list
    elements: path
    default: []
  reread_for:
    description:
      - Files of units, which systemd itself reads. Those of the other lists that are below a folder
        C(systemd/system) count here as well.
    type: list
    elements: path
    default: []
  stamps:
    description: The folder of what was found; it must not outlive a boot.
    type: path
    default: /run/slurmhub/current
author: [slurmhub]
attributes:
  check_mode:
    support: full
    description: Says what would be done.
  diff_mode:
    support: full
    description: Names the files.
"""

EXAMPLES = r"""
- name: Have slurmd work with the files of now
  slurmhub_current:
    name: slurmd.service
    restart_for: [/etc/slurm/slurm.conf, /etc/slurm/cgroup.conf]
    reload_for: [/etc/slurm/nodes.conf]
"""

RETURN = r"""
name:
  description: The unit.
  returned: always
  type: str
state:
  description: What was done to it, C(restarted) or C(reloaded); empty for nothing.
  returned: always
  type: str
reread:
  description: Whether systemd read its units again.
  returned: always
  type: bool
files:
  description: The files that had not been taken up.
  returned: always
  type: list
  elements: str
"""

import glob  # noqa: E402 - Ansible wants the documentation first
import hashlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from datetime import datetime, timezone  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

OF_SYSTEMD = "/systemd/system/"
RUNS = ("active", "reloading")


@dataclass(frozen=True)
class Moment:
    """When something was read: what the clock said then, and what tells it from any other.

    The clock may have been set since; `earliest` is the earlier of what it said then and what it
    would say by its setting of now, in nanoseconds. `name` is systemd's CLOCK_MONOTONIC.
    """

    name: str
    earliest: int


@dataclass(frozen=True)
class File:
    """One that is read: when it, its name or its mode last changed, and what is in it."""

    changed: int
    digest: str


def main() -> None:
    """Do what the module's arguments say."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "restart_for": {"type": "list", "elements": "path", "default": []},
            "reload_for": {"type": "list", "elements": "path", "default": []},
            "reread_for": {"type": "list", "elements": "path", "default": []},
            "stamps": {"type": "path", "default": "/run/slurmhub/current"},
        },
        supports_check_mode=True,
    )
    current = Current(module)
    unread = current.reread()
    waiting, state = current.tell()
    files = sorted({*unread, *waiting})
    if not module.check_mode:
        current.remember()
    module.exit_json(
        changed=bool(files),
        name=current.unit,
        state=state,
        reread=bool(unread),
        files=files,
        diff={"prepared": "\n".join(["Not taken up yet:", *files, ""])} if files else {},
    )


class Current:
    """The unit of the module's arguments, its files, and what was found the last time."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.unit = module.params["name"]
        asked = {act: module.params[f"{act}_for"] for act in ("reread", "restart", "reload")}
        asked["reread"] = asked["reread"] + [
            path for path in asked["restart"] if OF_SYSTEMD in path
        ]
        self.files = {act: look(paths) for act, paths in asked.items()}
        # Two tasks may look after files of one unit; each has what it found for itself.
        which = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:12]
        self.stamp = os.path.join(module.params["stamps"], f"{self.unit}-{which}")
        self.found = read(self.stamp)

    def reread(self) -> list[str]:
        """Have systemd read its units again if it has to; the files that it had not read."""
        if not self.files["reread"]:
            return []
        unread = self.waiting("reread", loaded_at(self.show("")))
        if unread and not self.module.check_mode:
            self.systemctl("daemon-reload")
        return unread

    def tell(self) -> tuple[list[str], str]:
        """Restart or reload the unit if it must be; the files it had not read, what was done."""
        shown = self.show(self.unit)
        if shown.get("ActiveState") not in RUNS:
            return [], ""
        for act, at in (("restart", started_at(shown)), ("reload", reloaded_at(shown))):
            waiting = self.waiting(act, at)
            if waiting:
                if not self.module.check_mode:
                    self.systemctl(act, self.unit)
                return waiting, f"{act}ed"
        return [], ""

    def waiting(self, act: str, at: Moment) -> list[str]:
        """The files of this act that differ from those that were read at that moment."""
        files = self.files[act]
        before = self.found.get(act, {})
        if before.get("moment") == at.name:
            digests = before["files"]
            gone = [path for path in digests if path not in files]
            return gone + [path for path in files if files[path].digest != digests.get(path)]
        return [path for path in files if files[path].changed > at.earliest]

    def remember(self) -> None:
        """Keep that all files are taken up now, by the moments at which they were."""
        shown = self.show(self.unit)
        moments = {"reread": loaded_at(self.show(""))}
        if shown.get("ActiveState") in RUNS:
            moments.update(restart=started_at(shown), reload=reloaded_at(shown))
        found = {
            act: {
                "moment": at.name,
                "files": {path: file.digest for path, file in self.files[act].items()},
            }
            for act, at in moments.items()
        }
        if found != self.found:
            write(self.stamp, json.dumps(found))

    def show(self, unit: str) -> dict[str, str]:
        """What systemd says of a unit, or of itself."""
        argv = ["systemctl", "show", "--timestamp=us+utc", *([unit] if unit else [])]
        out = self.run(argv)
        return dict(line.partition("=")[::2] for line in out.splitlines())

    def systemctl(self, *words: str) -> None:
        """Have systemd do something, and wait for its end."""
        self.run(["systemctl", *words])

    def run(self, argv: list[str]) -> str:
        """The output of this command; ends the module if it fails."""
        status, out, err = self.module.run_command(argv)
        if status != 0:
            self.module.fail_json(
                msg=f"{' '.join(argv)} ended with {status}: {(err or out).strip()}\nWhat to do: "
                f"see journalctl -u {self.unit} on this host, and run this again.",
                rc=status,
            )
        return str(out)


def loaded_at(shown: dict[str, str]) -> Moment:
    """When systemd last began to read its units."""
    return moment(shown, "UnitsLoadTimestamp")


def started_at(shown: dict[str, str]) -> Moment:
    """When the start of this unit began."""
    return moment(shown, "InactiveExitTimestamp")


def reloaded_at(shown: dict[str, str]) -> Moment:
    """When this unit last came back from a reload that went well; else when its start began.

    A reload is a state of its own, whatever the type of the unit; a failed one ends as well, and
    is told from others by its result (org.freedesktop.systemd1(5)).
    """
    began, settled = started_at(shown), moment(shown, "StateChangeTimestamp")
    reloaded = shown.get("StateChangeTimestamp") != shown.get("ActiveEnterTimestamp")
    return settled if reloaded and shown.get("ReloadResult") == "success" else began


def moment(shown: dict[str, str], what: str) -> Moment:
    """The moment of this name; the beginning of time for one that never was."""
    monotonic = int(shown.get(f"{what}Monotonic") or 0)
    words = shown.get(what, "").split()
    if not monotonic or len(words) < 3:
        return Moment(str(monotonic), 0)
    said = datetime.strptime(" ".join(words[1:3]), "%Y-%m-%d %H:%M:%S.%f")
    then = int(said.replace(tzinfo=timezone.utc).timestamp() * 1_000_000) * 1000
    by_now = time.time_ns() - (time.monotonic_ns() - monotonic * 1000)
    return Moment(str(monotonic), min(then, by_now))


def look(patterns: list[str]) -> dict[str, File]:
    """The files of these paths and patterns, by path."""
    found = {}
    for pattern in patterns:
        for path in [pattern] if os.path.lexists(pattern) else sorted(glob.glob(pattern)):
            found[path] = file_at(path)
            if os.path.isdir(path) and not os.path.islink(path):
                for name in sorted(os.listdir(path)):
                    found[os.path.join(path, name)] = file_at(os.path.join(path, name))
    return found


def file_at(path: str) -> File:
    """What is at this path: of a folder its names, of a link where it leads and the file there."""
    changed = os.lstat(path).st_ctime_ns
    digest = hashlib.sha256()
    if os.path.islink(path):
        digest.update(os.readlink(path).encode() + b"\0")
    if os.path.isfile(path):
        changed = max(changed, os.stat(path).st_ctime_ns)
        with open(path, "rb") as file:
            digest.update(file.read())
    elif os.path.isdir(path) and not os.path.islink(path):
        digest.update("\0".join(sorted(os.listdir(path))).encode())
    return File(changed, digest.hexdigest())


def read(stamp: str) -> dict[str, dict[str, object]]:
    """What was found the last time; nothing if that cannot be told."""
    try:
        with open(stamp, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(stamp: str, text: str) -> None:
    """The whole file or nothing of it, for root alone."""
    os.makedirs(os.path.dirname(stamp), mode=0o700, exist_ok=True)
    with open(f"{stamp}.new", "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    os.replace(f"{stamp}.new", stamp)


if __name__ == "__main__":
    main()
