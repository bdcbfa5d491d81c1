"""Comparisons of versions as they are told over HTTP and on the command line alike."""

import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, get_args

import shapely

from cim_core.city import City
from cim_core.comparison import KINDS, Comparison, FeatureChange, Kind, compare_versions
from cim_core.errors import InvalidInput
from cim_core.feature import Property, Value
from cim_core.property_changes import PropertyChange
from cim_core.sight import needs_whole
from server.spreadsheet import as_csv

_REMEMBERED = 4

COLUMNS = (
    "id", "class", "name", "kinds", "east_m", "north_m", "up_m", "rotation_deg",
    "set", "property", "before", "unit_before", "after", "unit_after",
)  # fmt: skip


class Comparisons:
    """Compares on demand and remembers the last few: versions never change."""

    def __init__(self, city: City) -> None:
        self._compare = lru_cache(maxsize=_REMEMBERED)(partial(compare_versions, city))
        self._lock = threading.Lock()

    def get(self, city: City, layer: str, before: int, after: int) -> Comparison:
        """The comparison of two kept versions, for who sees a city; raises `NotFound`, `Forbidden`."""
        for number in (before, after):
            needs_whole(layer, city.layers.version(layer, number).part)
        with self._lock:  # two who ask at once wait for one answer
            return self._compare(layer, before, after)


def parse_kinds(text: str | None) -> tuple[Kind, ...]:
    """Kinds as a list with commas; all without one.

    >>> parse_kinds("moved,added")
    ('added', 'moved')
    """
    if not text:
        return KINDS
    asked = {part.strip() for part in text.split(",")}
    if not asked <= set(get_args(Kind)):
        raise InvalidInput(
            f"kind={text} is not a list of kinds; write some of {', '.join(KINDS)}, with commas"
        )
    return tuple(kind for kind in KINDS if kind in asked)


def chosen(
    comparison: Comparison, kinds: Sequence[Kind], feature_class: str | None
) -> list[FeatureChange]:
    """The changes of one of some kinds, of one class if it is given, in the order of ids."""
    wanted = set(kinds)
    return [
        change
        for change in comparison.changes
        if not wanted.isdisjoint(change.kinds)
        and feature_class in (None, change.listed.feature_class)
    ]


def head(comparison: Comparison) -> dict[str, Any]:
    """What is compared, and how much of what has changed."""
    return {
        "layer": comparison.layer,
        "from": comparison.before,
        "to": comparison.after,
        "counts": comparison.counts(),
        "classes": [{"class": name, **counts} for name, counts in comparison.classes().items()],
    }


def entry(change: FeatureChange) -> dict[str, Any]:
    """One feature that is not what it was."""
    motion = change.motion
    return {
        "id": change.id,
        "class": change.listed.feature_class,
        "name": change.listed.name,
        "bbox": change.listed.bbox,
        "kinds": change.kinds,
        "displacement": [round(part, 4) for part in motion.displacement] if motion else None,
        "rotation": round(motion.rotation, 3) if motion else None,
        "properties": [_property(item) for item in change.properties],
    }


def _property(change: PropertyChange) -> dict[str, Value]:
    """`before` or `after` is missing where that version does not have the property."""
    told: dict[str, Value] = {"set": change.pset, "property": change.name}
    if change.before is not None:
        told |= {"before": change.before.value, "unit_before": change.before.unit}
    if change.after is not None:
        told |= {"after": change.after.value, "unit_after": change.after.unit}
    return told


def ids_by_kind(comparison: Comparison) -> dict[str, list[str]]:
    """The ids of every kind: all a viewer needs to colour a model."""
    return {kind: [c.id for c in comparison.changes if kind in c.kinds] for kind in KINDS}


def places(
    comparison: Comparison, changes: Sequence[FeatureChange]
) -> dict[tuple[str, int], list[str]]:
    """The ids of some changes by the layer and the version that shows where they are."""
    found: dict[tuple[str, int], list[str]] = {}
    for change in changes:
        version = comparison.before if "removed" in change.kinds else comparison.after
        found.setdefault((comparison.layer, version), []).append(change.id)
    return found


def feature(city: City, comparison: Comparison, change: FeatureChange) -> dict[str, Any]:
    """A change as GeoJSON, with the footprint in the newer version it is in."""
    version = comparison.before if "removed" in change.kinds else comparison.after
    footprint = city.features.get(comparison.layer, version, change.id).footprint
    told = entry(change)
    return {
        "type": "Feature",
        "id": told.pop("id"),
        "bbox": told.pop("bbox"),
        "geometry": None if footprint is None else shapely.geometry.mapping(footprint),
        "properties": told,
    }


def table(changes: Sequence[FeatureChange]) -> bytes:
    """Changes as CSV: a row for each property that changed, one for a feature without any."""
    return as_csv(COLUMNS, (row for change in changes for row in _rows(change)))


def _rows(change: FeatureChange) -> Iterator[list[object]]:
    told = entry(change)
    motion = [*told["displacement"], told["rotation"]] if change.motion else [None] * 4
    start = [change.id, told["class"], told["name"], " ".join(change.kinds), *motion]
    for item in change.properties:
        yield [*start, item.pset, item.name, *_cells(item.before), *_cells(item.after)]
    if not change.properties:
        yield [*start, *[None] * 6]


def _cells(item: Property | None) -> tuple[object, object]:
    return (None, None) if item is None else (as_text(item.value), item.unit)


def as_text(value: Value) -> object:
    """A value in one cell; a reference to a feature by its name, else by its id."""
    if isinstance(value, list):
        return ", ".join(str(as_text(part)) for part in value)
    if isinstance(value, dict):
        return value.get("name") or value.get("id") or str(value)
    return value
