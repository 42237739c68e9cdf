"""Checks of how people sign in, by the code that makes the front."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from slurmhub.auth.groups import GroupRulesWrong, read_group_rules
from slurmhub_deploy.front.settings import FrontSettings
from slurmhub_deploy.site.checks.finding import Around, Said, one_of
from slurmhub_deploy.site.front import SIGN_IN, front_data
from slurmhub_deploy.site.model import Path
from slurmhub_deploy.site.tls import AcmeTls


def front_can_be_made(around: Around) -> Iterator[Said]:
    """The front's own settings follow from the hub's, and it accepts them."""
    for name, hub in around.site.hubs.items():
        try:
            FrontSettings.model_validate(front_data(around.site, name, hub))
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False):
                yield Said(
                    _place(name, each["loc"]),
                    each["msg"].removeprefix("Value error, "),
                    "docs/operators/shibboleth.md explains each setting of the front.",
                )


def sessions_agree(around: Around) -> Iterator[Said]:
    """A sign-out at the institution reaches the hub only while the front has the session."""
    for name, hub in around.site.hubs.items():
        front, own = hub.sign_in.session_hours, hub.sign_in.hub_session_hours
        if own is not None and own > front:
            yield Said(
                ("hubs", name, "sign_in", "hub_session_hours"),
                f"{own} is more than session_hours, {front}: a sign-out at the institution does"
                " not reach the hub after those",
                "Make it no longer, or leave it out.",
                (("hubs", name, "sign_in", "session_hours"),),
            )


def groups_are_read(around: Around) -> Iterator[Said]:
    """The hub takes each rule of groups, and who is allowed in is in a group that there is."""
    for name, hub in around.site.hubs.items():
        path: Path = ("hubs", name, "sign_in")
        for number, rule in enumerate(hub.sign_in.groups):
            try:
                read_group_rules([rule.as_rule()])
            except GroupRulesWrong as error:
                # Which rule it is, its place says.
                reason = error.what.partition("Rule 1: ")[2].rstrip(".") or error.what
                yield Said((*path, "groups", number), reason, error.remedy)
        known = list(dict.fromkeys(rule.group for rule in hub.sign_in.groups))
        for number, group in enumerate(hub.sign_in.allowed_groups):
            if group not in known:
                yield Said(
                    (*path, "allowed_groups", number),
                    f"no rule of `groups` puts anybody into {group}",
                    one_of(group, known, "group"),
                    ((*path, "groups"),),
                )


def entities_differ(around: Around) -> Iterator[Said]:
    """A federation knows each hub by its own name."""
    seen: dict[str, str] = {}
    for name, hub in around.site.hubs.items():
        entity = hub.sign_in.entity_id
        first = seen.setdefault(entity, name)
        if first != name:
            yield Said(
                ("hubs", name, "sign_in", "entity_id"),
                f"is that of the hub {first} as well",
                f"Give each hub its own, such as https://{hub.domain}/shibboleth.",
                (("hubs", first, "sign_in", "entity_id"),),
            )
        provider = hub.sign_in.provider
        if provider and hub.sign_in.scopes and provider not in hub.sign_in.scopes:
            yield Said(
                ("hubs", name, "sign_in", "scopes"),
                "does not have the identity provider that `provider` names: nobody could sign in",
                one_of(provider, list(hub.sign_in.scopes), "identity provider"),
                (("hubs", name, "sign_in", "provider"),),
            )


def files_are_there(around: Around) -> Iterator[Said]:
    """What is copied from beside the site file can be."""
    for name, hub in around.site.hubs.items():
        path: Path = ("hubs", name)
        named: list[tuple[Path, str | None]] = []
        for number, source in enumerate(hub.sign_in.metadata):
            for setting in ("file", "signing_certificate"):
                place = (*path, "sign_in", "metadata", number, setting)
                named.append((place, getattr(source, setting, None)))
        if hub.probe is not None:
            named.append(((*path, "probe", "trust"), hub.probe.trust))
        where, tls = around.site.tls_of(hub)
        if isinstance(tls, AcmeTls):
            named.append(((*where, "authority_certificate"), tls.authority_certificate))
        for place, file in named:
            # What has its whole path there is the hub host's, as far as metadata goes.
            theirs = file is not None and file.startswith("/") and "metadata" in place
            if file is not None and not theirs and not (around.folder / file).is_file():
                yield Said(place, f"there is no file {file}", "Put it beside the site file.")


def _place(name: str, loc: tuple[int | str, ...]) -> Path:
    """Where a setting of the front stands in the site file."""
    if not loc or loc[0] in SIGN_IN or loc[0] == "metadata":
        return ("hubs", name, "sign_in", *loc[:1])
    if loc[0] in {"institution", "support", "technical", "security"}:
        return ("institution",)
    return ("hubs", name)
