"""A mail server on loopback that keeps what it takes, and can be told to refuse."""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from ssl import SSLContext
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from tests.rig.hub import free_port


@dataclass
class MailServer:
    """What came, and what is answered instead: `refuses` is by the envelope's recipient."""

    port: int
    taken: list[EmailMessage] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    drops: bool = False

    @property
    def relay(self) -> str:
        """As settings name it."""
        return f"127.0.0.1:{self.port}"

    @property
    def recipients(self) -> list[str]:
        """To whom, in the order in which they came."""
        return [str(one["X-RcptTo"]) for one in self.taken]

    # What aiosmtpd calls

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Whether it takes mail for somebody."""
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a mail; or take it and be gone before the answer."""
        made = message_from_bytes(envelope.content, policy=policy.default)
        made["X-RcptTo"] = ", ".join(envelope.rcpt_tos)
        made["X-MailFrom"] = envelope.mail_from
        made["X-Encrypted"] = "no" if session.ssl is None else "yes"
        self.taken.append(made)
        if self.drops:
            assert isinstance(server.transport, Transport)
            server.transport.abort()
        return "250 OK"


@contextmanager
def mail_server(port: int | None = None, tls: SSLContext | None = None) -> Iterator[MailServer]:
    """One that listens; with `tls` it offers STARTTLS, and takes nothing without."""
    server = MailServer(port or free_port())
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        tls_context=tls,
        require_starttls=tls is not None,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
