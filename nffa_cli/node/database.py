"""The node's database, SQLite or PostgreSQL: transactions to read and to write, and its migrations.

Writers take turns in both: SQLite has one writer anyway, and in PostgreSQL a lock of the transaction gives the same, so that
"look whether it is there, then make it" is right everywhere without a second thought.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command as alembic
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from fastapi import Request

from nffa_cli.errors import ConfigError, Unreachable

MIGRATIONS = Path(__file__).with_name("migrations")
WRITERS = 0x6E666661
"""The PostgreSQL advisory lock that writers take; the letters of nffa."""
WAIT = 30
"""Seconds that a writer waits for its turn."""
READERS = 40
"""Connections at most: FastAPI runs as many requests at a time in its threads."""


class Database:
    """One database; may be used by many threads.

    Raises
    ------
    ConfigError
        The address is none of SQLite or PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        try:
            address = sa.make_url(url)
        except sa.exc.ArgumentError:
            what = "this is no address of a database"
            raise ConfigError(what, hint="such as postgresql://user@host/name") from None
        if address.drivername in ("postgresql", "postgres"):
            address = address.set(drivername="postgresql+psycopg")
        if address.get_backend_name() not in ("sqlite", "postgresql"):
            raise ConfigError(f"a node keeps its records in SQLite or PostgreSQL, not {address.drivername}")
        self.is_sqlite = address.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": WAIT}}
        if not self.is_sqlite:  # compiling the conditions of access takes 300 ms, asking them 10
            options = {"pool_pre_ping": True, "connect_args": {"options": "-c jit=off"}}
        try:
            self.engine = sa.create_engine(
                address, hide_parameters=True, pool_size=READERS, max_overflow=READERS, pool_timeout=WAIT, **options
            )
        except ModuleNotFoundError:
            raise ConfigError("PostgreSQL needs the package psycopg", hint="pip install 'nffa-cli[postgres]'") from None
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _sqlite_connected)
            sa.event.listen(self.engine, "begin", _sqlite_begun)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one moment of the database and changes nothing."""
        options: dict[str, Any] = {}
        if not self.is_sqlite:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction of its own turn; it is kept when the block ends, and undone if it fails."""
        with self.engine.connect().execution_options(nffa_writes=True) as connection, connection.begin():
            if not self.is_sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")
            yield connection

    def migrate(self) -> None:
        """Bring the tables to what this program knows, whoever else does so now.

        Raises
        ------
        Unreachable
            The database cannot be opened.
        ConfigError
            A newer nffa wrote it.
        """
        settings = AlembicConfig()
        settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        try:
            with self.write() as connection:
                settings.attributes["connection"] = connection
                alembic.upgrade(settings, "head")
        except sa.exc.OperationalError as error:
            what = f"the node's database cannot be opened ({type(error.orig).__name__})"
            raise Unreachable(what, where=self.shown, hint="is it running, and are name and password right?") from None
        except CommandError:
            what = "a newer nffa wrote this database"
            raise ConfigError(what, where=self.shown, hint="pip install -U nffa-cli") from None

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _sqlite_connected(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy begins, see below, not the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={WAIT * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begun(connection: sa.Connection) -> None:
    """Begin; a writer at once with the write lock: a reader that becomes a writer would fail, not wait."""
    writes = connection.get_execution_options().get("nffa_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


async def database(request: Request) -> Database:
    """Return the database of the node that was asked (a FastAPI dependency; ``async``, or a thread would do it)."""
    found: Database = request.app.state.database
    return found
