"""Profiles: what a site lets people start with one press, as data, checked when the hub starts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SkipValidation,
    ValidationError,
    field_validator,
    model_validator,
)
from traitlets import Bool, HasTraits, List, Unicode, Union

from slurmhub.errors import SlurmhubError
from slurmhub.language import LANGUAGES, SOURCE, language
from slurmhub.options.refusal import shown
from slurmhub.options.request import FIELDS
from slurmhub.options.rules import Fixed, Free, Rule, RuleWrong, read_rule

PROFILE = "profile"
"""The name of the profile beside the options, on the form, in a link and in REST."""

BUILT_IN_PICTURES = ("course", "cpu", "gpu", "memory", "notebook")
"""Pictures that need no file."""

_PICTURE_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
_PICTURE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_LARGEST_PICTURE = 1024 * 1024
_NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"
_SAY = {
    "missing": "is missing. Every profile has a name, a title and fields",
    "extra_forbidden": (
        "is {value}. There is no such part: a profile has name, title, words, picture, groups "
        "and fields"
    ),
    "tuple_type": "is {value}. Give a list of names of the hub's groups",
    "string_pattern_mismatch": (
        "is {value}. Give up to 64 small letters, digits and '-', beginning with a letter or digit"
    ),
}


class ProfilesWrong(SlurmhubError):
    """The site's profiles cannot be used; every mistake in them is named."""


def _words(value: object) -> object:
    """Words of the site: a text, or one text for each language by its code."""
    texts = value if isinstance(value, Mapping) else {SOURCE: value}
    if not texts or not set(texts) <= set(LANGUAGES):
        raise ValueError(f"Give a text, or a mapping of {', '.join(LANGUAGES)} to texts")
    for text in texts.values():
        if not isinstance(text, str) or not text.strip() or len(text) > 1000:
            raise ValueError("Give a text of at least one letter, at most 1000")
    return dict(texts)


Words = Annotated[dict[str, str], BeforeValidator(_words)]


def in_language(words: Mapping[str, str]) -> str:
    """Words of the site in the language of this request, or else in one that there is."""
    return words.get(language()) or words.get(SOURCE) or next(iter(words.values()), "")


def profile_of(stored: Mapping[str, Any]) -> dict[str, str]:
    """The name of the profile in stored options, as they have it; empty where there is none."""
    name = stored.get(PROFILE)
    return {PROFILE: name} if isinstance(name, str) and name else {}


class Profile(BaseModel):
    """One profile. A field that is not named has what the site and the cluster fill in."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: Annotated[str, Field(pattern=_NAME, strict=True)]
    title: Words
    words: Words = {}
    picture: str = ""
    groups: tuple[str, ...] = ()
    fields: SkipValidation[dict[str, Rule]]

    @field_validator("fields", mode="before")
    @classmethod
    def _rules(cls, said: object) -> dict[str, Rule]:
        if not isinstance(said, Mapping):
            raise ValueError("Give a mapping of fields to what each may be")
        rules, wrong = {}, []
        for name, value in said.items():
            try:
                rules[name] = read_rule(name, value)
            except RuleWrong as error:
                wrong.append(f"field {shown(name)} {error}")
        if wrong:
            raise ValueError("\n".join(wrong))
        return rules

    @model_validator(mode="after")
    def _gpus_agree(self) -> Profile:
        gpus, gpu_type = self.fields.get("gpus"), self.fields.get("gpu_type")
        if (
            gpus == Fixed("0")
            and isinstance(gpu_type, Fixed)
            and gpu_type.value not in ("", "none")
        ):
            raise ValueError(f"field gpu_type is {gpu_type.value}, but gpus is 0. Leave one out")
        return self

    @property
    def said_title(self) -> str:
        """The title in the language of this request."""
        return in_language(self.title)

    @property
    def open_fields(self) -> tuple[str, ...]:
        """The fields in which there is a choice, in the order of the form."""
        return tuple(
            name for name in FIELDS if not isinstance(self.fields.get(name, Fixed("")), Fixed)
        )


@dataclass(frozen=True)
class Picture:
    """A picture of a profile, as the hub serves it."""

    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Allowed:
    """What one person may choose from: profiles, and everything, if that is so."""

    profiles: tuple[Profile, ...]
    everything: Profile | None

    def named(self, name: str) -> Profile | None:
        """The profile of this name; everything has none."""
        return next((one for one in self.profiles if one.name == name), None)


@dataclass(frozen=True)
class SiteProfiles:
    """All profiles of a site, who may choose everything, and what nobody is asked.

    `everything` is True for all, or the names of the groups that may.
    """

    profiles: tuple[Profile, ...] = ()
    everything: bool | frozenset[str] = True
    hidden: frozenset[str] = frozenset()
    pictures: Mapping[str, Picture] = field(default_factory=dict)

    @cached_property
    def whole(self) -> Profile:
        """Everything, as a profile without a name: each field free, but for the hidden ones."""
        free: dict[str, Rule] = {name: Free() for name in FIELDS if name not in self.hidden}
        return Profile.model_construct(name="", title={SOURCE: "Everything"}, fields=free)

    def allowed(self, groups: Collection[str]) -> Allowed:
        """What a member of these groups of the hub may choose from."""
        mine = frozenset(groups)
        if isinstance(self.everything, bool):
            everything = self.everything
        else:
            everything = not mine.isdisjoint(self.everything)
        return Allowed(
            tuple(one for one in self.profiles if not one.groups or mine & set(one.groups)),
            self.whole if everything else None,
        )


class ProfileTraits(HasTraits):
    """What people may choose from."""

    profiles: Any = List(
        help="Profiles, each a mapping of name, title, words, picture, groups and fields. A field "
        "is a value (fixed), {'min', 'max', 'default'}, {'choices', 'default'} or 'free'; one "
        "that is not named has the site's default."
    ).tag(config=True)
    profile_pictures = Unicode("", help="Folder of the pictures that profiles name.").tag(
        config=True
    )
    everything = Union(
        [Bool(), List(Unicode())],
        default_value=True,
        help="Who may choose everything instead of a profile: True, False, or a list of groups.",
    ).tag(config=True)
    hidden_fields = List(
        Unicode(),
        help="Fields that are not asked for where everything is chosen; they have their defaults.",
    ).tag(config=True)

    def site_profiles(self) -> SiteProfiles:
        """These traits as the value that requests are checked against; raises ProfilesWrong."""
        return read_profiles(
            self.profiles,
            everything=self.everything,
            hidden=self.hidden_fields,
            pictures=Path(self.profile_pictures) if self.profile_pictures else None,
        )


def read_profiles(
    said: Collection[object],
    *,
    everything: bool | Collection[str] = True,
    hidden: Collection[str] = (),
    pictures: Path | None = None,
) -> SiteProfiles:
    """The site's profiles; raises ProfilesWrong, which names every mistake in them."""
    wrong: list[str] = []
    profiles: list[Profile] = []
    loaded: dict[str, Picture] = {}
    for number, data in enumerate(said, 1):
        try:
            loaded |= _pictures(data, pictures)
        except RuleWrong as error:
            wrong.append(f"{_called(number, data)}: picture {error}.")
        try:
            profile = Profile.model_validate(data)
        except ValidationError as error:
            wrong += _mistakes(_called(number, data), error)
            continue
        if any(one.name == profile.name for one in profiles):
            wrong.append(f"Profile {profile.name}: there is another of this name. Rename one.")
        profiles.append(profile)
    for name in hidden:
        if name not in FIELDS:
            wrong.append(f"hidden_fields: {shown(name)} is no field. Fields are: {_fields()}.")
    if not said and everything is False:
        wrong.append("everything is False, and there is no profile: nobody could start anything.")
    if wrong:
        raise ProfilesWrong(
            "\n".join(["The settings of the profiles cannot be used:", *wrong]),
            remedy="\nCorrect them in jupyterhub_config.py and start the hub again.",
        )
    may = everything if isinstance(everything, bool) else frozenset(everything)
    return SiteProfiles(tuple(profiles), may, frozenset(hidden), loaded)


def _called(number: int, data: object) -> str:
    name = data.get("name") if isinstance(data, Mapping) else None
    return f"Profile {shown(name)}" if isinstance(name, str) and name else f"Profile {number}"


def _mistakes(called: str, error: ValidationError) -> list[str]:
    """One line for each mistake in a profile: where, what is there, what is allowed."""
    lines = []
    for one in error.errors(include_url=False):
        where = shown(str(one["loc"][0])) if one["loc"] else ""
        value = shown(one["input"])
        if "error" in one.get("ctx", {}):
            # Our own words. Those on the fields stand on a line for each.
            texts = str(one["ctx"]["error"]).split("\n")
            own = where == "fields" or not where
            prefix = "" if own and texts[0].startswith("field ") else f"{where} is {value}. "
            lines += [f"{called}: {prefix}{text}." for text in texts]
        elif one["type"] in _SAY:
            lines.append(f"{called}: {where} {_SAY[one['type']].format(value=value)}.")
        elif not where:
            lines.append(f"{called}: it is {value}. Give a mapping with name, title and fields.")
        else:
            lines.append(f"{called}: {where} is {value}. {one['msg']}.")
    return lines


def _pictures(data: object, folder: Path | None) -> dict[str, Picture]:
    """The picture that a profile's data names, if that is a file; raises RuleWrong."""
    name = data.get("picture") if isinstance(data, Mapping) else None
    # What is no text is told of with the profile's other parts.
    if not name or not isinstance(name, str) or name in BUILT_IN_PICTURES:
        return {}
    return {name: _picture(name, folder)}


def _picture(name: str, folder: Path | None) -> Picture:
    content_type = _PICTURE_TYPES.get(Path(name).suffix.lower())
    if not _PICTURE.fullmatch(name) or content_type is None:
        raise RuleWrong(
            f"is {shown(name)}. Give one of {', '.join(BUILT_IN_PICTURES)}, or the name of a file "
            f"that ends in {', '.join(_PICTURE_TYPES)}"
        )
    if folder is None:
        raise RuleWrong(f"is {name}, and profile_pictures does not say where. Set it to its folder")
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise RuleWrong(
            f"is {name}, which cannot be read in {folder} ({error.strerror})"
        ) from error
    if len(content) > _LARGEST_PICTURE:
        raise RuleWrong(f"is {name}, which has {len(content)} bytes. Give one of at most 1 MB")
    return Picture(content_type, content)


def _fields() -> str:
    return ", ".join(FIELDS)
