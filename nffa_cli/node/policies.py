"""The default data policy, which a proposal gets that names none, and the licence that a policy gives to files that name none.

``releasing`` applies what policies say of embargoes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def licence(connection: sa.Connection, policy: str | None) -> str | None:
    """Return the licence of what names none under a policy (its id); None: the policy says nothing, or there is none."""
    rows = connection.execute(sa.select(registry.data).where(registry.type == "policy", registry.id == policy))
    found = next((row.data.get("defaultLicence") for row in rows), None)
    return found or None


def falls_under(asset: Mapping[str, Any]) -> bool:
    """Tell whether the policy's licence is that of an asset: it names none, and no other archive holds it by rules of its own."""
    elsewhere = any(each.get("accessMode") == "external" for each in asset.get("locations") or ())
    return not asset.get("intellectualPropertyRights") and not elsewhere


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
