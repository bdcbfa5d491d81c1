"""How much of some features there is in places: counted, measured, or summed up by a column."""

from dataclasses import dataclass

import numpy as np
import shapely

from analysis.checkup.measured import Evidence, Units
from analysis.checkup.operators.geometry import (
    Area,
    Pieces,
    Places,
    Rows,
    Shapes,
    disjoint,
    ends,
    middles,
    overlapping,
    sizes,
    whole,
)
from analysis.checkup.operators.uses import column_of
from analysis.checkup.scene import Picked, Scene
from cim_core.mesh import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Amount:
    """What there is in each of some places, (n,), and how much may be missing.

    total
        Of the features of which it is known.
    known
        The share, 0 to 1, of the features in the place that it is known of; by their size, or number.
    """

    total: Floats
    known: Floats


def places_of(scene: Scene, units: Units, within: Picked | None = None) -> Places:
    """The units, or what of them is within some features."""
    if within is None:
        return scene.made(("places", units.by), lambda: Places.of(units.shapes))
    return scene.made(
        ("places", units.by, id(within)),
        lambda: places_of(scene, units).within(area_of(scene, within)),
    )


def area_of(scene: Scene, picked: Picked) -> Area:
    """What some features are together."""
    return scene.made(("area", id(picked)), lambda: Area.of(picked.shapes))


def apart(scene: Scene, picked: Picked) -> Pieces:
    """Features without what earlier ones have already, so that overlaps count once."""
    return scene.made(("apart", id(picked)), lambda: _apart(scene, picked))


def homes(scene: Scene, picked: Picked, places: Places) -> Rows:
    """The place that each feature is in as a whole, (k,), by a point on it; -1 for none."""
    key = ("homes", id(picked), id(places))
    return scene.made(key, lambda: places.home(_points(scene, picked.role, picked.shapes)))


def amount(scene: Scene, picked: Picked, measure: str, places: Places) -> Amount:
    """A measure of features in places."""
    key = ("amount", id(picked), measure, id(places))
    return scene.made(key, lambda: _amount(scene, picked, measure, places))


def cut(scene: Scene, picked: Picked, places: Places) -> tuple[Rows, Pieces, Floats]:
    """Features in places: rows of places, the parts, and what share of its feature each is.

    What several features share is in each of them: what is spread over a feature is spread over all
    of it.
    """

    def made() -> tuple[Rows, Pieces, Floats]:
        if scene.roles[picked.role].begins:
            home = homes(scene, picked, places)
            rows = np.flatnonzero(home >= 0)
            return home[rows], Pieces(rows, picked.shapes[rows]), np.ones(len(rows))
        place, parts = places.cut(whole(picked.shapes))
        size = sizes(picked.shapes)[parts.of]
        return (
            place,
            parts,
            np.divide(sizes(parts.shapes), size, out=np.zeros(len(size)), where=size > 0),
        )

    return scene.made(("cut", id(picked), id(places)), made)


def summed(rows: Rows, values: Floats, count: int) -> Floats:
    """Sums by row, (count,); rows of -1 are left out."""
    there = rows >= 0
    return np.bincount(rows[there], values[there], count).astype(np.float64)


def spread(scene: Scene, picked: Picked, values: Floats, places: Places) -> Amount:
    """Values of features, (k,), each spread evenly over its feature, summed up in places."""
    place, parts, share = cut(scene, picked, places)
    known = np.isfinite(values)
    given = np.where(known, values, 0.0)[parts.of] * share
    # A long trip without an answer is one trip.
    begins = scene.roles[picked.role].begins
    size = np.ones(len(place)) if begins else sizes(parts.shapes)
    sure = summed(place, size * known[parts.of], len(places))
    return Amount(summed(place, given, len(places)), ratio(sure, summed(place, size, len(places))))


def evidence_of(picked: Picked, values: Floats, home: Rows) -> tuple[Evidence, ...]:
    """The features in places that have a value above zero: what they lack, or what is counted of them."""
    rows = np.flatnonzero((np.nan_to_num(values) > 0) & (home >= 0))
    if not len(rows):
        return ()
    ids = tuple(picked.ids[row] for row in rows.tolist())
    return (Evidence(picked.role, picked.layer, ids, values[rows], home[rows]),)


def ratio(part: Floats, total: Floats) -> Floats:
    """Shares, 1 where there is nothing to have a share of."""
    return np.divide(part, total, out=np.ones(len(total)), where=total > 0)


def _amount(scene: Scene, picked: Picked, measure: str, places: Places) -> Amount:
    count = len(places)
    if column_of(measure) is not None:
        found = spread(scene, picked, picked.numbers(measure), places)
        return Amount(found.total, found.known * _decided(scene, picked, places, by_number=False))
    if measure == "count":
        home = homes(scene, picked, places)
        total = summed(home, np.ones(len(home)), count)
        return Amount(total, _decided(scene, picked, places, by_number=True))
    dimension = 2 if measure in {"area", "largest-area"} else 1
    known = _decided(scene, picked, places, by_number=False)
    known *= _sized(scene, picked, places, dimension)
    if measure in {"area", "length"}:
        pieces = apart(scene, picked)
        place, parts = places.cut(pieces)
        size = np.where(shapely.get_dimensions(parts.shapes) == dimension, sizes(parts.shapes), 0.0)
        return Amount(summed(place, size, count), known)
    place, parts, _ = cut(scene, picked, places)
    size = np.where(shapely.get_dimensions(parts.shapes) == dimension, sizes(parts.shapes), 0.0)
    total = np.zeros(count)
    key, of = np.unique(place * len(picked.ids) + parts.of, return_inverse=True)
    np.maximum.at(total, key // max(1, len(picked.ids)), np.bincount(of, size, len(key)))
    return Amount(total, known)


def _decided(scene: Scene, picked: Picked, places: Places, *, by_number: bool) -> Floats:
    """The share, (n,), of the features in places of which it is known whether they belong here."""
    loaded = picked.loaded
    if not len(picked.undecided) or loaded is None:
        return np.ones(len(places))
    home = places.home(_points(scene, picked.role, loaded.shapes[picked.asked]))
    by_number |= scene.roles[picked.role].begins
    size = np.ones(len(home)) if by_number else sizes(loaded.shapes[picked.asked])
    unsure = np.isin(picked.asked, picked.undecided)
    count = len(places)
    return ratio(summed(home, size * ~unsure, count), summed(home, size, count))


def _sized(scene: Scene, picked: Picked, places: Places, dimension: int) -> Floats:
    """The share, (n,), of the features in places that have a size: of points nobody knows their area."""
    fit = shapely.get_dimensions(picked.shapes) == dimension
    if fit.all():
        return np.ones(len(places))
    home, count = homes(scene, picked, places), len(places)
    every = summed(home, np.ones(len(home)), count)
    return ratio(summed(home, fit.astype(np.float64), count), every)


def _points(scene: Scene, role: str, shapes: Shapes) -> Shapes:
    """The point by which each feature is somewhere as a whole."""
    if scene.roles[role].begins:
        return ends(shapes, first=True)
    return middles(shapes)


def _apart(scene: Scene, picked: Picked) -> Pieces:
    loaded = picked.loaded
    if loaded is None:
        return whole(picked.shapes)
    one, other = scene.made(("overlapping", picked.layer), lambda: overlapping(loaded.shapes))
    place = np.full(len(loaded.ids), -1, np.int64)
    place[picked.rows] = np.arange(len(picked.rows))
    both = (place[one] >= 0) & (place[other] >= 0)
    return disjoint(picked.shapes, (place[one[both]], place[other[both]]))
