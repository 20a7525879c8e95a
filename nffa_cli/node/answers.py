"""What the node answers, for the OpenAPI: records as they are sent, with what the node adds; lists of them; problems."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from nffa_cli.node.contract import Kept

PROBLEM = {
    "description": "A problem (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_OWN: dict[str, Any] = {
    "id": (str, ...), "type": (str, ...), "version": (int, Field(ge=1)), "created_at": (str, ...),
    "created_by": (str | None, ...), "updated_at": (str, ...), "updated_by": (str | None, ...), "links": (dict[str, str], ...),
}  # fmt: skip


class Links(BaseModel):
    """Where a list goes on; null: it does not."""

    next: str | None


class Fault(BaseModel):
    """A place in the request and what is wrong there."""

    model_config = ConfigDict(extra="allow")

    pointer: str
    message: str


class Problem(BaseModel):
    """Why a request could not be done."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[Fault] | None = None
    requestId: str | None = Field(...)


def record(model: type[Kept]) -> type[BaseModel]:
    """Return the model of a record as it is read, from the one that is sent."""
    return create_model(f"{model.__name__}Record", __base__=model, __doc__=model.__doc__, **_OWN)


def listed(of: type[BaseModel]) -> type[BaseModel]:
    """Return the model of a page of records."""
    fields: dict[str, Any] = {"items": (list[of], ...), "links": (Links, ...), "total": (int | None, None)}  # type: ignore[valid-type]
    return create_model(f"{of.__name__}s", __doc__="A page of a list; `total` where `count=true` was asked.", **fields)


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI with what is true of every operation: problems, and who may ask."""
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts["schemas"] |= parts["schemas"]["Problem"].pop("$defs", {})
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": "nffa_<id>_<secret>"}}
    document["security"] = [{}, {"token": []}]
    for operations in document["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            answers.pop("422", None)
            answers["default"] = PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(name, None)
    return document
