"""Who is signed in where, and who has accepted which terms of use.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "slurmhub_session",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("username", sa.Unicode(255), nullable=False),
        sa.Column("front_session", sa.Unicode(255), nullable=False),
        sa.Column("hub_session", sa.String(64), nullable=False),
        sa.Column("terms", sa.Unicode(64), nullable=False),
        sa.Column("began", sa.Float, nullable=False),
    )
    op.create_index("slurmhub_session_front", "slurmhub_session", ["front_session"])
    op.create_table(
        "slurmhub_terms_accepted",
        sa.Column("username", sa.Unicode(255), primary_key=True),
        sa.Column("version", sa.Unicode(64), primary_key=True),
        sa.Column("accepted", sa.Float, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("slurmhub_terms_accepted")
    op.drop_table("slurmhub_session")
