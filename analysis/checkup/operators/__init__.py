"""The operators that formulas name: each makes values of features, for all units of one kind at once."""

from collections.abc import Callable, Mapping
from typing import Any

from analysis.checkup.formulas import BothEnds, Coverage, Equipped, Formula, Gap, Loss, Mean, Total
from analysis.checkup.measured import Measured, Method, Units
from analysis.checkup.operators.coverage import coverage
from analysis.checkup.operators.density import density, per_capita, share, total
from analysis.checkup.operators.inventory import equipped, gap
from analysis.checkup.operators.reach import on_roads
from analysis.checkup.operators.sums import both_ends, loss, mean
from analysis.checkup.operators.uses import column_of
from analysis.checkup.scene import Scene

Operator = Callable[[Any, Scene, Units], Measured]
"""Formula, scene and units to values."""

OPERATORS: Mapping[str, Operator] = {
    "coverage": coverage, "density": density, "per-capita": per_capita, "share": share,
    "total": total, "gap": gap, "equipped": equipped, "loss": loss, "mean": mean,
    "both-ends": both_ends,
}  # fmt: skip
"""Every operator by the name that formulas have for it."""


def method_of(formula: Formula) -> Method:
    """How values come about: by distance or on the network, counted, measured, or as was reported."""
    if isinstance(formula, Coverage | Equipped | BothEnds):
        return "network" if on_roads(formula.sites) else "euclidean"
    if isinstance(formula, Gap | Loss | Mean) or column_of(formula.measure) is not None:
        return "reported"
    if isinstance(formula, Total) or formula.measure == "count":
        return "count" if formula.measure == "count" else "measured"
    return "measured"
