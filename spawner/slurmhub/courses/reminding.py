"""What a reminder says by mail, in every language there is: whose reader that is, nobody knows."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from zoneinfo import ZoneInfo

from slurmhub.courses.mail_settings import MailSettings
from slurmhub.courses.mails import Mail
from slurmhub.courses.model import State
from slurmhub.language import LANGUAGES, spoken, translate


def message(mail: Mail, address: str, settings: MailSettings, hub: str, first: str) -> EmailMessage:
    """The mail to one of the staff; `first` is the language that comes first.

    However often it is sent, it is the same mail: its Message-ID (RFC 5322, section 3.6.4) is made
    of what it is about. Raises ValueError for an address that no header can have.
    """
    course, zone = mail.course.course, ZoneInfo(mail.course.course.timezone)
    day = datetime.fromtimestamp(mail.ends, zone).date()
    order = [first, *(code for code in LANGUAGES if code != first)]
    subjects, bodies = [], []
    for code in order:
        with spoken(code):
            subjects.append(translate("It ends on {day}", day=day))
            bodies.append(_words(mail, settings, str(day)))
    made = EmailMessage(policy=SMTP)
    title = " ".join(course.title.split())
    made["Subject"] = f"{title}: {' / '.join(subjects)}"
    made["From"] = formataddr((hub, settings.sender))
    made["To"] = address
    made["Date"] = format_datetime(datetime.fromtimestamp(mail.made, zone))
    domain = settings.sender.rpartition("@")[2]
    about = f"{mail.course.key}.{int(mail.ends)}.{mail.days}.{mail.number}"
    made["Message-ID"] = f"<slurmhub.{about}@{domain}>"
    # RFC 3834: no machine answers this.
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("\n\n-- -- --\n\n".join(bodies) + "\n")
    return made


def _words(mail: Mail, settings: MailSettings, day: str) -> str:
    course, key = mail.course.course, mail.course.key
    page = f"{settings.pages}course/{key}/"
    todo = []
    if course.storage.folders:
        todo.append((translate("Download its files"), page))
    todo.append((translate("Copy it to another term"), f"{page}stages"))
    if mail.course.state is State.OPEN:
        todo.append((translate("Let its term end later, if it goes on"), f"{page}change"))
    todo.append((translate("Its owner can give it to a colleague"), f"{page}stages"))
    parts = [
        translate(
            "The course “{title}” ({key}) ends on {day}. Its folders and its place on the cluster "
            "are taken away then. What is in people's homes stays.",
            title=course.title,
            key=key,
            day=day,
        ),
        translate("What you can do before:"),
        "\n".join(f"- {words}\n  {address}" for words, address in todo),
        translate("You get this mail because you are staff of this course."),
    ]
    return "\n\n".join(str(part) for part in parts)
