"""Groups of the hub from what an identity provider says of a person, by rules of the site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from slurmhub.auth.assertion import Assertion
from slurmhub.errors import SlurmhubError

FACTS = (
    "affiliation",
    "assurance",
    "entitlement",
    "eppn",
    "idp",
    "mail",
    "member-of",
    "scope",
    "subject-id",
)
"""What a rule may ask about; `scope` is that of the person's identifiers and affiliations."""

# Of these the assertion has the lower case.
_FOLDED = frozenset({"affiliation", "scope", "subject-id"})
_PARTS = frozenset({"attribute", "equals", "matches", "idp", "group"})
_GROUP = re.compile(r"[^\s/][^/\x00-\x1f\x7f]{0,254}")


class GroupRulesWrong(SlurmhubError):
    """The site's group rules cannot be used; every mistake in them is named."""


@dataclass(frozen=True)
class GroupRule:
    """Who has this value of this attribute is in the group.

    `idp`, where it is set, is the entityID that alone may say so.
    """

    attribute: str
    group: str
    equals: str | None = None
    matches: re.Pattern[str] | None = None
    idp: str | None = None

    def holds(self, assertion: Assertion) -> bool:
        """Whether it puts this person into its group."""
        if self.idp is not None and assertion.idp != self.idp:
            return False
        return any(self._fits(value) for value in facts(assertion, self.attribute))

    def _fits(self, value: str) -> bool:
        if self.matches is not None:
            return bool(self.matches.fullmatch(value))
        return value == self.equals


def facts(assertion: Assertion, attribute: str) -> tuple[str, ...]:
    """The values of one of FACTS."""
    scoped = (assertion.subject_id, assertion.pairwise_id, assertion.eppn, *assertion.affiliations)
    found: Mapping[str, Iterable[str | None]] = {
        "affiliation": assertion.affiliations,
        "assurance": assertion.assurances,
        "entitlement": assertion.entitlements,
        "eppn": (assertion.eppn,),
        "idp": (assertion.idp,),
        "mail": (assertion.mail,),
        "member-of": assertion.memberships,
        "scope": {value.rpartition("@")[2] for value in scoped if value},
        "subject-id": (assertion.subject_id,),
    }
    return tuple(value for value in found[attribute] if value)


def groups_of(assertion: Assertion, rules: Iterable[GroupRule]) -> list[str]:
    """The groups that the rules give this person, each once, sorted."""
    return sorted({rule.group for rule in rules if rule.holds(assertion)})


def read_group_rules(said: Iterable[object]) -> tuple[GroupRule, ...]:
    """The site's rules, checked. Raises GroupRulesWrong, which names every mistake."""
    rules, wrong = [], []
    for number, one in enumerate(said, start=1):
        try:
            rules.append(_rule(one))
        except ValueError as error:
            wrong.append(f"Rule {number}: {error}.")
    if wrong:
        raise GroupRulesWrong(
            "c.ShibbolethAuthenticator.group_rules cannot be used. " + " ".join(wrong),
            remedy="A rule is, for example, "
            '{"attribute": "affiliation", "equals": "student@example.ca", "group": "students"}.',
        )
    return tuple(rules)


def _rule(said: object) -> GroupRule:
    if not isinstance(said, Mapping) or not set(said) <= _PARTS:
        raise ValueError(f"it must have some of {', '.join(sorted(_PARTS))} and nothing else")
    for name, value in said.items():
        if not isinstance(value, str) or not value:
            raise ValueError(f"{name} must be a text that is not empty")
    if said.get("attribute") not in FACTS:
        raise ValueError(f"attribute must be one of {', '.join(FACTS)}")
    if ("equals" in said) == ("matches" in said):
        raise ValueError("it must have either equals or matches")
    if not _GROUP.fullmatch(said.get("group", "")):
        raise ValueError("group must be the name of a group, without slash")
    equals = said.get("equals")
    return GroupRule(
        attribute=said["attribute"],
        group=said["group"],
        equals=equals.lower() if equals and said["attribute"] in _FOLDED else equals,
        matches=_pattern(said["matches"]) if "matches" in said else None,
        idp=said.get("idp"),
    )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"matches is no regular expression ({error})") from error
