"""What the front passes on, read: all of it right, or a refusal that says what is wrong."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders

from slurmhub.auth.assertion import ATTRIBUTES, Assertion, AttributeRules, read_assertion
from slurmhub.auth.headers import DISPLAY_NAME, EPPN, IDP, MEMBER_OF, SESSION
from slurmhub.auth.refusals import (
    AttributeMalformed,
    AttributeMissing,
    AttributeOutOfScope,
    AttributeRefused,
    AttributeSeveral,
    AttributeTooLong,
    IdentityHeader,
    IdpUnknown,
    SignInRefused,
)

HERE = "https://idp.example.ca/shibboleth"
SCOPED = AttributeRules({HERE: ("example.ca", "*.cs.example.ca")})
WHOLE = {
    "Session": "_5f2a",
    "Idp": HERE,
    "Authn_Instant": "2031-05-30T18:00:00.250Z",
    "Subject_Id": "ABC=1@Example.CA",
    "Pairwise_Id": "XYZ@example.ca",
    "Eppn": "Alice.B@Example.ca",
    "Display_Name": "Andr\u00e9 \u674e",
    "Given_Name": "Andr\u00e9;Andreas",
    "Surname": "Li",
    "Mail": "a.li@mail.example.com;alice@example.ca",
    "Affiliation": "Student@example.ca;member@example.ca;student@EXAMPLE.ca",
    "Entitlement": "urn:mace:example:a\\;b;urn:mace:example:c",
    "Member_Of": "",
    "Assurance": "https://refeds.org/assurance/IAP/high",
}


def headers(**changes: str | None) -> HTTPHeaders:
    """The headers of a whole assertion, as tornado has them; None takes one away."""
    made = HTTPHeaders()
    for name, value in {**WHOLE, **changes}.items():
        if value is not None:
            # As on the wire: no space around a value.
            sent = value.strip(" ").encode().decode("latin-1")
            made.add(f"X-Slurmhub-{name.replace('_', '-')}", sent)
    return made


def test_a_whole_assertion() -> None:
    assert read_assertion(headers(), SCOPED) == Assertion(
        idp=HERE,
        session="_5f2a",
        subject_id="abc=1@example.ca",
        pairwise_id="xyz@example.ca",
        eppn="Alice.B@example.ca",
        display_name="Andr\u00e9 \u674e",
        given_name="Andr\u00e9",
        surname="Li",
        mail="a.li@mail.example.com",
        affiliations=("student@example.ca", "member@example.ca"),
        entitlements=("urn:mace:example:a;b", "urn:mace:example:c"),
        memberships=(),
        assurances=("https://refeds.org/assurance/IAP/high",),
        authenticated=1937930400.25,
    )


def test_what_is_absent_is_none() -> None:
    said = HTTPHeaders({SESSION: "_1", IDP: HERE, EPPN: "alice@example.ca", MEMBER_OF: ""})
    found = read_assertion(said, AttributeRules())
    assert found.eppn == "alice@example.ca"
    assert (found.subject_id, found.display_name, found.mail, found.authenticated) == (None,) * 4
    assert (found.affiliations, found.memberships) == ((), ())


@pytest.mark.parametrize("name", ["Subject_Id", "Pairwise_Id", "Eppn", "Affiliation"])
@pytest.mark.parametrize(
    "scope", ["example.org", "notexample.ca", "example.ca.evil.example", "cs.example.ca", "ca"]
)
def test_a_scope_of_others_is_refused(name: str, scope: str) -> None:
    with pytest.raises(AttributeOutOfScope, match="another institution") as refused:
        read_assertion(headers(**{name: f"x@{scope}"}), SCOPED)
    assert repr(scope) in refused.value.for_operator
    assert HERE in refused.value.for_operator


def test_scopes_below_one_are_its_own_where_the_site_says_so() -> None:
    found = read_assertion(headers(Eppn="x@lab.CS.example.ca"), SCOPED)
    assert found.eppn == "x@lab.cs.example.ca"


def test_without_scopes_the_sps_policy_decides() -> None:
    assert read_assertion(headers(Eppn="x@elsewhere.example"), AttributeRules()).eppn


def test_an_identity_provider_that_is_not_listed_is_refused() -> None:
    for idp in (f"{HERE}/", HERE.upper(), "https://evil.example"):
        with pytest.raises(IdpUnknown):
            read_assertion(headers(Idp=idp), SCOPED)


def test_what_the_site_requires_must_be_there() -> None:
    rules = AttributeRules(SCOPED.idp_scopes, ("mail", "affiliation"))
    assert read_assertion(headers(), rules)
    for name, header in (("mail", "Mail"), ("affiliation", "Affiliation")):
        for value in (None, "", ";", " "):
            with pytest.raises(AttributeMissing) as refused:
                read_assertion(headers(**{header: value}), rules)
            assert refused.value.attribute == name
            assert f"({'mail' if name == 'mail' else 'eduPersonScopedAffiliation'})" in str(
                refused.value
            )


def test_one_identifier_is_enough_and_none_is_not() -> None:
    names = ["Subject_Id", "Pairwise_Id", "Eppn"]
    for kept in names:
        without: dict[str, str | None] = {name: None for name in names if name != kept}
        assert read_assertion(headers(**without), SCOPED)
    with pytest.raises(AttributeMissing, match="yours alone"):
        read_assertion(headers(Subject_Id=None, Pairwise_Id="", Eppn=";"), SCOPED)


@pytest.mark.parametrize("attribute", ATTRIBUTES.values(), ids=list(ATTRIBUTES))
def test_null_control_and_length_are_refused_in_every_attribute(attribute: Any) -> None:
    name = attribute.header.removeprefix("X-Slurmhub-").replace("-", "_")
    for value, why in (
        ("(null)", "null"),
        ("(Null)", "null"),
        ("x\x85y", "malformed"),
        ("x\u202ey", "malformed"),
        ("x\u2028y", "malformed"),
        ("x" * 2000, "too-long"),
    ):
        with pytest.raises(AttributeRefused) as refused:
            read_assertion(headers(**{name: value}), SCOPED)
        assert refused.value.why == why, value
        assert refused.value.attribute == attribute.name
        assert value in ("(null)", "(Null)") or value not in refused.value.for_operator


def test_more_than_one_is_refused_where_one_is_meant() -> None:
    for name in ("Subject_Id", "Pairwise_Id", "Eppn"):
        with pytest.raises(AttributeSeveral, match="2 values"):
            read_assertion(headers(**{name: "a@example.ca;b@example.ca"}), SCOPED)
    with pytest.raises(AttributeSeveral):
        read_assertion(headers(Display_Name="One;Two"), SCOPED)
    # The same twice is still two: who joins values is not our concern.
    with pytest.raises(AttributeSeveral):
        read_assertion(headers(Eppn="a@example.ca;a@example.ca"), SCOPED)


def test_a_header_that_comes_twice_is_refused() -> None:
    said = headers()
    said.add(EPPN, "bob@example.ca")
    with pytest.raises(IdentityHeader):
        read_assertion(said, SCOPED)


def test_too_many_values_are_refused() -> None:
    with pytest.raises(AttributeTooLong):
        read_assertion(headers(Member_Of=";".join("x" * 1001)), SCOPED)
    assert len(
        read_assertion(headers(Member_Of=";".join(map(str, range(900)))), SCOPED).memberships
    )


@pytest.mark.parametrize("raw", ["Andr\xe9", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\u0100"])
def test_other_encodings_are_refused(raw: str) -> None:
    said = headers()
    said[DISPLAY_NAME] = raw
    with pytest.raises(AttributeRefused, match="UTF-8"):
        read_assertion(said, SCOPED)


def test_names_are_composed() -> None:
    found = read_assertion(headers(Display_Name=unicodedata.normalize("NFD", "Andr\u00e9")), SCOPED)
    assert found.display_name == "Andr\u00e9"


@pytest.mark.parametrize("value", ["now", "2031-05-30", "2031-05-30T18:00:00", "0", "9" * 30])
def test_a_time_must_be_one(value: str) -> None:
    with pytest.raises(AttributeMalformed):
        read_assertion(headers(Authn_Instant=value), SCOPED)


# Tornado takes no control characters in headers.
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(WHOLE, TEXT)))
def test_whatever_comes_is_refused_or_as_it_must_be(changes: dict[str, str]) -> None:
    said = headers()
    for name, value in changes.items():
        said[f"X-Slurmhub-{name.replace('_', '-')}"] = value.strip(" ")
    try:
        found = read_assertion(said, SCOPED)
    except SignInRefused:
        return
    assert found.idp == HERE
    assert found.session
    for one in (found.subject_id, found.pairwise_id, found.eppn, *found.affiliations):
        assert one is None or one.endswith(("@example.ca", ".cs.example.ca"))


@given(st.lists(st.text(st.sampled_from("ab;\u00e9 "), min_size=1), max_size=6))
def test_values_are_split_as_the_sp_joins_them(values: list[str]) -> None:
    joined = ";".join(value.replace(";", "\\;") for value in values)
    found = read_assertion(headers(Member_Of=joined), SCOPED)
    wanted = [value.strip(" ") for value in values if value.strip(" ")]
    assert list(found.memberships) == list(dict.fromkeys(wanted))
