"""Which features are as a formula says: yes, no, or not known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.checkup.formulas import Between
from cim_core.mesh import Floats

Bools = NDArray[np.bool_]


Wanted = str | int | float | bool | tuple[str | int | float, ...] | Between
Column = Floats | NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Decided:
    """What is known of features, (n,) each.

    yes, maybe
        Those that are as they should be, and those that may be: nobody knows.
    asked
        Those among which these are: what is as the conditions say that are known of every one of them.
    """

    yes: Bools
    maybe: Bools
    asked: Bools


def decided(conditions: Sequence[tuple[Column | None, Wanted]], count: int) -> Decided:
    """Which of `count` features have the values asked for, column by column; None for a column nobody has.

    One that certainly has another value in any column is out, whatever is not known of the others.

    >>> use, floors = np.array(["flats", None, "shop"], object), np.array([6.0, 6.0, np.nan])
    >>> found = decided([(use, "flats"), (floors, Between(min=6))], 3)
    >>> found.yes.tolist(), found.maybe.tolist(), found.asked.tolist()
    ([True, False, False], [False, True, False], [True, True, False])
    """
    fits = [_fits(values, wanted, count) for values, wanted in conditions]
    yes, no = np.ones(count, bool), np.zeros(count, bool)
    for known, right in fits:
        yes &= known & right
        no |= known & ~right
    maybe = ~yes & ~no
    asked = np.ones(count, bool)
    for known, right in fits:
        if known[maybe].all():
            asked &= known & right
    return Decided(yes, maybe, asked)


def comparable(values: Column | None, wanted: Wanted) -> bool:
    """Whether any value of a column is of the kind that is asked for; also where there is none at all.

    >>> comparable(np.array([1.0, 0.0]), "yes"), comparable(np.array(["6", None], object), Between(min=6))
    (False, False)
    """
    there = set() if values is None else _kinds(values)
    return not there or bool(there & _asked(wanted))


def _asked(wanted: Wanted) -> set[str]:
    """The kinds of values that are asked for: "text", "number"."""
    if isinstance(wanted, Between):
        return {"number"}
    some = wanted if isinstance(wanted, tuple) else (wanted,)
    return {"text" if isinstance(one, str) else "number" for one in some}


def _kinds(values: Column) -> set[str]:
    """The kinds of values that a column has."""
    if values.dtype == np.float64:
        return {"number"} if np.isfinite(np.asarray(values, np.float64)).any() else set()
    return {
        "text" if isinstance(one, str) else "number" for one in values.tolist() if one is not None
    }


def _fits(values: Column | None, wanted: Wanted, count: int) -> tuple[Bools, Bools]:
    """Which values are known, and which of those are as wanted, (n,) each.

    A value of another kind than is asked for, as 1 instead of "yes", says nothing.
    """
    if values is None:
        return np.zeros(count, bool), np.zeros(count, bool)
    if isinstance(wanted, Between):
        there = as_numbers(values)
        known = np.isfinite(there)
        fits = known.copy()
        with np.errstate(invalid="ignore"):
            for limit, holds in (
                (wanted.min, np.greater_equal), (wanted.max, np.less_equal),
                (wanted.above, np.greater), (wanted.below, np.less),
            ):  # fmt: skip
                if limit is not None:
                    fits &= holds(there, limit)
        return known, fits
    some = set(wanted) if isinstance(wanted, tuple) else {wanted}
    if values.dtype == np.float64:
        known = np.isfinite(np.asarray(values, np.float64))
        numbers = [float(one) for one in some if isinstance(one, int | float)]
        return known & bool(numbers), np.isin(values, numbers)
    plain, kinds = values.tolist(), _asked(wanted)
    known = np.array(
        [
            value is not None and ("text" if isinstance(value, str) else "number") in kinds
            for value in plain
        ],
        bool,
    )
    return known, np.array([value in some for value in plain], bool)


def as_numbers(values: Column) -> Floats:
    """A column as numbers, (n,): NaN where there is none, which text is not."""
    if values.dtype == np.float64:
        return np.asarray(values, np.float64)
    return np.array(
        [float(value) if isinstance(value, int | float) else np.nan for value in values.tolist()],
        np.float64,
    )
