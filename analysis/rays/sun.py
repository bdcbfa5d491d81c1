"""Where the sun stands, and the hours of true solar time.

Source: J. Meeus, Astronomical Algorithms, 2nd edition, chapters 12, 22 and 25 (lower accuracy, 0.01°).
Refraction is left out, as calculations of sunlight in planning do.
"""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np

from cim_core.mesh import Floats

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_SUN_PER_HOUR = 15.0
_DAY = timedelta(days=1)
_BEIJING = timedelta(hours=8)


def _days(moment: datetime) -> float:
    """Days since the epoch J2000.0; UT stands for dynamical time, a minute off, of no weight here."""
    return (moment - _J2000) / _DAY


def _ecliptic(days: Floats) -> tuple[Floats, Floats]:
    """The sun's apparent longitude and the obliquity, (n,) radians, at days since J2000."""
    t = days / 36525.0
    mean = 280.46646 + t * (36000.76983 + t * 0.0003032)
    anomaly = np.radians(357.52911 + t * (35999.05029 - t * 0.0001537))
    centre = (
        (1.914602 - t * (0.004817 + t * 0.000014)) * np.sin(anomaly)
        + (0.019993 - t * 0.000101) * np.sin(2 * anomaly)
        + 0.000289 * np.sin(3 * anomaly)
    )
    node = np.radians(125.04 - 1934.136 * t)
    longitude = np.radians(mean + centre - 0.00569 - 0.00478 * np.sin(node))
    obliquity = np.radians(23.439291 - 0.0130042 * t + 0.00256 * np.cos(node))
    return longitude, obliquity


def _hour_angle_and_declination(days: Floats, lon: float) -> tuple[Floats, Floats]:
    """How far the sun is past the meridian of `lon`, -180–180 degrees, and its declination, radians."""
    longitude, obliquity = _ecliptic(days)
    ascension = np.arctan2(np.cos(obliquity) * np.sin(longitude), np.cos(longitude))
    declination = np.arcsin(np.sin(obliquity) * np.sin(longitude))
    sidereal = 280.46061837 + 360.98564736629 * days + lon
    hour = (sidereal - np.degrees(ascension) + 180.0) % 360.0 - 180.0
    return hour, declination


def sun_directions(lon: float, lat: float, days: Floats) -> Floats:
    """Unit vectors to the sun, (n, 3) east, north, up, at days since J2000, (n,).

    >>> noon = datetime(2024, 6, 21, 4, 28, tzinfo=UTC)
    >>> sun_directions(113.46, 23.10, np.array([_days(noon)])).round(2).tolist()
    [[0.0, 0.01, 1.0]]
    """
    hour, declination = _hour_angle_and_declination(days, lon)
    angle, latitude = np.radians(hour), math.radians(lat)
    return np.column_stack(
        [
            -np.cos(declination) * np.sin(angle),
            np.sin(declination) * math.cos(latitude)
            - np.cos(declination) * np.cos(angle) * math.sin(latitude),
            np.sin(declination) * math.sin(latitude)
            + np.cos(declination) * np.cos(angle) * math.cos(latitude),
        ]
    )


def solar_days(day: date, lon: float, hours: Floats) -> Floats:
    """When a day's true solar time is `hours`, (n,), at a longitude: days since J2000, (n,)."""
    midnight = _days(datetime(day.year, day.month, day.day, tzinfo=UTC))
    days = midnight + (hours - lon / _SUN_PER_HOUR) / 24.0
    for _ in range(3):
        hour, _ = _hour_angle_and_declination(days, lon)
        off = (_SUN_PER_HOUR * (hours - 12.0) - hour + 180.0) % 360.0 - 180.0
        days = days + off / 360.0
    return days


def beijing_time(days: float) -> datetime:
    """The wall clock of China at days since J2000, to the second, without a zone."""
    moment = _J2000 + days * _DAY + _BEIJING
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0, tzinfo=None)


def term_day(year: int, longitude: float) -> date:
    """The day, as China counts days, on which the sun reaches a longitude: 270 at the winter solstice.

    The longitude is one that it reaches late in the year or early, 270–359.

    >>> term_day(2024, 270.0).isoformat(), term_day(2025, 300.0).isoformat()
    ('2024-12-21', '2025-01-20')
    """
    # The sun is at 280° on the first of January.
    about = (longitude - 280.0) % 360.0 / 360.0 * 365.2422
    days = _days(datetime(year, 1, 1, tzinfo=UTC)) + about
    for _ in range(5):
        reached = math.degrees(float(_ecliptic(np.array([days]))[0][0]))
        days += ((longitude - reached + 180.0) % 360.0 - 180.0) / 360.0 * 365.2422
    return beijing_time(days).date()
