"""A generated city of boxes with streets between them, in which light, views and ways are asked."""

import math
import shutil
from pathlib import Path

import numpy as np
import shapely

from benchmarks import FOLDER
from cim_core.city import City
from cim_core.feature import Feature, Instance
from cim_core.frame import Frame
from cim_core.layer import Features, Georeference, Layer
from cim_core.mesh import Mesh
from cim_core.progress import Progress
from cim_core.receipt import write_receipt
from tests.support.layers import box
from tiles import NO_TILES

BUILDINGS = 10_000
PLACE = (113.46, 23.10)
_FRAME = Frame(*PLACE, 0.0)
_LOT = 45.0


def light_city(buildings: int = BUILDINGS, data: Path = FOLDER / ".data") -> City:
    """The city around `PLACE`, made when it is asked for the first time."""
    folder = data / f"light-{buildings}"
    done = folder / "done"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        city = City.open_or_create(folder / "city", "Light")
        city.settle(_FRAME, "EPSG:4547")
        side = math.ceil(math.sqrt(buildings))
        _save(city, "buildings", *_boxes(buildings, side))
        _save(city, "roads", _streets(side), {})
        city.database.close()
        done.touch()
    return City.open(folder / "city")


def _boxes(count: int, side: int) -> tuple[list[Feature], dict[str, Mesh]]:
    """One in each lot, of three to sixty metres height."""
    random = np.random.default_rng(2026)
    wide, deep = random.uniform(8, 30, (2, count))
    high = random.uniform(3, 60, count).round(1)
    row, column = np.divmod(np.arange(count), side)
    west, south = (column - side / 2) * _LOT, (row - side / 2) * _LOT
    outlines = _degrees(shapely.box(west, south, west + wide, south + deep))
    features, meshes = [], {}
    for i, outline in enumerate(outlines):
        place = np.eye(4)
        place[:2, 3] = west[i], south[i]
        key = f"b{i:06}"
        meshes[key] = box((wide[i], deep[i], high[i]))
        features.append(
            Feature(key, "Building", key, instances=(Instance(key, place),), shape=outline)
        )
    return features, meshes


def _streets(side: int) -> list[Feature]:
    """Along every row and every column of lots, on the whole way through."""
    at = (np.arange(side + 1) - side / 2) * _LOT - 7.0
    first, last = np.full(side + 1, at[0]), np.full(side + 1, at[-1])
    ways = [
        np.stack([np.column_stack(ends) for ends in ((first, at), (last, at))], axis=1),
        np.stack([np.column_stack(ends) for ends in ((at, first), (at, last))], axis=1),
    ]
    lines = _degrees(shapely.linestrings(np.concatenate(ways)))
    classes = ("residential", "residential", "secondary")
    return [
        Feature(f"r{i:05}", "Road", "", shape=line, attributes={"road_class": classes[i % 3]})
        for i, line in enumerate(lines)
    ]


def _degrees(shapes: np.ndarray) -> list[shapely.Geometry]:
    def placed(points: np.ndarray) -> np.ndarray:
        return _FRAME.to_geographic(np.column_stack([points, np.zeros(len(points))]))[:, :2]

    return list(shapely.transform(shapes, placed))


def _save(city: City, name: str, features: list[Feature], meshes: dict[str, Mesh]) -> None:
    georeference = Georeference("crs", "EPSG:4547", {"en": "", "zh": ""})
    layer = Layer(name, name, _FRAME, Features(tuple(features), meshes), georeference)
    with city.draft(name, name, Progress()) as draft:
        draft.save(layer, 0.0, Progress())
        receipt = write_receipt("import", (), {"layer": name}, {"version": draft.version})
        draft.publish(layer, NO_TILES, receipt)
