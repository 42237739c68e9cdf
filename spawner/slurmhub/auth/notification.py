"""The SP's word that sessions are over: its SOAP message, read without trusting it.

https://shibboleth.atlassian.net/wiki/spaces/SP3/pages/2065334724/Notify says what it is like.
"""

from __future__ import annotations

from xml.parsers import expat

from slurmhub.errors import SlurmhubError

LARGEST = 64 * 1024
"""Of a message, in bytes."""

_SPACE = "urn:mace:shibboleth:2.0:sp:notify"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_PATH = (
    f"{_SOAP} Envelope",
    f"{_SOAP} Body",
    f"{_SPACE} LogoutNotification",
    f"{_SPACE} SessionID",
)
_MOST_SESSIONS = 100
_LONGEST_ID = 255

ANSWER = (
    f'<S:Envelope xmlns:S="{_SOAP}"><S:Body>'
    f'<LogoutNotificationResponse xmlns="{_SPACE}"><OK/></LogoutNotificationResponse>'
    "</S:Body></S:Envelope>"
)


class NotificationWrong(SlurmhubError):
    """A message that is no LogoutNotification."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"This is no logout notification of the SP: {problem}.",
            remedy="Only the SP's Notify element with Channel back sends to this address.",
        )


class _Reader:
    """Collects the session ids; whatever is no plain element ends the reading."""

    def __init__(self) -> None:
        self.sessions: list[str] = []
        self.notified = False
        self._path: list[str] = []
        self._text: list[str] = []

    def start(self, name: str, _attributes: object) -> None:
        self._path.append(name)
        self._text.clear()
        self.notified = self.notified or tuple(self._path) == _PATH[:3]

    def end(self, _name: str) -> None:
        if tuple(self._path) == _PATH:
            self.sessions.append("".join(self._text).strip())
        self._path.pop()
        self._text.clear()

    def text(self, data: str) -> None:
        self._text.append(data)

    def refuse(self, *_: object) -> None:
        raise NotificationWrong("it has a document type")


def sessions_that_ended(message: bytes) -> list[str]:
    """The SP's session ids in a message. Raises NotificationWrong."""
    if len(message) > LARGEST:
        raise NotificationWrong(f"it is larger than {LARGEST} bytes")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    # Without a document type there are no entities to expand or to fetch.
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(message, True)
    except expat.ExpatError as error:
        raise NotificationWrong(f"it is no XML ({error})") from error
    if not reader.notified or len(reader.sessions) > _MOST_SESSIONS:
        raise NotificationWrong("it has no LogoutNotification, or too many sessions")
    if any(not one or len(one) > _LONGEST_ID for one in reader.sessions):
        raise NotificationWrong("a session id is empty or too long")
    return reader.sessions
