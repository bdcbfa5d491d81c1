"""How every operation of the traffic is asked: of a public road map, and of one that is sensitive.

`ways` has the crossing J1, `ways-secret` the crossing J2; it is of no town and of no department.
"""

from cim_core.traffic.event import Change, TrafficEvent
from tests.support.every_route import (
    HERE,
    Judge,
    Part,
    Plain,
    Scene,
    answers,
    at,
    looks_at_any,
)

WINDOW = "start=1780000000000&end=1780000010000"


def sees_roads(part: Part, _: str) -> bool:
    return "open" in part.whole


def sees_roads_elsewhere(part: Part, _: str) -> bool:
    return "secret-elsewhere" in part.whole


def takes_roads(part: Part, _: str) -> bool:
    return "open" in part.takes & part.whole


def takes_roads_elsewhere(part: Part, _: str) -> bool:
    return "secret-elsewhere" in part.takes & part.whole


def event(scene: Scene, layer: str) -> int:
    """The number of an event on the roads."""
    begun = TrafficEvent(
        kind="wrong-way", key=scene.fresh(), begun=1, lon=HERE[0], lat=HERE[1], confidence=1.0
    )
    return scene.city.traffic.events.apply(layer, [Change("opened", begun)])[0]


OF_TRAFFIC: dict[str, tuple[Judge, Plain]] = {
    "GET /intersections": (looks_at_any, at("/intersections")),
    "GET /intersections/{intersection}": (sees_roads, at("/intersections/J1")),
    "GET /intersections/{intersection} elsewhere": (sees_roads_elsewhere, at("/intersections/J2")),
    "GET /intersections/{intersection}/map": (takes_roads, at("/intersections/J1/map?format=roads")),
    "GET /intersections/{intersection}/map elsewhere": (
        takes_roads_elsewhere, at("/intersections/J2/map?format=roads"),
    ),
    "GET /measures": (sees_roads, at(f"/measures?intersection=J1&{WINDOW}")),
    "GET /measures elsewhere": (sees_roads_elsewhere, at(f"/measures?intersection=J2&{WINDOW}")),
    "GET /measures as a file": (takes_roads, at(f"/measures?intersection=J1&{WINDOW}&format=csv")),
    "GET /measures/cycles": (sees_roads, at(f"/measures/cycles?intersection=J1&{WINDOW}")),
    "GET /measures/queues": (sees_roads, at(f"/measures/queues?intersection=J1&{WINDOW}")),
    "GET /measures/time-space": (
        sees_roads, at(f"/measures/time-space?corridor=main&layer=ways&{WINDOW}"),
    ),
    "GET /roads/states": (looks_at_any, at(f"/roads/states?{WINDOW}")),
    "GET /traffic/layers": (looks_at_any, at("/traffic/layers")),
    "GET /traffic/tracks": (sees_roads, at(f"/traffic/tracks?layer=ways&{WINDOW}")),
    "GET /traffic/tracks elsewhere": (
        sees_roads_elsewhere, at(f"/traffic/tracks?layer=ways-secret&{WINDOW}"),
    ),
    "GET /traffic/tracks as a file": (
        takes_roads, at(f"/traffic/tracks?layer=ways&{WINDOW}&format=csv"),
    ),
    "GET /traffic/events": (looks_at_any, at("/traffic/events")),
    "GET /traffic/events/{event}": (
        sees_roads, lambda s, _: (f"/traffic/events/{event(s, 'ways')}", None),
    ),
    "GET /traffic/events/{event} elsewhere": (
        sees_roads_elsewhere,
        lambda s, _: (f"/traffic/events/{event(s, 'ways-secret')}", None),
    ),
    "POST /traffic/events/{event}/closing": (
        answers, lambda s, _: (f"/traffic/events/{event(s, 'ways')}/closing", {"note": "test"}),
    ),
}  # fmt: skip
