"""Who has which account: people, their identities, and what identifies each of these.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "slurmhub_person",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Unicode(255), nullable=False, unique=True),
        sa.Column("uid", sa.BigInteger, unique=True),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("token", sa.String(32)),
        sa.Column("created", sa.Float),
        sa.Column("seen", sa.Float),
    )
    op.create_table(
        "slurmhub_identity",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("person", sa.Integer, sa.ForeignKey("slurmhub_person.id"), nullable=False),
        sa.Column("idp", sa.Unicode(1024), nullable=False),
        sa.Column("linked", sa.Boolean, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_index("slurmhub_identity_person", "slurmhub_identity", ["person"])
    op.create_table(
        "slurmhub_identifier",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("identity", sa.Integer, sa.ForeignKey("slurmhub_identity.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("value", sa.Unicode(1024), nullable=False),
        sa.Column("since", sa.Float, nullable=False),
    )
    op.create_index("slurmhub_identifier_identity", "slurmhub_identifier", ["identity"])


def downgrade() -> None:
    """Drop them."""
    for table in ("slurmhub_identifier", "slurmhub_identity", "slurmhub_person"):
        op.drop_table(table)
