"""What one node runs with; made once by the command and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from nffa_cli.repositories import HOSTS

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a node.

    data
        Its folder: database (unless ``database`` says otherwise), bytes, lock.
    database
        Address of a PostgreSQL database; None: SQLite in ``data``.
    base_url
        The address that clients know it by, without a slash at the end; None: what a request came to.
    requests_per_minute
        Requests that one token, or one address without a token, may send in a minute.
    body_bytes
        Largest body of a request that is not a stream of data, in bytes.
    import_hosts
        Hosts, each with all below it, whose records may be fetched for an import; no other is ever asked.
    """

    data: Path
    database: str | None = None
    base_url: str | None = None
    name: str = "IDRP node"
    requests_per_minute: int = 60_000
    body_bytes: int = 16 * MIB
    single_shot_bytes: int = 64 * MIB
    upload_bytes: int = 5 * 1024 * 1024 * MIB
    idempotency_days: int = 7
    import_hosts: tuple[str, ...] = HOSTS

    @property
    def database_url(self) -> str:
        """Address of the database, whichever it is."""
        return self.database or f"sqlite:///{(self.data / 'node.sqlite').absolute()}"


def config(request: Request) -> Config:
    """Return the settings of the node that was asked (a FastAPI dependency)."""
    found: Config = request.app.state.config
    return found
