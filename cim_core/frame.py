"""Places on the earth; with `reference` the only module that knows systems, datums and ECEF."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyproj
from pyproj.enums import TransformDirection
from pyproj.exceptions import CRSError, ProjError

from cim_core.errors import InvalidInput
from cim_core.mesh import Floats

EVERYWHERE = (-180.0, -90.0, 180.0, 90.0)
_ECEF = "EPSG:4978"
_GEOGRAPHIC_3D = "EPSG:4979"


@lru_cache
def _ecef_transformer() -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(_GEOGRAPHIC_3D, _ECEF, always_xy=True)


def geographic_to_ecef(lon_lat_height: Floats) -> Floats:
    """(n, 3) degrees, degrees, ellipsoidal metres → (n, 3) EPSG:4978 metres."""
    points = np.atleast_2d(np.asarray(lon_lat_height, np.float64))
    return applied(_ecef_transformer(), points)


def ecef_to_geographic(ecef: Floats) -> Floats:
    """(n, 3) EPSG:4978 metres → (n, 3) degrees, degrees, ellipsoidal metres."""
    points = np.atleast_2d(np.asarray(ecef, np.float64))
    return applied(_ecef_transformer(), points, inverse=True)


def applied(transformer: pyproj.Transformer, points: Floats, *, inverse: bool = False) -> Floats:
    """Columns of (n, 2) or (n, 3) through PROJ, which may be the inverse way.

    One point goes in as two: pyproj would take an array of one for a number, which numpy forbids.
    """
    rows = np.repeat(points, 2, axis=0) if len(points) == 1 else points
    direction = TransformDirection.INVERSE if inverse else TransformDirection.FORWARD
    columns: list[Floats] = list(rows.T)
    result = transformer.transform(*columns, direction=direction)  # type: ignore[call-overload]
    return np.column_stack(result)[: len(points)]


@lru_cache(maxsize=256)
def _ecef_matrix(longitude: float, latitude: float, height: float) -> Floats:
    lon, lat = math.radians(longitude), math.radians(latitude)
    matrix = np.eye(4)
    matrix[:3, 0] = -math.sin(lon), math.cos(lon), 0.0
    matrix[:3, 1] = -math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)
    matrix[:3, 2] = math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
    matrix[:3, 3] = geographic_to_ecef(np.array([[longitude, latitude, height]]))[0]
    matrix.setflags(write=False)
    return matrix


@dataclass(frozen=True, slots=True)
class Frame:
    """Local east-north-up metres, anchored at (lon, lat, height) on the ellipsoid.

    >>> frame = Frame(113.459, 23.106, 20.0)
    >>> frame.to_geographic(np.zeros((1, 3))).round(9).tolist()
    [[113.459, 23.106, 20.0]]
    """

    lon: float
    lat: float
    height: float

    def __post_init__(self) -> None:
        finite = all(math.isfinite(value) for value in (self.lon, self.lat, self.height))
        if not (finite and abs(self.lon) <= 180 and abs(self.lat) <= 90):
            raise InvalidInput(
                f"the anchor {self.lon}, {self.lat}, {self.height} is not a longitude, latitude "
                "and height; give degrees, degrees and metres, as in 113.46,23.10,0"
            )

    def ecef_matrix(self) -> Floats:
        """The (4, 4) matrix from this frame to EPSG:4978: the `transform` of a root tile."""
        return _ecef_matrix(self.lon, self.lat, self.height)

    def to_geographic(self, positions: Floats) -> Floats:
        """(n, 3) metres in this frame → (n, 3) longitude, latitude, ellipsoidal height."""
        matrix = self.ecef_matrix()
        return ecef_to_geographic(positions @ matrix[:3, :3].T + matrix[:3, 3])

    def from_geographic(self, lon_lat_height: Floats) -> Floats:
        """(n, 3) longitude, latitude, ellipsoidal height → (n, 3) metres in this frame."""
        matrix = self.ecef_matrix()
        result: Floats = (geographic_to_ecef(lon_lat_height) - matrix[:3, 3]) @ matrix[:3, :3]
        return result


@dataclass(frozen=True, slots=True)
class Projection:
    """A projected reference system, easting first whatever the registry says.

    Make one with `projection`. `unit` is the length of one axis unit in metres; heights are
    always metres above the city's vertical datum.
    """

    name: str
    unit: float
    bounds: tuple[float, float, float, float]
    transformer: pyproj.Transformer = field(repr=False)
    geoid_separation: float = 0.0
    local_to: Frame | None = None

    def to_geographic(self, east_north_height: Floats) -> Floats:
        """(n, 3) axis units, axis units, metres → (n, 3) longitude, latitude, ellipsoidal height.

        Rows outside the projection's reach come back as inf, never as a wrong place.
        """
        points = np.atleast_2d(np.asarray(east_north_height, np.float64))
        lon_lat = applied(self.transformer, points[:, :2])
        return np.column_stack([lon_lat, points[:, 2] + self.geoid_separation])

    def from_geographic(self, lon_lat_height: Floats) -> Floats:
        """(n, 3) longitude, latitude, ellipsoidal height → (n, 3) axis units and metres."""
        points = np.atleast_2d(np.asarray(lon_lat_height, np.float64))
        east_north = applied(self.transformer, points[:, :2], inverse=True)
        return np.column_stack([east_north, points[:, 2] - self.geoid_separation])

    def covers(self, lon: float, lat: float, margin: float = 1.0) -> bool:
        """Whether a place lies in the area the system is made for, give or take `margin` degrees."""
        west, south, east, north = self.bounds
        return bool(
            west - margin <= lon <= east + margin and south - margin <= lat <= north + margin
        )


def projection(
    crs: str,
    *,
    geoid_separation: float = 0.0,
    pipeline: str | None = None,
    local_to: Frame | None = None,
) -> Projection:
    """Look up a reference system by authority code, name, WKT or PROJ string.

    `pipeline` is a city's own PROJ pipeline from its plane coordinates to longitude and latitude
    in degrees, `local_to` the place it is made for. Such parameters can be state secrets: they are
    never part of a message or a log.

    Raises `InvalidInput` when PROJ does not know it or it is not a map system.
    """
    if pipeline is not None:
        return _secret_projection(crs, pipeline, geoid_separation, local_to)
    flat = horizontal(known_system(crs))
    if not flat.is_projected:
        raise InvalidInput(
            f"the reference system {crs!r} is not a map projection; give a projected one "
            "such as EPSG:4547"
        )
    area = flat.area_of_use
    bounds = (area.west, area.south, area.east, area.north) if area else EVERYWHERE
    unit = flat.axis_info[0].unit_conversion_factor
    transformer = pyproj.Transformer.from_crs(
        flat, "EPSG:4326", always_xy=True, allow_ballpark=True
    )
    return Projection(crs, unit, bounds, transformer, geoid_separation)


def known_system(crs: str) -> pyproj.CRS:
    """By what PROJ takes, else by the EPSG code that stands in a longer name.

    Raises `InvalidInput` when PROJ does not know it.
    """
    try:
        try:
            return pyproj.CRS.from_user_input(crs)
        except CRSError:
            code = re.search(r"EPSG\W*(\d{4,6})\b", crs, re.IGNORECASE)
            if code is None:
                raise
            return pyproj.CRS.from_epsg(int(code.group(1)))
    except CRSError as error:
        raise InvalidInput(
            f"the reference system {crs!r} is not known; give an EPSG code such as EPSG:4547"
        ) from error


def _secret_projection(
    name: str, pipeline: str, geoid_separation: float, local_to: Frame | None
) -> Projection:
    try:
        transformer = pyproj.Transformer.from_pipeline(pipeline)
    except ProjError:
        # PROJ quotes the pipeline in its message, and the pipeline may be secret.
        raise InvalidInput(
            f"the PROJ pipeline of the reference system {name!r} cannot be used; check the file "
            "that city.toml names under crs_pipeline with `projinfo`"
        ) from None
    return Projection(name, 1.0, EVERYWHERE, transformer, geoid_separation, local_to)


def horizontal(system: pyproj.CRS) -> pyproj.CRS:
    """The part of a system without heights."""
    if system.is_compound:
        return system.sub_crs_list[0]
    return system.to_2d() if len(system.axis_info) > 2 else system


def siblings(crs: str) -> list[str]:
    """The Gauss–Krüger systems that share a central meridian with `crs`, itself first.

    CGCS2000 eastings come with and without a zone number in front (EPSG:4526 and EPSG:4547);
    which one a file uses shows in its coordinates.

    >>> siblings("EPSG:4547")
    ['EPSG:4547', 'EPSG:4526']
    """
    names = [crs]
    authority, _, code = crs.partition(":")
    if authority.upper() == "EPSG" and code.isdigit():
        number = int(code)
        if 4513 <= number <= 4533:
            names.append(f"EPSG:{number + 21}")
        elif 4534 <= number <= 4554:
            names.append(f"EPSG:{number - 21}")
    return names


def zone_system(easting: float) -> str | None:
    """The CGCS2000 3° system of an eight-digit easting, None if the number is not one.

    >>> zone_system(38444578.138)
    'EPSG:4526'
    """
    zone = int(easting // 1_000_000)
    return f"EPSG:{4513 + zone - 25}" if 25 <= zone <= 45 else None


def linearised(to_frame: Callable[[Floats], Floats], at: Floats) -> Floats:
    """The affine matrices (n, 4, 4) that equal `to_frame` at the points `at` (n, 3), in value and slope.

    `to_frame` maps (m, 3) to (m, 3). A projected plane is bent against a local frame; within 100 m
    of its point a matrix stays within a millimetre. Slopes are central differences over 20 m.
    """
    steps = np.vstack([np.zeros((1, 3)), 10.0 * np.eye(3), -10.0 * np.eye(3)])
    values = to_frame((at[:, None, :] + steps).reshape(-1, 3)).reshape(-1, 7, 3)
    matrices = np.zeros((len(at), 4, 4))
    matrices[:, :3, :3] = np.swapaxes(values[:, 1:4] - values[:, 4:7], 1, 2) / 20.0
    matrices[:, :3, 3] = values[:, 0] - np.einsum("nij,nj->ni", matrices[:, :3, :3], at)
    matrices[:, 3, 3] = 1.0
    return matrices
