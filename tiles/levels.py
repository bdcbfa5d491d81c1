"""What a tile shows from afar: fewer features, simpler shapes, and how wrong that is."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from tiles.batch import Content, Packer, assemble
from tiles.glb import Batch
from tiles.packing import far_lattice, pack
from tiles.shapes import Drawing, Placements, Shape
from tiles.shell import blocks, coarser, filled
from tiles.simplify import box_deviation, simplified
from tiles.tree import Budget

_DETAIL = 64
"""A far tile may be wrong by its diagonal divided by this: some ten pixels when it is replaced."""

_LEFT_OUT = 128
"""What cannot be seen from outside is loaded before the camera is nearer than half the diagonal:
a far tile without it counts as wrong by its diagonal divided by this."""

_LEAST_ERROR = 0.01


@dataclass(frozen=True, slots=True)
class FarTile:
    """A far tile's content.

    rows
        The features it shows, by their numbers in the drawing.
    error
        Metres by which what it shows differs from the leaves, measured.
    """

    content: Content
    rows: NDArray[np.int64]
    error: float


class Levels:
    """Makes far tiles; a shape is simplified once for each error it is asked for."""

    def __init__(self, drawing: Drawing, blocky: NDArray[np.bool_], budget: Budget) -> None:
        """`blocky` (f,) marks the features that may be drawn as blocks with others."""
        self._drawing = drawing
        self._blocky = blocky
        self._budget = budget
        self._simple: dict[tuple[int, float], tuple[Shape, float]] = {}
        self._boxy: dict[int, float] = {}
        self._packers: dict[tuple[float, float], Packer] = {}

    def _simplified(self, number: int, error: float) -> tuple[Shape, float]:
        key = (number, error)
        if key not in self._simple:
            shape = self._drawing.shape(number)
            if number not in self._boxy:
                self._boxy[number] = box_deviation(shape)
            self._simple[key] = simplified(shape, error, self._boxy[number])
        return self._simple[key]

    def tile(
        self, placements: Placements, bounds: Floats, center: Floats, *, whole: bool
    ) -> FarTile:
        """Show placements, those of the seen features below a tile whose box is `bounds` (2, 3).

        `whole` says that nothing was left out as unseen.
        """
        diagonal = float(np.linalg.norm(bounds[1] - bounds[0]))
        # Powers of two, so that neighbours and later versions simplify shapes alike.
        finest = 2.0 ** np.floor(np.log2(max(diagonal / _DETAIL, _LEAST_ERROR)))
        allowed, kept, rest = self._fitting(placements, finest)
        packer = self._packers.setdefault(
            (finest, allowed),
            Packer(lambda number: self._simplified(number, allowed)[0], far_lattice(finest)),
        )
        errors = [self._simplified(n, allowed)[1] for n in np.unique(kept.shapes).tolist()]
        rows = np.unique(kept.features)
        shell: tuple[Shape, NDArray[np.int64]] | None = None
        if len(rest):
            shell, cell = self._shell(rest, finest)
            # Nothing stands beyond the box: blocks that reach over it are cut, and so truer.
            cut = replace(shell[0], positions=np.clip(shell[0].positions, *bounds))
            shell = cut, shell[1]
            errors.append(cell * 3**0.5)
            rows = np.union1d(rows, shell[1])
        number = np.searchsorted(rows, kept.features)
        content = assemble(replace(kept, features=number), packer, center)
        if shell is not None:
            packed = pack(shell[0], packer.lattice)
            batch = Batch(packed, np.searchsorted(rows, shell[1]), 0.0)
            content = Content([*content.batches, batch], content.repeats)
        self._forget(finest)
        floor = _LEAST_ERROR if whole else diagonal / _LEFT_OUT
        return FarTile(content, rows, max(floor, *errors) + content.shift)

    def _forget(self, finest: float) -> None:
        """Let go of what no tile asks for again.

        A shape that stands once is only below this tile, and tiles above ask for larger errors.
        """
        repeats = self._drawing.repeats
        self._simple = {
            key: value for key, value in self._simple.items()
            if key[1] >= finest or repeats[key[0]] > 1
        }  # fmt: skip

    def _fitting(
        self, placements: Placements, finest: float
    ) -> tuple[float, Placements, Placements]:
        """The error allowed, what is drawn as itself, and what is too much and becomes blocks."""
        used, index, counts = np.unique(placements.shapes, return_inverse=True, return_counts=True)
        few = len(np.unique(placements.features)) <= self._budget.features
        for allowed in (finest, 2 * finest, 4 * finest):
            sizes = np.array(
                [len(self._simplified(n, allowed)[0].triangles) for n in used.tolist()]
            )
            # Repeated shapes are written once; each instance costs about what two triangles do.
            cost = (sizes / counts + 2)[index]
            if few and cost.sum() <= self._budget.far_triangles:
                return allowed, placements, placements[np.zeros(0, np.int64)]
            if not few or 4 * len(used) > self._budget.far_triangles:
                break  # as boxes, too, they would be too many
        extent = np.linalg.norm(placements.bounds[:, 1] - placements.bounds[:, 0], axis=1)
        order = np.argsort(-extent, kind="stable")
        affordable = np.cumsum(cost[order]) <= self._budget.far_triangles / 2
        kept = np.zeros(len(placements), bool)
        kept[order[affordable][: self._budget.features // 3]] = True
        rest = ~kept & self._blocky[placements.features]
        return allowed, placements[kept], placements[rest]

    def _shell(
        self, placements: Placements, cell: float
    ) -> tuple[tuple[Shape, NDArray[np.int64]], float]:
        """Blocks for placements, as fine as the budget allows, and the size of their cells."""
        cells = filled(self._drawing, placements, cell)
        while True:
            shape, rows = blocks(cells)
            few = len(np.unique(rows)) <= self._budget.features // 2
            fits = few and len(shape.triangles) <= self._budget.far_triangles / 2
            if fits or len(cells.grid) <= 8:  # around the origin, eight cells are the coarsest
                return (shape, rows), cells.cell
            cells = coarser(cells)
