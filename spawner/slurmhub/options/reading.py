"""The one door: from a raw mapping of a form, a link or a REST call to a request, or a refusal.

Nothing here waits: it reads the offer that is known, and takes well under a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from slurmhub.options.fields import MANY, NotReadable, read_field, single
from slurmhub.options.fitting import Wishes, completed, problems_in
from slurmhub.options.narrowing import terms_problems, under
from slurmhub.options.offer import Offer, nothing_offered
from slurmhub.options.partitions import PartitionOffer
from slurmhub.options.refusal import GENERAL, Problem, Refusal, shown
from slurmhub.options.request import FIELDS, JobRequest

NOT_OPTIONS = frozenset({"_xsrf", "next", "display_name"})
"""Names that JupyterHub itself puts beside the options; nobody's mistake."""

LINK_PREFIX = "opt-"
"""What JupyterHub lets links put before the name of an option."""

# More than this many unknown names are only counted.
_UNKNOWN_SHOWN = 5


def read_request(
    raw: object, offer: Offer | None, *, previous: Mapping[str, object] | None = None
) -> JobRequest:
    """The request that `raw` asks for; raises Refusal, with every problem, and nothing else.

    `raw` maps names of `FIELDS` to a value or to a list of one value. What is left out or empty is
    taken from `previous` (stored options) as far as it fits what is asked for, then from the
    defaults. Without an offer everything is refused, because nothing is known to check against.
    """
    if offer is None:
        message = "The cluster has not yet told what it can give. Try again in a moment."
        raise Refusal(
            [Problem(GENERAL, "", message)],
            what="No server can be started just now.",
            remedy="Nothing is lost: what you asked for can be sent again.",
        )
    if not offer.partitions:
        raise nothing_offered(offer)
    wishes, problems = _wishes(raw)
    partition, more = _choose(offer, wishes, _before(previous))
    problems += more
    if problems:
        raise Refusal(in_form_order(problems))
    return completed(partition, wishes, _before(previous), offer.limits)


def prefill(
    raw: object, offer: Offer | None, *, previous: Mapping[str, object] | None = None
) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Values for the form from a link's query, and what to say about them; never raises.

    Names may carry JupyterHub's `opt-`. Known fields are as typed, safe to show; the others come
    from `previous` and the defaults, as in `read_request`, so that the form is complete where
    there is an offer. Unknown names are left out, with a note. Nothing is started by this.
    """
    known, others = _parted(raw if isinstance(raw, Mapping) else {})
    kept = previous if isinstance(previous, Mapping) else {}
    problems = [
        replace(problem, message=f"{problem.message} It was left out.")
        for problem in _unknown(others)
    ]
    values: dict[str, str] = {}
    if offer is not None and offer.partitions:
        wishes, found = _wishes(known)
        before = _before(previous)
        partition, more = _choose(offer, wishes, before)
        problems = [*found, *more, *problems]
        fitting = Wishes(partition=partition.name) if found or more else wishes
        values = completed(partition, fitting, before, offer.limits).as_typed()
    else:
        values = {k: shown_value(v) for k, v in kept.items() if k in FIELDS}
    values |= {k: shown_values(v) if k in MANY else shown_value(v) for k, v in known.items()}
    return values, tuple(in_form_order(problems))


def _parted(query: Mapping[Any, object]) -> tuple[dict[str, object], dict[Any, object]]:
    """The options that a link names, those with JupyterHub's prefix first, and all the rest."""
    known: dict[str, object] = {}
    others: dict[Any, object] = {}
    for key, value in query.items():
        name = key.removeprefix(LINK_PREFIX) if isinstance(key, str) else key
        if name not in FIELDS:
            others[name] = value
        elif not _left_open(name, value) and (name != key or name not in known):
            known[name] = value
    return known, others


def shown_value(value: object) -> str:
    """A field's value as it was typed, short and without control characters."""
    try:
        one = single(value)
    except NotReadable:
        return ""
    return shown(one) if isinstance(one, (str, int, float)) else ""


def shown_values(value: object) -> str:
    """Several values of one field, as one text with commas between them."""
    given = value if isinstance(value, (list, tuple)) else [value]
    return shown(",".join(one for one in given if isinstance(one, str)))


def in_form_order(problems: list[Problem]) -> list[Problem]:
    """The problems in the order of the form's fields, those of no field last."""
    order = {name: position for position, name in enumerate(FIELDS)}
    return sorted(problems, key=lambda problem: order.get(problem.field, len(order)))


def _wishes(raw: object) -> tuple[Wishes, list[Problem]]:
    """What is asked for, as far as it can be read, and a problem for each thing that cannot."""
    if raw is None:
        raw = {}
    if not isinstance(raw, Mapping):
        message = "Options are given as names with values."
        return Wishes(), [Problem(GENERAL, shown(raw), message, choices=FIELDS)]
    problems = list(_unknown(raw))
    read: dict[str, Any] = {}
    for name in FIELDS:
        value = raw.get(name)
        if _left_open(name, value):
            continue
        try:
            read[name] = read_field(name, value)
        except NotReadable as error:
            problems.append(Problem(name, shown(_only(value)), str(error)))
    any_type = "gpu_type" in read and read["gpu_type"] is None
    hours = read.pop("hours", None)
    return Wishes(**read, time=hours, any_type=any_type).settled(), problems


def _left_open(name: str, value: object) -> bool:
    """Whether a field says nothing; an empty field of GPUs says that there are to be none."""
    part = _only(value)
    if name in ("gpus", "gpu_type"):
        return value is None
    if name in MANY and isinstance(value, (list, tuple)):
        return not value
    return part is None or (isinstance(part, str) and not part.strip(" "))


def _only(value: object) -> object:
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def _unknown(raw: Mapping[Any, object]) -> Iterator[Problem]:
    unknown = [key for key in raw if key not in FIELDS and key not in NOT_OPTIONS]
    message = "There is no such option."
    for key in unknown[:_UNKNOWN_SHOWN]:
        yield Problem(GENERAL, shown(key), message, choices=FIELDS)
    if len(unknown) > _UNKNOWN_SHOWN:
        rest = len(unknown) - _UNKNOWN_SHOWN
        yield Problem(GENERAL, f"and {rest} more", message, choices=FIELDS)


def _before(previous: Mapping[str, object] | None) -> Wishes:
    """The last accepted values; what can no longer be read is left open."""
    wishes, _ = _wishes(previous)
    return wishes


def _choose(offer: Offer, wishes: Wishes, before: Wishes) -> tuple[PartitionOffer, list[Problem]]:
    """The partition that is meant, and what stands against it.

    Where none is named: the last one used, the default, or else the first in which everything
    fits; if there is no such partition, the one with the fewest problems.
    """
    problems: list[Problem] = []
    named = offer.partition(wishes.partition)
    if wishes.partition is not None and named is None:
        reason = offer.why_closed(wishes.partition)
        message = (
            f"Partition {wishes.partition} takes no jobs at the moment: it {reason}."
            if reason
            else "There is no such partition to choose."
        )
        problems = [Problem("partition", shown(wishes.partition), message, choices=offer.names)]
    if named is not None:
        return named, _against(offer, named, wishes)
    first = (offer.partition(before.partition), offer.partition(offer.default))
    fewest: tuple[PartitionOffer, list[Problem]] | None = None
    for partition in (*(one for one in first if one is not None), *offer.partitions):
        found = _against(offer, partition, wishes)
        if fewest is None or len(found) < len(fewest[1]):
            fewest = (partition, found)
        if not found:
            break
    if fewest is None:
        raise nothing_offered(offer)
    return fewest[0], problems + fewest[1]


def _against(offer: Offer, partition: PartitionOffer, wishes: Wishes) -> list[Problem]:
    """Everything that speaks against the wishes in one partition."""
    terms = terms_problems(partition, wishes.terms, awaited=offer.awaits_accounting)
    narrowed = under(partition, wishes.terms)
    return [*terms, *problems_in(narrowed, wishes, with_gpus=offer.with_gpus)]
