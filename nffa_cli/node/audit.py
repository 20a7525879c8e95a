"""What was done to records, by whom: rows that are only ever added, in the transaction of what they tell of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from nffa_cli.node import moments, tables
from nffa_cli.node.callers import Caller


def note(
    connection: sa.Connection,
    caller: Caller,
    action: str,
    type: str,
    id: str,
    *,
    diff: Mapping[str, Any] | None = None,
    request_id: str | None = None,
) -> None:
    """Add what was done.

    Parameters
    ----------
    action
        A verb: create, update, delete, acl, embargo, lift, ...
    type, id
        Of the thing that it was done to.
    diff
        What is different now: field → new value or ``{"was": ..., "is": ...}``. Never a secret; ids of persons, no names.
    request_id
        Of the request, so that logs on both ends can be found.
    """
    values = {"at": moments.now(), "actor": caller.person, "action": action, "type": type, "resource": id}
    said = told(caller, diff or {})
    connection.execute(tables.audit.insert().values(**values, diff=said, request_id=request_id))


def told(caller: Caller, diff: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is different now and, where the caller's token was none of the node's own, who made it (``issuer``)."""
    return {**diff, "issuer": caller.issuer} if caller.issuer else dict(diff)


def as_json(row: sa.Row[Any]) -> dict[str, Any]:
    """Return one event as the contract says."""
    return {
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "resource": {"type": row.type, "id": row.resource},
        "requestId": row.request_id,
        "diff": row.diff,
    }
