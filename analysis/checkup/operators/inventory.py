"""What estates and communities have of what they need, one by one."""

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.checkup.formulas import Equipped, Gap
from analysis.checkup.measured import Measured, Units
from analysis.checkup.operators.amounts import evidence_of, homes, places_of, ratio, summed
from analysis.checkup.operators.geometry import Places, Rows, middles
from analysis.checkup.operators.reach import on_roads, reach_of, roads_of
from analysis.checkup.operators.uses import blocked, nothing, told, use
from analysis.checkup.scene import Picked, Scene
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats

_EXACT = 1e-9
"""A tenth of thirty is three, and not a little more."""


def gap(formula: Gap, scene: Scene, units: Units) -> Measured:
    """Σ max(0, required − existing): what one has too many helps no other."""
    if (formula.required is None) == (formula.of is None or formula.ratio is None):
        raise InvalidInput("a gap needs either `required`, or `of` with `ratio`; give one of them")
    what = use(scene, formula.what, formula.required, formula.of, formula.existing)
    if reason := blocked(units, [what]):
        return nothing(units, reason)
    picked = what.picked
    if formula.required is not None:
        needed = picked.numbers(formula.required)
    else:
        assert formula.of is not None and formula.ratio is not None
        needed = picked.numbers(formula.of) * formula.ratio
        if formula.whole:
            needed = np.ceil(needed - _EXACT)
    lacking = np.maximum(0.0, needed - picked.numbers(formula.existing))
    places = places_of(scene, units)
    home = homes(scene, picked, places)
    known = np.isfinite(lacking)
    count = len(places)
    surveyed = _share(home, known, picked, places)
    sums = summed(home, np.nan_to_num(lacking), count)
    evidence = evidence_of(picked, lacking, home)
    return told(units, [what], sums, np.ones(count), surveyed=surveyed, evidence=evidence)


def equipped(formula: Equipped, scene: Scene, units: Units) -> Measured:
    """The share of features that have at least one site of each kind, in percent; or those that lack any."""
    what = use(scene, formula.units)
    uses = [what, *(use(scene, site, needed=True) for site in formula.sites)]
    if on_roads(formula.sites):
        uses.append(roads_of(scene, formula.sites))
    if reason := blocked(units, uses):
        return nothing(units, reason)
    picked = what.picked
    lacking = np.zeros(len(picked.ids))
    for site in formula.sites:
        reach = reach_of(scene, (site,))
        lacking += ~shapely.intersects(reach.shape, picked.shapes)
    places = places_of(scene, units)
    home = homes(scene, picked, places)
    count = len(places)
    has = lacking == 0
    below = summed(home, np.ones(len(home)), count)
    surveyed = _share(home, np.ones(len(home), bool), picked, places)
    evidence = evidence_of(picked, lacking, home)
    if formula.lacking:
        above = summed(home, (~has).astype(np.float64), count)
        return told(
            units, uses, above, np.ones(count), surveyed=surveyed, evidence=evidence
        )  # fmt: skip
    above = summed(home, has.astype(np.float64), count)
    return told(units, uses, above, below, 100.0, surveyed, evidence=evidence)


def _share(home: Rows, known: NDArray[np.bool_], picked: Picked, places: Places) -> Floats:
    """The share of features in places that something is known of."""
    count = len(places)
    sure = summed(home, known.astype(np.float64), count)
    everything = summed(home, np.ones(len(home)), count)
    if len(picked.undecided) and picked.loaded is not None:
        maybe = places.home(middles(picked.loaded.shapes[picked.undecided]))
        everything = everything + summed(maybe, np.ones(len(maybe)), count)
    return ratio(sure, everything)
