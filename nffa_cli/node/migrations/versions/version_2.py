"""The pages: sessions of browsers, tags, comments, collections; and the instrument by the name that the file gives it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

TEXT = sa.Text()
NAMED = {
    "sqlite": "json_extract(data, '$.instrument.instrumentName')",
    "postgresql": "data -> 'instrument' ->> 'instrumentName'",
}


def upgrade() -> None:
    """Add them; nothing that was there changes."""
    op.add_column("measurement", sa.Column("instrument_name", TEXT))
    op.execute(f"UPDATE measurement SET instrument_name = {NAMED[op.get_bind().dialect.name]}")  # noqa: S608
    op.create_index("ix_measurement_instrument_name", "measurement", ["instrument_name"])
    seen = ["seq", "released_at", "metadata_open", "proposal", "experiment", "id", "deposited_by", "instrument"]
    op.create_index("ix_measurement_seen", "measurement", seen)
    op.create_table(
        "session",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("token", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("expires_at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["token"], ["token.id"], name="fk_session_token"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
    )
    op.create_index("ix_session_token", "session", ["token"])
    op.create_index("ix_session_expires_at", "session", ["expires_at"])
    op.create_table(
        "tag",
        sa.Column("measurement", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("person", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["measurement"], ["measurement.id"], name="fk_tag_measurement"),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_tag_person"),
        sa.PrimaryKeyConstraint("measurement", "name", name="pk_tag"),
    )
    op.create_index("ix_tag_name", "tag", ["name"])
    op.create_table(
        "comment",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("measurement", TEXT, nullable=False),
        sa.Column("person", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["measurement"], ["measurement.id"], name="fk_comment_measurement"),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_comment_person"),
        sa.PrimaryKeyConstraint("id", name="pk_comment"),
    )
    op.create_index("ix_comment_measurement", "comment", ["measurement"])
    op.create_table(
        "collection",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("person", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_collection_person"),
        sa.PrimaryKeyConstraint("id", name="pk_collection"),
        sa.UniqueConstraint("person", "name", name="uq_collection_person_name"),
    )
    op.create_index("ix_collection_person", "collection", ["person"])
    op.create_table(
        "collected",
        sa.Column("collection", TEXT, nullable=False),
        sa.Column("measurement", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collection.id"], name="fk_collected_collection"),
        sa.ForeignKeyConstraint(["measurement"], ["measurement.id"], name="fk_collected_measurement"),
        sa.PrimaryKeyConstraint("collection", "measurement", name="pk_collected"),
    )
    op.create_index("ix_collected_measurement", "collected", ["measurement"])
