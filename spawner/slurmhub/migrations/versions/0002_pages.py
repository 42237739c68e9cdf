"""What the pages keep: presets, notices, and of each job its use, its extensions, its alternative.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the columns of the intents."""
    op.create_table(
        "slurmhub_preset",
        sa.Column("username", sa.Unicode(255), primary_key=True),
        sa.Column("name", sa.Unicode(64), primary_key=True),
        sa.Column("options", sa.JSON, nullable=False),
    )
    op.create_table(
        "slurmhub_notice",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("partition", sa.Unicode(255)),
        sa.Column("text", sa.UnicodeText, nullable=False),
        sa.Column("drains", sa.Boolean, nullable=False),
        sa.Column("since", sa.Float),
        sa.Column("until", sa.Float),
        sa.Column("author", sa.Unicode(255), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    with op.batch_alter_table("slurmhub_intent") as batch:
        batch.add_column(sa.Column("usage", sa.JSON))
        batch.add_column(sa.Column("time_limit", sa.Integer))
        batch.add_column(sa.Column("extended", sa.Integer, nullable=False, server_default="0"))
        batch.add_column(sa.Column("alternative_to", sa.String(32)))
        batch.add_column(sa.Column("idle_warned", sa.Float))


def downgrade() -> None:
    """Take them away again."""
    with op.batch_alter_table("slurmhub_intent") as batch:
        for name in ("idle_warned", "alternative_to", "extended", "time_limit", "usage"):
            batch.drop_column(name)
    op.drop_table("slurmhub_notice")
    op.drop_table("slurmhub_preset")
