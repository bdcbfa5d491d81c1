"""A small city of boxes whose shadows, views and figures can be computed by hand.

Metres are those of a frame whose heights are the city's: east, north and up of `AT`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyproj
import shapely

from cim_core.city import City
from cim_core.feature import Feature, Instance, Value
from cim_core.frame import Frame
from cim_core.layer import ClassStyle, Features, Georeference, Layer, Lifecycle
from tests.support.layers import box as box_mesh
from tests.support.layers import publish

AT = (113.46, 23.10)
_FRAME = Frame(*AT, 0.0)
_TO_PLACE = pyproj.Transformer.from_pipeline(
    "+proj=pipeline +step +inv +proj=topocentric +ellps=GRS80 +lon_0=113.46 +lat_0=23.10 +h_0=0"
    " +step +inv +proj=cart +ellps=GRS80"
)


@dataclass(frozen=True)
class Block:
    """A box, metres; a building if nothing else is said, perhaps held by another."""

    west: float
    south: float
    wide: float
    deep: float
    top: float
    bottom: float = 0.0
    attributes: Mapping[str, Value] = field(default_factory=dict)
    kind: str = "Building"
    parent: str | None = None

    @property
    def low(self) -> np.ndarray:
        return np.array([self.west, self.south, self.bottom])

    @property
    def high(self) -> np.ndarray:
        return np.array([self.west + self.wide, self.south + self.deep, self.top])


def place(x: float, y: float, z: float = 0.0) -> tuple[float, float, float]:
    """Metres → longitude, latitude, height, by PROJ's own topocentric."""
    lon, lat, height = _TO_PLACE.transform(x, y, z)
    return lon, lat, height


def metres(lon: float, lat: float, height: float = 0.0) -> np.ndarray:
    return np.array(_TO_PLACE.transform(lon, lat, height, direction="INVERSE"))


def polygon(points: Sequence[tuple[float, float]]) -> shapely.Geometry:
    return shapely.Polygon([place(*point)[:2] for point in points])


def rectangle(west: float, south: float, wide: float, deep: float) -> shapely.Geometry:
    return polygon(
        [(west, south), (west + wide, south), (west + wide, south + deep), (west, south + deep)]
    )


def geojson(shape: shapely.Geometry) -> dict[str, object]:
    return dict(shapely.geometry.mapping(shape))


def point(x: float, y: float) -> dict[str, object]:
    return {"type": "Point", "coordinates": list(place(x, y)[:2])}


def publish_blocks(
    city: City, layer: str, blocks: Mapping[str, Block], lifecycle: Lifecycle = "present"
) -> None:
    """Make boxes the newest version of a layer of buildings."""
    features, meshes = [], {}
    for key, block in sorted(blocks.items()):
        mesh = box_mesh(block.high - block.low, block.low)
        meshes[mesh.key()] = mesh
        outline = rectangle(block.west, block.south, block.wide, block.deep)
        features.append(
            Feature(
                key, block.kind, f"Block {key}", block.parent, block.attributes,
                instances=(Instance(mesh.key(), np.eye(4)),), shape=outline,
            )
        )  # fmt: skip
    georeference = Georeference("file", None, {"en": "", "zh": ""})
    kinds = {"Building", *(block.kind for block in blocks.values())}
    styles = {kind: ClassStyle({"en": kind, "zh": kind}, "#888888", True) for kind in sorted(kinds)}
    content = Features(tuple(features), meshes)
    publish(
        city,
        Layer(
            layer, layer, _FRAME, content, georeference, class_styles=styles, lifecycle=lifecycle
        ),
    )


def publish_areas(
    city: City, layer: str, areas: Mapping[str, tuple[str, shapely.Geometry, Mapping[str, Value]]],
    lifecycle: Lifecycle = "present",
) -> None:  # fmt: skip
    """Make areas, by id: class, shape in degrees, attributes, the newest version of a layer."""
    features = tuple(
        Feature(key, kind, key, attributes=attributes, shape=shape)
        for key, (kind, shape, attributes) in sorted(areas.items())
    )
    georeference = Georeference("file", None, {"en": "", "zh": ""})
    publish(
        city, Layer(layer, layer, _FRAME, Features(features, {}), georeference, lifecycle=lifecycle)
    )


def faces(block: Block) -> np.ndarray:
    """The triangles of a box, (12, 3, 3)."""
    mesh = box_mesh(block.high - block.low, block.low)
    return mesh.positions[mesh.triangles]


def brute(origins: np.ndarray, ways: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """How far along each way, (n,), a ray first meets a triangle; every one is tried.

    Möller and Trumbore 1997, in plain numpy.
    """
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    found = np.full(len(origins), np.inf)
    for i, (origin, way) in enumerate(zip(origins, ways, strict=True)):
        p = np.cross(way, second)
        det = (first * p).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            s = origin - triangles[:, 0]
            u = (s * p).sum(axis=1) / det
            q = np.cross(s, first)
            v = (q @ way) / det
            t = (second * q).sum(axis=1) / det
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0) & (np.abs(det) > 1e-14)
        if hit.any():
            found[i] = t[hit].min()
    return found


def through_box(origin: np.ndarray, ways: np.ndarray, block: Block) -> np.ndarray:
    """Whether rays in (n, 3) ways from outside pass through a box, by its three slabs."""
    with np.errstate(divide="ignore"):
        one, other = (block.low - origin) / ways, (block.high - origin) / ways
    near = np.minimum(one, other).max(axis=1)
    far = np.maximum(one, other).min(axis=1)
    return (far > np.maximum(near, 0)) & (far > 0)
