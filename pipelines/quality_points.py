"""What the check finds in point tables."""

import numpy as np

from cim_core.checkin import Finding, Rule
from cim_core.network import Rows, flat
from pipelines.quality_rows import Stack
from pipelines.quality_survey import CheckedSurvey, Findings
from pipelines.quality_tables import header_of
from pipelines.survey_classes import classes_of

_METRES_PER_DEGREE = 111_195.0
_ZONE = 1e6
_FIRST_ZONE = 13
"""China's zones of six and of three degrees are 13 to 45; no northing has as many millions of metres."""
_DEGREES = 180.0
"""Coordinates up to here are latitude and longitude."""
_SAME_FIELDS_LEFT_OUT = ("note", "project", "surveyor", "survey_date", "sheet")
"""What two points of one number may say differently."""


def map_number_differs(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Points that have another number on the map."""
    points = checked.points
    own, other = points.texts("point"), points.texts("map_point")
    differ = (own != other) & points.filled("point") & points.filled("map_point")
    for row in np.flatnonzero(differ).tolist():
        yield checked.on_point(rule, row, str(other[row]))


def point_repeated(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Points written twice with the same attributes, from the second on."""
    for row, first, differing in _doubles(checked):
        if not differing:
            yield checked.on_point(rule, row, text=checked.points.place(first))


def point_number_twice(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Points of one number with other attributes, from the second on."""
    for row, first, differing in _doubles(checked):
        if differing:
            named = [header_of(checked.points.table(row), field) for field in differing]
            text = checked.points.place(first)
            yield checked.on_point(rule, row, ", ".join(named), text=text)


def _doubles(checked: CheckedSurvey) -> list[tuple[int, int, list[str]]]:
    """Each point whose number an earlier one has, that one, and the fields in which they differ."""
    points, keys = checked.points, checked.point_keys
    first = first_of(keys)
    double = (first != np.arange(len(keys))) & np.asarray(checked.point_numbers != "", bool)
    return [
        (row, int(first[row]), _differing(points, row, int(first[row])))
        for row in np.flatnonzero(double).tolist()
    ]


def _differing(points: Stack, row: int, other: int) -> list[str]:
    fields = points.table(row).columns.keys() - set(_SAME_FIELDS_LEFT_OUT)
    differ = [name for name in fields if points.texts(name)[row] != points.texts(name)[other]]
    return sorted(differ, key=list(points.table(row).columns).index)


def first_of(keys: Rows) -> Rows:
    """(n,) the first row that has the same key.

    >>> first_of(np.array([7, 5, 7])).tolist()
    [0, 1, 0]
    """
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    found: Rows = first[which]
    return found


def points_at_one_place(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Points of different numbers with the X, Y and elevation of an earlier one of their class."""
    points, step = checked.points, rule.number("max")
    places = np.column_stack([points.values(name) for name in ("x", "y", "ground")])
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    groups = classes_of(points.joined, checked.point_numbers).codes[known]
    cells = np.column_stack([groups, np.round(places[known] / step).astype(np.int64)])
    _, first, which = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    earlier = known[first[which.ravel()]]
    keys = checked.point_keys
    for row, other in zip(known.tolist(), earlier.tolist(), strict=True):
        if row != other and keys[row] != keys[other]:
            yield checked.on_point(rule, row, str(checked.point_numbers[other]), "max")


def feature_and_appurtenance(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Points that are both."""
    points = checked.points
    both = points.filled("feature") & points.filled("appurtenance")
    for row in np.flatnonzero(both).tolist():
        other = str(points.texts("appurtenance")[row])
        yield checked.on_point(rule, row, other, text=str(points.texts("feature")[row]))


def feature_missing(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Points that are neither."""
    points = checked.points
    asked = points.has("feature") & points.has("appurtenance")
    neither = asked & ~points.filled("feature") & ~points.filled("appurtenance")
    for row in np.flatnonzero(neither).tolist():
        yield checked.on_point(rule, row)


def point_orphan(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Points no line begins or ends at; of points of one number the first is asked."""
    points = checked.points
    first = first_of(checked.point_keys) == np.arange(len(points))
    met = np.zeros(len(points), bool)
    met[checked.ends[checked.ends >= 0]] = True
    segments = checked.placed.network.segments
    used = np.concatenate([segments.starts, segments.ends])
    met[np.isin(checked.node_of, used)] = True
    lonely = first & ~met & np.asarray(checked.point_numbers != "", bool)
    for row in np.flatnonzero(lonely).tolist():
        yield checked.on_point(rule, row)


def point_elsewhere(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Points whose X and Y are far from the middle of all points, on earth or not."""
    written = np.column_stack([checked.points.values("x"), checked.points.values("y")])
    known = np.flatnonzero(np.isfinite(written).all(axis=1))
    if not len(known):
        return
    for table in np.unique(checked.points.tables[known]).tolist():
        # Tables of one survey may write their eastings with the number of their zone or without.
        own = known[checked.points.tables[known] == table]
        zones = np.median(written[own], axis=0) // _ZONE
        written[own] -= np.where(zones >= _FIRST_ZONE, zones * _ZONE, 0.0)
    middle = np.median(written[known], axis=0)
    steps = written[known] - middle
    if np.abs(middle).max() <= _DEGREES:
        steps *= np.array([1.0, np.cos(np.radians(middle[0]))]) * _METRES_PER_DEGREE
    away = np.linalg.norm(steps, axis=1)
    allowed = max(rule.number("max"), rule.number("spread") * float(np.median(away)))
    for at in np.flatnonzero(away > allowed).tolist():
        yield checked.on_point(rule, int(known[at]), float(away[at]), text=f"{allowed:,.0f}")


def survey_far_from_city(checked: CheckedSurvey, rule: Rule) -> Findings:
    """A survey whose middle is too far away to be of this city."""
    places = checked.point_places[np.isfinite(checked.point_places).all(axis=1)]
    if checked.city is None or not len(places):
        return
    lon, lat = np.median(places, axis=0).tolist()
    distance = float(np.linalg.norm(flat(np.array([[lon, lat]]), checked.city)))
    if distance > rule.number("max"):
        yield Finding(rule.id, distance, "max", place=(lon, lat, None))
