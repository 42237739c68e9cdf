"""What was counted of each open job, so that no hub counts it twice.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "slurmhub_measured",
        sa.Column("nonce", sa.String(32), primary_key=True),
        sa.Column("ready", sa.Float),
        sa.Column("until", sa.Float),
        sa.Column("restarts", sa.Integer, nullable=False),
        sa.Column("cpu_seconds", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("slurmhub_measured")
