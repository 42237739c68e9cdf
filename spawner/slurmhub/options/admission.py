"""From raw options to a request: by the profile they name, its rules, and the offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from slurmhub.options.fields import MANY, READERS, NotReadable, single
from slurmhub.options.offer import Offer
from slurmhub.options.profiles import PROFILE, Allowed, Profile
from slurmhub.options.reading import in_form_order, read_request, shown_value
from slurmhub.options.refusal import Problem, Refusal, shown
from slurmhub.options.request import FIELDS, JobRequest
from slurmhub.options.rules import LONGEST, Bounded, Chosen, Fixed, Free, value_problem

# A year: more than any cluster gives.
_ENDLESS = "366-00:00:00"


@dataclass(frozen=True)
class Admission:
    """A request, and the profile by which it was made; everything is a profile without a name."""

    profile: Profile
    request: JobRequest

    def stored(self) -> dict[str, str | int]:
        """Plain values to keep as the last accepted options; admitting them gives the same."""
        named: dict[str, str | int] = {PROFILE: self.profile.name} if self.profile.name else {}
        return {**named, **self.request.stored()}


def admit(
    raw: object,
    offer: Offer | None,
    allowed: Allowed,
    *,
    previous: Mapping[str, object] | None = None,
) -> Admission:
    """What `raw` asks for, of what one person may choose; raises Refusal, and nothing else.

    `raw` is as `read_request` takes it, with the name of a profile beside the fields. Who says
    nothing at all gets `previous` (stored options), as far as it may still be chosen.
    """
    if not isinstance(raw, Mapping):
        return Admission(allowed.everything or _none(allowed), read_request(raw, offer))
    if raw:
        profile = chosen_profile(raw, allowed)
        given = {name: value for name, value in raw.items() if name != PROFILE}
        return Admission(profile, settle(profile, given, offer))
    kept = previous or {}
    profile = last_profile(kept, allowed) or allowed.everything or _none(allowed)
    return Admission(profile, settle(profile, {}, offer, previous=kept))


def chosen_profile(raw: Mapping[str, object], allowed: Allowed) -> Profile:
    """The profile that raw options name, or everything where they name none; raises Refusal."""
    try:
        name = single(raw.get(PROFILE))
    except NotReadable as error:
        raise Refusal([Problem(PROFILE, "", str(error))]) from error
    if name is None or name == "":
        return allowed.everything or _none(allowed)
    profile = allowed.named(name) if isinstance(name, str) else None
    if profile is None:
        message = "There is no such profile for you to choose."
        raise Refusal([Problem(PROFILE, shown(name), message, choices=_names(allowed))])
    return profile


def last_profile(previous: Mapping[str, object], allowed: Allowed) -> Profile | None:
    """By which profile stored options were accepted, if it may still be chosen."""
    name = previous.get(PROFILE, "")
    return allowed.named(name) if isinstance(name, str) and name else allowed.everything


def settle(
    profile: Profile,
    given: Mapping[str, object],
    offer: Offer | None,
    *,
    previous: Mapping[str, object] | None = None,
) -> JobRequest:
    """The request that a profile makes of the values that are given for it; raises Refusal.

    What is given is kept, within the profile's rules; an open field that is not given comes from
    `previous` as far as it still may, then from the profile.
    """
    asked: dict[str, object] = {name: value for name, value in given.items() if name not in FIELDS}
    problems: list[Problem] = []
    earlier: dict[str, object] = {}
    for name in FIELDS:
        rule, value = profile.fields.get(name), given.get(name)
        if isinstance(rule, Free):
            asked[name] = value
            earlier |= _kept(name, previous)
        elif rule == Fixed(LONGEST):
            # Old options are lowered to what fits.
            earlier[name] = _ENDLESS
        elif isinstance(rule, Fixed):
            asked[name] = rule.value
        elif rule is not None:
            asked[name], problem = _bound(name, rule, value, previous, profile.said_title)
            problems += [problem] if problem else []
    try:
        request = read_request(asked, offer, previous=earlier)
    except Refusal as refusal:
        mine = {problem.field for problem in problems}
        others = [problem for problem in refusal.problems if problem.field not in mine]
        raise Refusal(
            in_form_order(problems + others), what=refusal.what, remedy=refusal.remedy
        ) from refusal
    problems += _overridden(profile, given, request)
    if problems:
        raise Refusal(in_form_order(problems))
    return request


def _bound(
    name: str,
    rule: Bounded | Chosen,
    value: object,
    previous: Mapping[str, object] | None,
    title: str,
) -> tuple[str, Problem | None]:
    """The value of a bounded field as typed, or else its start and what stands against it."""
    if _is_given(name, value):
        try:
            one = one_value(name, value)
        except NotReadable as error:
            return rule.start, Problem(name, "", str(error))
        problem = value_problem(name, rule, one, title)
        return (rule.start, problem) if problem else (str(one), None)
    kept = _kept(name, previous).get(name)
    if kept is not None and value_problem(name, rule, kept, title) is None:
        return str(kept), None
    return rule.start, None


def _overridden(
    profile: Profile, given: Mapping[str, object], request: JobRequest
) -> list[Problem]:
    """What is given for fields in which the profile leaves no choice, unless it is the same."""
    stored, typed = request.stored(), request.as_typed()
    problems = []
    for name in FIELDS:
        if isinstance(profile.fields.get(name), (Free, Bounded, Chosen)):
            continue
        value = given.get(name)
        if not _is_given(name, value):
            continue
        try:
            if READERS[name](one_value(name, value)) == READERS[name](stored.get(name, "")):
                continue
        except NotReadable as error:
            problems.append(Problem(name, shown_value(value), str(error)))
            continue
        has = typed.get(name) or "none"
        message = (
            f"With “{profile.said_title}” this is {has}, and cannot be changed."
            if profile.name
            else f"This is {has} here, and cannot be changed."
        )
        problems.append(Problem(name, shown_value(value), message, limit=has))
    return problems


def one_value(name: str, value: object) -> object:
    """The one value of a field, or its several joined by commas; raises NotReadable."""
    if name in MANY and isinstance(value, (list, tuple)):
        return ",".join(str(single(one)) for one in value)
    return single(value)


def _is_given(name: str, value: object) -> bool:
    part = value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value
    # An empty type of GPU is a value: any type.
    blank = isinstance(part, str) and not part.strip(" ")
    return part is not None and (name == "gpu_type" or not blank)


def _kept(name: str, previous: Mapping[str, object] | None) -> dict[str, object]:
    value = (previous or {}).get(name)
    return {} if value is None else {name: value}


def _names(allowed: Allowed) -> tuple[str, ...]:
    return tuple(one.name for one in allowed.profiles)


def _none(allowed: Allowed) -> NoReturn:
    """Refuse whoever names no profile and may not choose everything."""
    message = (
        "Choose one of the profiles."
        if allowed.profiles
        else "There is no profile for you on this hub. Ask the people who run it."
    )
    raise Refusal([Problem(PROFILE, "", message, choices=_names(allowed))])
