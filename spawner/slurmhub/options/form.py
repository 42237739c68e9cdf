"""The form: an HTML fragment for inside the form element of JupyterHub's spawn page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from slurmhub.options.offer import Offer
from slurmhub.options.partitions import ANY_TYPE, PartitionOffer
from slurmhub.options.reading import in_form_order, prefill, shown_value
from slurmhub.options.refusal import Problem
from slurmhub.options.request import FIELDS, NO_GPU_TYPE
from slurmhub.options.words import age_plain, counted, memory_plain, time_plain

_TEMPLATES = Path(__file__).parents[1] / "web" / "templates"

_TIMES = "\u00d7"

LABELS = {
    "partition": "Partition (queue)",
    "cpus": "CPUs",
    "memory": "Memory (GB)",
    "gpus": "GPUs",
    "gpu_type": "GPU type",
    "hours": "Hours",
}
_HINTS = {
    "partition": "The part of the cluster that your server runs on.",
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
    """One partition as the template draws it; `offer` is for the page's script."""

    name: str
    has: str
    free: str
    offer: str


def render_form(
    offer: Offer | None,
    values: Mapping[str, object],
    problems: Sequence[Problem] = (),
    *,
    stale_seconds: float | None = None,
    unavailable: str | None = None,
) -> str:
    """The fields, filled in with `values`, with each problem beside its field.

    Values are those of `prefill`, stored ones, or a form's own as it was sent; what is left out
    is filled from the offer's defaults. `stale_seconds` is the age of the offer when the cluster
    no longer answers, `unavailable` a plain sentence on why. Without an offer every field takes
    free text. All values are escaped; the fragment loads nothing and works without its script.
    """
    usual, _ = prefill({}, offer)
    typed = usual | {name: shown_value(values[name]) for name in FIELDS if name in values}
    if typed.get("gpu_type", "").lower() in NO_GPU_TYPE:
        typed["gpu_type"] = ""
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
    most_gpus = max((partition.max_gpus() for partition in partitions), default=0)
    return _template().render(
        offer=offer,
        fields=fields,
        problems=in_form_order(list(problems)),
        choices=[_choice(partition) for partition in partitions],
        chosen=_chosen(offer, typed),
        most_cpus=max((partition.max_cpus for partition in partitions), default=0),
        most_gpus=most_gpus,
        drawn=_drawn(offer, most_gpus),
        age=None if stale_seconds is None else age_plain(stale_seconds),
        unavailable=unavailable,
    )


def has_words(partition: PartitionOffer) -> str:
    """What a partition has for one job: up to 8 CPUs, 16 GB; up to 8 hours."""
    parts = [f"up to {counted(partition.max_cpus, 'CPU')}, {memory_plain(partition.max_memory)}"]
    if partition.max_gpus():
        types = [f"{partition.max_gpus(name)} {_TIMES} {name}" for name in partition.gpu_types]
        untyped = partition.max_gpus(ANY_TYPE)
        parts.append(f"GPUs: {', '.join([*types, *([str(untyped)] if untyped else [])])}")
    parts.append(f"up to {time_plain(partition.max_time)}")
    return "; ".join(parts)


def free_words(partition: PartitionOffer) -> str:
    """What is idle there now: 3 of 8 CPUs free, 2 of 4 h100 GPUs free."""
    if partition.all_down:
        return "all its nodes are down: a job would wait until one is back"
    if partition.free is None:
        return ""
    free = partition.free
    parts = [f"{free.cpus} of {counted(free.cpus_there, 'CPU')} free"]
    for name, idle, there in free.gpus:
        parts.append(f"{idle} of {counted(there, f'{name} GPU' if name else 'GPU')} free")
    return ", ".join(parts)


def _drawn(offer: Offer | None, most_gpus: int) -> tuple[str, ...]:
    """The fields that are on the page: those that there is a choice in."""
    if offer is None:
        return FIELDS
    if not offer.partitions:
        return ()
    return tuple(name for name in FIELDS if most_gpus or name not in ("gpus", "gpu_type"))


def _chosen(offer: Offer | None, typed: Mapping[str, str]) -> str | None:
    if offer is None:
        return None
    named = offer.partition(typed.get("partition"))
    return named.name if named is not None else offer.default


def _choice(partition: PartitionOffer) -> _Choice:
    shapes = [
        {
            "cpus": shape.cpus,
            "memory": shape.memory.mebibytes,
            "memory_said": memory_plain(shape.memory),
            "gpus": dict(shape.gpus),
            "gpu_total": shape.gpu_total,
        }
        for shape in partition.shapes
    ]
    return _Choice(
        name=partition.name,
        has=has_words(partition),
        free=free_words(partition),
        offer=json.dumps({"shapes": shapes, "time": time_plain(partition.max_time)}),
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("slurmhub_options_form.html")
