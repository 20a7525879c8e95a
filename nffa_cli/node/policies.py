"""The default data policy: the one that a proposal gets which names none. ``releasing`` applies policies, this only chooses."""

from __future__ import annotations

import sqlalchemy as sa

from nffa_cli.node import moments, tables

registry = tables.registry.c
FLAG = "isDefault"


def default(connection: sa.Connection) -> str | None:
    """Return the id of the default policy; None where it was removed: what ``embargo.Policy`` says holds then."""
    rows = connection.execute(
        sa.select(registry.id, registry.data).where(registry.type == "policy").order_by(registry.id)
    )
    return next((row.id for row in rows if row.data.get(FLAG)), None)


def only(connection: sa.Connection, id: str, *, by: str | None = None) -> None:
    """Let this policy be the default one, and no other."""
    for row in connection.execute(sa.select(tables.registry).where(registry.type == "policy")).all():
        is_ = row.id == id
        if bool(row.data.get(FLAG)) != is_:
            values = {
                "data": {**row.data, FLAG: is_},
                "version": row.version + 1,
                "updated_at": moments.now(),
                "updated_by": by,
            }
            connection.execute(tables.registry.update().where(registry.id == row.id).values(values))
