"""Sections of a layer: where it is cut, by whatever a person says, and the drawing of it."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.drawing import Drawing
from analysis.drawing_json import write_json
from analysis.drawing_png import write_png
from analysis.drawing_svg import write_svg
from analysis.plane import Plane, facing, level, upright
from analysis.section import cut, meets
from cim_core.bodies import bodies
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.store.features import Query
from cim_core.store.layers import LayerVersion
from server.access.taking import Taken
from server.extraction import Files, check_size, chosen, file_stem, provenance, storey_id
from server.parameters import parse_line, parse_normal, parse_point

SectionFormat = Literal["svg", "dxf", "png", "json"]

_HIGHEST = 1e6
"""Metres; more is no number of this earth."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a layer is to be cut, in one of four ways, as a person writes it.

    height
        A level plane, metres above the city's datum.
    storey, above
        A level plane so many metres above the level on which most of a storey's elements stand;
        the storey by its id or name.
    line
        An upright plane through two places, lon,lat,lon,lat; the first is to the left.
    point, normal
        Any plane: through lon,lat,height, seen from where east,north,up points to.
    """

    height: float | None = None
    storey: str | None = None
    above: float = 1.2
    line: str | None = None
    point: str | None = None
    normal: str | None = None


def section(
    city: City,
    version: LayerVersion,
    where: Where,
    kind: SectionFormat,
    *,
    feature_class: str | None = None,
    at_most: int | None = None,
    taken: Taken | None = None,
) -> Files:
    """A section of a layer as one file.

    `at_most` is the largest number of triangles of what the plane meets; `taken` is told what goes
    out. Raises `NotFound`, `InvalidInput` where the plane is none or meets nothing, `TooLarge`,
    `MissingDependency`.
    """
    layer = chosen(city, version, Query(feature_class=feature_class))
    plane, height = _plane(city, version, layer.frame, where)
    met = [body for body in bodies(layer.placed) if meets(body, plane)]
    if not met:
        _, _, low, _, _, high = _bbox(version)
        raise InvalidInput(
            f"the plane meets no element of the layer {version.layer!r}, which reaches from "
            f"{low:.2f} to {high:.2f} m; move the plane"
        )
    check_size(sum(len(body.triangles) for body in met), at_most)
    frame = layer.frame
    about: dict[str, Value] = {
        **provenance(version, taken and taken([body.feature.id for body in met])),
        "frame": {"lon": frame.lon, "lat": frame.lat, "ellipsoidal_height": frame.height},
    }
    drawing = Drawing(cut(met, plane), plane, version.title, height, about)
    return {f"{file_stem(version.layer, 'section')}.{kind}": _written(drawing, kind)}


def _written(drawing: Drawing, kind: SectionFormat) -> bytes:
    match kind:
        case "svg":
            return write_svg(drawing)
        case "dxf":
            # A library of a second to load, which no other request should wait for.
            from analysis.drawing_dxf import write_dxf  # noqa: PLC0415

            return write_dxf(drawing)
        case "png":
            return write_png(drawing)
        case "json":
            return write_json(drawing)


def _plane(
    city: City, version: LayerVersion, frame: Frame, where: Where
) -> tuple[Plane, float | None]:
    """The plane in the layer's frame, and its height above the city's datum where it is level."""
    ways = (where.height, where.storey, where.line, where.point)
    if sum(way is not None for way in ways) != 1 or (where.point is None) != (where.normal is None):
        raise InvalidInput(
            "say where to cut in one way: with height, storey, line, or point and normal"
        )
    separation = city.settings.geoid_separation

    def placed(lon: float, lat: float, height: float) -> Floats:
        found = frame.from_geographic(np.array([[lon, lat, height + separation]]))
        return np.asarray(found[0], np.float64)

    west, south, _, east, north, _ = _bbox(version)
    middle = (west + east) / 2, (south + north) / 2

    def drawn_from(lon: float, lat: float) -> Floats:
        """A zero for upright drawings: heights are exact at the middle of the layer."""
        return np.array([*placed(lon, lat, 0.0)[:2], placed(*middle, 0.0)[2]])

    if where.line is not None:
        start_lon, start_lat, end_lon, end_lat = parse_line(where.line)
        return upright(drawn_from(start_lon, start_lat), drawn_from(end_lon, end_lat)), None
    if where.point is not None and where.normal is not None:
        lon, lat, height = parse_point(where.point)
        normal = np.array(parse_normal(where.normal))
        if normal[2] == 0 and normal.any():
            start = drawn_from(lon, lat)
            return upright(start, start + np.array([-normal[1], normal[0], 0.0])), None
        return facing(placed(lon, lat, height), normal), None
    if where.storey is not None:
        height = _floor(city, version, where.storey) + where.above
    else:
        assert where.height is not None
        height = where.height
    if not abs(height) <= _HIGHEST:
        raise InvalidInput(f"{height:g} m is no height; give metres above the city's datum")
    return level(float(placed(*middle, height)[2])), height


def _bbox(version: LayerVersion) -> list[float]:
    bbox = version.summary["bbox"]
    assert bbox is not None, "what was chosen has geometry"
    return bbox


def _floor(city: City, version: LayerVersion, storey: str) -> float:
    """The level on which most of a storey's elements stand, metres above the city's datum.

    A file tells a storey's elevation above an origin of its own, which says nothing here.
    """
    bottoms = city.features.bottoms(version.layer, version.version, storey_id(version, storey))
    counts = Counter(round(bottom, 2) for bottom in bottoms)
    return max(counts, key=lambda bottom: (counts[bottom], -bottom))
