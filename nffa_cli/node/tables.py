"""Every table of the node, for SQLite and PostgreSQL alike; what is only shown lies in ``data``, what is asked for in columns.

Moments are UTC as text of one length (``2026-11-21T14:05:00.000000Z``), so that they sort and compare as text in both
databases. Ids are UUIDv7 as text. The full-text index differs by database and is made by the migrations.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SPARSE = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TEXT = sa.Text()


def _id() -> sa.Column[str]:
    return sa.Column("id", TEXT, primary_key=True)


def _of(table: str, *, null: bool = False, name: str | None = None, index: bool = True) -> sa.Column[str]:
    return sa.Column(name or table, TEXT, sa.ForeignKey(f"{table}.id"), nullable=null, index=index)


def _kept() -> tuple[sa.Column[object], ...]:
    """Columns of everything that is kept with a version: who and when, and what is only shown."""
    return (
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", TEXT, nullable=False),
        sa.Column("created_by", TEXT),
        sa.Column("updated_at", TEXT, nullable=False),
        sa.Column("updated_by", TEXT),
        sa.Column("data", JSON, nullable=False),
    )


person = sa.Table(
    "person", METADATA, _id(), *_kept(),
    sa.Column("family_name", TEXT, nullable=False),
    sa.Column("orcid", TEXT, unique=True),
    sa.Column("portal_user_id", TEXT, unique=True),
    sa.Column("roles", JSON, nullable=False),  # of the whole node; what counts in one proposal is in `member`
)  # fmt: skip
token = sa.Table(
    "token", METADATA, _id(), _of("person"),
    sa.Column("label", TEXT, nullable=False),
    sa.Column("roles", JSON, nullable=False),  # what it may use of its person's roles
    sa.Column("secret_sha256", TEXT, nullable=False),
    sa.Column("created_at", TEXT, nullable=False),
    sa.Column("expires_at", TEXT),
    sa.Column("used_at", TEXT),
    sa.Column("revoked_at", TEXT),
)  # fmt: skip
registry = sa.Table(  # facilities, instruments, samples, archives, policies, schemas
    "registry", METADATA, _id(), *_kept(),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Index("ix_registry_type_name", "type", "name"),
)  # fmt: skip
proposal = sa.Table(
    "proposal", METADATA, _id(), *_kept(),
    sa.Column("proposal_id", TEXT, nullable=False, unique=True),  # the portal's
    sa.Column("title", TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("policy", TEXT, sa.ForeignKey("registry.id")),
    sa.Column("embargo_until", TEXT),  # set for this proposal; null: by its policy
)  # fmt: skip
member = sa.Table(
    "member", METADATA,
    sa.Column("proposal", TEXT, sa.ForeignKey("proposal.id"), primary_key=True),
    sa.Column("person", TEXT, sa.ForeignKey("person.id"), primary_key=True, index=True),
    sa.Column("role", TEXT, primary_key=True),
)  # fmt: skip
experiment = sa.Table(
    "experiment", METADATA, _id(), *_kept(), _of("proposal", index=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("start_date", TEXT),
    sa.Column("end_date", TEXT),
    sa.Column("state", TEXT, nullable=False),
    sa.UniqueConstraint("proposal", "name"),
)  # fmt: skip
measurement = sa.Table(
    "measurement", METADATA,
    sa.Column("seq", sa.Integer, primary_key=True),  # row of the full-text index
    sa.Column("id", TEXT, nullable=False, unique=True), *_kept(),
    _of("experiment"), _of("proposal"),
    sa.Column("instrument", TEXT, sa.ForeignKey("registry.id"), index=True),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("kind", TEXT, nullable=False),  # measurement, calculation, simulation
    sa.Column("start_time", TEXT, index=True),
    sa.Column("technique", TEXT, index=True),
    sa.Column("sample", TEXT, index=True),
    sa.Column("category", TEXT, index=True),
    sa.Column("format", TEXT, index=True),
    sa.Column("voltage", sa.Float, index=True),  # V
    sa.Column("deposited_by", TEXT, sa.ForeignKey("person.id"), index=True),
    sa.Column("embargo_until", TEXT),  # set for this measurement; null: by proposal, then policy
    sa.Column("released_at", TEXT, nullable=False, index=True),  # from when on its content is open to all
    sa.Column("metadata_open", sa.Boolean, nullable=False),  # the policy shows metadata before that
    sa.Column("instrument_name", TEXT, index=True),  # as the file names it; `instrument` is the registry's
    sa.Column("category_sent", SPARSE),  # what was delivered, where an answer given here holds instead; {}: nothing was
    sa.Index(  # all that rights ask of a row, newest first: what is closed is passed by without reading rows
        "ix_measurement_seen", "seq", "released_at", "metadata_open", "proposal", "experiment", "id", "deposited_by",
        "instrument",
    ),
    *(  # besides that, for SQLite, all that filters and facets ask: newest first, and by start
        sa.Index(
            name, *first, "released_at", "metadata_open", "proposal", "experiment", "id", "deposited_by", "instrument",
            "technique", "sample", "category", "format", "instrument_name", "kind", "voltage", *last,
        ).ddl_if(dialect="sqlite")
        for name, first, last in (
            ("ix_measurement_faceted", ("seq",), ("start_time",)), ("ix_measurement_started", ("start_time", "seq"), ()),
        )
    ),
)  # fmt: skip
document = sa.Table(  # the technique document of a measurement, whole
    "document", METADATA,
    sa.Column("measurement", TEXT, sa.ForeignKey("measurement.id"), primary_key=True),
    sa.Column("schema", TEXT, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("body", JSON, nullable=False),
)  # fmt: skip
blob = sa.Table(
    "blob", METADATA,
    sa.Column("sha256", TEXT, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("stored_at", TEXT, nullable=False),
)  # fmt: skip
asset = sa.Table(
    "asset", METADATA, _id(), *_kept(),
    sa.Column("measurement", TEXT, sa.ForeignKey("measurement.id"), nullable=False),
    sa.Column("relative_path", TEXT, nullable=False),
    sa.Column("role", TEXT, nullable=False),  # main, sidecar, nxem, preview, raw-metadata
    sa.Column("sha256", TEXT, nullable=False, index=True),  # of linked ones whatever digest is said (checksums.py)
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("state", TEXT, nullable=False),  # available, linked, withdrawn, lost
    sa.Column("embargo_until", TEXT),  # set for this asset; null: by its measurement
    sa.UniqueConstraint("measurement", "relative_path"),
)  # fmt: skip
asset_version = sa.Table(  # what an asset held before
    "asset_version", METADATA,
    sa.Column("asset", TEXT, sa.ForeignKey("asset.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("sha256", TEXT, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("replaced_at", TEXT, nullable=False),
)  # fmt: skip
location = sa.Table(
    "location", METADATA, _id(), _of("asset"),
    sa.Column("archive", TEXT, sa.ForeignKey("registry.id")),
    sa.Column("uri", TEXT, nullable=False),
    sa.Column("access_mode", TEXT, nullable=False),  # managed, linked, external
    sa.Column("verified_at", TEXT),
    sa.Column("verified_digest", TEXT),
    sa.UniqueConstraint("asset", "uri"),
)  # fmt: skip
external_id = sa.Table(  # how a client finds again what it delivered
    "external_id", METADATA,
    sa.Column("type", TEXT, primary_key=True),
    sa.Column("scope", TEXT, primary_key=True),  # of a measurement: its experiment; else empty
    sa.Column("scheme", TEXT, primary_key=True),
    sa.Column("value", TEXT, primary_key=True),
    sa.Column("resource", TEXT, nullable=False, index=True),
)  # fmt: skip
acl = sa.Table(
    "acl", METADATA,
    sa.Column("type", TEXT, primary_key=True),
    sa.Column("resource", TEXT, primary_key=True),
    sa.Column("sid", TEXT, primary_key=True),  # person:<id> or role:<role>
    sa.Column("permission", TEXT, nullable=False),  # READ, WRITE, ADMINISTRATE
    sa.Index("ix_acl_sid", "sid"),
)  # fmt: skip
embargo_change = sa.Table(
    "embargo_change", METADATA,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("resource", TEXT, nullable=False, index=True),
    sa.Column("at", TEXT, nullable=False),
    sa.Column("actor", TEXT),
    sa.Column("was", TEXT),
    sa.Column("until", TEXT),
    sa.Column("reason", TEXT, nullable=False),
)  # fmt: skip
ingest = sa.Table(
    "ingest", METADATA, _id(),
    sa.Column("owner", TEXT, sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("state", TEXT, nullable=False, index=True),  # open, complete, cancelled, expired
    sa.Column("created_at", TEXT, nullable=False),
    sa.Column("updated_at", TEXT, nullable=False),
    sa.Column("expires_at", TEXT, nullable=False),
    sa.Column("plan", JSON, nullable=False),  # what was asked for, with the ids given
    sa.Column("result", JSON),  # what commit answered
)  # fmt: skip
ingest_blob = sa.Table(
    "ingest_blob", METADATA,
    sa.Column("ingest", TEXT, sa.ForeignKey("ingest.id"), primary_key=True),
    sa.Column("sha256", TEXT, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("received", sa.Boolean, nullable=False),
)  # fmt: skip
upload = sa.Table(
    "upload", METADATA, _id(), _of("ingest"),
    sa.Column("owner", TEXT, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("sha256", TEXT, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("created_at", TEXT, nullable=False),
    sa.Column("expires_at", TEXT, nullable=False),
)  # fmt: skip
"""Its offset is the length of its file in staging: the disk is the truth."""
idempotency = sa.Table(
    "idempotency", METADATA,
    sa.Column("owner", TEXT, primary_key=True),
    sa.Column("key", TEXT, primary_key=True),
    sa.Column("request_sha256", TEXT, nullable=False),  # method, path and body
    sa.Column("created_at", TEXT, nullable=False, index=True),
    sa.Column("status", sa.Integer),  # null: still running
    sa.Column("headers", JSON),
    sa.Column("answer", sa.LargeBinary),
)  # fmt: skip
audit = sa.Table(
    "audit", METADATA,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("at", TEXT, nullable=False),
    sa.Column("actor", TEXT),
    sa.Column("action", TEXT, nullable=False),
    sa.Column("type", TEXT, nullable=False),
    sa.Column("resource", TEXT, nullable=False, index=True),
    sa.Column("request_id", TEXT),
    sa.Column("diff", JSON, nullable=False),
)  # fmt: skip
session = sa.Table(  # of a browser; the id is the SHA-256 of what its cookie holds
    "session", METADATA, _id(), _of("token"),
    sa.Column("created_at", TEXT, nullable=False),
    sa.Column("expires_at", TEXT, nullable=False, index=True),
)  # fmt: skip
tag = sa.Table(
    "tag", METADATA,
    sa.Column("measurement", TEXT, sa.ForeignKey("measurement.id"), primary_key=True),
    sa.Column("name", TEXT, primary_key=True, index=True),
    _of("person", index=False),
    sa.Column("at", TEXT, nullable=False),
)  # fmt: skip
comment = sa.Table(
    "comment", METADATA, _id(), _of("measurement"), _of("person", index=False),
    sa.Column("at", TEXT, nullable=False),
    sa.Column("text", TEXT, nullable=False),
)  # fmt: skip
collection = sa.Table(  # measurements that a person put together, across experiments
    "collection", METADATA, _id(), _of("person"),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("at", TEXT, nullable=False),
    sa.UniqueConstraint("person", "name"),
)  # fmt: skip
collected = sa.Table(
    "collected", METADATA,
    sa.Column("collection", TEXT, sa.ForeignKey("collection.id"), primary_key=True),
    sa.Column("measurement", TEXT, sa.ForeignKey("measurement.id"), primary_key=True, index=True),
    sa.Column("at", TEXT, nullable=False),
)  # fmt: skip
measurement_embedding = sa.Table(  # the picture as a model sees it: by it similar ones are found
    "measurement_embedding", METADATA,
    sa.Column("seq", sa.Integer, primary_key=True),  # never given twice: what is newer than a number is new
    sa.Column("measurement", TEXT, sa.ForeignKey("measurement.id"), nullable=False, unique=True),
    sa.Column("model", TEXT, nullable=False),  # SHA-256
    sa.Column("vector", sa.LargeBinary, nullable=False),  # float16, little-endian, of unit length
    sa.Index("ix_measurement_embedding_model_seq", "model", "seq"),
    sqlite_autoincrement=True,
)  # fmt: skip
opinion = sa.Table(  # of all that was delivered, what its sender says that it shows: the queue of the review desk
    "opinion", METADATA,
    sa.Column("measurement", TEXT, sa.ForeignKey("measurement.id"), primary_key=True),
    sa.Column("model", TEXT),  # SHA-256 of the model that said so
    sa.Column("label", TEXT),
    sa.Column("score", sa.Float),
    sa.Column("decision", TEXT),
    sa.Column("urgency", sa.Float, nullable=False),  # the model's doubt, 0 to 1 (a tie); -1: nobody said how sure it is
    sa.Column("scores", JSON, nullable=False),  # [[label, score], ...] in the model's order
    sa.Column("fingerprint", TEXT),  # of the preview, hexadecimal: by it the same place is known again
    sa.Column("by_person", sa.Boolean, nullable=False),  # somebody had answered before it was delivered
    sa.Column("said_at", TEXT),  # when the last of them did
    sa.Column("judged", sa.Boolean, nullable=False),  # an answer of somebody holds, given here or before
    sa.Index("ix_opinion_queue", "judged", "urgency", "measurement"),
)  # fmt: skip
label = sa.Table(  # what persons say here: rows are only ever added; one that takes another back names it
    "label", METADATA,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("id", TEXT, nullable=False, unique=True),
    _of("measurement"), _of("person"),
    sa.Column("batch", TEXT, nullable=False),  # of one answer: a picture and its near-duplicates
    sa.Column("at", TEXT, nullable=False),
    sa.Column("answer", TEXT, nullable=False),  # label, none, unclear, undo
    sa.Column("label", TEXT),
    sa.Column("second", TEXT),
    sa.Column("how", TEXT, nullable=False),  # looked, duplicate
    sa.Column("sha256", TEXT),  # of the main file that was shown
    sa.Column("model", TEXT),
    sa.Column("predicted", TEXT),
    sa.Column("undoes", TEXT, sa.ForeignKey("label.id"), unique=True),
)  # fmt: skip
