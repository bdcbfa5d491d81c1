"""Where on earth a model stands: six answers, tried in a fixed order, the one used is reported."""

from collections.abc import Callable
from dataclasses import dataclass

import ifcopenshell
import ifcopenshell.util.geolocation
import ifcopenshell.util.placement
import ifcopenshell.util.unit
import numpy as np
from ifcopenshell import entity_instance

from bim_import.ifc_map_conversion import MapConversion, read_map_conversion
from cim_core.errors import InvalidInput
from cim_core.frame import Frame, Projection, projection, siblings, zone_system
from cim_core.layer import Georeference, Placement
from cim_core.mesh import Floats

_NEAR_DEGREES = 2.0
"""How far from the city a model may be whose reference system is only inferred."""

_FALSE_ORIGIN_METRES = 100_000.0
"""Beyond this, a model's coordinates are offsets of some map, not distances from its origin."""


@dataclass(frozen=True, slots=True)
class Georeferencing:
    """The way from a model's coordinates to the earth.

    to_geographic
        (n, 3) model metres → (n, 3) longitude, latitude, ellipsoidal height.
    """

    reference: Georeference
    to_geographic: Callable[[Floats], Floats]
    warnings: tuple[str, ...] = ()


def georeference(
    model: ifcopenshell.file, name: str, middle: Floats, placement: Placement
) -> Georeferencing:
    """Find a model's place; `middle` (3,) is the middle of its elements, model metres.

    The order: what the user gave; IfcMapConversion with IfcProjectedCRS; the property sets that
    stand for them in IFC2X3; coordinates that are a map's already; the site's latitude and
    longitude; the city's own anchor. Raises `InvalidInput` when what the user gave cannot be.
    """
    conversion, warnings = read_map_conversion(model)
    if placement.anchor is not None:
        return _by_user_anchor(model, middle, placement)
    if placement.crs is not None:
        return _by_user_crs(model, name, middle, placement, conversion)
    for attempt in (_by_conversion, _by_coordinates):
        found = attempt(middle, placement, conversion, warnings, model)
        if found is not None:
            return found
    return _by_site(model, middle, placement, warnings) or _by_city(
        model, middle, placement, warnings
    )


def _by_user_anchor(
    model: ifcopenshell.file, middle: Floats, placement: Placement
) -> Georeferencing:
    assert placement.anchor is not None
    lon, lat, height = placement.anchor
    frame = Frame(lon, lat, height + placement.geoid_separation)
    north = true_north(model)
    if placement.crs is not None:
        north = _grid_north(frame, _system(placement.crs, placement))
    to_geographic, warnings = _around(frame, north, np.zeros(3), middle)
    note = {
        "en": f"placed at the anchor given: {frame.lon:.6f}, {frame.lat:.6f}, {height:g} m",
        "zh": f"按给定锚点放置：经度 {frame.lon:.6f}，纬度 {frame.lat:.6f}，高程 {height:g} 米",
    }
    return Georeferencing(Georeference("user", placement.crs, note), to_geographic, warnings)


def _by_user_crs(
    model: ifcopenshell.file,
    name: str,
    middle: Floats,
    placement: Placement,
    conversion: MapConversion | None,
) -> Georeferencing:
    assert placement.crs is not None
    system = _system(placement.crs, placement)
    to_geographic = conversion.onto(system) if conversion is not None else _plane(system)
    if not _lands(to_geographic, middle, system):
        east, north = middle[:2] / system.unit
        raise InvalidInput(
            f"{name} does not lie in {placement.crs}: its middle is at {east:.0f}, {north:.0f}, outside "
            "that system's area; give the system its coordinates are in, or --anchor lon,lat,height"
        )
    note = {
        "en": f"placed in {placement.crs} as given",
        "zh": f"按给定坐标系 {placement.crs} 放置",
    }
    return Georeferencing(Georeference("user", placement.crs, note), to_geographic)


def _by_conversion(
    middle: Floats,
    placement: Placement,
    conversion: MapConversion | None,
    warnings: list[str],
    model: ifcopenshell.file,
) -> Georeferencing | None:
    if conversion is None:
        return None
    systems = [conversion.crs] if conversion.crs else []
    if placement.city_crs and not systems:
        systems = siblings(placement.city_crs)
    for crs in systems:
        try:
            system = _system(crs, placement)
        except InvalidInput as error:
            warnings.append(f"{conversion.source}: {error.sentence}")
            continue
        for candidate in conversion.unit_candidates(system):
            to_geographic = candidate.onto(system)
            if _lands(to_geographic, middle, system):
                note = {
                    "en": f"placed by {conversion.source} in {crs}",
                    "zh": f"按 {conversion.source} 放置，坐标系 {crs}",
                }
                return Georeferencing(
                    Georeference(conversion.method, crs, note),
                    to_geographic,
                    (*warnings, *candidate.warnings),
                )
        warnings.append(
            f"{conversion.source} was not used: it puts the model outside the area of {crs}"
        )
    return None


def _by_coordinates(
    middle: Floats,
    placement: Placement,
    conversion: MapConversion | None,
    warnings: list[str],
    model: ifcopenshell.file,
) -> Georeferencing | None:
    """Coordinates beyond any building's size that make sense in a map system near the city."""
    if max(abs(middle[0]), abs(middle[1])) < _FALSE_ORIGIN_METRES:
        return None
    systems = siblings(placement.city_crs) if placement.city_crs else []
    zone = zone_system(float(middle[0]))
    if zone is not None and zone not in systems:
        systems.append(zone)
    expected = placement.city_frame or site_frame(model, placement)
    for crs in systems:
        system = _system(crs, placement)
        to_geographic = _plane(system)
        if not _lands(to_geographic, middle, system):
            continue
        lon, lat = to_geographic(middle[None, :])[0, :2]
        named_by_zone = crs == zone and expected is None
        if named_by_zone or (expected is not None and _near(expected, lon, lat)):
            note = {
                "en": f"its coordinates are those of {crs} already",
                "zh": f"模型坐标本身即为 {crs} 坐标",
            }
            reference = Georeference("projected-coordinates", crs, note)
            return Georeferencing(reference, to_geographic, tuple(warnings))
    return None


def _by_site(
    model: ifcopenshell.file, middle: Floats, placement: Placement, warnings: list[str]
) -> Georeferencing | None:
    frame = site_frame(model, placement)
    if frame is None:
        return None
    origin = site_origin(model)
    to_geographic, more = _around(frame, true_north(model), origin, middle)
    note = {
        "en": f"placed by the site's latitude and longitude ({frame.lat:.6f}, {frame.lon:.6f})",
        "zh": f"按场地经纬度放置（纬度 {frame.lat:.6f}，经度 {frame.lon:.6f}）",
    }
    return Georeferencing(Georeference("site", None, note), to_geographic, (*warnings, *more))


def _by_city(
    model: ifcopenshell.file, middle: Floats, placement: Placement, warnings: list[str]
) -> Georeferencing:
    frame = placement.city_frame or Frame(0.0, 0.0, 0.0)
    to_geographic, more = _around(frame, true_north(model), np.zeros(3), middle)
    where_en = (
        "the city's anchor" if placement.city_frame else "0°, 0° (the city has no anchor yet)"
    )
    where_zh = "城市锚点" if placement.city_frame else "0°,0°（城市尚无锚点）"
    note = {
        "en": f"not georeferenced: placed at {where_en}; import again with --anchor or --crs",
        "zh": f"无地理坐标：已放置在{where_zh}；请指定锚点或坐标系后重新导入",
    }
    return Georeferencing(Georeference("none", None, note), to_geographic, (*warnings, *more))


def true_north(model: ifcopenshell.file) -> Floats:
    """The direction of true north in the model's x and y, a unit (2,) vector."""
    for context in model.by_type("IfcGeometricRepresentationContext", include_subtypes=False):
        if context.TrueNorth is not None and context.ContextType in ("Model", None):
            ratios = np.array(context.TrueNorth.DirectionRatios[:2], np.float64)
            length = np.linalg.norm(ratios)
            if length > 0:
                return np.asarray(ratios / length, np.float64)
    return np.array([0.0, 1.0])


def _around(
    frame: Frame, north: Floats, origin: Floats, middle: Floats
) -> tuple[Callable[[Floats], Floats], tuple[str, ...]]:
    """East-north-up coordinates around `frame`, the model's `origin` at its anchor."""
    warnings: tuple[str, ...] = ()
    away = float(np.abs(middle - origin)[:2].max())
    if away > _FALSE_ORIGIN_METRES:
        origin = np.array([*np.floor(middle[:2]), origin[2]])
        warnings = (
            f"its elements lie {away / 1000:.0f} km from its origin in no known map system; "
            "their middle was put at the anchor instead",
        )
    turn = np.array([[north[1], -north[0], 0.0], [north[0], north[1], 0.0], [0.0, 0.0, 1.0]])

    def to_geographic(points: Floats) -> Floats:
        return frame.to_geographic((points - origin) @ turn.T)

    return to_geographic, warnings


def _plane(system: Projection) -> Callable[[Floats], Floats]:
    scale = np.array([1 / system.unit, 1 / system.unit, 1.0])
    return lambda points: system.to_geographic(points * scale)


def _lands(to_geographic: Callable[[Floats], Floats], middle: Floats, system: Projection) -> bool:
    lon, lat = to_geographic(middle[None, :])[0, :2]
    if not np.isfinite([lon, lat]).all() or not system.covers(lon, lat):
        return False
    # A city's own pipeline knows no area of use; the city does.
    return system.local_to is None or _near(system.local_to, lon, lat)


def _system(crs: str, placement: Placement) -> Projection:
    local = placement.pipeline if crs == placement.city_crs else None
    return projection(
        crs,
        geoid_separation=placement.geoid_separation,
        pipeline=local,
        local_to=placement.city_frame if local is not None else None,
    )


def _near(frame: Frame, lon: float, lat: float) -> bool:
    return abs(frame.lon - lon) < _NEAR_DEGREES and abs(frame.lat - lat) < _NEAR_DEGREES


def _grid_north(frame: Frame, system: Projection) -> Floats:
    """Grid north at a place as a direction in east and north, for a model turned to the grid."""
    here = system.from_geographic(np.array([[frame.lon, frame.lat, frame.height]]))
    ahead = frame.from_geographic(
        system.to_geographic(here + np.array([[0.0, 100.0 / system.unit, 0.0]]))
    )[0, :2]
    # The model's y axis is grid north; seen from the model, true north is turned the other way.
    return np.asarray(np.array([-ahead[0], ahead[1]]) / np.linalg.norm(ahead), np.float64)


def _site(model: ifcopenshell.file) -> entity_instance | None:
    for site in model.by_type("IfcSite"):
        if site.RefLatitude and site.RefLongitude:
            return site
    return None


def site_frame(model: ifcopenshell.file, placement: Placement) -> Frame | None:
    """A frame at the site's latitude, longitude and elevation; None where they cannot be meant."""
    site = _site(model)
    if site is None:
        return None
    lat, lon = (_degrees(angle) for angle in (site.RefLatitude, site.RefLongitude))
    if (lat, lon) == (0.0, 0.0) or abs(lat) > 90 or abs(lon) > 180:
        return None
    unit = ifcopenshell.util.unit.calculate_unit_scale(model)
    return Frame(lon, lat, (site.RefElevation or 0.0) * unit + placement.geoid_separation)


def _degrees(angle: tuple[int, ...]) -> float:
    """An IfcCompoundPlaneAngleMeasure: degrees, minutes, seconds and millionths, one sign."""
    parts = [*angle, 0, 0, 0][:4]
    size = sum(abs(part) / by for part, by in zip(parts, (1, 60, 3600, 3600e6), strict=True))
    return -size if any(part < 0 for part in parts) else size


def site_origin(model: ifcopenshell.file) -> Floats:
    """Where the site's own origin stands in the model, metres: the point its latitude is of."""
    site = _site(model)
    if site is None or site.ObjectPlacement is None:
        return np.zeros(3)
    matrix = ifcopenshell.util.placement.get_local_placement(site.ObjectPlacement)
    unit = ifcopenshell.util.unit.calculate_unit_scale(model)
    return np.asarray(matrix[:3, 3] * unit, np.float64)
