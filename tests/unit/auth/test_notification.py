"""The SP's word that sessions are over: read as it is, and nothing else read at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmhub.auth.notification import ANSWER, LARGEST, NotificationWrong, sessions_that_ended

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SPACE = "urn:mace:shibboleth:2.0:sp:notify"


def message(inside: str, *, soap: str = SOAP, space: str = SPACE, before: str = "") -> bytes:
    """A message as the SP sends it, with this inside."""
    text = (
        f'{before}<S:Envelope xmlns:S="{soap}"><S:Body><n:LogoutNotification xmlns:n="{space}" '
        f'type="global">{inside}</n:LogoutNotification></S:Body></S:Envelope>'
    )
    return text.encode()


def test_the_sessions_are_read() -> None:
    said = "\n<n:SessionID>_1a</n:SessionID>\n<n:SessionID> _2b </n:SessionID>"
    assert sessions_that_ended(message(said)) == ["_1a", "_2b"]
    assert sessions_that_ended(message("")) == []
    declared = message(said, before='<?xml version="1.0" encoding="UTF-8"?>')
    assert sessions_that_ended(declared) == ["_1a", "_2b"]


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"x",
        b"<x/>",
        message("<n:SessionID>_1</n:SessionID>")[:-5],
        message("<n:SessionID>_1</n:SessionID>", soap="http://other"),
        message("<n:SessionID>_1</n:SessionID>", space="urn:other"),
        message("<n:SessionID></n:SessionID>"),
        message(f"<n:SessionID>{'x' * 256}</n:SessionID>"),
        message("<n:SessionID>_1</n:SessionID>" * 101),
        message("<n:SessionID>_1</n:SessionID>" + " " * LARGEST),
        message("<n:SessionID>_1</n:SessionID>", before="<!DOCTYPE S:Envelope>"),
        message(
            "<n:SessionID>&a;</n:SessionID>",
            before='<!DOCTYPE x [<!ENTITY a "_1"><!ENTITY b "b">]>',
        ),
        message(
            "<n:SessionID>&a;</n:SessionID>",
            before='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        ),
        message("<n:SessionID>&a;</n:SessionID>"),
        b"\xff\xfe\x00\x00",
    ],
)
def test_nothing_else_is(wrong: bytes) -> None:
    with pytest.raises(NotificationWrong):
        sessions_that_ended(wrong)


def test_ids_elsewhere_in_the_message_are_none() -> None:
    assert sessions_that_ended(message("<x><n:SessionID>_1</n:SessionID></x>")) == []
    assert sessions_that_ended(message("<SessionID>_1</SessionID>")) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(said: bytes) -> None:
    with pytest.raises(NotificationWrong):
        sessions_that_ended(said)


def test_the_answer_is_of_its_own_name_space() -> None:
    assert f'<LogoutNotificationResponse xmlns="{SPACE}"><OK/>' in ANSWER
