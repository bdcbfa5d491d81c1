"""Where the X and Y of survey tables lie: X is the northing, whatever maps call it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.frame import zone_system
from cim_core.importers.placing import Place, place_of
from cim_core.importers.references import reference_of
from cim_core.layer import Georeference, Placement, Source
from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.reference import Reference

_SAME = 1e-6
"""Degrees, a tenth of a metre: two systems that put the tables no further apart say the same."""
_MILLION = 1e6
_ZONES = range(25, 46)
"""Of three degrees, see `zone_system`."""
_SHARE = 25.0
"""Percent of the points at either end that do not tell the system: there may be strays."""


@dataclass(frozen=True, slots=True)
class SurveyPlace:
    """The way from X and Y of survey tables to the earth.

    locate
        (n, 2) X and Y as written, and (n,) the number of each one's table → (n, 2) longitude and
        latitude, NaN for what cannot be in the reference system.
    warnings
        What was understood otherwise than it is written.
    """

    place: Place
    locate: Callable[[Floats, Rows], Floats]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """As `SurveyPlace`, for one table."""

    place: Place
    locate: Callable[[Floats], Floats]
    warnings: tuple[str, ...]


def survey_place(
    source: Source, placement: Placement, names: Sequence[str], stated: Sequence[str | None],
    survey: Floats, tables: Rows,
) -> SurveyPlace:  # fmt: skip
    """Find the place of (n, 2) X and Y of survey tables; `tables` (n,) are the numbers of theirs.

    What the person gave comes first (an anchor, then a system), then what a file `stated`, by table,
    then the city's own system. X and Y exchanged, and eastings that begin with the number of their
    zone, are understood where nothing else is possible, for each table by itself: those of one
    survey may come from several hands. A table that fits nowhere is taken as the others are. Raises
    `InvalidInput`.
    """
    if not len(survey):
        raise InvalidInput(
            f"{source.filename} has no point with an X and a Y that can be read; correct these columns"
        )
    ways: dict[int, _Way] = {}
    errors: list[InvalidInput] = []
    for number in np.unique(tables).tolist():
        if placement.anchor is not None and placement.crs is None:
            ways[number] = next(iter(ways.values()), None) or _at_anchor(source, placement, survey)
            continue
        named = replace(source, filename=names[number])
        try:
            ways[number] = _way(named, placement, stated[number], survey[tables == number])
        except InvalidInput as error:
            errors.append(error)
    if not ways:
        raise errors[0]
    first = next(iter(ways.values()))

    def locate(survey: Floats, tables: Rows) -> Floats:
        places = np.empty((len(survey), 2))
        for number in np.unique(tables).tolist():
            own = tables == number
            places[own] = ways.get(number, first).locate(survey[own])
        return places

    warnings = dict.fromkeys(warning for way in ways.values() for warning in way.warnings)
    return SurveyPlace(first.place, locate, tuple(warnings))


def _at_anchor(source: Source, placement: Placement, survey: Floats) -> _Way:
    place = place_of(source, placement, None, _upright(_map(_box(survey))), heights=False)
    return _Way(place, lambda xy: place.to_geographic(_map(xy))[:, :2], place.warnings)


class _Reading(NamedTuple):
    """How the numbers of a table may be meant.

    placement
        With the system they are in.
    exchanged
        Whether X is the easting.
    shift
        What makes eastings of that system of them.
    warnings
        What is said of it.
    """

    placement: Placement
    exchanged: bool = False
    shift: float = 0.0
    warnings: tuple[str, ...] = ()

    def map(self, survey: Floats) -> Floats:
        """X and Y as easting and northing."""
        across = _map(survey, exchanged=self.exchanged)
        return np.column_stack([across[:, 0] + self.shift, across[:, 1]])


def _way(source: Source, placement: Placement, stated: str | None, survey: Floats) -> _Way:
    box = _box(survey)
    crs = placement.crs or stated or placement.city_crs
    system = reference_of(source, placement, crs)
    for reading in _readings(source, placement, system, box):
        found = reference_of(source, reading.placement, crs)
        points = reading.map(box)
        if not _fits(found, points):
            continue
        place = place_of(source, reading.placement, crs, _upright(points), heights=False)
        if not (reading.placement.crs or stated):
            place = replace(place, georeference=_of_city(found.name))
        return _Way(place, partial(_located, found, reading), (*place.warnings, *reading.warnings))
    system.check(_map(box), source.filename)
    raise AssertionError("what does not fit is refused by the check")


def _readings(
    source: Source, placement: Placement, system: Reference, box: Floats
) -> Iterator[_Reading]:
    """How the numbers may be meant, the likeliest first."""
    name = source.filename
    swapped = (
        f"in {name} X is the easting and Y the northing, against the custom of surveys; they were read so",
    )  # fmt: skip
    yield _Reading(placement)
    yield _Reading(placement, exchanged=True, warnings=swapped)
    own = next((z for z in _ZONES if zone_system(z * _MILLION) == system.name), None)
    for exchanged, also in ((False, ()), (True, swapped)):
        there = _map(box, exchanged=exchanged)
        zone = int(there[:, 0].mean() // _MILLION)
        zoned = zone_system(zone * _MILLION)
        if zoned is None and own is not None:
            lacking = f"the eastings of {name} lack the number of their zone, {own}; they were read with it"
            yield _Reading(placement, exchanged, own * _MILLION, (lacking, *also))
        if zoned is None:
            continue
        other = reference_of(source, replace(placement, crs=zoned), zoned)
        same = _is_same(other, there, system, there - [zone * _MILLION, 0.0])
        begun = (
            f"the eastings of {name} begin with the number of their zone, {zone}; they were read in "
            f"{system.name if same else zoned}"
        )
        if same:
            yield _Reading(placement, exchanged, -zone * _MILLION, (begun, *also))
        elif placement.crs is None:
            yield _Reading(replace(placement, crs=zoned), exchanged, warnings=(begun, *also))


def _is_same(one: Reference, there: Floats, other: Reference, here: Floats) -> bool:
    """Whether two systems put (n, 2) points, each as it counts them, at the same places."""
    return np.allclose(
        one.to_geographic(there)[:, :2], other.to_geographic(here)[:, :2], rtol=0.0, atol=_SAME
    )


def _box(survey: Floats) -> Floats:
    """The corners (2, 2) of the box around the points that are no strays."""
    low, high = np.percentile(survey, (_SHARE, 100 - _SHARE), axis=0, method="nearest")
    return np.array([low, high])


def _fits(system: Reference, points: Floats) -> bool:
    try:
        system.check(points, "")
    except InvalidInput:
        return False
    return True


def _map(survey: Floats, *, exchanged: bool = False) -> Floats:
    """X and Y as easting and northing."""
    return survey if exchanged else survey[:, ::-1]


def _upright(points: Floats) -> Floats:
    return np.column_stack([points, np.zeros(len(points))])


def _located(system: Reference, reading: _Reading, survey: Floats) -> Floats:
    places: Floats = system.to_geographic(reading.map(survey))[:, :2]
    finite = np.asarray(np.isfinite(places).all(axis=1), bool)
    west, south, east, north = system.bounds
    within = finite & ((places >= [west, south]) & (places <= [east, north])).all(axis=1)
    for row in np.flatnonzero(finite & ~within).tolist():
        within[row] = system.covers(*places[row].tolist())
    places[~within] = np.nan
    return places


def _of_city(name: str) -> Georeference:
    note = {
        "en": f"placed in {name}, the city's own system, since the tables name none",
        "zh": f"数据表未注明坐标系，按城市坐标系 {name} 放置",
    }
    return Georeference("city", name, note)
