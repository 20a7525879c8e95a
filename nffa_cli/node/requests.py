"""What all requests have in common once they are in: strict JSON, If-Match, Idempotency-Key, the address of the interface."""

from __future__ import annotations

import hashlib
import json
import math
import re
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Header, Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from nffa_cli.node import moments, tables
from nffa_cli.node.callers import Named
from nffa_cli.node.config import Config, config
from nffa_cli.node.database import Database, database
from nffa_cli.node.problems import Problem

DEPTH = 64
"""Levels of a JSON document at most."""
BIG = 2**64
KEY = re.compile(r"[\x21-\x7e]{1,200}")
TAG = re.compile(r'"(\d{1,15})"')
PATCH = "application/merge-patch+json"


# -- JSON ----------------------------------------------------------------------------------------------------------------


class StrictRequest(Request):
    """A request whose JSON every database can hold."""

    async def json(self) -> Any:
        """Return the body as JSON."""
        return strict_json(await self.body())


class StrictRoute(APIRoute):
    """A route that reads JSON strictly; give it to ``APIRouter(route_class=...)``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with a strict request."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


def strict_json(body: bytes) -> Any:
    """Return what a JSON document means.

    Raises
    ------
    Problem
        400: it is none, or holds what JSON or a database cannot: NaN, Infinity, numbers beyond all measure, NUL characters,
        half surrogates, hundreds of levels.
    """
    try:
        found = json.loads(body, parse_constant=_no_number, parse_float=_finite, parse_int=_whole)
        if _levels(found) > DEPTH:
            raise too_deep()
        if b"\\u" in body:  # only an escape can stand for what no database holds
            _judge_texts(found)
        return found
    except UnicodeDecodeError:
        raise Problem(400, "Bad JSON", "the body is not UTF-8") from None
    except ValueError as error:
        raise Problem(400, "Bad JSON", f"the body is not JSON: {error}") from None
    except RecursionError:
        raise too_deep() from None


def _levels(value: Any) -> int:
    """Return how many levels a document has, or a number above ``DEPTH``."""
    count, level = 0, [value]
    while level and count <= DEPTH:
        count += 1
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list)))
        level = [each for values in inner for each in values if isinstance(each, (dict, list))]
    return count


def too_deep() -> Problem:
    """Return the problem of JSON with more levels than anything we know of."""
    return Problem(400, "Bad JSON", f"more than {DEPTH} levels")


def _judge_texts(value: Any) -> None:
    """Refuse texts that no database holds."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            raise ValueError("a text holds a NUL character or half a surrogate pair")
    elif isinstance(value, dict):
        for name, each in value.items():
            _judge_texts(name)
            _judge_texts(each)
    elif isinstance(value, list):
        for each in value:
            _judge_texts(each)


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number in JSON")


def _finite(digits: str) -> float:
    if not math.isfinite(found := float(digits)):
        raise ValueError(f"the number {digits[:20]} is too large")
    return found


def _whole(digits: str) -> int:
    if len(digits) > 20 or abs(found := int(digits)) >= BIG:
        raise ValueError(f"the whole number {digits[:20]} is too large")
    return found


# -- where we are --------------------------------------------------------------------------------------------------------


async def base(request: Request, settings: Annotated[Config, Depends(config)]) -> str:
    """Return the address of the interface as the client knows it, such as ``https://host/api/v1`` (a FastAPI dependency)."""
    return (settings.base_url or str(request.base_url).rstrip("/")) + "/api/v1"


Base = Annotated[str, Depends(base)]


# -- versions ------------------------------------------------------------------------------------------------------------


def etag(version: int) -> str:
    """Return the strong ETag of a version."""
    return f'"{version}"'


@dataclass(frozen=True, slots=True)
class Expected:
    """The versions that a client is ready to change; None: any."""

    versions: frozenset[int] | None

    def check(self, version: int) -> None:
        """Refuse to change another version than those; call it when the caller is known to see the thing.

        Raises
        ------
        Problem
            412.
        """
        if self.versions is not None and version not in self.versions:
            detail = f"it is at version {version} now; read it again, then decide"
            raise Problem(412, "Changed meanwhile", detail, headers={"ETag": etag(version)})


def expected(if_match: Annotated[str | None, Header()] = None) -> Expected:
    """Return what If-Match says (a FastAPI dependency).

    Raises
    ------
    Problem
        428: it is missing.
    """
    if if_match is None:
        raise Problem(428, "Precondition required", "send If-Match with the ETag of what you want to change")
    if if_match.strip() == "*":
        return Expected(None)
    found = (TAG.fullmatch(each.strip()) for each in if_match.split(","))
    return Expected(frozenset(int(each[1]) for each in found if each))


IfMatch = Annotated[Expected, Depends(expected)]


# -- exactly once --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered; ``body``: JSON, None: nothing."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """Return it for the framework."""
        if self.body is None:
            return Response(status_code=self.status, headers=dict(self.headers))
        return JSONResponse(self.body, self.status, dict(self.headers))


async def whole_body(request: Request) -> bytes:
    """Return the body (a FastAPI dependency)."""
    return await request.body()


class Running:
    """The keyed requests that this process works on now."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._keys: set[tuple[str, str]] = set()

    @contextmanager
    def alone(self, owner: str, key: str) -> Iterator[None]:
        """Work on one key, alone.

        Raises
        ------
        Problem
            409: another request does so now.
        """
        with self._turn:
            if (owner, key) in self._keys:
                detail = "a request with this Idempotency-Key is running; ask again"
                raise Problem(409, "Still running", detail, headers={"Retry-After": "1"})
            self._keys.add((owner, key))
        try:
            yield
        finally:
            with self._turn:
                self._keys.discard((owner, key))


class Once:
    """Does the work of a POST once, however often it is sent with its Idempotency-Key (a FastAPI dependency).

    The key is written before the work, and the answer with the work in one transaction: after a crash either both are there,
    and the answer is told again, or neither, and the work is done.
    """

    def __init__(
        self,
        request: Request,
        asking: Named,
        known: Annotated[Database, Depends(database)],
        body: Annotated[bytes, Depends(whole_body)],
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> None:
        if idempotency_key is not None and not KEY.fullmatch(idempotency_key):
            raise Problem(400, "Bad request", "Idempotency-Key: 1 to 200 visible ASCII characters")
        assert asking.person is not None
        said = b"\n".join((request.method.encode(), request.url.path.encode(), body))
        self.known, self.owner, self.key = known, asking.person, idempotency_key
        self.digest = hashlib.sha256(said).hexdigest()
        self.running: Running = request.app.state.running

    def __call__(self, work: Callable[[sa.Connection], Answer]) -> Response:
        """Return the answer of ``work``, done in one transaction to write; or the one that it once gave.

        Raises
        ------
        Problem
            409: it is being done. 422: the key was used for something else. What ``work`` raises; it may be tried again then.
        """
        if self.key is None:
            with self.known.write() as connection:
                return work(connection).response()
        with self.running.alone(self.owner, self.key):
            with self.known.write() as connection:
                if (told := self._told(connection)) is not None:
                    return told
            with self.known.write() as connection:
                if (told := self._told(connection)) is not None:  # another process, meanwhile
                    return told
                answer = work(connection)
                response = answer.response()
                connection.execute(
                    tables.idempotency.update()
                    .where(*self._mine())
                    .values(status=answer.status, headers=dict(answer.headers), answer=response.body)
                )
            return response

    def _told(self, connection: sa.Connection) -> Response | None:
        """Return the answer that was given before; the key is noted when it is new."""
        row = connection.execute(sa.select(tables.idempotency).where(*self._mine())).one_or_none()
        if row is None:
            values = {"owner": self.owner, "key": self.key, "request_sha256": self.digest, "created_at": moments.now()}
            connection.execute(tables.idempotency.insert().values(values))
            return None
        if row.request_sha256 != self.digest:
            raise Problem(422, "Key used before", "this Idempotency-Key was used for another request")
        if row.status is None:
            return None
        headers = {**row.headers, "Idempotency-Replayed": "true"}
        kind = "application/json" if row.answer else None
        return Response(row.answer, row.status, headers, kind)

    def _mine(self) -> tuple[sa.ColumnElement[bool], ...]:
        return tables.idempotency.c.owner == self.owner, tables.idempotency.c.key == self.key


def forget_keys(connection: sa.Connection, days: int) -> None:
    """Remove the keys that are older than ``days``."""
    connection.execute(
        tables.idempotency.delete().where(tables.idempotency.c.created_at < moments.later(-days * 86_400))
    )
