"""Reference systems of any kind and unit, for what arrives in one: the other half of PROJ's door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyproj

from cim_core.errors import InvalidInput
from cim_core.frame import EVERYWHERE, applied, horizontal, known_system, projection, zone_system
from cim_core.mesh import Floats

_GEOGRAPHIC = "EPSG:4326"
_GEOGRAPHIC_3D = "EPSG:4979"
VERTICAL_UNITS: Mapping[str, float] = {"metre": 1.0, "foot": 0.3048, "us-foot": 1200 / 3937}
"""What a person can say heights are in, in metres."""

METRES_PER_DEGREE = 111_319.49
"""Of a great circle with the earth's equatorial radius."""

_LONGEST_NAME = 60
_SURE_ENOUGH = 70
"""PROJ's confidence, in percent, from which a system without a code is taken for a known one."""
_EARTH_RADII = 6.33e6, 6.40e6
"""Between which every place from the deepest sea to the highest mountain lies from the centre."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference system of any kind, easting (or longitude) first; make one with `reference`.

    name
        Its authority code where it has one, else its name.
    unit
        One horizontal axis unit in metres; 1 where `is_geographic` (degrees).
    vertical_unit
        One unit of height in metres, negative where the axis counts downwards.
    vertical_stated
        Whether the system or a person said so; feet across may well come with metres upwards.
    ellipsoidal
        Whether heights are above the ellipsoid; otherwise they are above the city's datum.
    bounds
        west, south, east, north of the area it is made for, degrees.
    wkt
        Its horizontal part for other programs; None for a city's own pipeline.
    """

    name: str
    is_geographic: bool
    is_geocentric: bool
    unit: float
    vertical_unit: float
    vertical_stated: bool
    ellipsoidal: bool
    bounds: tuple[float, float, float, float]
    geoid_separation: float
    wkt: str | None
    _transformer: pyproj.Transformer = field(repr=False)

    @property
    def metres_per_unit(self) -> float:
        """One axis unit in metres, a degree being one of latitude."""
        return METRES_PER_DEGREE if self.is_geographic else self.unit

    def to_geographic(self, points: Floats) -> Floats:
        """(n, 2) or (n, 3) axis units → (n, 3) longitude, latitude, ellipsoidal height, metres.

        Rows outside the system's reach come back as inf, never as a wrong place. Without heights
        the points lie on the zero of the city's vertical datum.
        """
        points = np.atleast_2d(np.asarray(points, np.float64))
        if self.is_geocentric:
            return applied(self._transformer, points)
        lon_lat = applied(self._transformer, points[:, :2])
        if points.shape[1] == 2:
            return np.column_stack([lon_lat, np.full(len(points), self.geoid_separation)])
        above = 0.0 if self.ellipsoidal else self.geoid_separation
        return np.column_stack([lon_lat, points[:, 2] * self.vertical_unit + above])

    def to_city(self, points: Floats) -> Floats:
        """As `to_geographic`, but with heights in the city's vertical datum, as shapes have them."""
        found = self.to_geographic(points)
        found[:, 2] -= self.geoid_separation
        return found

    def from_geographic(self, lon_lat_height: Floats) -> Floats:
        """(n, 3) longitude, latitude, ellipsoidal height → (n, 3) axis units."""
        points = np.atleast_2d(np.asarray(lon_lat_height, np.float64))
        if self.is_geocentric:
            return applied(self._transformer, points, inverse=True)
        across = applied(self._transformer, points[:, :2], inverse=True)
        above = 0.0 if self.ellipsoidal else self.geoid_separation
        return np.column_stack([across, (points[:, 2] - above) / self.vertical_unit])

    def covers(self, lon: float, lat: float, margin: float = 1.0) -> bool:
        """Whether a place lies in the area the system is made for, give or take `margin` degrees."""
        west, south, east, north = self.bounds
        # An area across the date line has its west east of its east.
        beside = (
            west - margin <= lon <= east + margin
            if west <= east
            else lon >= west - margin or lon <= east + margin
        )
        return bool(beside and south - margin <= lat <= north + margin)

    def check(self, points: Floats, where: str) -> None:
        """Refuse coordinates that cannot be in this system; `where` names the file.

        `points` are (n, 2) or (n, 3) axis units, some of the file's are enough: the corners of its
        box. Raises `InvalidInput` with what the numbers look like instead.
        """
        points = np.atleast_2d(np.asarray(points, np.float64))
        for point, fits in zip(points, self._fit(points), strict=True):
            if not fits:
                remedy = self._remedy(point)
                raise InvalidInput(
                    f"{where}: the coordinates {point[0]:.10g}, {point[1]:.10g} cannot be in "
                    f"{self.name}; {remedy}"
                )

    def check_heights(self, where: str) -> None:
        """Refuse to guess in what the heights of a system in feet are; raises `InvalidInput`."""
        if not (self.vertical_stated or self.is_geographic or abs(self.unit - 1.0) < 1e-9):
            raise InvalidInput(
                f"{where}: {self.name} counts in feet and does not say in which unit heights are; "
                "say it with the option vertical_unit=metre, foot or us-foot"
            )

    def _fit(self, points: Floats) -> list[bool]:
        """For each row whether the place it means lies in the area of the system."""
        if self.is_geocentric:
            radii = np.linalg.norm(points, axis=1)
            return ((_EARTH_RADII[0] < radii) & (radii < _EARTH_RADII[1])).tolist()  # type: ignore[no-any-return]
        places = self.to_geographic(points[:, :2])
        return [bool(np.isfinite(p).all()) and self.covers(p[0], p[1]) for p in places]

    def _remedy(self, point: Floats) -> str:
        """What a coordinate looks like that does not fit."""
        x, y = point[:2].tolist()
        if self.is_geocentric:
            return (
                "they are not on the earth's surface; say with --crs which map system they are in"
            )
        if not (self.is_geographic or self.is_geocentric) and abs(x) <= 180 and abs(y) <= 90:
            return "they look like degrees; if they are longitude and latitude, say --crs EPSG:4326"
        if zone := zone_system(x) or zone_system(y):
            return f"the easting begins with the number of a zone; if it is that, say --crs {zone}"
        if not self.is_geocentric and self._fit(np.array([[y, x]]))[0]:
            return (
                "they would with easting and northing exchanged; write easting or longitude first"
            )
        in_feet = abs(self.unit - 1.0) > 1e-9
        other, factor = ("metres", 1 / self.unit) if in_feet else ("feet", 0.3048)
        flat = not (self.is_geographic or self.is_geocentric)
        if flat and self._fit(np.array([[x, y]]) * factor)[0]:
            return f"they would as {other}; say with --crs the same system in {other}"
        return "say with --crs which system they are in"


def reference(
    crs: str,
    *,
    geoid_separation: float,
    vertical_unit: str | None = None,
    vertical_crs: str | None = None,
    pipeline: str | None = None,
) -> Reference:
    """Look up a reference system of any kind by authority code, name, WKT or PROJ string.

    Geographic, projected, geocentric and compound systems will do, in any unit. `vertical_unit`
    (one of `VERTICAL_UNITS`) and `vertical_crs` (a vertical system, or a three-dimensional one for
    ellipsoidal heights) are what a person said of the heights and outrank the system. Heights
    above any sea level count as heights in the city's vertical datum. `pipeline` as in
    `projection`.

    Raises `InvalidInput` when PROJ does not know a system or the unit is none.
    """
    if vertical_unit is not None and vertical_unit not in VERTICAL_UNITS:
        raise InvalidInput(
            f"vertical_unit={vertical_unit} is not known; give one of {', '.join(VERTICAL_UNITS)}"
        )
    vertical = known_system(vertical_crs) if vertical_crs else None
    if pipeline is not None:
        transformer = projection(crs, pipeline=pipeline).transformer
        height = _height_axis(vertical, vertical_unit)
        return Reference(
            crs, False, False, 1.0, height.unit, True, height.ellipsoidal, EVERYWHERE,
            geoid_separation, None, transformer,
        )  # fmt: skip
    system = known_system(crs)
    flat = system if system.is_geocentric else horizontal(system)
    height = _height_axis(vertical or system, vertical_unit)
    target = _GEOGRAPHIC_3D if system.is_geocentric else _GEOGRAPHIC
    return Reference(
        name=_name(crs, flat),
        is_geographic=flat.is_geographic,
        is_geocentric=flat.is_geocentric,
        unit=1.0 if flat.is_geographic else flat.axis_info[0].unit_conversion_factor,
        vertical_unit=height.unit,
        vertical_stated=height.stated,
        ellipsoidal=height.ellipsoidal,
        bounds=_area(flat),
        geoid_separation=geoid_separation,
        wkt=flat.to_wkt(),
        _transformer=pyproj.Transformer.from_crs(flat, target, always_xy=True, allow_ballpark=True),
    )


def is_plane(crs: str) -> bool:
    """Whether a system can be a city's own: a map projection in metres, made for a part of the earth.

    >>> [is_plane(crs) for crs in ("EPSG:4547", "EPSG:4326", "EPSG:3857", "EPSG:3547")]
    [True, False, False, False]
    """
    try:
        system = reference(crs, geoid_separation=0.0)
    except InvalidInput:
        return False
    west, _, east, _ = system.bounds
    metres = not (system.is_geographic or system.is_geocentric) and system.unit == 1.0
    return metres and east - west < 180


class _Height(NamedTuple):
    unit: float
    stated: bool
    ellipsoidal: bool


def _height_axis(system: pyproj.CRS | None, said: str | None) -> _Height:
    """What a system's last axis says of heights, and a person, who knows better."""
    axis, ellipsoidal = None, False
    if system is not None and system.is_compound:
        axis = system.sub_crs_list[-1].axis_info[-1]
    elif system is not None and system.is_vertical:
        axis = system.axis_info[-1]
    elif system is not None and len(system.axis_info) > 2 and not system.is_geocentric:
        axis, ellipsoidal = system.axis_info[2], True
    unit = VERTICAL_UNITS[said] if said else axis.unit_conversion_factor if axis else 1.0
    down = axis is not None and axis.direction == "down"
    return _Height(-unit if down else unit, bool(said or axis), ellipsoidal)


def _name(crs: str, system: pyproj.CRS) -> str:
    """What people call a system that may have come as a page of WKT."""
    if len(crs) <= _LONGEST_NAME and not crs.startswith("+"):
        return crs
    code = system.to_epsg()
    return f"EPSG:{code}" if code else system.name


def _area(system: pyproj.CRS) -> tuple[float, float, float, float]:
    """Where a system is used; WKT may lack it, then the registry or its datum knows."""
    for candidate in (system, system.geodetic_crs):
        if candidate is None:
            continue
        code = candidate.to_epsg(min_confidence=_SURE_ENOUGH)
        area = candidate.area_of_use
        if area is None and code is not None:
            area = pyproj.CRS.from_epsg(code).area_of_use
        if area is not None:
            return area.west, area.south, area.east, area.north
    return EVERYWHERE
