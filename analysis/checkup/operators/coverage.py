"""Coverage: the share of a demand that is in reach of sites."""

from dataclasses import dataclass, replace

import numpy as np
import shapely

from analysis.checkup.formulas import Coverage
from analysis.checkup.measured import Evidence, Measured, Units
from analysis.checkup.operators.amounts import apart, area_of, places_of, ratio, summed
from analysis.checkup.operators.geometry import (
    Pieces,
    Places,
    Shapes,
    sizes,
    subdivided,
    unions,
    whole,
)
from analysis.checkup.operators.reach import on_roads, reach_of, roads_of, without
from analysis.checkup.operators.uses import Use, blocked, nothing, told, use
from analysis.checkup.scene import Picked, Scene
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats

_LEAST = 1.0
"""Square metres, metres or parts of a point that are not served and are worth telling."""


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """What of a demand is in reach, and what is not: parts of the pieces of the demand, whose rows `of` has."""

    reached: Pieces
    left: Pieces


def coverage(formula: Coverage, scene: Scene, units: Units) -> Measured:
    """What of the demand is within reach of the sites, in percent."""
    if (formula.on != "plane") != on_roads(formula.sites):
        told_by = "minutes" if formula.on != "plane" else "radius or duty_area"
        raise InvalidInput(f"sites of a coverage on {formula.on!r} need {told_by}; give them that")
    demand = use(scene, formula.demand, formula.weight)
    sites = [use(scene, site) for site in formula.sites]
    # That there is no large park is no doubt where small ones count as well.
    some = not formula.every and any(len(one.picked.ids) for one in sites)
    uses = [demand, *(replace(one, needed=not some) for one in sites)]
    if formula.within is not None:
        uses.append(use(scene, formula.within))
    if on_roads(formula.sites):
        uses.append(roads_of(scene, formula.sites, formula.on))
    if reason := blocked(units, uses):
        return nothing(units, reason)
    pieces = _demand(scene, formula)
    served = scene.made(("served", formula.model_dump_json()), lambda: _served(formula, scene))
    each = _weights(formula, demand.picked)
    places = places_of(scene, units)
    count = len(places)
    place, parts = scene.made(("demand", id(pieces), id(places)), lambda: places.cut(pieces))
    of, size = pieces.of[parts.of], parts.sizes()
    sure = summed(place, size * np.isfinite(each)[of], count)
    known = ratio(sure, summed(place, size, count))
    each = np.nan_to_num(each)
    below = summed(place, size * each[of], count)
    place, parts = places.cut(served.reached)
    row = served.reached.of[parts.of]
    above = summed(place, parts.sizes() * each[pieces.of[row]], count)
    unserved, evidence = _lacking(served, pieces, places, units, demand)
    return told(
        units, uses, np.minimum(above, below), below, 100.0, known, unserved, evidence
    )  # fmt: skip


def _demand(scene: Scene, formula: Coverage) -> Pieces:
    """The demand in pieces of few corners; `of` says of which feature each is."""
    picked = scene.pick(formula.demand)
    within = scene.pick(formula.within) if formula.within is not None else None

    def made() -> Pieces:
        # Weights are spread over all of a feature, so what two share has both; areas count once.
        pieces = apart(scene, picked) if formula.weight is None else whole(picked.shapes)
        if within is not None:
            pieces = area_of(scene, within).within(pieces)
        areas = shapely.get_dimensions(pieces.shapes) == 2
        parts = subdivided(pieces.shapes[areas])
        return Pieces(
            np.concatenate([pieces.of[areas][parts.of], pieces.of[~areas]]),
            np.concatenate([parts.shapes, pieces.shapes[~areas]]),
        )

    return scene.made(("pieces", id(picked), id(within), formula.weight is None), made)


def _served(formula: Coverage, scene: Scene) -> Served:
    pieces = _demand(scene, formula)
    every = Pieces(np.arange(len(pieces.of)), pieces.shapes)
    reached = every
    groups = [(site,) for site in formula.sites] if formula.every else [formula.sites]
    for sites in groups:
        reached = reach_of(scene, sites, formula.on).within(reached)
    return Served(reached, without(every, reached))


def _weights(formula: Coverage, picked: Picked) -> Floats:
    """What one square metre (metre, point) of each feature weighs, (k,); NaN where it is not known."""
    if formula.weight is None:
        return np.ones(len(picked.ids))
    size = sizes(picked.shapes)
    values = picked.numbers(formula.weight)
    return np.divide(values, size, out=np.zeros(len(size)), where=size > 0)


def _lacking(
    served: Served, pieces: Pieces, places: Places, units: Units, demand: Use
) -> tuple[Shapes | None, tuple[Evidence, ...]]:
    """What is not served: its shape by unit, and how much of which feature in which unit."""
    if units.by in {"building", "cell"}:
        return None, ()
    place, parts = places.cut(served.left)
    shapes = unions(Pieces(place, parts.shapes), len(places))
    of = pieces.of[served.left.of[parts.of]]
    pair, row = np.unique(of * len(places) + place, return_inverse=True)
    lacking: Floats = np.bincount(row, parts.sizes(), len(pair)).astype(np.float64)
    kept = lacking >= _LEAST
    features, rows = np.divmod(pair[kept], max(1, len(places)))
    ids = tuple(demand.picked.ids[index] for index in features.tolist())
    found = Evidence(demand.picked.role, demand.picked.layer, ids, lacking[kept], rows)
    return shapes, (found,) if ids else ()
