"""Reminders by mail.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "slurmhub_course_mail",
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


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("slurmhub_course_mail")
