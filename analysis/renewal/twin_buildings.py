"""Buildings as the twin has them: outline, storeys, floor area and height, feature by feature."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import shapely

from analysis.areas import square_metres
from analysis.renewal.twin_tables import height_of, storeys_of, twin_table
from cim_core.city import City
from cim_core.errors import NotFound
from cim_core.kept import kept
from cim_core.store.features import FeatureRow, Query
from cim_core.store.layers import LayerVersion

Named = tuple[str, str]
"""A layer and a feature of it; an empty feature stands for the one building that a model is."""

_ALL = 2**31
_MODEL = "IfcBuilding"
"""What holds the storeys of a model and has no outline of its own."""


@dataclass(frozen=True, slots=True)
class TwinBuilding:
    """What the twin knows of a building.

    outline
        Seen from above, degrees.
    footprint
        Its area, m².
    storeys
        Above the ground; None where the twin does not say.
    floor_area
        Of a model, storey by storey, m²; else footprint × storeys; None where these are unknown.
    height
        Metres; None where it is not known or not shown.
    modelled
        Whether it was measured in a model, storey by storey.
    """

    outline: shapely.Geometry
    footprint: float
    storeys: float | None
    floor_area: float | None
    height: float | None
    modelled: bool = False


def twin_buildings(city: City, named: Iterable[Named]) -> dict[Named, TwinBuilding]:
    """Of some buildings those that are in the twin as it is seen.

    A feature that the served version has no more, since the building is gone, is taken from the
    newest kept version that has it.
    """
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for layer, feature in named:
        if layer:
            wanted[layer].add(feature)
    found = {}
    for layer, features in wanted.items():
        try:
            served = city.layers.get(layer)
            others = [one for one in city.layers.versions(layer) if one.version != served.version]
        except NotFound:
            continue  # a layer that is not there, or not for who asks: nothing is known of these
        known = _layer(_Loaded(city, (served, *others))).of(city, features)
        found.update({(layer, feature): building for feature, building in known.items()})
    return found


def buildings_in(city: City, version: LayerVersion, shape: shapely.Geometry) -> list[TwinBuilding]:
    """The buildings of a layer whose middle is within a shape, degrees.

    A model of one building, as IFC has them, is that building.
    """
    # What is on no storey is listed as one without an id.
    if any(storey["id"] for storey in version.summary["storeys"]):
        one = _modelled(city, version, None)
        found = [] if one is None else [one]
    else:
        box = Query(bbox=tuple(shape.bounds))
        rows = city.features.find(version.layer, version.version, box, after=None, limit=_ALL)
        classes = twin_table()["buildings"]["classes"]
        parts = [row for row in rows if row.feature.feature_class in classes]
        wholes = {row.feature.id for row in parts}
        found = [*_of_rows([p for p in parts if p.feature.parent not in wholes]).values()]
    return [
        one for one in found if shapely.intersects(shape, shapely.point_on_surface(one.outline))
    ]


@dataclass(frozen=True)
class _Loaded:
    """The kept versions of a layer as seen, the served one first; equal to any other of the same."""

    city: City
    versions: tuple[LayerVersion, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Loaded) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        receipts = tuple(version.receipt for version in self.versions)
        return (self.city.folder, self.versions[0].layer, receipts, self.versions[0].part.key)


@kept(32)
def _layer(loaded: _Loaded) -> "_Layer":
    return _Layer(loaded.versions)


@dataclass
class _Layer:
    """The buildings of a layer that were asked for, None for what it does not have."""

    versions: tuple[LayerVersion, ...]
    known: dict[str, TwinBuilding | None] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def of(self, city: City, features: Iterable[str]) -> dict[str, TwinBuilding]:
        """Those of some features that are there."""
        features = tuple(features)
        with self.lock:
            missing = [feature for feature in features if feature not in self.known]
            for version in self.versions:
                if missing:
                    self.known.update(_read(city, version, missing))
                    missing = [feature for feature in missing if feature not in self.known]
            self.known.update(dict.fromkeys(missing))
            return {one: found for one in features if (found := self.known[one]) is not None}


def _read(city: City, version: LayerVersion, ids: Sequence[str]) -> dict[str, TwinBuilding]:
    layer, number = version.layer, version.version
    there = Query(ids=tuple(ids))
    rows = city.features.find(layer, number, there, after=None, limit=len(ids))
    found = _of_rows(rows)
    rest = [one for one in ids if one not in found]
    parts: defaultdict[str, list[FeatureRow]] = defaultdict(list)
    for row in city.features.held_by(layer, number, rest) if rest else ():
        parts[str(row.feature.parent)].append(row)
    for one in rest:
        whole = _whole(city, version, one)
        if whole is not None and whole.feature.feature_class == _MODEL:
            building = _modelled(city, version, one)
        elif whole is not None and one in parts:
            building = _of_parts(whole, parts[one])
        else:
            building = _modelled(city, version, None) if not one else None
        if building is not None:
            found[one] = building
    return found


def _of_rows(rows: Sequence[FeatureRow]) -> dict[str, TwinBuilding]:
    """Buildings whose outline the registry has."""
    areas = square_metres([row.footprint for row in rows]).tolist()
    return {
        row.feature.id: _building(row.footprint, area, storeys_of(row.feature.attributes), [row])
        for row, area in zip(rows, areas, strict=True)
        if area > 0
    }


def _of_parts(whole: FeatureRow, parts: Sequence[FeatureRow]) -> TwinBuilding | None:
    """A building whose parts have the outlines: it covers what they cover together."""
    outline = shapely.union_all([row.footprint for row in parts])
    [area] = square_metres([outline]).tolist()
    if area == 0:
        return None
    return _building(outline, area, storeys_of(whole.feature.attributes), [*parts, whole])


def _building(
    outline: shapely.Geometry, area: float, storeys: float | None, rows: Sequence[FeatureRow]
) -> TwinBuilding:
    floors = None if storeys is None else area * storeys
    return TwinBuilding(outline, area, storeys, floors, _height(rows))


def _height(rows: Sequence[FeatureRow]) -> float | None:
    """From the lowest to the highest of some bodies; what an attribute says of one without a body."""
    tops = [row.zmax for row in rows if row.zmax is not None]
    bottoms = [row.zmin for row in rows if row.zmin is not None]
    if tops and bottoms and max(tops) > min(bottoms):
        return max(tops) - min(bottoms)
    said = [height_of(row.feature.attributes) for row in rows]
    return max((height for height in said if height is not None), default=None)


def _whole(city: City, version: LayerVersion, feature: str) -> FeatureRow | None:
    try:
        return city.features.get(version.layer, version.version, feature)
    except NotFound:
        return None


def _modelled(city: City, version: LayerVersion, parent: str | None) -> TwinBuilding | None:
    """A building of an IFC model, all of it or one of several: its floors, measured one by one."""
    words = twin_table()["storeys"]
    storeys = []
    for storey in version.summary["storeys"]:
        row = _whole(city, version, storey["id"]) if storey["id"] else None
        if row is not None and (parent is None or row.feature.parent == parent):
            storeys.append((storey["elevation"] or 0.0, str(storey["id"])))
    above = [one for elevation, one in sorted(storeys) if elevation >= words["ground"]]
    elements = {
        kind: _by_storey(city, version, kind)
        for kind in (words["room"], *words["around"], words["floor"])
    }
    floors = []
    for place, key in enumerate(above):
        rooms = elements[words["room"]][key]
        around = [row for kind in words["around"] for row in elements[kind][key]]
        slabs = elements[words["floor"]][key]
        if not rooms and place == len(above) - 1 and place > 0:
            continue  # the highest without a room is a roof, which is the floor of nothing
        floor = shapely.union_all(
            [row.footprint for row in ([*rooms, *around] if rooms else slabs)]
        )
        if not floor.is_empty:
            floors.append(floor)
    if not floors:
        return None
    outline = shapely.union_all(floors)
    [footprint] = square_metres([outline]).tolist()
    bodies = [row for by_storey in elements.values() for key in above for row in by_storey[key]]
    return TwinBuilding(
        outline, footprint, float(len(floors)), float(square_metres(floors).sum()),
        _height(bodies), modelled=True,
    )  # fmt: skip


def _by_storey(city: City, version: LayerVersion, kind: str) -> Mapping[str, list[FeatureRow]]:
    found: defaultdict[str, list[FeatureRow]] = defaultdict(list)
    query = Query(feature_class=kind)
    for row in city.features.find(version.layer, version.version, query, after=None, limit=_ALL):
        found[str(row.feature.attributes.get("storey"))].append(row)
    return found
