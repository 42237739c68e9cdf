"""The tables of courses. Times are seconds since the epoch, documents the models as JSON."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "slurmhub_course_schema"
"""Its own, so that these tables may be in the ledger's database."""

metadata = sa.MetaData()

courses = sa.Table(
    "slurmhub_course",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("owner", sa.Unicode(255), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("changed", sa.Float, nullable=False),
    sa.Column("frozen", sa.Float),
    sa.Column("ended", sa.Float),
    # What the Slurm side last said of it; empty: all is as it should be.
    sa.Column("realised", sa.Float),
    sa.Column("waiting", sa.UnicodeText),
)

members = sa.Table(
    "slurmhub_course_member",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
    sa.Column("username", sa.Unicode(255)),
    sa.Column("eppn", sa.Unicode(255)),
    sa.Column("login", sa.Unicode(255)),
    sa.Column("mail", sa.Unicode(255)),
    sa.Column("number", sa.Unicode(255)),
    sa.Column("name", sa.Unicode(255), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("dropped", sa.Float),
    sa.Column("dropped_by", sa.Unicode(255)),
    # Of rows without a username there may be many: NULL is like nothing else.
    sa.UniqueConstraint("course", "username", name="slurmhub_course_member_once"),
    sa.Index("slurmhub_course_member_username", "username"),
)

codes = sa.Table(
    "slurmhub_course_code",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
    sa.Column("made_by", sa.Unicode(255), nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("expires", sa.Float, nullable=False),
    sa.Column("seats", sa.Integer, nullable=False),
    sa.Column("used", sa.Integer, nullable=False),
    sa.Column("revoked", sa.Float),
    sa.Index("slurmhub_course_code_course", "course"),
)

# What sign-in last told of each person, each identifier in its compared form.
persons = sa.Table(
    "slurmhub_course_person",
    metadata,
    sa.Column("username", sa.Unicode(255), primary_key=True),
    sa.Column("eppn", sa.Unicode(255)),
    sa.Column("login", sa.Unicode(255)),
    sa.Column("mail", sa.Unicode(255)),
    sa.Column("number", sa.Unicode(255)),
    sa.Column("groups", sa.JSON, nullable=False),
    sa.Column("seen", sa.Float, nullable=False),
    sa.Column("left", sa.Float),
    sa.Index("slurmhub_course_person_eppn", "eppn"),
    sa.Index("slurmhub_course_person_login", "login"),
    sa.Index("slurmhub_course_person_mail", "mail"),
    sa.Index("slurmhub_course_person_number", "number"),
)

# Wrong join codes of the last hour.
tries = sa.Table(
    "slurmhub_course_try",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("username", sa.Unicode(255), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

record = sa.Table(
    "slurmhub_course_record",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("who", sa.Unicode(255), nullable=False),
    sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("subject", sa.Unicode(255)),
    sa.Column("version", sa.Integer),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index("slurmhub_course_record_course", "course"),
)

approvals = sa.Table(
    "slurmhub_course_approval",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
    sa.Column("asked_by", sa.Unicode(255), nullable=False),
    sa.Column("asked", sa.Float, nullable=False),
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("reasons", sa.JSON, nullable=False),
    sa.Column("note", sa.UnicodeText, nullable=False),
    sa.Column("decision", sa.String(16)),
    sa.Column("decided_by", sa.Unicode(255)),
    sa.Column("decided", sa.Float),
    sa.Column("words", sa.UnicodeText, nullable=False),
    sa.Index("slurmhub_course_approval_course", "course"),
)

messages = sa.Table(
    "slurmhub_course_message",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
    sa.Column("author", sa.Unicode(255), nullable=False),
    sa.Column("text", sa.UnicodeText, nullable=False),
    sa.Column("sent", sa.Float, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
    sa.Index("slurmhub_course_message_course", "course"),
)

# Who of the staff asked to be let in at whose server; what is not allowed yet is only a question.
helps = sa.Table(
    "slurmhub_course_help",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
    sa.Column("student", sa.Unicode(255), nullable=False),
    sa.Column("helper", sa.Unicode(255), nullable=False),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("asked", sa.Float, nullable=False),
    sa.Column("allowed", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("ended_by", sa.Unicode(255)),
    sa.Index("slurmhub_course_help_course", "course"),
    sa.Index("slurmhub_course_help_student", "student"),
)

# Reminders by mail, one for each of the staff; `ends` is the end that it speaks of, `again` when it
# is tried next, `sent` when a mail server took it.
mails = sa.Table(
    "slurmhub_course_mail",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
    sa.Column("username", sa.Unicode(255), nullable=False),
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("ends", sa.Float, nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("again", sa.Float, nullable=False),
    sa.Column("sent", sa.Float),
    sa.UniqueConstraint("course", "username", "days", "ends", name="slurmhub_course_mail_once"),
)

# One row. Each change of anything here adds one to its number, which whoever acts on courses
# watches; and who writes holds it, so that totals over all courses are true.
revision = sa.Table(
    "slurmhub_course_revision",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
)
