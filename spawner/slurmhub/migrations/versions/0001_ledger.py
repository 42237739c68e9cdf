"""The ledger's first tables: intents, and the last accepted options.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "slurmhub_intent",
        sa.Column("nonce", sa.String(32), primary_key=True),
        sa.Column("username", sa.Unicode(255), nullable=False),
        sa.Column("server", sa.Unicode(255), nullable=False),
        sa.Column("account", sa.Unicode(255), nullable=False),
        sa.Column("uid", sa.BigInteger, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("script", sa.UnicodeText, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("deadline", sa.Float, nullable=False),
        sa.Column("job_id", sa.BigInteger, index=True),
        sa.Column("seen_under", sa.Unicode(1024)),
        sa.Column("restarts", sa.Integer, nullable=False),
        sa.Column("started", sa.Float),
        sa.Column("node", sa.Unicode(255)),
        sa.Column("address", sa.Unicode(255)),
        sa.Column("port", sa.Integer),
        sa.Column("cancel_requested", sa.Float),
        sa.Column("confirmed_gone", sa.Boolean, nullable=False),
        sa.Column("ended", sa.Float),
        sa.Column("outcome", sa.JSON),
    )
    op.create_index("slurmhub_intent_server", "slurmhub_intent", ["username", "server"])
    op.create_table(
        "slurmhub_accepted_options",
        sa.Column("username", sa.Unicode(255), primary_key=True),
        sa.Column("server", sa.Unicode(255), primary_key=True),
        sa.Column("options", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("slurmhub_accepted_options")
    op.drop_table("slurmhub_intent")
