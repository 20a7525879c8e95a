"""Ingests: opened with a manifest, fed with bytes, committed in one transaction, or given up. The way ``nffa sync`` delivers.

Until the commit nothing of an ingest is a record: its manifest lies in ``ingest.plan``, with the ids that it will give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nffa_cli.node import blobs, following, ids, knowing, moments, planning, tables, writing
from nffa_cli.node.callers import Caller
from nffa_cli.node.problems import Problem, absent
from nffa_cli.node.uploads import SECONDS


def opened(connection: sa.Connection, caller: Caller, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Open an ingest and return what is known of it: what will become of each item, and which bytes are needed."""
    items = manifest["items"]
    names: dict[str, str] = {}
    known = knowing.known(connection, caller, items)
    steps = planning.planned(items, known, _naming(names))
    sizes = {
        asset.sha256: asset.size for step in steps if step.takes_part for asset, *_ in step.assets if asset.uri is None
    }
    had = blobs.had(connection, caller, sizes)
    answer = [_shown(step, had) for step in steps]
    new, now = ids.new(), moments.now()
    plan = {"items": items, "names": names, "answer": answer}
    if follows := following.due(connection, caller, _good(items, answer), known):
        plan["follows"] = [each.as_json() for each in follows]
    if "clientRunId" in manifest:
        plan["clientRunId"] = manifest["clientRunId"]
    values = {
        "id": new, "owner": caller.person, "state": "open", "created_at": now, "updated_at": now,
        "expires_at": moments.later(SECONDS), "plan": plan,
    }  # fmt: skip
    connection.execute(tables.ingest.insert().values(values))
    rows = [
        {"ingest": new, "sha256": sha256, "size": size, "received": sha256 in had} for sha256, size in sizes.items()
    ]
    if rows:
        connection.execute(tables.ingest_blob.insert(), rows)
    return _stands(connection, values)


def _shown(step: planning.Step, had: set[str]) -> dict[str, Any]:
    """Return what an item's sender is told of it."""
    told: dict[str, Any] = {"ref": step.ref, "action": step.action}
    if step.measurement is not None:
        told["measurementId"] = step.measurement
    if step.version is not None:
        told["version"] = step.version
    if step.problem is not None:
        told["problem"] = {"title": step.problem[0], "detail": step.problem[1]}
    told["assets"] = [
        {
            "relativePath": asset.path,
            "assetId": given,
            "status": "linked" if asset.uri else "have" if not step.takes_part or asset.sha256 in had else "need",
            "sha256": asset.sha256,
        }
        for asset, given, _, _ in step.assets
    ]
    return told


def found(connection: sa.Connection, caller: Caller, id: str) -> sa.Row[Any]:
    """Return the row of an ingest of the caller's.

    Raises
    ------
    Problem
        404: there is none.
    """
    return _row(connection, caller, id, tables.ingest.select())


def _row(connection: sa.Connection, caller: Caller, id: str, query: sa.Select[Any]) -> sa.Row[Any]:
    of = tables.ingest.c
    row = connection.execute(query.where(of.id == id, of.owner == caller.person)).one_or_none()
    if row is None:
        raise absent()
    return row


def still_open(connection: sa.Connection, caller: Caller, id: str) -> None:
    """Make sure that an ingest of the caller's is open; its manifest, which may be megabytes, is not read for that.

    Raises
    ------
    Problem
        404: there is none. 409: it is complete, cancelled or expired.
    """
    _judge_state(_row(connection, caller, id, sa.select(tables.ingest.c.state)).state)


def _judge_state(state: str) -> None:
    if state != "open":
        raise Problem(409, "Conflict", f"this ingest is {state}; open another")


def shown(connection: sa.Connection, caller: Caller, id: str) -> dict[str, Any]:
    """Return an ingest of the caller's as the contract says."""
    return _stands(connection, found(connection, caller, id)._asdict())


def _stands(connection: sa.Connection, ingest: Mapping[str, Any]) -> dict[str, Any]:
    need = blobs.lacking(connection, ingest["id"]) if ingest["state"] == "open" else {}
    items = ingest["plan"]["answer"]
    for asset in (asset for item in items for asset in item["assets"]):
        if asset["status"] == "need" and asset["sha256"] not in need:
            asset["status"] = "have"
    return {
        "id": ingest["id"],
        "state": ingest["state"],
        "createdAt": ingest["created_at"],
        "expiresAt": ingest["expires_at"],
        "counts": dict(Counter(item["action"] for item in items)),
        "items": items,
        "need": [{"sha256": sha256, "size": size} for sha256, size in need.items()],
        "follows": ingest["plan"].get("follows", []),
    }


def wanted(connection: sa.Connection, caller: Caller, id: str) -> dict[str, int]:
    """Return the bytes that an open ingest is about, received or not: digest → size.

    Raises
    ------
    Problem
        As ``still_open``.
    """
    still_open(connection, caller, id)
    of = tables.ingest_blob.c
    return {row.sha256: row.size for row in connection.execute(sa.select(of.sha256, of.size).where(of.ingest == id))}


def committed(connection: sa.Connection, caller: Caller, id: str, request_id: str | None) -> dict[str, Any]:
    """Make all records of an ingest, at once; one that is complete is answered as it was.

    Raises
    ------
    Problem
        404: no such ingest of the caller's. 409: bytes are missing, something changed meanwhile, or it is closed otherwise.
    """
    row = found(connection, caller, id)
    if row.state == "complete":
        result: dict[str, Any] = row.result
        return result
    _judge_state(row.state)
    if lacking := blobs.lacking(connection, id):
        errors = [{"pointer": f"/need/{n}", "message": sha256} for n, sha256 in enumerate(lacking)]
        detail = f"{len(lacking)} files have not come yet; `errors` names their SHA-256"
        raise Problem(409, "Bytes missing", detail, errors=errors[:1000])
    first = {told["ref"]: told["action"] for told in row.plan["answer"]}
    items = _good(row.plan["items"], row.plan["answer"])
    known = knowing.known(connection, caller, items)
    names: dict[str, str] = row.plan["names"]
    steps = planning.planned(items, known, _naming(names))
    _judge(steps, first)
    following.follow(connection, caller, following.due(connection, caller, items, known), request_id)
    written = writing.written(connection, caller, items, steps, known, request_id)
    result = {"id": id, "state": "complete", "items": written}
    values = {"state": "complete", "updated_at": moments.now(), "result": result}
    connection.execute(tables.ingest.update().where(tables.ingest.c.id == id).values(values))
    return result


def _good(items: Sequence[Mapping[str, Any]], answer: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the items that are taken, or are there already."""
    first = {told["ref"]: told["action"] for told in answer}
    return [item for item in items if first[item["ref"]] in (*planning.CHANGES, "unchanged")]


def _naming(names: dict[str, str]) -> Callable[[str], str]:
    """Return what gives ids: the known one of a label, else a new one, which is known then."""
    return lambda label: names.get(label) or names.setdefault(label, ids.new())


def _judge(steps: Sequence[planning.Step], first: Mapping[str, str]) -> None:
    """Refuse a commit of which something became impossible since it was planned."""
    errors = [
        {"pointer": f"/items/{step.ref}", "message": ": ".join(step.problem or ("Changed", "it was unchanged before"))}
        for step in steps
        if (step.takes_part if first[step.ref] == "unchanged" else step.problem)
    ]
    if errors:
        detail = "what is here was changed since the ingest was opened; open another"
        raise Problem(409, "Changed meanwhile", detail, errors=errors)


def cancelled(connection: sa.Connection, caller: Caller, id: str) -> dict[str, Any]:
    """Give an ingest up; its bytes are swept away unless something else holds them. Again: the same answer.

    Raises
    ------
    Problem
        404: no such ingest of the caller's. 409: it is complete.
    """
    row = found(connection, caller, id)
    if row.state == "complete":
        raise Problem(409, "Conflict", "this ingest is complete and cannot be cancelled")
    if row.state == "open":
        values = {"state": "cancelled", "updated_at": moments.now()}
        connection.execute(tables.ingest.update().where(tables.ingest.c.id == id).values(values))
        connection.execute(tables.upload.delete().where(tables.upload.c.ingest == id))
    return shown(connection, caller, id)
