"""Messages to a class, and help at a student's server.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "slurmhub_course_message",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
        sa.Column("author", sa.Unicode(255), nullable=False),
        sa.Column("text", sa.UnicodeText, nullable=False),
        sa.Column("sent", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("slurmhub_course_message_course", "slurmhub_course_message", ["course"])
    op.create_table(
        "slurmhub_course_help",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("course", sa.String(32), sa.ForeignKey("slurmhub_course.key"), nullable=False),
        sa.Column("student", sa.Unicode(255), nullable=False),
        sa.Column("helper", sa.Unicode(255), nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("asked", sa.Float, nullable=False),
        sa.Column("allowed", sa.Float),
        sa.Column("ended", sa.Float),
        sa.Column("ended_by", sa.Unicode(255)),
    )
    op.create_index("slurmhub_course_help_course", "slurmhub_course_help", ["course"])
    op.create_index("slurmhub_course_help_student", "slurmhub_course_help", ["student"])


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("slurmhub_course_help")
    op.drop_table("slurmhub_course_message")
