"""A generated city with every layer that a check-up asks for: blocks of 200 m, ten houses in each."""

import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from analysis.checkup.metric_plane import MetricPlane, plane_of
from benchmarks import FOLDER
from cim_core.city import City
from cim_core.feature import Feature
from cim_core.frame import Frame
from cim_core.layer import Features, Georeference, Layer
from cim_core.progress import Progress
from cim_core.receipt import write_receipt
from tiles import NO_TILES

BUILDINGS = 100_000
_BLOCK = 200.0
_IN_BLOCK = 10
_PER_COMMUNITY = 333
_PER_FACILITY = 20
_FRAME = Frame(113.46, 23.10, 0.0)
_CORNER = (444_000.0, 2_550_000.0)
_USES = ("residential", "residential", "residential", "office", "industrial")
_LAND = ("R2", "R2", "R2", "B1", "M1", "A3", "G1")
_KINDS = ("elderly-care", "elderly-station", "nursery", "kindergarten", "culture", "sports", "football",
          "market", "shop", "shelter", "fire-station")  # fmt: skip
_YES_NO = ("yes", "no")
_HAZARDS = ("structure_hazard", "gas_hazard", "corridor_hazard", "facade_hazard", "self_contained",
            "pipes_broken", "water_fails", "needs_ageing", "needs_energy", "needs_digital", "green")  # fmt: skip

Shapes = np.ndarray[Any, np.dtype[np.object_]]
Drawn = tuple[str, Shapes, Mapping[str, Any]]
"""A layer, its shapes in metres from the corner, and its columns: as many values as shapes in each."""


def checkup_city(buildings: int, data: Path = FOLDER / ".data") -> City:
    """The city with so many buildings, made when it is asked for the first time."""
    folder = data / f"checkup-{buildings}"
    done = folder / "done"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        city = City.open_or_create(folder / "city", "Check-up")
        city.settle(_FRAME, "EPSG:4547")
        plane = plane_of(city)
        for name, shapes, columns in _Generator(buildings).layers():
            _save(city, plane, name, shapes, columns)
        city.database.close()
        done.touch()
    return City.open(folder / "city")


class _Generator:
    """Draws the layers of a city of so many buildings."""

    def __init__(self, buildings: int) -> None:
        self.random = np.random.default_rng(10)
        self.blocks = max(4, round(math.sqrt(buildings / _IN_BLOCK)))
        self.side = self.blocks * _BLOCK
        self.buildings = buildings
        self.facilities = max(len(_KINDS) * 4, buildings // _PER_FACILITY)

    def layers(self) -> Iterator[Drawn]:
        """All of them."""
        yield from self._land()
        yield from self._houses()
        yield from self._places()
        yield from self._ways()
        yield from self._reported()

    def _land(self) -> Iterator[Drawn]:
        communities = max(4, self.buildings // _PER_COMMUNITY)
        across = max(2, round(math.sqrt(communities)))
        yield "communities", self._grid(across, math.ceil(communities / across)), {}
        yield "towns", self._grid(4, 4), {}
        margin = self.side / 10
        built = shapely.box(margin, margin, self.side - margin, self.side - margin)
        cluster = shapely.box(margin, margin, self.side / 2, self.side / 2)
        yield "land", np.array([built, cluster], object), {"kind": ["built-up", "cluster"]}
        x, y = self._corners()
        blocks = shapely.box(x + 10, y + 10, x + _BLOCK - 10, y + _BLOCK - 10)
        yield "parcels", blocks, {"land_use": self._some(_LAND, len(x))}
        yield "land-cover", blocks, {"permeable": self._some(_YES_NO, len(x))}
        cells = self._grid(self.blocks // 2, self.blocks // 2)
        people = self.random.integers(0, 4000, len(cells)).astype(float)
        yield (
            "population", cells,
            {"population": people, "jobs": people / 2, "density": people / 0.16, "year": [2024] * len(cells)},
        )  # fmt: skip

    def _houses(self) -> Iterator[Drawn]:
        x, y = self._corners()
        block = np.arange(self.buildings) % len(x)
        place = np.arange(self.buildings) // len(x) % _IN_BLOCK
        west, south = x[block] + 20 + 32 * (place % 5), y[block] + 30 + 80 * (place // 5)
        wide, deep = self.random.uniform(12, 25, (2, self.buildings))
        houses = shapely.box(west, south, west + wide, south + deep)
        floors = self.random.integers(1, 33, self.buildings)
        yield (
            "buildings", houses,
            {
                "use": self._some(_USES, self.buildings), "height": 3.0 * floors, "floors": floors,
                "floor_area": wide * deep * floors, "year": self.random.integers(1980, 2026, self.buildings),
            },
        )  # fmt: skip
        surveyed = np.flatnonzero(self.random.random(self.buildings) < 0.3)
        yield (
            "building-survey", shapely.centroid(houses[surveyed]),
            {
                **{name: self._some((*_YES_NO, None), len(surveyed)) for name in _HAZARDS},
                "dwellings": floors[surveyed] * 4, "floor_area": (wide * deep * floors)[surveyed],
                "year": self.random.integers(1980, 2026, len(surveyed)),
            },
        )  # fmt: skip
        estates = np.arange(0, len(x), 4)
        spaces = self.random.integers(50, 400, (3, len(estates)))
        yes_no = ("to_renovate", "renovated", "ebike_charging", "managed", "waste_sorting")
        yield (
            "estates", shapely.box(x[estates], y[estates], x[estates] + _BLOCK, y[estates] + _BLOCK),
            {
                **{name: self._some(_YES_NO, len(estates)) for name in yes_no},
                "parking": spaces[0], "parking_required": spaces[1], "piles": spaces[2] // 10,
            },
        )  # fmt: skip

    def _places(self) -> Iterator[Drawn]:
        count = self.facilities
        # Half of all are of the kinds with a layer of their own.
        general = count // 2
        yield (
            "facilities", self._points(general),
            {
                "kind": self._some(_KINDS, general), "size": self._some(("standard", "small"), general),
                "public": self._some(_YES_NO, general), "site_area": self.random.uniform(100, 5000, general),
            },
        )  # fmt: skip
        kinds = ("primary", "secondary", "nine-year")
        schools = self._points(count // 10)
        yield (
            "schools",
            shapely.envelope(shapely.buffer(schools, 50)),
            {"kind": self._some(kinds, len(schools))},
        )
        yield (
            "clinics",
            self._points(count // 10),
            {"kind": self._some(("clinic", "hospital"), count // 10)},
        )
        yield "bus-stops", self._points(count // 5), {}
        yield "metro-stations", self._points(max(2, count // 100)), {}
        for name, sizes in (("parks", (30, 150)), ("activity-sites", (10, 60))):
            points = self._points(count // 20)
            wide = self.random.uniform(*sizes, len(points))
            yield name, shapely.buffer(points, wide, quad_segs=4), {}
        state, severity = (
            self._some(("open", "eliminated"), 200),
            self._some(("severe", "slight"), 200),
        )
        yield "ponding", self._points(200), {"state": state, "severity": severity}

    def _ways(self) -> Iterator[Drawn]:
        x, y = self._corners()
        east = _lines(x, y, x + _BLOCK, y)
        north = _lines(x, y, x, y + _BLOCK)
        roads = np.concatenate([east, north])
        classes = ("快速路", "主干路", "次干路", "支路", "支路")
        yield (
            "roads",
            roads,
            {"road_class": self._some(classes, len(roads)), "speed": [30.0] * len(roads)},
        )
        some = roads[::20]
        yield "greenways", some, {}
        yield "cycleways", some, {}
        yield "walkways", some, {"problem": self._some(("broken", "none"), len(some))}
        yield "utility-tunnels", roads[::100], {}
        yield (
            "corridors",
            roads[::300],
            {"clear_width": self._some((80.0, 120.0), len(roads[::300]))},
        )
        yield "mains", roads, {"monitored": self._some(_YES_NO, len(roads))}
        yield "gas-renewal", some, {"renewed": self._some(_YES_NO, len(some))}
        speed = self.random.uniform(10, 50, len(some))
        yield (
            "link-speeds",
            some,
            {"length": [_BLOCK] * len(some), "speed": speed, "period": ["peak"] * len(some)},
        )

    def _reported(self) -> Iterator[Drawn]:
        count = self.buildings // 20
        home, work = (shapely.get_coordinates(self._points(count)) for _ in range(2))
        modes = ("walk", "bicycle", "bus", "metro", "car")
        yield (
            "commutes", _lines(*home.T, *work.T),
            {
                "commuters": self.random.integers(1, 50, count), "mode": self._some(modes, count),
                "minutes": self.random.uniform(5, 90, count), "distance": np.hypot(*(home - work).T),
            },
        )  # fmt: skip
        for name, into, out in (
            ("water-meters", "supplied", "metered"),
            ("sewage", "discharged", "collected"),
        ):
            given = self.random.uniform(1e4, 1e6, 64)
            yield (
                name,
                self._grid(8, 8),
                {into: given, out: given * self.random.uniform(0.8, 1.0, 64)},
            )

    def _corners(self) -> tuple[Any, Any]:
        x, y = np.meshgrid(np.arange(self.blocks) * _BLOCK, np.arange(self.blocks) * _BLOCK)
        return x.ravel(), y.ravel()

    def _grid(self, across: int, along: int) -> Shapes:
        x, y = np.meshgrid(np.arange(across), np.arange(along))
        wide, deep = self.side / across, self.side / along
        west, south = x.ravel() * wide, y.ravel() * deep
        found: Shapes = shapely.box(west, south, west + wide, south + deep)
        return found

    def _points(self, count: int) -> Shapes:
        found: Shapes = shapely.points(self.random.uniform(0, self.side, (count, 2)))
        return found

    def _some(self, of: Sequence[Any], count: int) -> list[Any]:
        return [of[index] for index in self.random.integers(0, len(of), count).tolist()]


def _lines(x: Any, y: Any, to_x: Any, to_y: Any) -> Shapes:
    points = np.stack([np.column_stack([x, y]), np.column_stack([to_x, to_y])], axis=1)
    found: Shapes = shapely.linestrings(points)
    return found


def _save(
    city: City, plane: MetricPlane, name: str, shapes: Shapes, columns: Mapping[str, Any]
) -> None:
    """A layer as an import saves it, without tiles."""
    moved = plane.degrees(shapely.transform(shapes, lambda points: points + np.array(_CORNER)))
    plain = {key: np.asarray(values, object).tolist() for key, values in columns.items()}
    features = tuple(
        Feature(
            f"{name}-{row:06}", name, f"{name} {row}", shape=shape,
            attributes={key: _plain(v[row]) for key, v in plain.items() if v[row] is not None},
        )
        for row, shape in enumerate(moved.tolist())
    )  # fmt: skip
    georeference = Georeference("crs", "EPSG:4547", {"en": "", "zh": ""})
    layer = Layer(name, name, _FRAME, Features(features, {}), georeference)
    with city.draft(name, name, Progress()) as draft:
        draft.save(layer, 0.0, Progress())
        receipt = write_receipt("import", (), {"layer": name}, {"version": draft.version})
        draft.publish(layer, NO_TILES, receipt)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
