"""From the events of a run in check mode to what it would change: a pure function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from slurmhub_deploy.operate.planning.consequences import act_of, consequence, hub_of_unit
from slurmhub_deploy.operate.running.events import Change, Event, TaskEnded
from slurmhub_deploy.operate.running.failures import Failure, failure
from slurmhub_deploy.site.model import Site


@dataclass(frozen=True)
class Planned:
    """One change on one host."""

    layer: str
    host: str
    role: str
    task: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Touched:
    """A service of a host that would restart, reload or stop, and what people notice of it."""

    host: str
    unit: str
    act: str
    words: str

    def as_text(self) -> str:
        """For people."""
        verb = {"restart": "restarts", "reload": "reloads", "stop": "stops"}.get(self.act, self.act)
        what = f"{verb} {self.unit} on {self.host}" if self.unit else f"{verb} {self.host}"
        return f"{what}: {self.words}" if self.words else what


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    `unforeseen` are tasks that fail only because what they need would be made before them, or
    that would fail indeed; what comes after them on that host is not known.
    """

    planned: tuple[Planned, ...]
    touched: tuple[Touched, ...]
    would_destroy: tuple[str, ...]
    unforeseen: tuple[Failure, ...]
    new_secrets: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether all is as it should be."""
        return not (self.planned or self.unforeseen or self.would_destroy or self.new_secrets)

    def as_data(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def plan_of(
    events: Iterable[Event],
    site: Site,
    servers: Mapping[str, int | None],
    new_secrets: Sequence[str] = (),
) -> Plan:
    """The plan of these events; `servers` are the running servers by hub, as far as known."""
    ended = [each for each in events if isinstance(each, TaskEnded)]
    changed = [each for each in ended if each.status == "changed"]
    touched = [each for one in changed for each in _touched(one, site, servers)]
    return Plan(
        planned=tuple(
            Planned(each.layer, each.host, each.role, each.name, each.changes) for each in changed
        ),
        touched=tuple(dict.fromkeys(touched)),
        would_destroy=tuple(dict.fromkeys(name for each in ended for name in each.would_destroy)),
        unforeseen=tuple(failure(each) for each in ended if each.bad and not each.would_destroy),
        new_secrets=tuple(new_secrets),
    )


def _touched(ended: TaskEnded, site: Site, servers: Mapping[str, int | None]) -> Iterable[Touched]:
    if ended.action == "reboot":
        words = "jobs on it end, and start again if Slurm may requeue them"
        yield Touched(ended.host, "", "reboots", words)
    for unit in ended.units:
        act = act_of(unit.state)
        if act is None:
            continue
        words = consequence(unit.name, act, site.hubs)
        hubs = _hubs(ended.host, unit.name, site)
        yield Touched(ended.host, unit.name, act, _filled(words, hubs, site, servers))


def _hubs(host: str, unit: str, site: Site) -> list[str]:
    """The hubs that a unit serves: the one it is named for, or those on its host."""
    named = hub_of_unit(unit, site.hubs)
    if named is not None:
        return [named]
    return [name for name, hub in site.hubs.items() if hub.host == host]


def _filled(words: str, hubs: Sequence[str], site: Site, servers: Mapping[str, int | None]) -> str:
    addresses = " and ".join(site.hubs[name].domain for name in hubs) or "the hub"
    counts = [servers.get(name) for name in hubs]
    known = [count for count in counts if count is not None]
    if hubs and len(known) == len(counts):
        number = sum(known)
        running = "1 running server" if number == 1 else f"{number} running servers"
        if number == 1:
            words = words.replace("{servers} go on", "{servers} goes on")
    else:
        running = "running servers"
    return words.replace("{hub}", addresses).replace("{servers}", running)
