"""Losses, means, and trips: sums of columns, and their ratios."""

import numpy as np
import shapely

from analysis.checkup.formulas import BothEnds, Loss, Mean
from analysis.checkup.measured import Measured, Units
from analysis.checkup.operators.amounts import places_of, ratio, spread, summed
from analysis.checkup.operators.geometry import ends
from analysis.checkup.operators.reach import on_roads, reach_of, roads_of
from analysis.checkup.operators.uses import blocked, nothing, told, use
from analysis.checkup.scene import Scene


def loss(formula: Loss, scene: Scene, units: Units) -> Measured:
    """(Σ in − Σ out) ÷ Σ in, in percent, of what both are known of; or Σ out ÷ Σ in."""
    what = use(scene, formula.what, formula.given, formula.used)
    if reason := blocked(units, [what]):
        return nothing(units, reason)
    given, used = what.picked.numbers(formula.given), what.picked.numbers(formula.used)
    places = places_of(scene, units)
    both = np.isfinite(given) & np.isfinite(used)
    into = spread(scene, what.picked, np.where(both, given, np.nan), places)
    out = spread(scene, what.picked, np.where(both, used, np.nan), places)
    above = out.total if formula.reverse else into.total - out.total
    return told(units, [what], above, into.total, 100.0, into.known)


def mean(formula: Mean, scene: Scene, units: Units) -> Measured:
    """Σ value·weight ÷ Σ weight; harmonic Σ weight ÷ Σ (weight ÷ value), of what both are known of."""
    what = use(scene, formula.what, formula.value, formula.weight)
    if reason := blocked(units, [what]):
        return nothing(units, reason)
    value, weight = what.picked.numbers(formula.value), what.picked.numbers(formula.weight)
    both = np.isfinite(value) & np.isfinite(weight) & ((value > 0) | (not formula.harmonic))
    value, weight = np.where(both, value, np.nan), np.where(both, weight, np.nan)
    places = places_of(scene, units)
    weights = spread(scene, what.picked, weight, places)
    if formula.harmonic:
        below = spread(scene, what.picked, weight / value, places)
        return told(units, [what], weights.total, below.total, surveyed=weights.known)
    above = spread(scene, what.picked, value * weight, places)
    return told(units, [what], above.total, weights.total, surveyed=weights.known)


def both_ends(formula: BothEnds, scene: Scene, units: Units) -> Measured:
    """The share of trips with both ends in reach of sites, in percent; a trip belongs to where it begins."""
    trips = use(scene, formula.trips, formula.weight)
    uses = [trips, *(use(scene, site, needed=True) for site in formula.sites)]
    if on_roads(formula.sites):
        uses.append(roads_of(scene, formula.sites))
    if reason := blocked(units, uses):
        return nothing(units, reason)
    reach = reach_of(scene, formula.sites)
    lines = trips.picked.shapes
    begin, end = ends(lines, first=True), ends(lines, first=False)
    served = shapely.intersects(reach.shape, begin) & shapely.intersects(reach.shape, end)
    weight = trips.picked.numbers(formula.weight)
    known = np.isfinite(weight)
    places = places_of(scene, units)
    home, count = places.home(begin), len(places)
    counted = np.nan_to_num(weight)
    surveyed = ratio(
        summed(home, known.astype(np.float64), count), summed(home, np.ones(len(home)), count)
    )
    return told(
        units, uses, summed(home, counted * served, count), summed(home, counted, count), 100.0,
        surveyed,
    )  # fmt: skip
