"""Courses, who is in them, how people join, what was asked for and done.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "slurmhub_course",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("owner", sa.Unicode(255), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("changed", sa.Float, nullable=False),
        sa.Column("frozen", sa.Float),
        sa.Column("ended", sa.Float),
        sa.Column("realised", sa.Float),
        sa.Column("waiting", sa.UnicodeText),
    )
    op.create_table(
        "slurmhub_course_member",
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
        sa.UniqueConstraint("course", "username", name="slurmhub_course_member_once"),
    )
    op.create_index("slurmhub_course_member_username", "slurmhub_course_member", ["username"])
    op.create_table(
        "slurmhub_course_code",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
        sa.Column("made_by", sa.Unicode(255), nullable=False),
        sa.Column("made", sa.Float, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("seats", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("revoked", sa.Float),
    )
    op.create_index("slurmhub_course_code_course", "slurmhub_course_code", ["course"])
    op.create_table(
        "slurmhub_course_person",
        sa.Column("username", sa.Unicode(255), primary_key=True),
        sa.Column("eppn", sa.Unicode(255)),
        sa.Column("login", sa.Unicode(255)),
        sa.Column("mail", sa.Unicode(255)),
        sa.Column("number", sa.Unicode(255)),
        sa.Column("groups", sa.JSON, nullable=False),
        sa.Column("seen", sa.Float, nullable=False),
        sa.Column("left", sa.Float),
    )
    op.create_index("slurmhub_course_person_eppn", "slurmhub_course_person", ["eppn"])
    op.create_index("slurmhub_course_person_login", "slurmhub_course_person", ["login"])
    op.create_index("slurmhub_course_person_mail", "slurmhub_course_person", ["mail"])
    op.create_index("slurmhub_course_person_number", "slurmhub_course_person", ["number"])
    op.create_table(
        "slurmhub_course_try",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("username", sa.Unicode(255), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "slurmhub_course_record",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.Unicode(255), nullable=False),
        sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("subject", sa.Unicode(255)),
        sa.Column("version", sa.Integer),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("slurmhub_course_record_course", "slurmhub_course_record", ["course"])
    op.create_table(
        "slurmhub_course_approval",
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
    )
    op.create_index("slurmhub_course_approval_course", "slurmhub_course_approval", ["course"])
    op.create_table(
        "slurmhub_course_revision",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO slurmhub_course_revision (id, number) VALUES (1, 0)")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("slurmhub_course_revision")
    op.drop_table("slurmhub_course_approval")
    op.drop_table("slurmhub_course_record")
    op.drop_table("slurmhub_course_try")
    op.drop_table("slurmhub_course_person")
    op.drop_table("slurmhub_course_code")
    op.drop_table("slurmhub_course_member")
    op.drop_table("slurmhub_course")
