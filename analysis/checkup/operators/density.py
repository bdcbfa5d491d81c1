"""Amounts: by area, by people, as a share, or as they are."""

from dataclasses import replace

import numpy as np
import shapely

from analysis.checkup.formulas import Density, PerCapita, Share, Total
from analysis.checkup.measured import Evidence, Measured, Units
from analysis.checkup.operators.amounts import (
    Amount,
    amount,
    apart,
    area_of,
    cut,
    evidence_of,
    homes,
    places_of,
    ratio,
    summed,
)
from analysis.checkup.operators.geometry import Area, Pieces, Places, sizes
from analysis.checkup.operators.reach import around
from analysis.checkup.operators.surveyed import looked_at
from analysis.checkup.operators.uses import Use, blocked, column_of, nothing, told, use
from analysis.checkup.scene import Picked, Scene
from cim_core.mesh import Floats


def density(formula: Density, scene: Scene, units: Units) -> Measured:
    """What there is inside an area, by that area."""
    what = use(scene, formula.what, column_of(formula.measure))
    within = use(scene, formula.within)
    uses = [what, within]
    if reason := blocked(units, uses):
        return nothing(units, reason)
    places = places_of(scene, units, within.picked)
    there = amount(scene, what.picked, formula.measure, places)
    return told(units, uses, there.total, places.areas(), formula.scale, there.known)


def per_capita(formula: PerCapita, scene: Scene, units: Units) -> Measured:
    """A sum by the people who live there."""
    what = use(scene, formula.what, column_of(formula.measure))
    people = use(scene, formula.population, "population")
    uses = [what, people]
    if reason := blocked(units, uses):
        return nothing(units, reason)
    places = places_of(scene, units)
    living = amount(scene, people.picked, "population", places)
    # What stands where nobody knows who lives there is nobody's.
    there = amount(scene, what.picked, formula.measure, _peopled(scene, people.picked, units))
    known = np.minimum(there.known, living.known)
    return told(units, uses, there.total, living.total, surveyed=known)


def _peopled(scene: Scene, people: Picked, units: Units) -> Places:
    """The units, or where the population of some of it is not known, what of them it is known of."""
    known = np.isfinite(people.numbers("population"))
    if known.all() and not len(people.undecided) and not people.in_part:
        return places_of(scene, units)
    return scene.made(
        ("peopled", units.by, id(people)),
        lambda: places_of(scene, units).within(Area.of(people.shapes[known])),
    )


def total(formula: Total, scene: Scene, units: Units) -> Measured:
    """A count or a sum."""
    what = use(scene, formula.what, column_of(formula.measure))
    within = None if formula.within is None else use(scene, formula.within)
    uses = [what] if formula.about is None else [what, use(scene, formula.about)]
    if reason := blocked(units, uses if within is None else [*uses, within]):
        return nothing(units, reason)
    places = places_of(scene, units, None if within is None else within.picked)
    there = amount(scene, what.picked, formula.measure, places)
    known = there.known
    if formula.about is not None:
        known = looked_at(scene, what.picked, uses[1].picked, units)
    evidence: tuple[Evidence, ...] = ()
    if units.by not in {"building", "cell"}:
        values = _each(what.picked, formula.measure)
        evidence = evidence_of(what.picked, values, homes(scene, what.picked, places))
    return told(
        units, uses if within is None else [*uses, within], there.total, np.ones(len(units.ids)),
        formula.scale, known,
        evidence=evidence,
    )  # fmt: skip


def share(formula: Share, scene: Scene, units: Units) -> Measured:
    """A part of features by all of them, in percent, as far as it is known of which are the part.

    Those that are surely not are the evidence.
    """
    column = column_of(formula.measure)
    part, whole = use(scene, formula.part, column), use(scene, formula.whole, column)
    uses = [part, whole]
    if formula.near is not None:
        uses.append(use(scene, formula.near, needed=True))
    if reason := blocked(units, uses):
        return nothing(units, reason)
    places = places_of(scene, units)
    some = _of_whole(scene, part.picked, whole.picked)
    if formula.near is not None:
        near = around(uses[2].picked.shapes, formula.distance)
        above = _near(scene, some, formula.measure, places, Area.of(near))
    elif formula.measure == "area" and some.layer != whole.picked.layer:
        above = _near(scene, some, "area", places, area_of(scene, whole.picked))
    else:
        above = amount(scene, some, formula.measure, places)
    below = amount(scene, whole.picked, formula.measure, places)
    unknown = _undecided(scene, formula, part, whole, places)
    surveyed = below.known * ratio(below.total - unknown, below.total)
    if part.picked.layer != whole.picked.layer:
        surveyed = np.minimum(surveyed, above.known)
    evidence: tuple[Evidence, ...] = ()
    if part.picked.layer == whole.picked.layer and units.by not in {"building", "cell"}:
        known = np.concatenate([part.picked.rows, part.picked.undecided])
        others = ~np.isin(whole.picked.rows, known)
        values = _each(whole.picked, formula.measure) * others
        evidence = evidence_of(whole.picked, values, homes(scene, whole.picked, places))
    return told(
        units, uses, above.total, below.total - unknown, 100.0, surveyed, evidence=evidence
    )  # fmt: skip


def _of_whole(scene: Scene, part: Picked, whole: Picked) -> Picked:
    """Of a part only those features that are of the whole, where both are of one layer."""
    kept = np.flatnonzero(np.isin(part.rows, whole.rows))
    if part.layer != whole.layer or len(kept) == len(part.rows):
        return part

    def made() -> Picked:
        return replace(
            part, rows=part.rows[kept], shapes=part.shapes[kept],
            ids=tuple(part.ids[at] for at in kept), names=tuple(part.names[at] for at in kept),
            columns={name: values[kept] for name, values in part.columns.items()},
        )  # fmt: skip

    return scene.made(("of whole", id(part), id(whole)), made)


def _each(picked: Picked, measure: str) -> Floats:
    """What each feature has of a measure, (k,)."""
    if column_of(measure) is not None:
        return picked.numbers(measure)
    return np.ones(len(picked.ids)) if measure == "count" else sizes(picked.shapes)


def _near(scene: Scene, picked: Picked, measure: str, places: Places, near: Area) -> Amount:
    """What of features is near: areas and lines as far as they are, others as a whole."""
    count, known = len(places), np.ones(len(places))
    if measure in {"area", "length"}:
        place, parts = places.cut(near.within(apart(scene, picked)))
        return Amount(summed(place, sizes(parts.shapes), count), known)
    close = shapely.intersects(near.shape, picked.shapes)
    if measure == "count":
        home = homes(scene, picked, places)
        return Amount(summed(home, close.astype(np.float64), count), known)
    place, parts, part = cut(scene, picked, places)
    values = np.nan_to_num(picked.numbers(measure)) * close
    return Amount(summed(place, values[parts.of] * part, count), known)


def _undecided(scene: Scene, formula: Share, part: Use, whole: Use, places: Places) -> Floats:
    """How much of the whole may be a part or not: what is divided by is what was surveyed only."""
    loaded = part.picked.loaded
    none = np.zeros(len(places))
    if loaded is None or part.picked.layer != whole.picked.layer:
        return none
    unsure = np.isin(whole.picked.rows, part.picked.undecided)
    if not unsure.any():
        return none
    picked = whole.picked
    if formula.measure == "count":
        home = homes(scene, picked, places)
        return summed(home, unsure.astype(np.float64), len(places))
    if formula.measure in {"area", "length"}:
        pieces = apart(scene, picked)
        kept = unsure[pieces.of]
        place, parts = places.cut(Pieces(pieces.of[kept], pieces.shapes[kept]))
        return summed(place, sizes(parts.shapes), len(places))
    place, parts, spread = cut(scene, picked, places)
    values = np.nan_to_num(picked.numbers(formula.measure)) * unsure
    return summed(place, values[parts.of] * spread, len(places))
