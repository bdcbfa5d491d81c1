"""The web application: what it is made of and how it starts and stops."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import Depends, FastAPI

from cim_core import __version__
from cim_core.alarms.engine import AlarmEngine
from cim_core.alarms.rules import RuleBook
from cim_core.city import City
from cim_core.observation_sources import ObservationSources
from cim_core.work import Limits
from server import description, problem_answers
from server.access.allowed import allowed
from server.access.audited import Audited
from server.access.authenticate import Authenticate
from server.access.exports import ExportGuard
from server.access.gate import Gate
from server.access.oidc import IdentityService
from server.access.shown import Shown
from server.columns import Columns
from server.compacting import Compacting
from server.comparisons import Comparisons
from server.compiled_code import compiled_code_kept
from server.edge import edge
from server.edge.bodies import Bodies
from server.edge.checked import Checked
from server.edge.rates import Rates
from server.hub import Hub
from server.live import LiveHub
from server.mqtt import Mqtt
from server.observing import Observing
from server.record import Recorder
from server.renewal.webhooks import Webhooks
from server.routes import (
    account,
    alarms,
    attributes,
    audit,
    catalogue,
    cells,
    checkin,
    checkup,
    checkup_edits,
    checkup_reports,
    checkup_sets,
    collections,
    events,
    geometry,
    heat,
    imports,
    ingest,
    intersections,
    jobs,
    keys,
    live,
    measures,
    meta,
    observations,
    people,
    policy,
    processes,
    receipts,
    renewal,
    renewal_buildings,
    renewal_edits,
    renewal_evidence,
    renewal_files,
    renewal_hooks,
    renewal_ogc,
    renewal_orders,
    renewal_progress,
    renewal_reports,
    renewal_twin,
    roads,
    search,
    sensorthings,
    session,
    things,
    tiles,
    traffic,
    traffic_in,
    versions,
    vital_signs,
    wmts,
)
from server.runner import Runner
from server.settings import Settings
from server.state import State
from server.tilefiles import assets_app, tiles_app
from server.traffic.live import TrafficHub
from server.traffic.measuring import Measuring
from server.traffic.playing import Playing
from server.traffic.recognising import Recognising
from server.traffic.recorder import TrafficRecorder
from server.traffic.work import Work

_QUESTION_SECONDS = 120.0
"""How long a question about traffic may take."""

_log = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """The application for the city the settings name; the city is begun if its folder is new."""
    city = City.open_or_create(settings.city)
    city.history.bound(settings.history_memory, settings.history_threads)
    gate = Gate(city)
    rates = Rates(settings)
    hub = Hub(city)
    recorder = Recorder(city, settings, lambda: AlarmEngine(city.live, RuleBook(city.folder)))
    traffic_recorder = TrafficRecorder(city, settings)
    sources = ObservationSources(city.folder)
    work = Work(city.folder, Limits(_QUESTION_SECONDS, settings.history_memory))
    state = State(
        settings,
        city,
        gate,
        ExportGuard(city, lambda: gate.in_force.policy.limits),
        IdentityService.of(settings),
        rates,
        hub,
        LiveHub(city, hub.tell),
        TrafficHub(city),
        work,
        Measuring(city, work),
        Observing(city),
        Runner(city, settings),
        Comparisons(city),
        Columns(city),
        recorder,
        traffic_recorder,
        sources,
        Mqtt(settings, sources, recorder, traffic_recorder) if settings.mqtt_url else None,
    )

    recorder.listeners.append(state.live.heard)
    traffic_recorder.listen(state.traffic.heard)
    recognising = Recognising(city, hub.tell, traffic_recorder.notices)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with compiled_code_kept():
            parts = (
                state.hub,
                state.live,
                state.traffic,
                recognising,
                state.runner,
                Compacting(city, settings),
                Webhooks(city, settings),
                Playing(traffic_recorder, settings.play),
            )
            tasks = [asyncio.create_task(part.run()) for part in parts]
            for task in tasks:
                task.add_done_callback(_report_death)
            recorder.start()
            traffic_recorder.start()
            if state.mqtt is not None:
                state.mqtt.start()
            yield
            if state.mqtt is not None:
                await asyncio.to_thread(state.mqtt.stop)
            await asyncio.to_thread(recorder.stop)
            await asyncio.to_thread(traffic_recorder.stop)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(state.work.close)

    app = FastAPI(
        title="CIM Twin", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url=None, description="3D city information model: layers, features, tiles, imports, receipts.",
    )  # fmt: skip
    app.state.cim = state
    app.router.dependencies.append(Depends(allowed))
    problem_answers.install(app)
    description.install(app)
    # The last one added is asked first; server/edge/edge.py has the whole order.
    app.add_middleware(Checked, checks=(rates.person,))
    app.add_middleware(Authenticate, gate=gate)
    app.add_middleware(Bodies, most=settings.max_body_bytes, patience=settings.patience_seconds)
    app.add_middleware(
        Checked, checks=edge.checks(settings, rates, lambda: gate.in_force.kind != "none")
    )
    app.add_middleware(Audited, city=city, gate=gate)
    for module in (
        ingest,  # asked most often, and looked for first
        traffic_in,
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
        live,
        things,
        observations,
        heat,
        intersections,
        measures,
        roads,
        traffic,
        alarms,
        renewal,
        renewal_edits,
        renewal_progress,
        renewal_buildings,
        renewal_orders,
        renewal_evidence,
        renewal_files,
        renewal_hooks,
        renewal_reports,
        renewal_twin,
        renewal_ogc,
        checkup,
        checkup_edits,
        checkup_sets,
        checkup_reports,
        vital_signs,
        sensorthings,
        tiles,
        wmts,
        session,
        account,
        people,
        keys,
        policy,
        audit,
    ):
        app.include_router(module.router)
    app.mount("/t", tiles_app(city.layers_folder, Shown(city, gate), state.exports.take_file))
    app.mount("/viewer", assets_app(settings.viewer))
    return app


def _report_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("a part of the server stopped working", exc_info=task.exception())
