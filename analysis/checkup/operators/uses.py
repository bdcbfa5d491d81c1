"""What an operator may use, and what it says of its values: ready, in part, or not at all, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.checkup.formulas import Input
from analysis.checkup.measured import Evidence, Measured, Reason, Status, Units
from analysis.checkup.operators.geometry import Shapes
from analysis.checkup.scene import Picked, Scene
from cim_core.mesh import Floats

MEASURES = ("count", "area", "length", "largest-area", "longest")
"""How features are added up; anything else is a column of theirs."""

_DOUBTS: tuple[Reason, ...] = ("in-part", "no-features", "sites-off-roads")
"""Why values stand for a part only; of several the first is told."""
_WHOLE = 1.0 - 1e-9
"""From this share on, all is surveyed; sums of areas are not exact."""


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """An input of a formula.

    columns
        What the formula asks of its features, beside what its condition does.
    needed
        Whether values are doubtful where it has no features, as those of a coverage without sites.
    absent
        What is said where its layer is not there or empty.
    closed
        Whether nothing of it can be used, though it is there: said as if it were absent.
    doubted
        Why values made with it are doubtful, whatever else is known; empty if they are not.
    """

    input: Input
    picked: Picked
    columns: tuple[str, ...]
    needed: bool = False
    absent: Reason | None = None
    closed: bool = False
    doubted: Reason = ""

    @property
    def reason(self) -> Reason:
        """Why nothing can be said with it; empty if it is of use."""
        found = self.picked.lacks((*self.columns, *self.input.where))
        gone = self.closed or found in {"no-layer", "no-features"}
        return self.absent if self.absent and gone else found

    @property
    def doubt(self) -> Reason:
        """Why values made with it stand for a part only; empty if they do not."""
        if self.picked.in_part:
            return "in-part"
        return "no-features" if self.needed and not len(self.picked.ids) else self.doubted


def plain(what: Input) -> Input:
    """An input without what sites have besides."""
    return what if type(what) is Input else Input(input=what.input, where=what.where)


def use(scene: Scene, what: Input, *columns: str | None, needed: bool = False) -> Use:
    """An input with the columns asked of it, those that are None left out.

    Raises `InvalidInput` for a column that its role does not have.
    """
    asked = tuple(sorted({column for column in columns if column is not None}))
    picked = scene.pick(plain(what))
    scene.check_columns(picked.role, asked)
    return Use(plain(what), picked, asked, needed)


def column_of(measure: str) -> str | None:
    """The column that a measure is; None for what is counted or measured."""
    return None if measure in MEASURES else measure


def nothing(units: Units, reason: Reason) -> Measured:
    """Values of which none is available, all for one reason."""
    count = len(units.ids)
    none = np.full(count, np.nan)
    status: list[Status] = ["unavailable"] * count
    return Measured(
        units.by, none, none.copy(), none.copy(), np.zeros(count), tuple(status), (reason,) * count
    )  # fmt: skip


def blocked(units: Units, uses: Sequence[Use]) -> Reason:
    """Why no value can be had of some inputs; empty if values can be had."""
    if units.by == "district" and units.shapes[0].is_empty:
        return "no-layer"
    return next((one.reason for one in uses if one.reason), "")


def told(
    units: Units,
    uses: Sequence[Use],
    numerator: Floats,
    denominator: Floats,
    scale: float = 1.0,
    surveyed: Floats | None = None,
    unserved: Shapes | None = None,
    evidence: tuple[Evidence, ...] = (),
) -> Measured:
    """Values of numerator ÷ denominator × scale, each with its status.

    surveyed
        (n,) the share of what is divided by that is known; all of it without.
    """
    known = np.ones(len(units.ids)) if surveyed is None else np.clip(surveyed, 0.0, 1.0)
    known[known >= _WHOLE] = 1.0
    value = np.full(len(units.ids), np.nan)
    divides = (denominator > 0) & np.isfinite(numerator) & (known > 0)
    np.divide(numerator, denominator, out=value, where=divides)
    value *= scale
    doubts = {one.doubt for one in uses} | ({"in-part"} if units.in_part else set())
    doubt: Reason = next((one for one in _DOUBTS if one in doubts), "")
    found = [
        _status(bool(there), share, doubt)
        for there, share in zip(divides.tolist(), known.tolist(), strict=True)
    ]
    return Measured(
        units.by, numerator, denominator, value, known, tuple(s for s, _ in found),
        tuple(r for _, r in found), unserved, evidence,
    )  # fmt: skip


def _status(there: bool, known: float, doubt: Reason) -> tuple[Status, Reason]:
    if not there:
        return "unavailable", "not-surveyed" if known == 0 else "nothing-to-divide-by"
    if doubt:
        return "partial", doubt
    return ("ready", "") if known == 1 else ("partial", "in-part")
