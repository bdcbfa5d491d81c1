"""The web application: what it is made of and how it starts and stops."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI

from cim_core import __version__
from cim_core.city import City
from server import problem_answers
from server.columns import Columns
from server.comparisons import Comparisons
from server.guard import SameOrigin
from server.hub import Hub
from server.routes import (
    attributes,
    catalogue,
    cells,
    checkin,
    collections,
    events,
    geometry,
    imports,
    jobs,
    meta,
    processes,
    receipts,
    search,
    tiles,
    versions,
    wmts,
)
from server.runner import Runner
from server.settings import Settings
from server.state import State
from server.tilefiles import assets_app, tiles_app

_log = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """The application for the city the settings name; the city is begun if its folder is new."""
    city = City.open_or_create(settings.city)
    state = State(
        settings, city, Hub(city), Runner(city, settings), Comparisons(city), Columns(city)
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(state.hub.run()), asyncio.create_task(state.runner.run())]
        for task in tasks:
            task.add_done_callback(_report_death)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(
        title="CIM Twin", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        description="3D city information model: layers, features, tiles, imports, receipts.",
    )  # fmt: skip
    app.state.cim = state
    problem_answers.install(app)
    app.add_middleware(SameOrigin)
    for module in (
        meta,
        collections,
        catalogue,
        processes,
        attributes,
        cells,
        geometry,
        versions,
        checkin,
        search,
        imports,
        jobs,
        receipts,
        events,
        tiles,
        wmts,
    ):
        app.include_router(module.router)
    app.mount("/t", tiles_app(city.layers_folder, state.is_published))
    app.mount("/viewer", assets_app(settings.viewer))
    return app


def _report_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("a part of the server stopped working", exc_info=task.exception())
