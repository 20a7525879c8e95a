"""The node as an ASGI app: its parts put together; what they do is in the modules named here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module

from fastapi import FastAPI

from nffa_cli import __version__
from nffa_cli.node import accounts, bearers, problems
from nffa_cli.node.adopting import Intake
from nffa_cli.node.answers import completed
from nffa_cli.node.arriving import Digests
from nffa_cli.node.callers import Uses
from nffa_cli.node.config import Config
from nffa_cli.node.database import Database
from nffa_cli.node.gate import Gate
from nffa_cli.node.issuer import Issuer
from nffa_cli.node.keeping import kept_up
from nffa_cli.node.pages import site
from nffa_cli.node.requests import Running
from nffa_cli.node.routes_service import probes
from nffa_cli.node.similar import Similar
from nffa_cli.node.storage import Storage
from nffa_cli.node.sweeping import swept

BASE = "/api/v1"
ROUTES = (
    "routes_service",
    "routes_tokens",
    "routes_records",
    "routes_parts",
    "routes_uploads",
    "routes_ingests",
    "routes_content",
    "routes_access",
    "routes_search",
    "routes_labels",
)  # fmt: skip
"""Modules of ``nffa_cli.node``; each has a ``router`` whose paths begin after ``BASE``."""


def create_app(config: Config) -> FastAPI:
    """Return the node over the database and the folder of ``config``; its tables are brought up to date first."""
    config.data.mkdir(parents=True, exist_ok=True)
    database = Database(config.database_url)
    database.migrate()
    app = FastAPI(
        title="IDRP v1", version=__version__, openapi_url=f"{BASE}/openapi.json", docs_url=None, redoc_url=None,
        lifespan=_running, redirect_slashes=False,
    )  # fmt: skip
    app.state.config, app.state.database, app.state.uses = config, database, Uses()
    app.state.storage, app.state.digests = Storage(config.data), Digests()
    app.state.running, app.state.intake = Running(), Intake(config.import_hosts)
    app.state.similar = Similar()
    app.state.foreign = None
    if config.oidc:
        bearers.at_hand()
        app.state.foreign = partial(accounts.caller, database, Issuer(config.oidc))
    app.add_middleware(Gate, config=config)
    problems.install(app)
    for name in ROUTES:
        app.include_router(import_module(f"nffa_cli.node.{name}").router, prefix=BASE)
    app.include_router(probes)
    site.install(app, BASE)
    described = app.openapi
    app.openapi = lambda: app.openapi_schema or completed(described())  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    with swept(state.database, state.storage), kept_up(state.database, state.uses, state.config.idempotency_days):
        yield
    state.storage.close()
    state.database.close()
