"""GCJ-02 and BD-09, the shifted degrees of Chinese map services: to WGS 84 and back, for display.

The shift of GCJ-02 is not a datum but a distortion that was never published; what is known is a
formula that reproduces it (rovinj/eviltransform and others, public domain). BD-09 shifts GCJ-02 once
more. Outside a box around China nothing is shifted. Good for showing feeds in their place, not for
surveying: the formula is no official one.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats

Shift = Literal["WGS84", "CGCS2000", "GCJ02", "BD09"]
SHIFTS: tuple[Shift, ...] = get_args(Shift)
"""In what degrees positions come. CGCS2000 is taken for WGS 84, as is usual for display."""

_AXIS = 6378245.0
"""The ellipsoid of the formula is Krasovsky's, metres, whatever it is applied to."""
_FLATNESS = 0.00669342162296594323
_WEST, _SOUTH, _EAST, _NORTH = 72.004, 0.8293, 137.8347, 55.8271
_BAIDU = np.pi * 3000.0 / 180.0
_EXACT = 1e-10
"""Degrees, a hundredth of a millimetre."""
_ROUNDS = 30


def to_wgs84(lon_lat: Floats, shift: Shift) -> Floats:
    """Where positions, (n, 2) degrees in some shift, are in WGS 84, (n, 2), to less than 1 mm.

    >>> to_wgs84(np.array([[113.46443876, 23.10342622]]), "GCJ02").round(6).tolist()
    [[113.459, 23.106]]
    """
    given = np.asarray(lon_lat, np.float64)
    match shift:
        case "GCJ02":
            return _unshifted(given, "GCJ02")
        case "BD09":
            return _unshifted(given, "BD09")
    return given


def from_wgs84(lon_lat: Floats, shift: Shift) -> Floats:
    """What positions in WGS 84, (n, 2) degrees, are called in some shift, (n, 2).

    >>> from_wgs84(np.array([[113.459, 23.106]]), "BD09").round(8).tolist()
    [[113.47100271, 23.10909427]]
    """
    given = np.asarray(lon_lat, np.float64)
    if shift in ("WGS84", "CGCS2000"):
        return given
    moved = given + _offset(given)
    return moved if shift == "GCJ02" else _baidu(moved)


def _unshifted(given: Floats, shift: Shift) -> Floats:
    """The fixed point of the way there: each round is a thousand times nearer than the one before."""
    found = given.copy()
    for _ in range(_ROUNDS):
        miss = given - from_wgs84(found, shift)
        found = found + miss
        if np.fmax.reduce(np.abs(miss), axis=None, initial=0.0) <= _EXACT:  # NaN is nowhere
            break
    # Across the edge of the box the way there jumps, and what lies in the gap is reached from nowhere.
    lost = np.abs(given - from_wgs84(found, shift)).max(axis=1, initial=0.0) > _EXACT
    return np.where(lost[:, None], given, found)


def _offset(lon_lat: Floats) -> Floats:
    """By how much GCJ-02 shifts, (n, 2) degrees."""
    x, y = lon_lat[:, 0] - 105.0, lon_lat[:, 1] - 35.0
    root = 0.1 * np.sqrt(np.abs(x))
    waves = (20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 2.0 * root + waves
    north += (20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi / 3.0 * y)) * 2.0 / 3.0
    north += (160.0 * np.sin(np.pi / 12.0 * y) + 320.0 * np.sin(np.pi / 30.0 * y)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + root + waves
    east += (20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi / 3.0 * x)) * 2.0 / 3.0
    east += (150.0 * np.sin(np.pi / 12.0 * x) + 300.0 * np.sin(np.pi / 30.0 * x)) * 2.0 / 3.0
    lat = np.radians(lon_lat[:, 1])
    magic = 1.0 - _FLATNESS * np.sin(lat) ** 2
    north = np.degrees(north * magic * np.sqrt(magic) / (_AXIS * (1.0 - _FLATNESS)))
    east = np.degrees(east * np.sqrt(magic) / (_AXIS * np.cos(lat)))
    return np.where(_in_china(lon_lat)[:, None], np.column_stack([east, north]), 0.0)


def _baidu(gcj: Floats) -> Floats:
    """GCJ-02, (n, 2), as BD-09."""
    x, y = gcj[:, 0], gcj[:, 1]
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BAIDU)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BAIDU)
    found = np.column_stack([radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006])
    return np.where(_in_china(gcj)[:, None], found, gcj)


def _in_china(lon_lat: Floats) -> NDArray[np.bool_]:
    lon, lat = lon_lat[:, 0], lon_lat[:, 1]
    return (lon > _WEST) & (lon < _EAST) & (lat > _SOUTH) & (lat < _NORTH)
