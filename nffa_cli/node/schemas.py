"""Technique documents and the JSON Schemas they are held to. A schema never reaches out of itself: no reference is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema
import sqlalchemy as sa
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from nffa_cli.node import tables
from nffa_cli.node.problems import Problem

SHOWN = 50
"""Faults of a document that are told."""


def judge(connection: sa.Connection, fields: Mapping[str, Any], *, but: str | None = None) -> None:
    """Refuse a schema that is none, or whose name another (than the one of id ``but``) has.

    Raises
    ------
    Problem
        422, 409.
    """
    document = fields["document"]
    try:
        validator_for(document, default=jsonschema.Draft202012Validator).check_schema(document)
    except jsonschema.SchemaError as error:
        errors = [{"pointer": "/document" + _pointer(error), "message": error.message[:500]}]
        raise Problem(422, "Invalid request", "document is no JSON Schema", errors=errors) from None
    except RecursionError:
        raise Problem(422, "Invalid request", "document is no JSON Schema that can be checked") from None
    registry = tables.registry.c
    query = sa.select(registry.id).where(registry.type == "schema", registry.name == fields["schemaName"])
    if any(found != but for found in connection.execute(query).scalars()):
        raise Problem(409, "Exists already", f"there is a schema {fields['schemaName']}")


def named(connection: sa.Connection, name: str) -> Mapping[str, Any] | None:
    """Return the schema of that name; None where there is none: such documents are taken as they are."""
    registry = tables.registry.c
    query = sa.select(registry.data).where(registry.type == "schema", registry.name == name)
    data = connection.execute(query).scalar()
    return data["document"] if data else None


def validate(schema: Mapping[str, Any], document: Any) -> None:
    """Refuse a document that is not as its schema says.

    Raises
    ------
    Problem
        422, with every place that is wrong (``SHOWN`` at most).
    """
    check = validator_for(schema, default=jsonschema.Draft202012Validator)(schema, registry=Registry())
    try:
        faults = sorted(check.iter_errors(document), key=lambda each: list(map(str, each.absolute_path)))
    except Unresolvable:
        raise Problem(422, "Invalid request", "the schema refers to another document; that is never fetched") from None
    except RecursionError:
        raise Problem(422, "Invalid request", "the schema refers to itself without end") from None
    if faults:
        errors = [{"pointer": _pointer(each), "message": each.message[:500]} for each in faults[:SHOWN]]
        raise Problem(422, "Invalid document", "the document is not as its schema says", errors=errors)


def _pointer(error: jsonschema.ValidationError | jsonschema.SchemaError) -> str:
    return "".join("/" + str(each).replace("~", "~0").replace("/", "~1") for each in error.absolute_path)
