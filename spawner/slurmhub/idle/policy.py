"""How long a server, or its GPUs, may do nothing: the site's policy as data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from slurmhub.errors import SlurmhubError
from slurmhub.slurm.errors import SlurmTextError
from slurmhub.slurm.times import TimeLimit

_SETTING = "c.SlurmHubSpawner.idle_policies"
_PARTS = ("server", "gpu", "warning")
_USUAL_WARNING = 600


class IdlePolicyWrong(SlurmhubError):
    """The site's idle policies cannot be used."""


@dataclass(frozen=True)
class IdlePolicy:
    """After how many idle seconds a server is ended, and how long before that it is warned.

    `server` counts from the last use of the server, `gpu` from when all its GPUs began to do
    nothing; None where that does not end a server.
    """

    server: int | None
    gpu: int | None
    warning: int


def read_policies(
    setting: Mapping[str, Any], profiles: Collection[str] = ()
) -> dict[str, IdlePolicy]:
    """The policies by name of profile, "" for all others.

    `profiles` are the names of the site's profiles. Raises IdlePolicyWrong, which names the
    mistake.
    """
    policies = {}
    for name, parts in setting.items():
        where = f'{_SETTING}["{name}"]'
        if name and name not in profiles:
            known = ", ".join(sorted(profiles)) or "this hub has no profiles"
            raise IdlePolicyWrong(
                f'{_SETTING} has a policy for "{name}", and there is no profile of that name.',
                remedy=f'Give the name of a profile ({known}), or "" for all other servers.',
            )
        if not isinstance(parts, Mapping) or not set(parts) <= set(_PARTS):
            raise IdlePolicyWrong(
                f"{where} is {parts!r}.",
                remedy=f"Give a mapping of {', '.join(_PARTS)} to times.",
            )
        if parts:
            policies[name] = _read(where, parts)
    return policies


def _read(where: str, parts: Mapping[str, Any]) -> IdlePolicy:
    server, gpu = (
        _seconds(where, name, parts[name]) if name in parts else None for name in ("server", "gpu")
    )
    limits = [limit for limit in (server, gpu) if limit is not None]
    if not limits:
        raise IdlePolicyWrong(
            f"{where} says neither server nor gpu, so it ends nothing.",
            remedy="Give at least one of them, or leave this policy out.",
        )
    if server is not None and gpu is not None and gpu > server:
        raise IdlePolicyWrong(
            f"{where} lets GPUs do nothing for longer than the whole server.",
            remedy="Make gpu shorter than server: GPUs are what others wait for.",
        )
    usual = min(_USUAL_WARNING, min(limits) // 2)
    warning = _seconds(where, "warning", parts["warning"]) if "warning" in parts else usual
    if warning >= min(limits):
        raise IdlePolicyWrong(
            f"{where} warns as early as it ends a server, or earlier.",
            remedy="Make warning shorter than server and gpu.",
        )
    return IdlePolicy(server, gpu, warning)


def _seconds(where: str, name: str, value: Any) -> int:
    try:
        seconds = TimeLimit.parse(str(value)).seconds
    except SlurmTextError as error:
        raise IdlePolicyWrong(f"{where} has {name} {value!r}.", remedy=error.remedy) from error
    if not seconds:
        raise IdlePolicyWrong(
            f"{where} has {name} {value!r}, which is no length of time.",
            remedy="Give a time such as 2:00:00, or leave it out.",
        )
    return seconds
