"""Hands reminders to a mail server, each once.

What the server took is written down at once. Where that cannot be, it is remembered until it can.
If the service dies just between the two, the mail goes a second time with the same Message-ID, by
which mail systems know that it is the same.
"""

from __future__ import annotations

import logging
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from slurmhub.courses.errors import CourseError
from slurmhub.courses.mail_settings import ADDRESS, MailSettings
from slurmhub.courses.mails import Mail
from slurmhub.courses.reminding import message
from slurmhub.courses.service import measures
from slurmhub.courses.store import Courses

_log = logging.getLogger("slurmhub.courses.mail")

PATIENCE = 30.0
"""Seconds for each answer of the mail server."""
NO_ADDRESS = 6 * 3600.0
"""Seconds until somebody without an address is looked at again: they may sign in."""
REFUSED = 3600.0
"""Seconds until what a server refused is tried again: it may be greylisting, or a mistake there."""


class MailAway(CourseError):
    """The mail server takes nothing now; all of it waits."""


class Mailer:
    """Sends what is due; `language` comes first in each mail."""

    def __init__(self, courses: Courses, settings: MailSettings, hub: str, language: str) -> None:
        self._courses, self._settings = courses, settings
        self._hub, self._language = hub, language
        self._taken: set[int] = set()

    def round(self) -> None:
        """Send what is due, in a thread. Raises MailAway, CoursesAway."""
        for number in sorted(self._taken):
            self._write_down(number)
        found = self._courses.mails.due()
        measures.MAILS_WAITING.set(self._courses.mails.waiting())
        ready = [one for one in found if self._has_address(one)]
        if not ready:
            return
        with self._connected() as server:
            for one in ready:
                self._send(server, one)
        measures.MAILS_WAITING.set(self._courses.mails.waiting())

    def _has_address(self, mail: Mail) -> bool:
        if mail.address is not None and re.fullmatch(ADDRESS, mail.address):
            return True
        _log.warning(
            "%s is not mailed that the course %s ends: sign-in told no mail address of theirs.",
            mail.username,
            mail.course.key,
        )
        measures.MAILS.labels("no-address").inc()
        self._courses.mails.later(mail.number, NO_ADDRESS)
        return False

    def _send(self, server: smtplib.SMTP, mail: Mail) -> None:
        address = str(mail.address)
        made = message(mail, address, self._settings, self._hub, self._language)
        try:
            server.send_message(made, self._settings.sender, [address])
        except smtplib.SMTPRecipientsRefused as error:
            answer = error.recipients[address]
            if answer[0] == _CLOSING:
                raise _away(self._settings, error) from error
            self._refused(mail, answer)
        except smtplib.SMTPResponseException as error:
            if isinstance(error, smtplib.SMTPSenderRefused) or error.smtp_code == _CLOSING:
                raise _away(self._settings, error) from error
            self._refused(mail, (error.smtp_code, error.smtp_error))
        except (OSError, smtplib.SMTPException) as error:
            raise _away(self._settings, error) from error
        else:
            self._taken.add(mail.number)
            measures.MAILS.labels("sent").inc()
            _log.info("%s is mailed that the course %s ends.", mail.username, mail.course.key)
            self._write_down(mail.number)

    def _refused(self, mail: Mail, answer: tuple[int, bytes | str]) -> None:
        code, words = answer
        said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
        _log.warning(
            "The mail server refuses the mail to %s about %s, which is tried again: %d %.300r",
            mail.username,
            mail.course.key,
            code,
            said,
        )
        measures.MAILS.labels("refused").inc()
        self._courses.mails.later(mail.number, REFUSED)

    def _write_down(self, number: int) -> None:
        self._courses.mails.sent(number)
        self._taken.discard(number)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        host, port = self._settings.place
        try:
            server = smtplib.SMTP(host, port, timeout=PATIENCE)
        except (OSError, smtplib.SMTPException) as error:
            raise _away(self._settings, error) from error
        try:
            if self._settings.tls:
                self._encrypt(server)
            yield server
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _encrypt(self, server: smtplib.SMTP) -> None:
        try:
            server.starttls(context=ssl.create_default_context())
        except (OSError, smtplib.SMTPException) as error:
            raise _away(self._settings, error) from error


_CLOSING = 421


def _away(settings: MailSettings, error: Exception) -> MailAway:
    return MailAway(
        f"The mail server {settings.relay} takes nothing: {error}.",
        remedy="Nothing is lost. See whether it is there, and whether this host may send there.",
    )
