"""The review desk: what persons answer here, and what was delivered of what a picture shows, in columns to ask by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "3"
down_revision = "2"

TEXT = sa.Text()
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
DELIVERED = {
    "sqlite": """
        INSERT INTO opinion (measurement, model, label, score, decision, urgency, scores, by_person, said_at, judged)
        SELECT id, json_extract(seen, '$.model.model_sha256'), json_extract(seen, '$.model.label'),
            CASE WHEN json_type(seen, '$.model.score') IN ('real', 'integer') THEN json_extract(seen, '$.model.score') END,
            json_extract(seen, '$.model.decision'), -1, '[]', json_type(seen, '$.persons[0]') IS NOT NULL,
            json_extract(seen, '$.persons[#-1].at'), json_type(seen, '$.persons[0]') IS NOT NULL
        FROM (SELECT measurement.id, CASE WHEN json_type(body, '$.classification') = 'object'
                THEN json_extract(body, '$.classification') ELSE '{}' END AS seen
            FROM measurement LEFT JOIN document ON measurement = measurement.id AND schema = 'nffa-record')""",
    "postgresql": """
        INSERT INTO opinion (measurement, model, label, score, decision, urgency, scores, by_person, said_at, judged)
        SELECT id, seen #>> '{model,model_sha256}', seen #>> '{model,label}',
            CASE WHEN jsonb_typeof(seen #> '{model,score}') = 'number'
                THEN CAST(seen #>> '{model,score}' AS double precision) END,
            seen #>> '{model,decision}', -1, CAST('[]' AS jsonb), seen #> '{persons,0}' IS NOT NULL,
            seen #>> '{persons,-1,at}', seen #> '{persons,0}' IS NOT NULL
        FROM (SELECT measurement.id, CASE WHEN jsonb_typeof(body -> 'classification') = 'object'
                THEN body -> 'classification' ELSE CAST('{}' AS jsonb) END AS seen
            FROM measurement LEFT JOIN document ON measurement = measurement.id AND schema = 'nffa-record') AS sent""",
}
"""What older deliveries told; how sure the model was of the second answer, and the fingerprint, come with their next one."""


def upgrade() -> None:
    """Add them; nothing that was there changes."""
    op.add_column("measurement", sa.Column("category_sent", JSON))
    op.create_table(
        "opinion",
        sa.Column("measurement", TEXT, nullable=False),
        sa.Column("model", TEXT),
        sa.Column("label", TEXT),
        sa.Column("score", sa.Float()),
        sa.Column("decision", TEXT),
        sa.Column("urgency", sa.Float(), nullable=False),
        sa.Column("scores", JSON, nullable=False),
        sa.Column("fingerprint", TEXT),
        sa.Column("by_person", sa.Boolean(), nullable=False),
        sa.Column("said_at", TEXT),
        sa.Column("judged", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["measurement"], ["measurement.id"], name="fk_opinion_measurement"),
        sa.PrimaryKeyConstraint("measurement", name="pk_opinion"),
    )
    op.create_index("ix_opinion_queue", "opinion", ["judged", "urgency", "measurement"])
    op.execute(DELIVERED[op.get_bind().dialect.name])
    op.create_table(
        "label",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("measurement", TEXT, nullable=False),
        sa.Column("person", TEXT, nullable=False),
        sa.Column("batch", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("answer", TEXT, nullable=False),
        sa.Column("label", TEXT),
        sa.Column("second", TEXT),
        sa.Column("how", TEXT, nullable=False),
        sa.Column("sha256", TEXT),
        sa.Column("model", TEXT),
        sa.Column("predicted", TEXT),
        sa.Column("undoes", TEXT),
        sa.ForeignKeyConstraint(["measurement"], ["measurement.id"], name="fk_label_measurement"),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_label_person"),
        sa.ForeignKeyConstraint(["undoes"], ["label.id"], name="fk_label_undoes"),
        sa.PrimaryKeyConstraint("seq", name="pk_label"),
        sa.UniqueConstraint("id", name="uq_label_id"),
        sa.UniqueConstraint("undoes", name="uq_label_undoes"),
    )
    op.create_index("ix_label_measurement", "label", ["measurement"])
    op.create_index("ix_label_person", "label", ["person"])
