"""Layers as a check-up has them: all features of a version in columns, in the plane, made once."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.checkup.metric_plane import MetricPlane
from cim_core.city import City
from cim_core.kept import kept
from cim_core.mesh import Floats
from cim_core.store.feature_columns import Columns
from cim_core.store.layers import LayerVersion

TWIN = "twin:coverage"
"""What stands for a layer where the role is all that has 3D data."""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A version of a layer.

    version
        None for what is made of several layers.
    ids, names
        (n,) texts.
    shapes
        (n,) valid, metres.
    columns
        Attributes as `cim_core.store.feature_columns` has them, and of the features themselves
        "class" and "name", where no attribute is called that, "shape_area" (m²) and "shape_length" (m).
    digests
        (n, 16) uint8, the same for the same id and shape in the same plane.
    """

    version: LayerVersion | None
    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    shapes: NDArray[np.object_]
    columns: Columns
    digests: NDArray[np.uint8]


@cache
def engine_table() -> Mapping[str, Any]:
    """`engine.toml` as it stands."""
    text = files("analysis.checkup").joinpath("engine.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def load(city: City, version: LayerVersion, plane: MetricPlane) -> Loaded:
    """A version of a layer in a plane, as far as it is seen."""
    return _load(_Asked(city, (version,), plane))


def load_twin(city: City, plane: MetricPlane) -> Loaded:
    """One outline for each layer that has a third dimension, as far as it is seen."""
    kinds = engine_table()["twin"]["kinds"]
    versions = tuple(
        version
        for version in city.layers.current()
        if version.summary.get("kind", "model") in kinds and version.about.lifecycle == "present"
    )
    return _twin(_Asked(city, versions, plane))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Some versions as seen, in a plane; equal to any other of the same."""

    city: City
    versions: tuple[LayerVersion, ...]
    plane: MetricPlane

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        which = tuple((one.layer, one.version, one.receipt, one.part.key) for one in self.versions)
        return self.city.folder, self.plane.name, which


@kept(40)
def _load(asked: _Asked) -> Loaded:
    [version] = asked.versions
    found = asked.city.feature_columns.of(version.layer, version.version)
    shapes = _valid(asked.plane.laid_out(found.shapes))
    columns = {
        "class": found.classes, "name": found.names, **found.columns, **_measured(shapes)
    }  # fmt: skip
    return Loaded(version, found.ids, found.names, shapes, columns, found.digests)


@kept(8)
def _twin(asked: _Asked) -> Loaded:
    outlines = {
        version.layer: _outline(_Asked(asked.city, (version,), asked.plane))
        for version in asked.versions
    }
    known = {layer: shape for layer, shape in outlines.items() if not shape.is_empty}
    ids = _objects(list(known))
    shapes = _objects(list(known.values()))
    made = [hashlib.blake2b(shapely.to_wkb(shape), digest_size=16).digest() for shape in shapes]
    digests = np.frombuffer(b"".join(made), np.uint8).reshape(-1, 16)
    return Loaded(None, ids, ids, shapes, {"name": ids, **_measured(shapes)}, digests)


@kept(60)
def _outline(asked: _Asked) -> shapely.Geometry:
    """What a layer covers, seen from above: its features with the gaps between them closed, or its box.

    Kept by itself, as it takes long and mostly one layer changes.
    """
    [version] = asked.versions
    gap = float(engine_table()["twin"]["gap"])
    features = _load(asked).shapes
    if len(features):
        wide = shapely.disjoint_subset_union_all(shapely.buffer(features, gap, quad_segs=2))
        return shapely.buffer(wide, -gap, quad_segs=2)
    box = version.summary["bbox"]
    if box is None:
        return shapely.Polygon()
    west, south, _, east, north, _ = box
    [found] = asked.plane.laid_out(_objects([shapely.box(west, south, east, north)]))
    return found


def _valid(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Shapes whose rings do not cross themselves, since the union of those that do is not defined."""
    wrong = np.flatnonzero(~shapely.is_valid(shapes))
    if len(wrong):
        shapes = shapes.copy()
        shapes[wrong] = shapely.make_valid(shapes[wrong])
    return shapes


def _measured(shapes: NDArray[np.object_]) -> dict[str, Floats]:
    # The way from degrees costs a millionth of a square metre, and 5,000 m² are 5,000 m².
    return {
        "shape_area": np.round(shapely.area(shapes), 3),
        "shape_length": np.round(shapely.length(shapes), 3),
    }


def _objects(values: list[Any]) -> NDArray[np.object_]:
    found: NDArray[np.object_] = np.empty(len(values), object)
    found[:] = values
    return found
