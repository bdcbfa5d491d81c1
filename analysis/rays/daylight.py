"""Sun by the minute: the days of reference, what is lit when, and how long on end."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from analysis.rays.scene import Scene
from analysis.rays.sun import beijing_time, solar_days, sun_directions, term_day
from analysis.rays.tree import Bools, Ints
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from cim_core.progress import Progress

_AT_ONCE = 500
"""Points between two questions whether to go on."""
YEARS = (1950, 2050)
"""Where the formulas of the sun are good to 0.01°."""
_NEAR_POLE = 89.0
"""Degrees of latitude: nearer to a pole hours of true solar time mean little."""


@lru_cache
def rules() -> Mapping[str, Any]:
    """`sunlight.toml`: days, standards, and how is measured."""
    return tomllib.loads(files("analysis").joinpath("sunlight.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Sun:
    """The sun of a day while it counts, moment by moment.

    title
        What the day is called.
    days
        (k,) the middles of the moments, days since J2000; each is `step` minutes long.
    directions
        (k, 3) to the sun: east, north, up.
    """

    title: Mapping[str, str]
    day: date
    days: Floats
    directions: Floats
    step: float


def sun_of(day: str, year: int, place: tuple[float, float], step: float) -> Sun:
    """The sun of a day of reference in a year, or of a date such as 2026-01-20, at a place.

    Of a day of reference the hours of true solar time that count, of a date all while the sun is up.
    Raises `InvalidInput` for what is no day, or none of `YEARS`, at the poles, and where the sun stays down.
    """
    if abs(place[1]) > _NEAR_POLE:
        raise InvalidInput(
            f"hours of sun are not computed beyond {_NEAR_POLE:g} degrees of latitude; give another place"
        )
    known = rules()["days"].get(day)
    if known is not None:
        when, title = term_day(year, known["longitude"]), {"en": known["en"], "zh": known["zh"]}
        begin, end = known["hours"]
    else:
        try:
            when = date.fromisoformat(day)
        except ValueError:
            names = ", ".join(rules()["days"])
            raise InvalidInput(
                f"{day!r} is no day; give one of {names}, or a date such as 2026-01-20"
            ) from None
        if not YEARS[0] <= when.year <= YEARS[1]:
            raise InvalidInput(
                f"the day {day} is not of the years {YEARS[0]} to {YEARS[1]}; give one that is"
            )
        title, begin, end = {"en": day, "zh": day}, 0.0, 24.0
    count = round(60 * (end - begin) / step)
    hours = begin + (np.arange(count) + 0.5) * (end - begin) / count
    days = solar_days(when, place[0], hours)
    directions = sun_directions(*place, days)
    up = directions[:, 2] > 0
    if not up.any():
        raise InvalidInput(
            f"the sun does not rise at this place on {when.isoformat()}; give another day, or another place"
        )
    return Sun(title, when, days[up], directions[up], 60 * (end - begin) / count)


def lit(scene: Scene, points: Floats, sun: Sun, progress: Progress) -> Bools:
    """When (n, 3) points in the frame of a scene have sun, (n, k)."""
    found = np.empty((len(points), len(sun.days)), bool)
    for start in range(0, len(points), _AT_ONCE):
        progress(start, len(points), "rays")
        some = slice(start, start + _AT_ONCE)
        found[some] = ~scene.tree.met_from_each(points[some], sun.directions)
    return found


def _spans(shone: Bools) -> tuple[Ints, Ints, Ints]:
    """Times of sun on end: the row, the first moment and the one after the last of each, (s,)."""
    edges = np.diff(np.pad(shone.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    return rows, starts, ends


def minutes_of_sun(shone: Bools, step: float) -> tuple[Floats, Floats]:
    """Minutes of sun that count, and the longest on end, each (n,), of (n, k) moments.

    Sun shorter than `measure.shortest` in `sunlight.toml` does not count.
    """
    rows, starts, ends = _spans(shone)
    lengths = (ends - starts) * step
    enough = lengths >= rules()["measure"]["shortest"]
    total = np.bincount(rows[enough], lengths[enough], len(shone)).astype(np.float64)
    longest = np.zeros(len(shone))
    np.maximum.at(longest, rows[enough], lengths[enough])
    return total, longest


def spans_text(shone: Bools, sun: Sun) -> list[str]:
    """When each point, (n, k), has sun on end long enough to count, Beijing time: "09:12–11:40"."""
    rows, starts, ends = _spans(shone)
    half = sun.step / 2 / 1440
    found: list[list[str]] = [[] for _ in shone]
    for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        if (end - start) * sun.step >= rules()["measure"]["shortest"]:
            first = beijing_time(float(sun.days[start]) - half)
            last = beijing_time(float(sun.days[end - 1]) + half)
            found[row].append(f"{first:%H:%M}–{last:%H:%M}")
    return [", ".join(spans) for spans in found]
