"""What the routes work with, made once when the server starts."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from cim_core.city import City
from server.columns import Columns
from server.comparisons import Comparisons
from server.hub import Hub
from server.runner import Runner
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """The server's city, its settings, and the two parts that run beside the requests."""

    settings: Settings
    city: City
    hub: Hub
    runner: Runner
    comparisons: Comparisons
    columns: Columns

    def is_published(self, layer: str, version: int) -> bool:
        """Whether a version of a layer may be seen."""
        return self.city.layers.is_kept(layer, version)


def _state(request: Request) -> State:
    state: State = request.app.state.cim
    return state


def _city(request: Request) -> City:
    return _state(request).city


StateDep = Annotated[State, Depends(_state)]
CityDep = Annotated[City, Depends(_city)]
