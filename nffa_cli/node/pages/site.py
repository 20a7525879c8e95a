"""The pages as a part of the app: their routes, and problems shown as pages to browsers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from nffa_cli.node.pages import (
    render,
    routes_browse,
    routes_edit,
    routes_embargo,
    routes_import,
    routes_measurement,
    routes_people,
    routes_register,
    routes_review,
    routes_spectra,
    sessions,
)
from nffa_cli.node.problems import Problem

router = APIRouter(include_in_schema=False)
Handler = Callable[[Request, Any], Response | Awaitable[Response]]


@router.get("/static/{digest}/{name}")
def static(digest: str, name: str) -> Response:
    """Give a static file."""
    return render.static(digest, name)


def install(app: FastAPI, interface: str) -> None:
    """Add the pages to the app; ``interface``: where the API begins, whose problems stay as they are."""
    for module in (
        routes_browse,
        routes_measurement,
        routes_spectra,
        routes_people,
        routes_embargo,
        routes_edit,
        routes_import,
        routes_register,
        routes_review,
    ):
        app.include_router(module.router)
    app.include_router(router)
    for kind in (HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _shown(app.exception_handlers[kind], interface))


def _shown(told: Any, interface: str) -> Handler:
    """Return a handler of errors that shows a page where a person looks, and else does what ``told`` does."""

    async def handle(request: Request, error: Any) -> Response:
        answer: Response = await run_in_threadpool(told, request, error)
        is_page = not request.url.path.startswith(interface) and "text/html" in request.headers.get("accept", "")
        if not is_page or not isinstance(error, HTTPException):
            return answer
        return await run_in_threadpool(_page, request, error)

    return handle


def _page(request: Request, error: HTTPException) -> Response:
    viewer = sessions.viewer(request, request.app.state.database)
    title = error.title if isinstance(error, Problem) else "Not found" if error.status_code == 404 else "Not possible"
    detail = str(error.detail) if isinstance(error, Problem) else ""
    # A link from elsewhere comes without the cookie, which is for this site alone: opened from here, it comes with it.
    is_from_elsewhere = request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET"
    again = is_from_elsewhere and error.status_code in (401, 404)
    return render.page(
        request, viewer, "problem", status=error.status_code, headers=error.headers, title=title, detail=detail,
        again=again, errors=error.errors if isinstance(error, Problem) else [],
    )  # fmt: skip
