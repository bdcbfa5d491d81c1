"""Events on the roads as they are told over HTTP."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from cim_core.sight import Sight
from cim_core.store.traffic_events import KnownEvent
from server.access.taking import Taking

_WHO = frozenset({"name", "name_zh", "allowed"})
"""What evidence tells of a key vehicle."""


def event_document(known: KnownEvent, sight: Sight, *, track: bool = False) -> dict[str, Any]:
    """An event as somebody may know of it: strangers learn of no person and of no vehicle."""
    told = known.document(track=track)
    if sight.people:
        return told
    evidence = {name: value for name, value in told["evidence"].items() if name not in _WHO}
    hidden = {"closed_by": "", "vehicles": [], "evidence": evidence}
    return {**told, **hidden, **({"track": []} if track else {})}


def shows_events(taking: Taking, events: Iterable[KnownEvent]) -> None:
    """Count the places of events that are shown, and note their layers."""
    places: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for known in events:
        places[known.layer].append((known.event.lon, known.event.lat))
    taking.note.looked_at(places)
    for layer, of_layer in places.items():
        taking.shows_places(layer, of_layer)
