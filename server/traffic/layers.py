"""The road maps of a city, with what is recorded of the traffic of each."""

from typing import Any

from cim_core.city import City
from cim_core.traffic.moving import ControllerEvents, Positions, SignalStates
from server.traffic.asked import clock, road_maps

_LIVE_SECONDS = 10.0
"""What was heard of so lately is live."""


def layers_document(city: City) -> list[dict[str, Any]]:
    """Each road map that is seen, with from when to when there is what of it."""
    found = []
    newest = clock() - round(1000 * _LIVE_SECONDS)
    for roads in road_maps(city):
        spans = {
            name: city.traffic.span(roads.layer, kind)
            for name, kind in (
                ("positions", Positions), ("signals", SignalStates), ("controller", ControllerEvents)
            )
        }  # fmt: skip
        live = any(
            span[1] >= newest for name, span in spans.items() if span and name != "controller"
        )
        found.append({"layer": roads.layer, "title": roads.version.title, **spans, "live": live})
    return found
