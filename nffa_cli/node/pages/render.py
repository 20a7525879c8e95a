"""Templates to pages, and the files beside them: the door of Jinja, and the headers that make a page safe.

Nothing on a page comes from elsewhere or runs inline, and its own policy forbids it. Every text is escaped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from starlette.responses import HTMLResponse, Response

from nffa_cli import __version__, spoken
from nffa_cli.node.pages.sessions import Viewer
from nffa_cli.node.problems import absent
from nffa_cli.terminal import printable

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Cookie",
}
STATIC = {
    path.name: path.read_bytes() for path in sorted((Path(__file__).parent / "static").iterdir()) if path.is_file()
}
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
DIGEST = hashlib.sha256(b"".join(STATIC.values())).hexdigest()[:16]
"""Part of the address of every static file, so that each may be kept for ever."""


def _clean(value: Any) -> Any:
    """Return a text without marks that control or turn round what stands beside it; its lines stay lines."""
    if type(value) is not str:
        return value
    return "\n".join(printable(line) for line in value.replace("\r\n", "\n").expandtabs(4).split("\n"))


ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("nffa_cli.node.pages"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
    undefined=jinja2.StrictUndefined, finalize=_clean, auto_reload=False,
)  # fmt: skip
ENVIRONMENT.filters |= {"quantity": spoken.quantity, "size": spoken.size, "when": spoken.when}
ENVIRONMENT.globals |= {"static": f"/static/{DIGEST}", "version": __version__}


def page(
    request: Request, viewer: Viewer, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None,
    **told: Any,
) -> HTMLResponse:  # fmt: skip
    """Return a page.

    Parameters
    ----------
    told
        What the template shows; ``title`` is always among it.
    """
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    common = {"viewer": viewer, "node": request.app.state.config.name, "here": here}
    text = ENVIRONMENT.get_template(f"{template}.html").render(common | told)
    return HTMLResponse(text.encode("utf-8", "replace"), status, HEADERS | dict(headers or {}))


def static(digest: str, name: str) -> Response:
    """Return a static file; its address changes with its content.

    Raises
    ------
    Problem
        404.
    """
    if digest != DIGEST or name not in STATIC:
        raise absent()
    kept = {"Cache-Control": "public, max-age=31536000, immutable", "Cross-Origin-Resource-Policy": "same-origin"}
    return Response(STATIC[name], headers=kept, media_type=TYPES[Path(name).suffix])
