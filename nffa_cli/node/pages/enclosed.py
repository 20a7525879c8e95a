"""Forms that may enclose a file (``multipart/form-data``, RFC 7578), read from memory; plain forms are read as ever."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from nffa_cli.guarded import LARGEST
from nffa_cli.node.pages import sessions
from nffa_cli.node.pages.sessions import LARGEST_FORM, Viewer
from nffa_cli.node.problems import Problem
from nffa_cli.node.requests import whole_body

MOST = 50
"""Parts of a form."""
_BOUNDARY = re.compile(r"""boundary=(?:"([^"\r\n]{1,70})"|([A-Za-z0-9'()+_,./:=?-]{1,70}))""")
_NAME = re.compile(rb'[;\s]name="([^"\r\n]{1,100})"')
_FILE = re.compile(rb'[;\s]filename="([^"\r\n]{0,1000})"')


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What a form sent: its fields, and of each file its name and bytes."""

    fields: Mapping[str, str]
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)


def form(
    request: Request,
    viewer: Annotated[Viewer, Depends(sessions.viewer)],
    body: Annotated[bytes, Depends(whole_body)],
) -> Enclosed:
    """Return what a form of somebody who is signed in sent (a FastAPI dependency).

    Raises
    ------
    Problem
        400: it is no form of ours. 403: as ``sessions.demand_proof``. 413: it is too long for one.
    """
    kind = request.headers.get("content-type", "")
    found = read(kind, body) if kind.startswith("multipart/form-data") else Enclosed(sessions.fields(request, body))
    sessions.demand_proof(request, viewer.secret if viewer.name else None, found.fields)
    return found


def read(content_type: str, body: bytes) -> Enclosed:
    """Return what a form with files says; a file that nobody chose is not in it.

    Raises
    ------
    Problem
        400: it is none. 413: it is too long.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise _no_form()
    if len(body) > LARGEST + LARGEST_FORM:
        raise Problem(413, "Too large", f"a file may have {LARGEST >> 20} MiB")
    mark = b"\r\n--" + (boundary[1] or boundary[2]).encode("ascii", "replace")
    _, *parts = (b"\r\n" + body).split(mark, MOST + 1)
    if not parts or not parts[-1].startswith(b"--"):
        raise _no_form()
    fields: dict[str, str] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for part in parts[:-1]:
        head, between, content = part.partition(b"\r\n\r\n")
        name, file = _NAME.search(head), _FILE.search(head)
        if not between or name is None:
            raise _no_form()
        key = name[1].decode("utf-8", "replace")
        if file is None:
            fields[key] = content.decode("utf-8", "replace")
        elif file[1] or content:
            files[key] = (file[1].decode("utf-8", "replace"), content)
    if any("\0" in each for each in fields.values()) or sum(map(len, fields.values())) > LARGEST_FORM:
        raise _no_form()
    return Enclosed(fields, files)


def _no_form() -> Problem:
    return Problem(400, "Bad request", "this is no form")


Enclosing = Annotated[Enclosed, Depends(form)]
