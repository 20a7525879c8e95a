"""The schemas of documents that nffa itself writes, as JSON Schema made from its code and vocabulary; none is held to them.

Each has an address that stays what it is: ``/schemas/NAME/VERSION``. A document says its version in ``schemaVersion``; one that
says none is of version 1. What is of a version that this node does not know is kept as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nffa_cli import settings
from nffa_cli.crosswalk import vocabulary

RECORD = "nffa-record"
"""The whole record of an acquisition, as ``nffa sync`` attaches it."""
VERSIONS: Mapping[str, tuple[str, ...]] = {RECORD: ("1",)}
"""Name of a document → the versions of it that this node knows."""
FIELD = "schemaVersion"
FIRST = "1"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Mapping[str, Mapping[str, Any]] = {
    "number": {"type": ["number", "array"], "items": {"type": "number"}},
    "text": {"type": "string"},
    "time": {"type": "string", "description": "ISO 8601, with an offset where one is known"},
    "list": {"type": "array", "items": {"type": "string"}},
    "boolean": {"type": "boolean"},
}
_TEXT, _ANY, _NAME = {"type": "string"}, {"type": "object"}, {"type": ["string", "null"]}


def version_of(name: str, body: Mapping[str, Any]) -> str | None:
    """Return the version that a document says it is of; None: nothing of that name is ours."""
    if name not in VERSIONS:
        return None
    said = body.get(FIELD, FIRST)
    return said if isinstance(said, str) else str(said)


def address(base: str, name: str, version: str | None) -> str | None:
    """Return where the schema of a document is; None: it is no version that this node knows."""
    return f"{base}/schemas/{name}/{version}" if version in VERSIONS.get(name, ()) else None


def schema(base: str, name: str, version: str) -> dict[str, Any] | None:
    """Return a schema; None: there is none of that name and version."""
    found = address(base, name, version)
    return None if found is None else {"$schema": DIALECT, "$id": found, **_record()}


def vocabulary_sha256() -> str:
    """Return the digest of the vocabulary that the terms of a record are from."""
    return vocabulary.load(settings.shipped("crosswalks")).sha256


def _record() -> dict[str, Any]:
    words = vocabulary.load(settings.shipped("crosswalks"))
    signal = {"name": _NAME, "kind": _TEXT, "shape": {"type": "array", "items": {"type": "integer"}}, "dtype": _TEXT,
              "axes": {"type": "array", "items": _ANY}}  # fmt: skip
    properties = {
        FIELD: {"const": FIRST},
        "format": {**_TEXT, "description": "the vendor's format"},
        "terms": {
            "type": "object",
            "properties": {term.name: _term(term) for term in words.terms.values()},
            "additionalProperties": _quantity({}),
        },
        "signals": {"type": "array", "items": {"type": "object", "properties": signal, "required": [*signal]}},
        "missing": {"type": "array", "items": _TEXT, "description": "expected terms that the file does not say"},
        "warnings": {
            "type": "array",
            "items": {"type": "object", "properties": {"code": _TEXT, "detail": _TEXT}, "required": ["code", "detail"]},
        },
        "classification": {**_ANY, "description": "what persons and a model say that the picture shows"},
    }
    return {
        "title": "The record of one acquisition in the terms of nffa's vocabulary",
        "vocabularySha256": words.sha256,
        "type": "object",
        "properties": properties,
        "required": ["format", "terms", "signals", "missing", "warnings"],
    }


def _term(term: vocabulary.Term) -> dict[str, Any]:
    unit = {"const": term.unit} if term.unit is not None else {"type": ["string", "null"]}
    return {"description": term.definition, **_quantity({"value": _TYPES[term.type], "unit": unit})}


def _quantity(more: Mapping[str, Any]) -> dict[str, Any]:
    properties = {"value": {}, "unit": {"type": ["string", "null"]}, "source": _TEXT, "raw": {}, **more}
    return {"type": "object", "properties": properties, "required": ["value", "unit", "source", "raw"]}
