"""Similar pictures: embeddings by model. And, for SQLite, indexes that a page of results is read from without any row.

PostgreSQL gets none of these two: its indexes hold no long texts, and it reads the rows fast enough.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"

TEXT = sa.Text()
RIGHTS = ["released_at", "metadata_open", "proposal", "experiment", "id", "deposited_by", "instrument"]
FACETS = ["technique", "sample", "category", "format", "instrument_name", "kind", "voltage"]


def upgrade() -> None:
    """Add them; nothing that was there changes."""
    op.create_table(
        "measurement_embedding",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("measurement", TEXT, nullable=False),
        sa.Column("model", TEXT, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["measurement"], ["measurement.id"], name="fk_measurement_embedding_measurement"),
        sa.PrimaryKeyConstraint("seq", name="pk_measurement_embedding"),
        sa.UniqueConstraint("measurement", name="uq_measurement_embedding_measurement"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_measurement_embedding_model_seq", "measurement_embedding", ["model", "seq"])
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_measurement_faceted", "measurement", ["seq", *RIGHTS, *FACETS, "start_time"])
        op.create_index("ix_measurement_started", "measurement", ["start_time", "seq", *RIGHTS, *FACETS])
