"""How much ground somebody has taken out of a city in one piece, counted in H3 cells.

Cells of resolution 10, about 130 m across: what lies in a cell, or with less than a cell between,
is one piece, as the blocks on both sides of a street are. Every cell that is touched counts as a
whole, so a compact area of 25 km² counts as about 26.5.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cim_core.cells import Cells, areas, neighbours

RESOLUTION = 10

_beside = lru_cache(maxsize=100_000)(neighbours)
"""Asked for the same cells again and again, as somebody takes more and more of a place."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The largest piece that grows by taking more, km²: the largest that goes into it, and itself."""

    before: float
    after: float


def growth(taken: Cells, new: Cells) -> Growth:
    """What pieces of `taken`, (n,), become with `new`, (m,); the largest of those that grow.

    A piece is all cells that lead from one to the other by common edges. Cells may be in both.

    >>> from cim_core.cells import cells_of
    >>> far = cells_of(np.array([[113.4, 23.1], [113.5, 23.1]]), RESOLUTION)
    >>> found = growth(far[:1], far[1:])
    >>> round(found.before, 4), round(found.after, 4)
    (0.0, 0.0147)
    """
    had = set(taken.tolist())
    left = had | set(new.tolist())
    found = Growth(0.0, 0.0)
    for cell in set(new.tolist()) - had:
        if cell in left:
            piece = _piece(cell, left)
            after = _area(piece)
            if after > found.after:
                before = piece & had
                parts = [_area(_piece(one, before)) for one in list(before) if one in before]
                found = Growth(max(parts, default=0.0), after)
    return found


def _piece(start: int, left: set[int]) -> set[int]:
    """The cells of the piece that `start` is in; they are taken out of `left`."""
    piece, edge = {start}, [start]
    left.discard(start)
    while edge:
        for cell in _beside(edge.pop()):
            if cell in left:
                left.discard(cell)
                piece.add(cell)
                edge.append(cell)
    return piece


def _area(cells: set[int]) -> float:
    return float(areas(np.array(list(cells), np.uint64)).sum())
