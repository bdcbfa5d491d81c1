"""What a survey looked at of all that it is about."""

import numpy as np
import shapely

from analysis.checkup.formulas import Input
from analysis.checkup.measured import Units
from analysis.checkup.operators.amounts import homes, places_of, ratio, summed
from analysis.checkup.scene import Picked, Scene
from cim_core.mesh import Floats

NAMED = "building"
"""The column by which a finding may name what it is about; else it lies in it."""


def found_by(what: Input) -> tuple[str, ...]:
    """The columns that say of which findings there is an answer, and what each is about."""
    return tuple(sorted({*what.where, NAMED}))


def looked_at(scene: Scene, findings: Picked, about: Picked, units: Units) -> Floats:
    """The share, (n,), of the features `about` in units of which there is an answer.

    1 where there are none, but 0 for a building that is none of them and that has no finding.
    """
    every = scene.pick(Input(input=findings.role))
    answered = ~np.isin(every.rows, findings.undecided)
    shapes = every.shapes[answered]
    seen = np.zeros(len(about.ids), bool)
    seen[shapely.STRtree(about.shapes).query(shapes, predicate="intersects")[1]] = True
    named = every.columns.get(NAMED)
    if named is not None:
        seen |= np.isin(about.ids, [one for one in named[answered].tolist() if one is not None])
    places = places_of(scene, units)
    home, count = homes(scene, about, places), len(places)
    below = summed(home, np.ones(len(home)), count)
    found = ratio(summed(home, seen.astype(np.float64), count), below)
    if units.by == "building":
        answers = homes(scene, every, places)[answered]
        nobody = (below == 0) & (summed(answers, np.ones(len(answers)), count) == 0)
        found[nobody] = 0.0
    return found
