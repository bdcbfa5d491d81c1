"""Queries over a million footprints, in a generated city kept in benchmarks/.data.

The footprints are saved the way an import saves them, and asked for through the city's own doors.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import numpy as np
import shapely

from analysis.what_is_here import WhatIsHere
from benchmarks import FOLDER
from cim_core.cell_grid import CellGrid
from cim_core.city import City
from cim_core.feature import Feature, Value
from cim_core.frame import Frame
from cim_core.layer import Features, Georeference, Layer
from cim_core.progress import Progress
from cim_core.receipt import write_receipt
from cim_core.store.features import Query
from tiles import NO_TILES

FOOTPRINTS = 1_000_000
_PER_SHEET = 1000
_LON, _LAT, _SHEET = 113.2, 22.9, 0.0125
_LAYER = "footprints"
_QUERIES = 200
_PAGE = 100
_USES = ("residential", "industrial", "office", "school")

Place = tuple[float, float]


def measure(count: int = FOOTPRINTS) -> dict[str, Any]:
    """What each kind of query takes, milliseconds, by its median and its 95th percentile."""
    city, seconds = _city(count)
    area = (_LON, _LAT, *_corner(count))
    random = np.random.default_rng(11)
    places = random.uniform(area[:2], area[2:], (_QUERIES, 2)).tolist()
    side = _SHEET  # a box as large as a sheet holds about as many footprints as one
    find, near = city.features.find, city.feature_places.nearest

    def box(lon: float, lat: float) -> int:
        query = Query(bbox=(lon, lat, lon + side, lat + side))
        return len(find(_LAYER, 1, query, after=None, limit=10_000))

    def point(lon: float, lat: float) -> int:
        return len(find(_LAYER, 1, Query(bbox=(lon, lat, lon, lat)), after=None, limit=_PAGE))

    def nearest(lon: float, lat: float) -> int:
        return len(near(_LAYER, 1, lon, lat, 10))

    def here(lon: float, lat: float) -> int:
        question = WhatIsHere(place={"type": "Point", "coordinates": [lon, lat]}, radius=200.0)
        cells = question(city, Progress()).outputs["cells"]
        return int(cells.values.sum()) if isinstance(cells, CellGrid) else 0

    return {
        "footprints": count,
        "seconds": seconds,
        "bytes": (city.folder / "city.gpkg").stat().st_size,
        "queries": {
            "a box": _timed(box, places),
            "a point": _timed(point, places),
            "the 10 nearest": _timed(nearest, places),
            "what is here, 200 m": _timed(here, places),
        },
        "pages": {
            f"{share:.0%}": _timed(_paging(city, int(share * (count - _PAGE))), [(0.0, 0.0)] * 20)
            for share in (0.0, 0.5, 1.0)
        },
    }


def _paging(city: City, skipped: int) -> Callable[[float, float], int]:
    """One page of items from so far in."""
    after = _id(skipped - 1) if skipped else None
    return lambda *_: len(city.features.find(_LAYER, 1, Query(), after=after, limit=_PAGE))


def _timed(ask: Callable[[float, float], int], places: list[Place]) -> dict[str, float]:
    """Of queries at places, after one that is not counted."""
    ask(*places[0])
    wall, found = [], []
    for place in places:
        begin = time.perf_counter()
        found.append(ask(*place))
        wall.append(1000 * (time.perf_counter() - begin))
    return {
        "p50": round(median(wall), 3), "p95": round(float(np.percentile(wall, 95)), 3),
        "found": median(found),
    }  # fmt: skip


def _city(count: int) -> tuple[City, float]:
    """The city with so many footprints, and the seconds it took to save them."""
    folder = FOLDER / ".data" / f"footprints-{count}"
    done = folder / "seconds"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        begin = time.perf_counter()
        city = City.open_or_create(folder / "city", "Footprints")
        layer = Layer(
            _LAYER, _LAYER, Frame(_LON, _LAT, 0.0), Features(tuple(_footprints(count)), {}),
            Georeference("crs", "EPSG:4326", {"en": "", "zh": ""}),
        )  # fmt: skip
        with city.draft(_LAYER, _LAYER, Progress()) as draft:
            draft.save(layer, 0.0, Progress())
            draft.publish(layer, NO_TILES, write_receipt("import", (), {}, {}))
        done.write_text(f"{time.perf_counter() - begin:.1f}")
    return City.open(folder / "city"), float(done.read_text())


def _corner(count: int) -> Place:
    """The north-east corner of so many footprints."""
    across = int(np.ceil(np.sqrt(count / _PER_SHEET)))
    return _LON + (across - 1) * _SHEET, _LAT + (across - 1) * _SHEET


def _footprints(count: int) -> Iterator[Feature]:
    """Turned boxes, sheet by sheet as a survey delivers them, anywhere within a sheet."""
    random = np.random.default_rng(5)
    across = int(np.ceil(np.sqrt(count / _PER_SHEET)))
    for first in range(0, count, _PER_SHEET):
        row, column = divmod(first // _PER_SHEET, across)
        corner = (_LON + column * _SHEET, _LAT + row * _SHEET)
        middles = random.uniform(0, _SHEET, (_PER_SHEET, 2)) + corner
        sizes = random.lognormal(2.3, 0.5, (_PER_SHEET, 2)) / 111_320.0
        angles = random.uniform(0, np.pi, _PER_SHEET)
        heights = random.uniform(3, 90, _PER_SHEET).round(1)
        for number, shape in enumerate(_turned(middles, sizes, angles)[: count - first].tolist()):
            height = float(heights[number])
            attributes: dict[str, Value] = {
                "height": height, "floors": int(height // 3), "use": _USES[number % 4],
            }  # fmt: skip
            yield Feature(
                _id(first + number),
                "Building",
                f"楼 {first + number}",
                None,
                attributes,
                shape=shape,
            )


def _turned(middles: np.ndarray, sizes: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Boxes, (n,), with their middles, (n, 2), sides, (n, 2) degrees, and angles, (n,)."""
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    c, s = np.cos(angles), np.sin(angles)
    turn = np.stack([np.stack([c, s], axis=1), np.stack([-s, c], axis=1)], axis=1)
    result: np.ndarray = shapely.polygons(
        np.einsum("nki,nij->nkj", corners * sizes[:, None], turn) + middles[:, None]
    )
    return result


def _id(number: int) -> str:
    return f"B{number:08d}"
