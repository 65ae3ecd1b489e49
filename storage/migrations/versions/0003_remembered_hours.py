"""Hours that are remembered, reviews that were issued, and deploys that were told of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "hour_series",
        sa.Column("seq", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_hour_series")),
        sa.UniqueConstraint("workspace", "digest", name=op.f("uq_hour_series_workspace_digest")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hour_blocks",
        sa.Column("series_seq", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("hours", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_seq"], ["hour_series.seq"], name=op.f("fk_hour_blocks_series_seq"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("series_seq", "block", name=op.f("pk_hour_blocks")),
    )
    op.create_table(
        "hour_names",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "name", name=op.f("pk_hour_names")),
    )
    op.create_table(
        "issued_reviews",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "at", "key", name=op.f("pk_issued_reviews")),
    )
    op.create_table(
        "deploys",
        sa.Column("seq", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_deploys")),
        sa.UniqueConstraint(
            "workspace", "service", "at", "version", name=op.f("uq_deploys_workspace_service_at_version")
        ),
        sqlite_autoincrement=True,
    )
