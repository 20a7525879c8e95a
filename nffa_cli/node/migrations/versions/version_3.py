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
        INSERT INTO opinion (measurement, model, label, score, decision, scores, by_person, said_at)
        SELECT measurement, json_extract(body, '$.classification.model.model_sha256'),
            json_extract(body, '$.classification.model.label'),
            CASE WHEN json_type(body, '$.classification.model.score') IN ('real', 'integer')
                THEN json_extract(body, '$.classification.model.score') END,
            json_extract(body, '$.classification.model.decision'), '[]',
            json_type(body, '$.classification.persons[0]') IS NOT NULL,
            json_extract(body, '$.classification.persons[#-1].at')
        FROM document WHERE schema = 'nffa-record' AND json_type(body, '$.classification') = 'object'""",
    "postgresql": """
        INSERT INTO opinion (measurement, model, label, score, decision, scores, by_person, said_at)
        SELECT measurement, body #>> '{classification,model,model_sha256}', body #>> '{classification,model,label}',
            CASE WHEN jsonb_typeof(body #> '{classification,model,score}') = 'number'
                THEN CAST(body #>> '{classification,model,score}' AS double precision) END,
            body #>> '{classification,model,decision}', CAST('[]' AS jsonb),
            body #> '{classification,persons,0}' IS NOT NULL, body #>> '{classification,persons,-1,at}'
        FROM document WHERE schema = 'nffa-record' AND jsonb_typeof(body -> 'classification') = 'object'""",
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
        sa.Column("doubt", sa.Float()),
        sa.Column("scores", JSON, nullable=False),
        sa.Column("fingerprint", TEXT),
        sa.Column("by_person", sa.Boolean(), nullable=False),
        sa.Column("said_at", TEXT),
        sa.ForeignKeyConstraint(["measurement"], ["measurement.id"], name="fk_opinion_measurement"),
        sa.PrimaryKeyConstraint("measurement", name="pk_opinion"),
    )
    op.create_index("ix_opinion_doubt", "opinion", ["doubt"])
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
