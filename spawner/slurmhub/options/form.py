"""The form: an HTML fragment for inside the form element of JupyterHub's spawn page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from slurmhub.announcing import Announcing
from slurmhub.language import Translating
from slurmhub.options.fields import MANY
from slurmhub.options.form_data import FormData
from slurmhub.options.narrowing import Terms, under
from slurmhub.options.offer import Offer
from slurmhub.options.partitions import ANY_TYPE, PartitionOffer
from slurmhub.options.reading import in_form_order, prefill, shown_value, shown_values
from slurmhub.options.refusal import Problem
from slurmhub.options.request import FIELDS, NO_GPU_TYPE
from slurmhub.options.terms import ReservationTerms
from slurmhub.options.words import (
    SHARD,
    age_plain,
    counted,
    gpus_said,
    memory_plain,
    moment_plain,
    time_plain,
)

_TEMPLATES = Path(__file__).parents[1] / "web" / "templates"

_TIMES = "\u00d7"

LABELS = {
    "partition": "Partition (queue)",
    "account": "Account",
    "qos": "QOS (quality of service)",
    "reservation": "Reservation",
    "features": "Nodes with",
    "cpus": "CPUs",
    "memory": "Memory (GB)",
    "gpus": "GPUs",
    "gpu_type": "GPU type",
    "hours": "Hours",
}
_HINTS = {
    "partition": "The part of the cluster that your server runs on.",
    "account": "Who is charged for what your server uses.",
    "qos": "The rules and limits that your job has.",
    "reservation": "Nodes that are set aside for you for a time.",
    "features": "Your server needs all that is ticked.",
    "cpus": "Processor cores.",
    "memory": "Such as 4 or 4.5.",
    "gpus": "0 for none.",
    "gpu_type": "Any type is whichever is free first.",
    "hours": "Such as 2, 1.5 or 0.5. When the time is over, the server stops.",
}


@dataclass(frozen=True)
class _Field:
    """One field as the template draws it."""

    name: str
    label: str
    hint: str
    value: str
    problems: tuple[Problem, ...]

    @property
    def id(self) -> str:
        return f"slurmhub-{self.name.replace('_', '-')}"

    @property
    def described_by(self) -> str:
        """The ids of the texts that a screen reader reads with the field."""
        return " ".join(
            f"{self.id}-{part}" for part in ("error",) * bool(self.problems) + ("hint",)
        )


@dataclass(frozen=True)
class _Choice:
    """One partition, or one value of a list, as the template draws it."""

    name: str
    has: str = ""
    free: str = ""


# What can be asked for where nothing is known yet.
_ALWAYS = ("partition", "cpus", "memory", "gpus", "gpu_type", "hours")


def render_form(
    offer: Offer | None,
    values: Mapping[str, object],
    problems: Sequence[Problem] = (),
    *,
    hidden: Collection[str] = (),
    stale_seconds: float | None = None,
    unavailable: str | None = None,
) -> str:
    """The fields, filled in with `values`, with each problem beside its field.

    Values are those of `prefill`, stored ones, or a form's own as it was sent; what is left out
    is filled from the offer's defaults. `hidden` fields are not shown. `stale_seconds` is the age
    of the offer when the cluster no longer answers, `unavailable` a plain sentence on why. Without
    an offer every field takes free text. All values are escaped; the fragment loads nothing and
    works without its script.
    """
    typed = _typed(offer, values)
    fields = {
        name: _Field(
            name=name,
            label=LABELS[name],
            hint=_HINTS[name],
            value=typed.get(name, ""),
            problems=tuple(problem for problem in problems if problem.field == name),
        )
        for name in FIELDS
    }
    partitions = offer.partitions if offer is not None else ()
    most_gpus = max((most_of_any(partition) for partition in partitions), default=0)
    return _template().render(
        offer=offer,
        fields=fields,
        problems=in_form_order(list(problems)),
        choices=[_choice(partition) for partition in partitions],
        chosen=_chosen(offer, typed),
        accounts=_accounts(offer),
        usual_account=_usual_account(offer),
        reservations=_reservations(offer),
        features=offer.features if offer is not None else (),
        ticked=typed.get("features", "").split(","),
        most_cpus=max((partition.max_cpus for partition in partitions), default=0),
        most_gpus=most_gpus,
        drawn=tuple(name for name in _drawn(offer, most_gpus) if name not in hidden),
        hidden=hidden,
        data=FormData(offer).as_json() if offer is not None else {},
        shard=SHARD,
        age=None if stale_seconds is None else age_plain(stale_seconds),
        rights_age=_rights_age(offer),
        unavailable=unavailable,
    )


def _typed(offer: Offer | None, values: Mapping[str, object]) -> dict[str, str]:
    typed, _ = prefill({}, offer)
    for name in FIELDS:
        if name in values:
            typed[name] = (shown_values if name in MANY else shown_value)(values[name])
    if typed.get("gpu_type", "").lower() in NO_GPU_TYPE:
        typed["gpu_type"] = ""
    return typed


def most_of_any(partition: PartitionOffer) -> int:
    """The most GPUs, or shards, of any one type that one job can have."""
    return max(partition.max_gpus(), partition.max_gpus(SHARD))


def has_words(partition: PartitionOffer) -> str:
    """What a partition has for one job: up to 8 CPUs, 16 GB; up to 8 hours."""
    parts = [f"up to {counted(partition.max_cpus, 'CPU')}, {memory_plain(partition.max_memory)}"]
    if partition.has_gpus:
        types = [f"{partition.max_gpus(name)} {_TIMES} {name}" for name in partition.gpu_types]
        untyped = partition.max_gpus(ANY_TYPE)
        parts.append(f"GPUs: {', '.join([*types, *([str(untyped)] if untyped else [])])}")
    longest = time_plain(partition.max_time)
    if partition.maintenance is not None:
        begins = moment_plain(partition.maintenance)
        parts.append(f"up to {longest} until the maintenance at {begins}")
    else:
        parts.append(f"up to {longest}")
    return "; ".join(parts)


def free_words(partition: PartitionOffer) -> str:
    """What is idle there now: 3 of 8 CPUs free, 2 of 4 h100 GPUs free."""
    if partition.back is not None:
        back = moment_plain(partition.back)
        return f"all its nodes are in maintenance until {back}: a job would wait until then"
    if partition.all_down:
        return "all its nodes are down: a job would wait until one is back"
    if partition.free is None:
        return ""
    free = partition.free
    parts = [f"{free.cpus} of {counted(free.cpus_there, 'CPU')} free"]
    for name, idle, there in free.gpus:
        parts.append(f"{idle} of {gpus_said(there, name or None)} free")
    return ", ".join(parts)


def reservation_words(terms: ReservationTerms) -> str:
    """When a reservation can be used: until 2026-11-21 18:00."""
    if terms.end is None:
        return ""
    end = moment_plain(terms.end)
    if terms.start is not None and terms.start > datetime.now(timezone.utc):
        return f"from {moment_plain(terms.start)} until {end}"
    return f"until {end}"


def _drawn(offer: Offer | None, most_gpus: int) -> tuple[str, ...]:
    """The fields that are on the page: those that there is a choice in."""
    if offer is None:
        return _ALWAYS
    if not offer.partitions:
        return ()
    accounts = [account for one in offer.partitions for account in one.accounts]
    choice = {
        "account": len(offer.accounts) > 1,
        "qos": bool(offer.qos) and any(len(account.qos) > 1 for account in accounts),
        "reservation": bool(offer.reservations),
        "features": bool(offer.features),
        "gpus": bool(most_gpus),
        "gpu_type": bool(most_gpus),
    }
    return tuple(name for name in FIELDS if choice.get(name, True))


def _usual_account(offer: Offer | None) -> str:
    rights = offer.rights if offer is not None else None
    usual = rights.default_account if rights is not None else ""
    return usual if offer is not None and usual in offer.accounts else ""


def _accounts(offer: Offer | None) -> list[_Choice]:
    return [_Choice(name) for name in offer.accounts] if offer is not None else []


def _reservations(offer: Offer | None) -> list[_Choice]:
    held = (one for part in (offer.partitions if offer else ()) for one in part.reservations)
    words = {one.name: reservation_words(one.terms) for one in held}
    return [_Choice(name, has) for name, has in sorted(words.items())]


def _rights_age(offer: Offer | None) -> str | None:
    rights = offer.rights if offer is not None else None
    if rights is None or rights.stale_seconds is None:
        return None
    return age_plain(rights.stale_seconds)


def _chosen(offer: Offer | None, typed: Mapping[str, str]) -> str | None:
    if offer is None:
        return None
    named = offer.partition(typed.get("partition"))
    return named.name if named is not None else offer.default


def _choice(partition: PartitionOffer) -> _Choice:
    usual = under(partition, Terms())
    return _Choice(name=partition.name, has=has_words(usual), free=free_words(partition))


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[Translating, Announcing],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("slurmhub_options_form.html")
