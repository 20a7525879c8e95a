"""A real node for each test, over HTTP, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest
import requests
import uvicorn

from nffa_cli.node import admin
from nffa_cli.node.app import BASE, create_app
from nffa_cli.node.config import Config
from nffa_cli.node.database import Database
from nffa_cli.node.serving import Listen, Server, _bound
from tests import postgres


@pytest.fixture(scope="session")
def cluster():
    """A function that makes a PostgreSQL database and returns its address; skips where PostgreSQL is absent."""
    with postgres.running() as make:
        yield make or pytest.skip(postgres.ABSENT)


@pytest.fixture(scope="session")
def prepared(cluster):
    """A function that makes a PostgreSQL database with the tables of a node, quicker than a node would."""
    template = cluster()
    with closing(Database(template)) as database:
        database.migrate()
    return lambda: cluster(template)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request):
    """The address of a database with nothing but tables; None: SQLite in the node's folder."""
    return None if request.param == "sqlite" else request.getfixturevalue("prepared")()


@pytest.fixture
def node(address, tmp_path):
    """A node that answers, as ``Node``."""
    with serving(Config(tmp_path / "node", address)) as running:
        yield running


class Client(requests.Session):
    """A session of one caller; a path that begins with a slash is one of the interface."""

    def __init__(self, url, token=None):
        super().__init__()
        self.url, self.trust_env = url, False
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def request(self, method, url, **options):
        options.setdefault("timeout", 60)
        return super().request(method, self.url + BASE + url if url.startswith("/") or not url else url, **options)


class Node:
    """What a test knows of a node: its address, its database, its settings, and how to be somebody there."""

    def __init__(self, url, app):
        self.url, self.app = url, app
        self.database, self.config = app.state.database, app.state.config
        self.client = Client(url)

    def person(self, family_name="Ada", *roles):
        """Add a person with these roles and return the id."""
        with self.database.write() as connection:
            return admin.add_person(connection, family_name=family_name, roles=roles)

    def token(self, role="depositor", person=None):
        """Return a new token; of one user for each role, unless a person (id) is given."""
        return admin.create_token(self.database, (role,), name=role, person=person)

    def as_(self, role, person=None):
        """Return a client with such a token."""
        return Client(self.url, self.token(role, person))


@cache
def _tables():
    """The bytes of a SQLite database with nothing but tables: migrating a copy finds nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(Database(Config(Path(folder)).database_url)) as database:
            database.migrate()
        return (Path(folder) / "node.sqlite").read_bytes()


@cache
def _routes():
    """The routes of a node, which are the same for all: the framework works out once what is in them, at first use."""
    folder = tempfile.mkdtemp()
    try:
        app = create_app(Config(Path(folder)))
        app.state.database.close()
        return app.router.routes
    finally:
        shutil.rmtree(folder)


class _Quick(Server):
    """Ends as uvicorn does, but looks a hundred times a second for what it waits for, not ten."""

    async def main_loop(self):
        while not await self.on_tick(0):
            await asyncio.sleep(0.01)

    async def shutdown(self, sockets=None):
        for door in (*self.servers, *(sockets or ())):
            door.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        left = 100 * self.config.timeout_graceful_shutdown
        while left and (self.server_state.connections or self.server_state.tasks):
            left -= 1
            await asyncio.sleep(0.01)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()


@contextmanager
def serving(config):
    """Serve a node in a thread, on a free port."""
    if config.database is None and not config.data.exists():
        config.data.mkdir(parents=True)
        (config.data / "node.sqlite").write_bytes(_tables())
    app, up = create_app(config), threading.Event()
    app.router.routes[:] = _routes()
    with _bound(Listen(port=0)) as door:
        server = _Quick(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=1), up.set
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        assert up.wait(30), "the node did not start"
        try:
            yield Node(f"http://127.0.0.1:{door.getsockname()[1]}", app)
        finally:
            server.should_exit = True
            thread.join(30)
