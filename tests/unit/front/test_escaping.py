"""No value changes the shape of what it is written into."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from slurmhub_deploy.front import registration
from slurmhub_deploy.front.attributes import ATTRIBUTES, SESSION_HEADERS, identity_shaped
from slurmhub_deploy.front.errors import FrontError
from slurmhub_deploy.front.render import quoted, render
from slurmhub_deploy.front.settings import FrontSettings
from tests.unit.front.examples import CERTIFICATES, ONE, settings

HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            'x" onload="alert(1)',
            "</p><script>alert(1)</script>",
            "]]>",
            "<!-- ",
            "&amp;",
            "&#x0;",
            "${slurmhub_front_secret}",
            "%{reqenv:eppn}",
            "a\\",
            'a" Require all granted #',
            "a\nRequire all granted",
            "{{ s.secret_file }}",
            "{% include 'x' %}",
            "<shibmlp errorText/>",
            "| a | b |",
            "\u2028line",
            "\ufffe",
            "\x85",
        ]
    ),
)
WORDS = ("institution", "name.en", "name.fr", "description.en", "support.name", "security.name")
OTHERS = ("domain", "base_url", "proxy", "entity_id", "provider", "privacy_url", "tls_key",
          "key_folder", "support.mail", "shibboleth_folder")  # fmt: skip


def changed(field: str, value: str) -> FrontSettings | None:
    """The settings with one value replaced; None if they are refused."""
    top, _, below = field.partition(".")
    new: Any = {**ONE[top], below: value} if below else value
    try:
        return settings(**{top: new})
    except FrontError:
        return None


def texts(found: FrontSettings) -> dict[str, str]:
    """All files, the registration pack too."""
    return render(found) | registration.texts(found, CERTIFICATES)


def shape(text: str) -> list[str]:
    """The directives of a file for Apache, without their arguments, in order."""
    lines = (line.split() for line in text.splitlines())
    return [line[0] for line in lines if line and not line[0].startswith("#")]


def tags(text: str) -> list[str]:
    """The elements of a document in order; raises ParseError when it is no XML."""
    return [element.tag for element in ElementTree.fromstring(text).iter()]  # noqa: S314


PLAIN = texts(settings())


@examples(deadline=None)  # a dozen files, on a machine that may be busy
@given(field=st.sampled_from(WORDS), value=HOSTILE)
def test_words_stay_words(field: str, value: str) -> None:
    """In XML and HTML they arrive as they are; Apache's configuration does not have them."""
    found = changed(field, value)
    if found is None:
        return
    files = texts(found)
    assert files["apache/slurmhub.conf"] == PLAIN["apache/slurmhub.conf"]
    for file, text in files.items():
        if file.endswith(".xml"):
            assert tags(text) == tags(PLAIN[file]), file
        elif file.endswith(".html"):
            pattern = r"<[^>]*>"
            assert re.findall(pattern, text) == re.findall(pattern, PLAIN[file]), file
    metadata = ElementTree.fromstring(files[registration.METADATA])  # noqa: S314
    assert value in [element.text for element in metadata.iter()]


@examples(deadline=None)  # a dozen files, on a machine that may be busy
@given(field=st.sampled_from(OTHERS), value=HOSTILE)
def test_values_add_no_directive(field: str, value: str) -> None:
    """Whatever is accepted leaves directives and elements as they were."""
    found = changed(field, value)
    if found is None:
        return
    files = texts(found)
    usual = shape(PLAIN["apache/slurmhub.conf"])
    assert [line for line in shape(files["apache/slurmhub.conf"]) if line != "ShibConfig"] == usual
    for file in ("shibboleth/shibboleth2.xml", registration.METADATA):
        assert tags(files[file]) == tags(PLAIN[file])


@given(value=st.text(max_size=40))
def test_a_quoted_value_is_one_argument(value: str) -> None:
    """As ap_getword_conf reads it: a backslash makes the next quote or backslash plain."""
    try:
        text = quoted(value)
    except FrontError:
        return
    assert text[0] == text[-1] == '"'
    assert "\n" not in text
    assert "${" not in text
    assert re.fullmatch(r'(?:[^"\\]|\\["\\])*', text[1:-1])
    assert re.sub(r"\\(.)", r"\1", text[1:-1]) == value


@pytest.mark.parametrize("value", ["a\nb", "${x}", "a\\", "\x00", "\u2028"])
def test_what_apache_cannot_hold_is_refused(value: str) -> None:
    """With a remedy, before anything is written."""
    with pytest.raises(FrontError):
        quoted(value)


def test_a_base_url_matches_itself_alone() -> None:
    """Dots in a path are dots, not any character."""
    text = render(settings(base_url="/a.b/"))["apache/slurmhub.conf"]
    assert '<LocationMatch "^/a[.]b/hub/shibboleth/login$">' in text


OURS = [header for header, _ in SESSION_HEADERS] + [each.header for each in ATTRIBUTES]
THEIRS = ["Shib-Session-ID", "Shib-Identity-Provider", "X-Shib-User", "REMOTE-USER", "eppn"]
MARKS = st.sampled_from(["", "-", "_", ".", "__", "'", "~", "+"])


@given(name=st.sampled_from(["X-Slurmhub-Front", *OURS, *THEIRS]), data=st.data())
def test_every_spelling_of_an_identity_is_seen(name: str, data: st.DataObject) -> None:
    """Any case, and any mark or none where there is a hyphen."""
    parts = name.split("-")
    marks = data.draw(st.lists(MARKS, min_size=len(parts), max_size=len(parts)))
    spelled = marks[0] + "".join(
        (mark if index else "") + (part.upper() if data.draw(st.booleans()) else part.lower())
        for index, (part, mark) in enumerate(zip(parts, marks, strict=True))
    )
    assert re.search(identity_shaped(), spelled, re.IGNORECASE), spelled


@pytest.mark.parametrize(
    "name",
    [
        *("Accept", "Accept-Language", "Authorization", "Cache-Control", "Connection", "Cookie"),
        *("Content-Type", "DNT", "Host", "If-None-Match", "Origin", "Range", "Referer", "TE"),
        *("Sec-WebSocket-Key", "Sec-Fetch-Site", "Upgrade", "User-Agent", "X-Requested-With"),
        *("X-XSRFToken", "X-CSRFToken", "X-Forwarded-For", "Traceparent", "Snap", "Mailbox"),
    ],
)
def test_what_browsers_send_is_no_identity(name: str) -> None:
    """Beside the refusals: ordinary names pass."""
    assert not re.search(identity_shaped(), name, re.IGNORECASE)
