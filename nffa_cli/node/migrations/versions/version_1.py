"""The first tables, the full-text index of measurements, and the default policy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from nffa_cli.node import ids, moments

revision = "1"
down_revision = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TEXT = sa.Text()
POLICY = sa.table(
    "registry",
    *(sa.column(name, TEXT) for name in ("id", "type", "name", "created_at", "created_by", "updated_at", "updated_by")),
    sa.column("version", sa.Integer()),
    sa.column("data", JSON),
)
DEFAULT = {"embargoMonths": 36, "embargoStart": "experimentEnd", "metadataPublic": False, "isDefault": True}
WORDS = {
    "sqlite": (
        "CREATE VIRTUAL TABLE measurement_words USING fts5(text, tokenize='unicode61 remove_diacritics 2', prefix='2 3')",
    ),
    "postgresql": (
        """CREATE TABLE measurement_words (
            rowid bigint PRIMARY KEY, text text NOT NULL,
            words tsvector GENERATED ALWAYS AS (to_tsvector('simple', left(text, 200000))) STORED)""",
        "CREATE INDEX ix_measurement_words_words ON measurement_words USING gin (words)",
    ),
}
"""The words of a measurement stand in the row whose ``rowid`` is its ``seq``; inserted and deleted alike in both. A tsvector
holds 1 MiB at most, hence the cut."""


def upgrade() -> None:
    """Make all of it."""
    for statement in WORDS[op.get_bind().dialect.name]:
        op.execute(statement)

    op.create_table(
        "acl",
        sa.Column("type", TEXT, nullable=False),
        sa.Column("resource", TEXT, nullable=False),
        sa.Column("sid", TEXT, nullable=False),
        sa.Column("permission", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("type", "resource", "sid", name="pk_acl"),
    )
    op.create_index("ix_acl_sid", "acl", ["sid"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("actor", TEXT),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("resource", TEXT, nullable=False),
        sa.Column("request_id", TEXT),
        sa.Column("diff", JSON, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_resource", "audit", ["resource"])
    op.create_table(
        "blob",
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blob"),
    )
    op.create_table(
        "embargo_change",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("resource", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("actor", TEXT),
        sa.Column("was", TEXT),
        sa.Column("until", TEXT),
        sa.Column("reason", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_embargo_change"),
    )
    op.create_index("ix_embargo_change_resource", "embargo_change", ["resource"])
    op.create_table(
        "external_id",
        sa.Column("type", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("scheme", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("resource", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("type", "scope", "scheme", "value", name="pk_external_id"),
    )
    op.create_index("ix_external_id_resource", "external_id", ["resource"])
    op.create_table(
        "idempotency",
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("request_sha256", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("headers", JSON),
        sa.Column("answer", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("owner", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])
    op.create_table(
        "person",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("created_by", TEXT),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("updated_by", TEXT),
        sa.Column("data", JSON, nullable=False),
        sa.Column("family_name", TEXT, nullable=False),
        sa.Column("orcid", TEXT),
        sa.Column("portal_user_id", TEXT),
        sa.Column("roles", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("orcid", name="uq_person_orcid"),
        sa.UniqueConstraint("portal_user_id", name="uq_person_portal_user_id"),
    )
    op.create_table(
        "registry",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("created_by", TEXT),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("updated_by", TEXT),
        sa.Column("data", JSON, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_registry"),
    )
    op.create_index("ix_registry_type_name", "registry", ["type", "name"])
    op.create_table(
        "ingest",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("expires_at", TEXT, nullable=False),
        sa.Column("plan", JSON, nullable=False),
        sa.Column("result", JSON),
        sa.ForeignKeyConstraint(["owner"], ["person.id"], name="fk_ingest_owner"),
        sa.PrimaryKeyConstraint("id", name="pk_ingest"),
    )
    op.create_index("ix_ingest_owner", "ingest", ["owner"])
    op.create_index("ix_ingest_state", "ingest", ["state"])
    op.create_table(
        "proposal",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("created_by", TEXT),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("updated_by", TEXT),
        sa.Column("data", JSON, nullable=False),
        sa.Column("proposal_id", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("policy", TEXT),
        sa.Column("embargo_until", TEXT),
        sa.ForeignKeyConstraint(["policy"], ["registry.id"], name="fk_proposal_policy"),
        sa.PrimaryKeyConstraint("id", name="pk_proposal"),
        sa.UniqueConstraint("proposal_id", name="uq_proposal_proposal_id"),
    )
    op.create_table(
        "token",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("person", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("roles", JSON, nullable=False),
        sa.Column("secret_sha256", TEXT, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("expires_at", TEXT),
        sa.Column("used_at", TEXT),
        sa.Column("revoked_at", TEXT),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_token_person"),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
    )
    op.create_index("ix_token_person", "token", ["person"])
    op.create_table(
        "experiment",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("created_by", TEXT),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("updated_by", TEXT),
        sa.Column("data", JSON, nullable=False),
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("start_date", TEXT),
        sa.Column("end_date", TEXT),
        sa.Column("state", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["proposal"], ["proposal.id"], name="fk_experiment_proposal"),
        sa.PrimaryKeyConstraint("id", name="pk_experiment"),
        sa.UniqueConstraint("proposal", "name", name="uq_experiment_proposal_name"),
    )
    op.create_table(
        "ingest_blob",
        sa.Column("ingest", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["ingest"], ["ingest.id"], name="fk_ingest_blob_ingest"),
        sa.PrimaryKeyConstraint("ingest", "sha256", name="pk_ingest_blob"),
    )
    op.create_table(
        "member",
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("person", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_member_person"),
        sa.ForeignKeyConstraint(["proposal"], ["proposal.id"], name="fk_member_proposal"),
        sa.PrimaryKeyConstraint("proposal", "person", "role", name="pk_member"),
    )
    op.create_index("ix_member_person", "member", ["person"])
    op.create_table(
        "upload",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("ingest", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("expires_at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["ingest"], ["ingest.id"], name="fk_upload_ingest"),
        sa.ForeignKeyConstraint(["owner"], ["person.id"], name="fk_upload_owner"),
        sa.PrimaryKeyConstraint("id", name="pk_upload"),
    )
    op.create_index("ix_upload_ingest", "upload", ["ingest"])
    op.create_table(
        "measurement",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("created_by", TEXT),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("updated_by", TEXT),
        sa.Column("data", JSON, nullable=False),
        sa.Column("experiment", TEXT, nullable=False),
        sa.Column("proposal", TEXT, nullable=False),
        sa.Column("instrument", TEXT),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("start_time", TEXT),
        sa.Column("technique", TEXT),
        sa.Column("sample", TEXT),
        sa.Column("category", TEXT),
        sa.Column("format", TEXT),
        sa.Column("voltage", sa.Float()),
        sa.Column("deposited_by", TEXT),
        sa.Column("embargo_until", TEXT),
        sa.Column("released_at", TEXT, nullable=False),
        sa.Column("metadata_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["deposited_by"], ["person.id"], name="fk_measurement_deposited_by"),
        sa.ForeignKeyConstraint(["experiment"], ["experiment.id"], name="fk_measurement_experiment"),
        sa.ForeignKeyConstraint(["instrument"], ["registry.id"], name="fk_measurement_instrument"),
        sa.ForeignKeyConstraint(["proposal"], ["proposal.id"], name="fk_measurement_proposal"),
        sa.PrimaryKeyConstraint("seq", name="pk_measurement"),
        sa.UniqueConstraint("id", name="uq_measurement_id"),
    )
    op.create_index("ix_measurement_category", "measurement", ["category"])
    op.create_index("ix_measurement_deposited_by", "measurement", ["deposited_by"])
    op.create_index("ix_measurement_experiment", "measurement", ["experiment"])
    op.create_index("ix_measurement_format", "measurement", ["format"])
    op.create_index("ix_measurement_instrument", "measurement", ["instrument"])
    op.create_index("ix_measurement_proposal", "measurement", ["proposal"])
    op.create_index("ix_measurement_released_at", "measurement", ["released_at"])
    op.create_index("ix_measurement_sample", "measurement", ["sample"])
    op.create_index("ix_measurement_start_time", "measurement", ["start_time"])
    op.create_index("ix_measurement_technique", "measurement", ["technique"])
    op.create_index("ix_measurement_voltage", "measurement", ["voltage"])
    op.create_table(
        "asset",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("created_by", TEXT),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("updated_by", TEXT),
        sa.Column("data", JSON, nullable=False),
        sa.Column("measurement", TEXT, nullable=False),
        sa.Column("relative_path", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("embargo_until", TEXT),
        sa.ForeignKeyConstraint(["measurement"], ["measurement.id"], name="fk_asset_measurement"),
        sa.PrimaryKeyConstraint("id", name="pk_asset"),
        sa.UniqueConstraint("measurement", "relative_path", name="uq_asset_measurement_relative_path"),
    )
    op.create_index("ix_asset_sha256", "asset", ["sha256"])
    op.create_table(
        "document",
        sa.Column("measurement", TEXT, nullable=False),
        sa.Column("schema", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.ForeignKeyConstraint(["measurement"], ["measurement.id"], name="fk_document_measurement"),
        sa.PrimaryKeyConstraint("measurement", "schema", name="pk_document"),
    )
    op.create_table(
        "asset_version",
        sa.Column("asset", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("replaced_at", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["asset"], ["asset.id"], name="fk_asset_version_asset"),
        sa.PrimaryKeyConstraint("asset", "version", name="pk_asset_version"),
    )
    op.create_table(
        "location",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("asset", TEXT, nullable=False),
        sa.Column("archive", TEXT),
        sa.Column("uri", TEXT, nullable=False),
        sa.Column("access_mode", TEXT, nullable=False),
        sa.Column("verified_at", TEXT),
        sa.Column("verified_digest", TEXT),
        sa.ForeignKeyConstraint(["archive"], ["registry.id"], name="fk_location_archive"),
        sa.ForeignKeyConstraint(["asset"], ["asset.id"], name="fk_location_asset"),
        sa.PrimaryKeyConstraint("id", name="pk_location"),
        sa.UniqueConstraint("asset", "uri", name="uq_location_asset_uri"),
    )
    op.create_index("ix_location_asset", "location", ["asset"])
    now = moments.now()
    stamps = {"version": 1, "created_at": now, "created_by": None, "updated_at": now, "updated_by": None}
    op.bulk_insert(POLICY, [stamps | {"id": ids.new(), "type": "policy", "name": "default", "data": DEFAULT}])
