"""What the routes work with, made once when the server starts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from cim_core.city import City
from cim_core.observation_sources import ObservationSources
from cim_core.store.layers import LayerVersion
from server.access.access import Access
from server.access.exports import ExportGuard
from server.access.gate import Gate
from server.access.notes import note_of
from server.access.oidc import IdentityService
from server.access.person import Person
from server.access.shown import prefixes
from server.access.taking import Taking
from server.columns import Columns
from server.comparisons import Comparisons
from server.edge.rates import Rates
from server.hub import Hub
from server.live import LiveHub
from server.mqtt import Mqtt
from server.observing import Observing
from server.record import Recorder
from server.runner import Runner
from server.settings import Settings
from server.traffic.live import TrafficHub
from server.traffic.measuring import Measuring
from server.traffic.recorder import TrafficRecorder
from server.traffic.work import Work


@dataclass(frozen=True, slots=True)
class State:
    """The server's settings, who may do what, and the parts that run beside the requests.

    identity
        The city's own identity service, where it has one.
    whole_city
        The city with all that is in it, for what no single person asks for; routes take `CityDep`,
        the city as the person sees it.
    traffic, work, measuring
        Traffic as it happens; what is asked of it that takes long, and what was answered.
    """

    settings: Settings
    whole_city: City
    gate: Gate
    exports: ExportGuard
    identity: IdentityService | None
    rates: Rates
    hub: Hub
    live: LiveHub
    traffic: TrafficHub
    work: Work
    measuring: Measuring
    observing: Observing
    runner: Runner
    comparisons: Comparisons
    columns: Columns
    recorder: Recorder
    traffic_recorder: TrafficRecorder
    sources: ObservationSources
    mqtt: Mqtt | None


def _state(request: HTTPConnection) -> State:
    state: State = request.app.state.cim
    return state


def _access(request: HTTPConnection) -> Access:
    person: Person = request.state.person
    access = _state(request).gate.access(person)
    request.state.access = access
    return access


def _city(request: Request) -> City:
    return _access(request).city(_state(request).whole_city)


def _prefixes(request: Request) -> Callable[[Iterable[LayerVersion]], dict[str, str]]:
    gate, access = _state(request).gate, _access(request)
    return lambda versions: prefixes(gate, access, [version.layer for version in versions])


def _export_city(request: Request) -> City:
    return _access(request).export_city(_state(request).whole_city)


def _taking(request: Request) -> Taking:
    return Taking(_state(request).exports, _access(request), note_of(request.scope))


def _traffic_place(request: Request) -> Iterator[None]:
    state, person = _state(request), _access(request).person
    with state.work.place(person.id or person.address):
        yield


StateDep = Annotated[State, Depends(_state)]
AccessDep = Annotated[Access, Depends(_access)]
CityDep = Annotated[City, Depends(_city)]
ExportCityDep = Annotated[City, Depends(_export_city)]
"""What of the city the person may take out as files."""
TakingDep = Annotated[Taking, Depends(_taking)]
"""Told what a route shows and hands out, before it does."""
TRAFFIC_PLACE = Depends(_traffic_place)
"""For routes that ask of traffic what takes a processor for seconds."""
PrefixDep = Annotated[Callable[[Iterable[LayerVersion]], dict[str, str]], Depends(_prefixes)]
"""What the addresses of the tiles of layers begin with for who asks, by layer."""
