"""Problems: what a request was answered when it could not be done, always as RFC 9457 says, never with internals."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

log = logging.getLogger("nffa.node")


class Problem(HTTPException):
    """A request cannot be done; raise it anywhere while answering one.

    Parameters
    ----------
    title
        What kind of problem this is, in the same words each time: clients go by it.
    detail
        What happened here and what to do; names nothing that the caller may not see.
    errors
        Places in the request and what is wrong with each: ``{"pointer": "/measurementName", "message": "..."}``.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.status = status
        self.title = title
        self.errors = [dict(error) for error in errors]

    def as_json(self, request_id: str | None) -> dict[str, Any]:
        """Return the body of the answer."""
        name = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
        found: dict[str, Any] = {"type": f"urn:nffa:problem:{name}", "title": self.title, "status": self.status}
        if self.detail:
            found["detail"] = self.detail
        if self.errors:
            found["errors"] = self.errors
        return found | {"requestId": request_id}

    def answer(self, request_id: str | None) -> Response:
        """Return the answer."""
        return JSONResponse(self.as_json(request_id), self.status, self.headers, "application/problem+json")


def absent() -> Problem:
    """Return the one answer for what is not there and for what the caller may not know of."""
    return Problem(404, "Not found", "there is nothing here, or nothing that you may see")


def unexpected(error: Exception, request_id: str | None) -> Response:
    """Return the answer to what no request is to blame for, while it is handled; the log has the rest."""
    if isinstance(error, sa.exc.OperationalError | sa.exc.TimeoutError):
        log.error("request %s: the database cannot be used now: %s", request_id, getattr(error, "orig", None) or error)
        return Problem(503, "Database busy", "try again", headers={"Retry-After": "2"}).answer(request_id)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        log.error("request %s: the disk is full", request_id)
        return Problem(
            507, "Disk full", "the node has no space left; try again later", headers={"Retry-After": "60"}
        ).answer(request_id)
    log.exception("request %s failed", request_id)
    return Problem(500, "Internal error", "a fault of the node; its log knows more under this request id").answer(
        request_id
    )


def install(app: FastAPI) -> None:
    """Let every error of the app, the framework's own too, be answered as a problem."""
    app.add_exception_handler(HTTPException, _raised)
    app.add_exception_handler(RequestValidationError, _invalid)


def _raised(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if not isinstance(error, Problem):
        phrase = HTTPStatus(error.status_code).phrase
        headers = error.headers
        error = absent() if error.status_code == 404 else Problem(error.status_code, phrase, headers=headers)
    return error.answer(request.state.request_id)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"pointer": pointer(each["loc"]), "message": each["msg"]} for each in error.errors()]
    detail = "the request is not as the contract says; `errors` names the places"
    return Problem(422, "Invalid request", detail, errors=errors[:100]).answer(request.state.request_id)


def pointer(place: Sequence[str | int]) -> str:
    """Return a place in the body as a JSON pointer; one in query or header as ``?name`` or ``name:``."""
    where, *rest = place
    if where == "body":
        return "".join("/" + str(each).replace("~", "~0").replace("/", "~1") for each in rest)
    name = ".".join(map(str, rest))
    return f"?{name}" if where == "query" else f"{name}:" if where == "header" else name
