"""Things that observe: where they stand and what they observe, as SensorThings writes them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from sample_data.district.district import District
from sample_data.district.pipes_mains import Net
from sample_data.district.plan import CRS, Floats, random
from sample_data.district.relief import Relief
from sample_data.district.tables import Table, standing

LAYER = "sensors"
"""The layer of the things that stand on no other layer's features."""

TYPES = {
    "measurement": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
    "truth": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_TruthObservation",
}

EVERY = 60
"""Things report once a minute (s)."""

_TALL = 9
"""Buildings of so many floors have lifts."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing: plan metres, and metres above the 1985 datum.

    code
        `DT-0001`; what it observes is known by `DT-0001/vibration`.
    feature
        The feature of `layer` that it stands on.
    """

    code: str
    kind: str
    zh: str
    en: str
    x: float
    y: float
    height: float
    layer: str
    feature: str

    @property
    def properties(self) -> list[str]:
        """What it observes; only every eighth water gauge measures rain."""
        names: list[str] = things_table()["class"][self.kind]["properties"]
        if self.kind == "water":
            rainy = int(self.code[-4:]) % 8 == 1
            return [name for name in names if (name == "rain") == rainy]
        return names


@cache
def things_table() -> dict[str, Any]:
    """What was decided by hand."""
    return tomllib.loads(Path(__file__).with_name("things.toml").read_text("utf-8"))


def things(of: District, ground: Relief, nets: Mapping[str, Net]) -> list[Thing]:
    """All things of the district, class by class."""
    found: list[Thing] = []
    for kind, table in things_table()["class"].items():
        spots, above, bound = _PLACES[kind](of, nets, int(table["count"]))
        heights = ground.at(spots[:, 0], spots[:, 1]) + above
        for number, (x, y) in enumerate(spots.round(2).tolist()):
            code = f"{table['code']}-{number + 1:04d}"
            found.append(
                Thing(
                    code, kind, f"{table['zh']} {code}", f"{table['en']} {code}", x, y,
                    round(float(heights[number]), 2), "buildings" if bound else LAYER,
                    bound[number] if bound else code,
                )
            )  # fmt: skip
    return found


def sensors_table(found: list[Thing]) -> Table:
    """The things that are a layer of their own."""
    own = [thing for thing in found if thing.layer == LAYER]
    return Table(
        "Point",
        [shapely.Point(thing.x, thing.y) for thing in own],
        [
            {"id": t.code, "name": t.zh, "name_en": t.en, "class": "Sensor", "kind": t.kind}
            for t in own
        ],
    )


def document(found: list[Thing], origin: tuple[float, float]) -> dict[str, Any]:
    """The things with their datastreams, in the words of SensorThings."""
    lon, lat = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(
        [thing.x + origin[0] for thing in found], [thing.y + origin[1] for thing in found]
    )
    properties = things_table()["property"]
    return {
        "ObservedProperties": [
            {
                "name": f"{word['zh']} {word['en']}", "definition": f"urn:cim:property:{code}",
                "description": word["en"], "properties": {"code": code},
            }
            for code, word in properties.items()
        ],
        "Things": [
            _thing(thing, [round(lon[n], 7), round(lat[n], 7), thing.height])
            for n, thing in enumerate(found)
        ],
    }  # fmt: skip


def _thing(thing: Thing, place: list[float]) -> dict[str, Any]:
    return {
        "name": f"{thing.zh} {thing.en.removesuffix(thing.code).strip()}",
        "description": "fictional",
        "properties": {"code": thing.code, "class": thing.kind, "layer": thing.layer, "feature": thing.feature},
        "Locations": [
            {
                "name": thing.code, "description": "", "encodingType": "application/geo+json",
                "location": {"type": "Point", "coordinates": place},
            }
        ],
        "Datastreams": [_datastream(thing, code) for code in thing.properties],
    }  # fmt: skip


def _datastream(thing: Thing, code: str) -> dict[str, Any]:
    word = things_table()["property"][code]
    return {
        "name": f"{thing.code} {word['zh']} {word['en']}", "description": "",
        "observationType": TYPES[word.get("kind", "measurement")],
        "unitOfMeasurement": {"name": word["unit"], "symbol": word["unit"], "definition": ""},
        "properties": {"key": f"{thing.code}/{code}", "bounds": word["bounds"], "every": EVERY},
        "Sensor": {"name": f"{thing.kind} sensor", "description": "fictional", "encodingType": "text/plain", "metadata": ""},
        "ObservedProperty": code,
    }  # fmt: skip


# --- where they stand: places (n, 2), metres above the ground, and features they are bound to

_Stand = tuple[Floats, float, list[str]]


def _lifts(of: District, _: Mapping[str, Net], count: int) -> _Stand:
    tall = [(f"B{n + 1:05d}", b) for n, b in enumerate(standing(of)) if b.floors >= _TALL]
    chosen = [tall[n] for n in _spread(len(tall), count)]
    spots = shapely.point_on_surface(np.array([b.outline for _, b in chosen]))
    return shapely.get_coordinates(spots), 4.0, [name for name, _ in chosen]


def _tunnel(of: District, _: Mapping[str, Net], count: int) -> _Stand:
    line = next(s.line for s in of.plan.streets if s.kind == "arterial")
    inside = line.intersection(of.plan.area.buffer(-20.0))
    return _along(inside, count), -5.0, []


def _regulators(_: District, nets: Mapping[str, Net], count: int) -> _Stand:
    return _points(nets["gas"], ("调压箱", "阀门井", "阀门"), count), 0.5, []


def _old_trees(of: District, _: Mapping[str, Net], count: int) -> _Stand:
    parks = shapely.union_all(
        [shape for shape, use in of.blocks if use.use in ("park", "hill", "green")]
    )
    return _within(of, parks.buffer(-8.0), "old trees", count), 2.0, []  # fmt: skip


def _lamps(of: District, _: Mapping[str, Net], count: int) -> _Stand:
    lines = [s.line for s in of.main.segments if s.kind in ("arterial", "collector", "local")]
    whole = sum(line.length for line in lines)
    spots = [_along(line, max(1, round(count * line.length / whole))) for line in lines]
    return np.vstack(spots)[_spread(sum(map(len, spots)), count)], 9.0, []


def _car_parks(of: District, _: Mapping[str, Net], count: int) -> _Stand:
    large = sorted(of.parcels, key=lambda parcel: -parcel.outline.area)
    chosen = [large[n] for n in _spread(min(len(large), 3 * count), count)]
    spots = shapely.point_on_surface(np.array([parcel.outline for parcel in chosen]))
    return shapely.get_coordinates(spots), 2.5, []


def _bridges(of: District, _: Mapping[str, Net], count: int) -> _Stand:
    wet = of.water.river.union(of.water.creek.buffer(6.0))
    spans = [s.line.intersection(wet) for s in of.main.segments if s.line.intersects(wet)]
    spans = sorted((span for span in spans if span.length > 5.0), key=lambda span: -span.length)
    middles = np.array([span.interpolate(f, normalized=True) for span in spans for f in (0.3, 0.7)])
    return shapely.get_coordinates(middles)[:count], 3.0, []


def _gauges(_: District, nets: Mapping[str, Net], count: int) -> _Stand:
    return _points(nets["storm"], ("雨水井",), count), 0.3, []


def _sites(of: District, _: Mapping[str, Net], count: int) -> _Stand:
    return _within(of, of.renewal.buffer(-6.0), "sites", count), 5.0, []


def _stations(of: District, _: Mapping[str, Net], count: int) -> _Stand:
    dry = of.plan.area.buffer(-60.0).difference(of.water.all)
    return _within(of, dry, "stations", count), 3.5, []


_PLACES: Mapping[str, Callable[[District, Mapping[str, Net], int], _Stand]] = {
    "elevator": _lifts, "gallery": _tunnel, "gas": _regulators, "tree": _old_trees,
    "lamp": _lamps, "parking": _car_parks, "bridge": _bridges, "water": _gauges, "site": _sites,
    "environment": _stations,
}  # fmt: skip


def _spread(there: int, count: int) -> list[int]:
    """So many numbers below `there`, evenly; all of them where there are fewer."""
    numbers: list[int] = np.linspace(0, there - 1, min(there, count)).round().astype(int).tolist()
    return sorted(set(numbers))


def _along(line: Any, count: int) -> Floats:
    steps = (np.arange(count) + 0.5) / count
    spots: Floats = shapely.get_coordinates(
        shapely.line_interpolate_point(line, steps, normalized=True)
    )
    return spots


def _points(net: Net, words: tuple[str, ...], count: int) -> Floats:
    there = [point for point in net.book.points if point.appurtenance in words]
    return np.array([(there[n].x, there[n].y) for n in _spread(len(there), count)])


def _within(of: District, area: Any, name: str, count: int) -> Floats:
    rng = random(of.seed, f"things {name}")
    west, south, east, north = area.bounds
    shapely.prepare(area)
    places = rng.uniform((west, south), (east, north), (count * 200, 2))
    inside: Floats = places[shapely.contains_xy(area, places[:, 0], places[:, 1])][:count]
    return inside
