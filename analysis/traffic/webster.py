"""The cycle and the splits that Webster found to delay least.

Source: F. V. Webster, Traffic Signal Settings, Road Research Technical Paper 39, 1958.
"""

import numpy as np
from numpy.typing import ArrayLike

from cim_core.errors import InvalidInput
from cim_core.mesh import Floats


def webster_cycle(lost: float, ratio: float) -> float:
    """The cycle (1.5 L + 5) / (1 - Y), seconds.

    lost
        L: the time of a cycle in which nobody drives, seconds.
    ratio
        Y: the sum over the phases of their greatest demand by saturation flow. Raises
        `InvalidInput` from 1 on: no cycle is long enough.
    """
    if ratio >= 1.0:
        raise InvalidInput(
            f"the flow ratios of the phases sum to {ratio:.3f}: from 1 on no cycle serves them; "
            "add lanes or phases together, or ask for less flow"
        )
    return (1.5 * lost + 5.0) / (1.0 - ratio)


def splits(cycle: float, lost: float, ratios: ArrayLike, least: ArrayLike = 0.0) -> Floats:
    """The effective greens (phases,) of a cycle, by the flow ratios (phases,) of the phases.

    least
        No green is shorter, scalar or (phases,), seconds; the others share what is left. Raises
        `InvalidInput` where the cycle is too short for the least greens.
    """
    y = np.asarray(ratios, np.float64)
    floor = np.broadcast_to(np.asarray(least, np.float64), y.shape)
    whole = cycle - lost
    if floor.sum() > whole + 1e-9:
        raise InvalidInput(
            f"the least greens take {floor.sum():.1f} s of {whole:.1f} s that a cycle of {cycle:.1f} s "
            "leaves; ask for a longer cycle or shorter least greens"
        )
    fixed = np.zeros(y.shape, bool)
    while True:
        free = ~fixed
        rest = whole - floor[fixed].sum()
        weights = y[free] if y[free].sum() > 0 else np.ones(free.sum())
        green = floor.copy()
        shares = weights / weights.sum()  # before they are multiplied: the least floats lose digits
        green[free] = rest * shares
        short = free & (green < floor - 1e-9)
        if not short.any():
            return green
        fixed |= short
