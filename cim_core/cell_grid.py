"""A grid of H3 cells with a value each."""

from dataclasses import dataclass

import numpy as np

from cim_core.cells import Cells, cell_names, parents
from cim_core.feature import Value
from cim_core.mesh import Floats


@dataclass(frozen=True, slots=True)
class CellGrid:
    """Values of cells: `cells` (n,) uint64, sorted, each once; `values` (n,) float64.

    unit
        Of the values, "1" for counts.
    resolution
        Of all the cells, 0 to 15.
    """

    cells: Cells
    values: Floats
    unit: str
    resolution: int

    def coarser(self, resolution: int) -> "CellGrid":
        """The sums at a resolution that is no finer.

        >>> grid = counted(np.array([0x8B411D4902D9FFF, 0x8B411D4902D9FFF], np.uint64), 11)
        >>> grid.coarser(9).values.tolist()
        [2.0]
        """
        cells, values = _summed(parents(self.cells, resolution), self.values)
        return CellGrid(cells, values, self.unit, resolution)

    def as_dict(self) -> dict[str, Value]:
        """The grid as it is served: its cells by their names."""
        return {
            "resolution": self.resolution, "unit": self.unit,
            "cells": [*cell_names(self.cells)], "values": self.values.tolist(),
        }  # fmt: skip


def counted(cells: Cells, resolution: int) -> CellGrid:
    """How often each cell occurs among cells, (n,), none of which is coarser than `resolution`."""
    found, values = _summed(parents(cells, resolution), np.ones(len(cells)))
    return CellGrid(found, values, "1", resolution)


def _summed(cells: Cells, values: Floats) -> tuple[Cells, Floats]:
    found, index = np.unique(cells, return_inverse=True)
    return found, np.bincount(index, values, len(found)).astype(np.float64)
