"""The sections of the page: a card for each profile, and everything; which one is meant, and what
it holds.

All stand in one form, so a card's fields carry its profile's name, as in `course-lab.cpus`; those
of everything carry none. The button that is pressed says which section is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from slurmhub.options.admission import (
    admit,
    chosen_profile,
    last_profile,
    one_value,
    settle,
)
from slurmhub.options.fields import NotReadable, single
from slurmhub.options.offer import Offer
from slurmhub.options.profiles import PROFILE, Allowed, Profile
from slurmhub.options.reading import prefill
from slurmhub.options.refusal import GENERAL, Problem, Refusal
from slurmhub.options.request import FIELDS

CARD = "card"
"""The name of a card's button; without a value it is the Enter key, where no script runs."""

NOTHING_PRESSED = Problem(GENERAL, "", "Press the Start button of what you want to start.")

_LONGEST_VALUE = 128


@dataclass(frozen=True)
class Filled:
    """What stands in the fields of one section, and what is said of it."""

    values: Mapping[str, object] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Filling:
    """What stands on the page: sections by their profile's name, "" for everything.

    `current` is the section that is meant, or None; `problems` are those of no section.
    """

    current: str | None
    sections: Mapping[str, Filled]
    problems: tuple[Problem, ...] = ()

    def of(self, name: str) -> Filled:
        """What stands in a section."""
        return self.sections.get(name, Filled())


def card_field(profile: str, name: str) -> str:
    """The name, on the page, of a field in the section of a profile."""
    return f"{profile}.{name}" if profile else name


def section_values(form: Mapping[str, object], profile: str) -> dict[str, object]:
    """The options of one section of a form that was sent."""
    prefixed = {name: card_field(profile, name) for name in FIELDS}
    values = {name: form[there] for name, there in prefixed.items() if there in form}
    return {PROFILE: profile, **values} if profile else values


def options_of_form(form: Mapping[str, object]) -> dict[str, object] | None:
    """The options that a form asks for, or None where no button says which.

    A form may also name a profile as a link does, beside the plain names of its fields.
    """
    if CARD not in form:
        return {name: value for name, value in form.items() if not _of_a_card(name)}
    try:
        pressed = single(form[CARD])
    except NotReadable:
        pressed = None
    return section_values(form, pressed) if isinstance(pressed, str) and pressed else None


def unasked(options: Mapping[str, object], allowed: Allowed) -> dict[str, object]:
    """The options of a form without the fields that its page has, but hides."""
    whole = allowed.everything
    if whole is None or plain_options(options).get(PROFILE):
        return dict(options)
    return {
        name: value for name, value in options.items() if name not in FIELDS or name in whole.fields
    }


def plain_options(values: Mapping[str, object]) -> dict[str, str]:
    """Options as short texts, fit for a link or a preset; what cannot be one is left out."""
    options = {}
    for name in (PROFILE, *FIELDS):
        try:
            text = str(one_value(name, values.get(name, ""))).strip()
        except NotReadable:
            continue
        if text and len(text) <= _LONGEST_VALUE and text.isprintable():
            options[name] = text
    return options


def filled_again(
    form: Mapping[str, object], options: Mapping[str, object], problems: tuple[Problem, ...]
) -> Filling:
    """The page after a refusal: everything as it was sent, the problems where they belong."""
    names = {name.partition(".")[0] for name in form if _of_a_card(name)}
    sections = {name: Filled(section_values(form, name)) for name in names}
    meant = plain_options(options).get(PROFILE, "")
    if not options or any(problem.field == PROFILE for problem in problems):
        return Filling(None, {**sections, "": Filled(section_values(form, ""))}, problems)
    if meant:
        sections[""] = Filled(section_values(form, ""))
    return Filling(meant, {**sections, meant: Filled(options, problems)})


def filled_by_link(
    asked: Mapping[str, object],
    offer: Offer | None,
    allowed: Allowed,
    previous: Mapping[str, object],
) -> Filling:
    """The page as a link says, with notes on what of it cannot be."""
    options = {name: value for name, value in asked.items() if name != PROFILE}
    try:
        profile = chosen_profile(asked, allowed)
    except Refusal as refusal:
        notes = tuple(_left_out(problem) for problem in refusal.problems)
        return replace(filled_first(offer, allowed, previous), problems=notes)
    if not profile.name:
        return Filling("", {"": _everything(options, offer, profile, _of(profile, previous))})
    problems: tuple[Problem, ...] = ()
    if offer is not None:
        try:
            settle(profile, options, offer)
        except Refusal as refusal:
            problems = tuple(
                _left_out(one) if _cannot_stay(one, profile) else one for one in refusal.problems
            )
    return Filling(profile.name, {profile.name: Filled(options, problems)})


def filled_first(offer: Offer | None, allowed: Allowed, previous: Mapping[str, object]) -> Filling:
    """The page as somebody finds it: what was accepted last, as far as it still may be."""
    profile = last_profile(previous, allowed) if previous else None
    if profile is None:
        return Filling(None, {"": Filled(prefill({}, offer)[0])})
    if not profile.name:
        return Filling("", {"": _everything({}, offer, profile, previous)})
    try:
        last = admit({}, offer, allowed, previous=previous)
        values: Mapping[str, object] = last.request.as_typed()
    except Refusal:
        values = {}
    return Filling(profile.name, {profile.name: Filled(values)})


def _everything(
    asked: Mapping[str, object],
    offer: Offer | None,
    whole: Profile,
    previous: Mapping[str, object],
) -> Filled:
    hidden = [name for name in FIELDS if name not in whole.fields]
    shown = {name: value for name, value in asked.items() if name not in hidden}
    kept = {name: value for name, value in previous.items() if name in whole.fields}
    values, problems = prefill(shown, offer, previous=kept)
    message = "This cannot be chosen here. It was left out."
    notes = [Problem(name, str(asked[name]), message) for name in hidden if name in asked]
    return Filled(values, (*problems, *notes))


def _of(profile: Profile, previous: Mapping[str, object]) -> Mapping[str, object]:
    """The last accepted options, if they were of this profile."""
    return previous if previous.get(PROFILE, "") == profile.name else {}


def _cannot_stay(problem: Problem, profile: Profile) -> bool:
    return problem.field == GENERAL or problem.field not in profile.open_fields


def _left_out(problem: Problem) -> Problem:
    return replace(problem, message=f"{problem.message} It was left out.")


def _of_a_card(name: str) -> bool:
    _, dot, there = name.partition(".")
    return bool(dot) and there in FIELDS
