"""Reminders handed to a real mail server that is there, away, refuses, or dies."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from slurmhub.courses.errors import CoursesAway
from slurmhub.courses.mail_settings import MailSettings
from slurmhub.courses.model import Role
from slurmhub.courses.service.mailing import MailAway, Mailer
from slurmhub.courses.store import Courses
from tests.rig.mail_server import mail_server
from tests.unit.courses.world import ALICE, Clock, course, facts
from tests.unit.measuring.values import value


@pytest.fixture
def reminded(courses: Courses, clock: Clock) -> Courses:
    """A course whose staff, alice and bob, are to be reminded."""
    courses.stages.by_mail = True
    courses.create(ALICE, course(), staff={"bob": Role.INSTRUCTOR})
    for name in ("alice", "bob"):
        courses.members.came(facts(name, mail=f"{name}@example.ca"))
    for days in (105, 61):
        clock.days(days)
        for one in courses.stages.due():
            assert courses.stages.do(one)
    assert courses.mails.waiting() == 2
    return courses


def mailer(courses: Courses, relay: str, *, tls: bool = False) -> Mailer:
    settings = MailSettings(
        relay=relay, sender="help@example.ca", tls=tls, pages="https://hub.example.ca/courses/"
    )
    return Mailer(courses, settings, "teaching", "en")


def test_each_gets_one_mail_and_no_second(reminded: Courses) -> None:
    with mail_server() as server:
        sender = mailer(reminded, server.relay)
        sender.round()
        sender.round()
        mailer(reminded, server.relay).round()
    assert sorted(server.recipients) == ["alice@example.ca", "bob@example.ca"]
    first = server.taken[0]
    assert first["X-MailFrom"] == "help@example.ca"
    assert first["To"] == first["X-RcptTo"]
    assert "The course “Mechanics” (phys101) ends on" in first.get_content()
    assert "Le cours" in first.get_content()
    assert reminded.mails.waiting() == 0


def test_a_server_that_is_away_delays(reminded: Courses) -> None:
    with mail_server() as gone:
        pass
    sender = mailer(reminded, gone.relay)
    for _ in range(3):
        with pytest.raises(MailAway, match="takes nothing"):
            sender.round()
    assert reminded.mails.waiting() == 2
    with mail_server(gone.port) as server:
        sender.round()
    assert len(server.taken) == 2
    assert value("slurmhub_courses_mails_waiting") == 0


def test_who_is_refused_is_tried_again_and_keeps_nobody_waiting(
    reminded: Courses, clock: Clock
) -> None:
    with mail_server() as server:
        server.refuses = {"alice@example.ca": "450 4.2.1 try again"}
        sender = mailer(reminded, server.relay)
        sender.round()
        assert server.recipients == ["bob@example.ca"]
        server.refuses = {}
        sender.round()
        assert server.recipients == ["bob@example.ca"]
        clock.days(1.1 / 24)
        sender.round()
    assert server.recipients == ["bob@example.ca", "alice@example.ca"]


def test_a_server_that_dies_with_a_mail_in_hand_gets_the_same_again(reminded: Courses) -> None:
    with mail_server() as server:
        server.drops = True
        sender = mailer(reminded, server.relay)
        with pytest.raises(MailAway):
            sender.round()
        server.drops = False
        sender.round()
    ids = [one["Message-ID"] for one in server.taken]
    # Nobody knows whether it took the first; both are one mail.
    assert len(ids) == 3
    assert len(set(ids)) == 2


def test_what_was_taken_is_not_sent_again_when_it_cannot_be_written_down(
    reminded: Courses, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = reminded.mails.sent

    def away(number: int) -> None:
        raise CoursesAway("no database")

    with mail_server() as server:
        sender = mailer(reminded, server.relay)
        monkeypatch.setattr(reminded.mails, "sent", away)
        for _ in range(2):
            with pytest.raises(CoursesAway):
                sender.round()
        assert len(server.taken) == 1
        monkeypatch.setattr(reminded.mails, "sent", write)
        sender.round()
    assert sorted(server.recipients) == ["alice@example.ca", "bob@example.ca"]


def test_somebody_without_an_address_is_mailed_once_they_have_one(
    courses: Courses, reminded: Courses, clock: Clock
) -> None:
    courses.members.came(facts("bob", mail="bob <b@example.ca>"))
    with mail_server() as server:
        sender = mailer(reminded, server.relay)
        sender.round()
        assert server.recipients == ["alice@example.ca"]
        courses.members.came(facts("bob", mail="bob@example.ca"))
        clock.days(0.3)
        sender.round()
    assert server.recipients == ["alice@example.ca", "bob@example.ca"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, and its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "made.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(made)),
        ],
        check=True,
        capture_output=True,
    )
    both = folder / "both.pem"
    both.write_bytes(made.read_bytes() + key.read_bytes())
    return both


def offering(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_mail_is_encrypted_to_a_server_that_is_who_it_says(
    reminded: Courses, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(tls=offering(certificate)) as server:
        sender = mailer(reminded, server.relay, tls=True)
        with pytest.raises(MailAway, match="certificate"):
            sender.round()
        assert server.taken == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        sender.round()
    assert [one["X-Encrypted"] for one in server.taken] == ["yes", "yes"]


def test_nothing_goes_to_a_server_that_does_not_encrypt(reminded: Courses) -> None:
    with mail_server() as server:
        with pytest.raises(MailAway, match="STARTTLS"):
            mailer(reminded, server.relay, tls=True).round()
        assert server.taken == []


def test_a_server_that_closes_has_taken_nothing(reminded: Courses) -> None:
    with mail_server() as server:
        server.refuses = {"alice@example.ca": "421 4.3.2 closing"}
        with pytest.raises(MailAway):
            mailer(reminded, server.relay).round()
        assert reminded.mails.waiting() == 2
        server.refuses = {}
        mailer(reminded, server.relay).round()
    assert server.recipients == ["alice@example.ca", "bob@example.ca"]
