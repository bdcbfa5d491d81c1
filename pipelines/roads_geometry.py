"""What a road map needs of plane geometry: bearings, turns, crossings, one line after another.

Lines are (n, 2) or (n, 3) float64 metres, easting first.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from cim_core.mesh import Floats
from cim_core.traffic.roads import Line, Place, Turn

_RADIUS, _ECCENTRICITY = 6_378_137.0, 0.006_694_379_990_14
"""Half of the ellipsoid of WGS 84 at the equator, metres, and the square of its eccentricity."""

_STRAIGHT, _BACK = 45.0, 150.0
"""Up to how many degrees a way is straight on, and from how many it turns back (own choice)."""

_TOUCH = 1.0
"""Ways that leave the same lane run beside each other for so many metres and do not cross."""

_EVEN, _PIECES = 3.0, 9
"""A way bent by fewer degrees is drawn straight; others have so many places."""


def bearing(line: Floats, *, at_end: bool = True) -> float:
    """In which direction a line ends, or begins: degrees clockwise from north, 0 for a point.

    >>> bearing(np.array([[0.0, 0.0], [5.0, 0.0]]))
    90.0
    """
    points = line[:, :2] if at_end else line[::-1, :2]
    away = np.linalg.norm(points - points[-1], axis=1)
    other = np.flatnonzero(away > 0.5)
    start = points[other[-1]] if len(other) else points[0]
    east, north = (points[-1] - start).tolist()
    if not at_end:
        east, north = -east, -north
    return math.degrees(math.atan2(east, north)) % 360


def turn_between(coming: float, leaving: float) -> Turn:
    """What a way does that comes in at one bearing and leaves at another.

    >>> turn_between(0, 270), turn_between(350, 10), turn_between(90, 270)
    ('left', 'straight', 'uturn')
    """
    change = (leaving - coming + 180) % 360 - 180
    if abs(change) <= _STRAIGHT:
        return "straight"
    if abs(change) >= _BACK:
        return "uturn"
    return "right" if change > 0 else "left"


def joined(parts: Sequence[Floats]) -> Floats:
    """One line of lines that follow each other; a place given twice is one, two places at least."""
    points = np.vstack(parts)
    apart = np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1) > 1e-6
    line: Floats = points[np.concatenate([[True], apart])]
    return line if len(line) > 1 else np.vstack([points[:1], points[-1:]])


def piece(line: Floats) -> Floats:
    """The last tenth of a metre of a line: the way between lanes that follow without a gap."""
    share = max(0.0, 1 - 0.1 / max(length(line), 0.1))
    return resampled(line, np.array([share, 1.0]))


def length(line: Floats) -> float:
    """How long a line is on the ground, metres."""
    return float(np.linalg.norm(np.diff(line[:, :2], axis=0), axis=1).sum())


def resampled(line: Floats, shares: Floats) -> Floats:
    """The places of a line at shares of its length (n,) from 0 to 1."""
    steps = np.linalg.norm(np.diff(line[:, :2], axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] == 0:
        return np.repeat(line[:1], len(shares), axis=0)
    wanted = shares * along[-1]
    return np.column_stack([np.interp(wanted, along, column) for column in line.T])


def middle(lines: Sequence[Floats]) -> Floats:
    """The line in the middle of lines that run beside each other in one direction, in their order."""
    half, odd = divmod(len(lines), 2)
    if odd:
        return lines[half]
    left, right = lines[half - 1], lines[half]
    if len(left) == len(right):
        between: Floats = (left + right) / 2
        return between
    shares = np.linspace(0.0, 1.0, max(len(left), len(right)))
    return (resampled(left, shares) + resampled(right, shares)) / 2


def crossings(
    lines: Mapping[str, Floats], lanes: Mapping[str, tuple[str, str]]
) -> dict[str, tuple[str, ...]]:
    """Which ways of an intersection cross or join, by id; `lanes` has from and to lane of each.

    Ways from the same lane part and are no conflict; ways into the same lane are one.
    """
    ids = list(lines)
    shapes = [shapely.LineString(lines[one][:, :2]) for one in ids]
    found: dict[str, list[str]] = {one: [] for one in ids}
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    meeting = {
        (ids[a], ids[b]) for a, b in zip(first.tolist(), second.tolist(), strict=True) if a < b
    }
    meeting |= {
        (one, other)
        for row, one in enumerate(ids)
        for other in ids[row + 1 :]
        if lanes[one][1] == lanes[other][1]
    }
    for one, other in sorted(meeting):
        if lanes[one][0] != lanes[other][0] and not _follow(lines[one], lines[other]):
            found[one].append(other)
            found[other].append(one)
    return {one: tuple(sorted(others)) for one, others in found.items()}


def _follow(one: Floats, other: Floats) -> bool:
    """Whether one way begins where the other ends, and so leads on from it."""
    return bool(
        np.linalg.norm(one[0, :2] - other[-1, :2]) < _TOUCH
        or np.linalg.norm(other[0, :2] - one[-1, :2]) < _TOUCH
    )


def band(line: Floats, width: float) -> Floats:
    """The ring of the area that a line covers at a width, (n, 2) metres, first place last again."""
    area = shapely.LineString(line[:, :2]).buffer(max(width, 0.1) / 2, cap_style="flat")
    if isinstance(area, shapely.MultiPolygon):
        area = max(area.geoms, key=lambda one: one.area)
    ring: Floats = shapely.get_coordinates(area.exterior if not area.is_empty else area)
    return ring


def places(points: Floats, *, heights: bool) -> Line:
    """Longitude, latitude and perhaps height of each place, as a road map has them.

    To a tenth of a millimetre: 9 digits of a degree, 3 of a metre.
    """
    flat = np.round(points[:, :2], 9).tolist()
    if not heights:
        return tuple((east, north) for east, north in flat)
    high = np.round(points[:, 2], 3).tolist()
    return tuple((east, north, up) for (east, north), up in zip(flat, high, strict=True))


def level(line: Line, origin: Place | None = None) -> Floats:
    """Places as (n, 2) metres east and north of `origin`, else of the first of them.

    A plane that touches the ellipsoid of WGS 84 along the origin's parallel; right to a millimetre
    in some hundred metres.
    """
    lon, lat = (origin or line[0])[:2]
    east, north = metres_per_degree(lat)
    return np.array([((one[0] - lon) * east, (one[1] - lat) * north) for one in line])


def metres_per_degree(lat: float) -> tuple[float, float]:
    """How long a degree of longitude and one of latitude are at a latitude, metres (WGS 84).

    >>> [round(value) for value in metres_per_degree(45.0)]
    [78847, 111132]
    """
    sine = math.sin(math.radians(lat))
    root = math.sqrt(1 - _ECCENTRICITY * sine * sine)
    across = _RADIUS / root * math.cos(math.radians(lat))
    along = _RADIUS * (1 - _ECCENTRICITY) / root**3
    return math.radians(across), math.radians(along)


def curve(start: Floats, coming: float, end: Floats, leaving: float) -> Floats:
    """A smooth way (n, 2) from one place to another, by the bearings it has there.

    A cubic of Bézier whose handles are a third of the way long; 2 places where it is straight.
    """
    apart = end[:2] - start[:2]
    far = float(np.linalg.norm(apart))
    straight = math.degrees(math.atan2(apart[0], apart[1])) % 360
    bent = max(abs((one - straight + 180) % 360 - 180) for one in (coming, leaving))
    if bent < _EVEN or far < _TOUCH:
        return np.array([start[:2], end[:2]])
    first = start[:2] + far / 3 * _direction(coming)
    second = end[:2] - far / 3 * _direction(leaving)
    share = np.linspace(0.0, 1.0, _PIECES)[:, None]
    rest = 1 - share
    way: Floats = (
        rest**3 * start[:2] + 3 * rest**2 * share * first
        + 3 * rest * share**2 * second + share**3 * end[:2]
    )  # fmt: skip
    return way


def _direction(angle: float) -> Floats:
    return np.array([math.sin(math.radians(angle)), math.cos(math.radians(angle))])
