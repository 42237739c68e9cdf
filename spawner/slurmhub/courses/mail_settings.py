"""The mail server by which staff of courses are reminded."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slurmhub.courses.model import CourseModel

ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$"
"""An address that needs no quotes and is of ASCII (RFC 5322, section 3.4.1, `dot-atom`)."""


class MailSettings(CourseModel):
    """A server that takes mail of this host without a password, and what the mails say."""

    relay: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:[0-9]{1,5})?$")]
    """`host` or `host:port`; 25 where no port is named."""
    sender: Annotated[str, Field(pattern=ADDRESS, max_length=254)]
    """Whom staff answer to, and who hears of what cannot be delivered."""
    tls: bool = True
    """Whether mail is sent only if that server offers STARTTLS, with a certificate that holds."""
    pages: Annotated[str, Field(pattern=r"^https?://[^\s<>]+/$", max_length=500)]
    """The address of the pages of courses, as people write it in their browser."""

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.relay.partition(":")
        return host, int(port or 25)
