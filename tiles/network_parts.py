"""What a tile of pipes is put together from: models by kind, bodies that a lattice can hold."""

from collections.abc import Iterator

import numpy as np

from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.sweep import Swept, ranges
from cim_core.sweep_models import model
from cim_core.sweep_nodes import Parts
from tiles.packing import WIDE_REACH
from tiles.shapes import Shape

_LITTLE = frozenset({"hub", "ring", "socket", "reducer", "block", "frame", "lid"})
"""Models that are as good as nothing from afar."""


class Kinds:
    """The different models of a scene.

    keys
        Name, size, ratio and colour of each.
    numbers
        (p,) which of them each part is.
    reach, shown
        (p,) how far it reaches from its place, metres, and whether it is drawn from some way off.
    """

    def __init__(self, parts: Parts, colors: Floats) -> None:
        number: dict[tuple[str, float, float, tuple[float, ...]], int] = {}
        rows = zip(
            parts.names.tolist(), parts.sizes.tolist(), parts.ratios.tolist(),
            map(tuple, colors.tolist()), strict=True,
        )  # fmt: skip
        numbers = [number.setdefault(row, len(number)) for row in rows]
        self.keys = list(number)
        self.numbers = np.array(numbers, np.int64)
        far = [np.linalg.norm(model(*key[:3]).positions, axis=1).max() for key in self.keys]
        self.reach = np.array(far, np.float64)[self.numbers]
        self.shown = np.array([key[0] not in _LITTLE for key in self.keys], bool)[self.numbers]


class Grouped:
    """Which rows of a table belong to some owners."""

    def __init__(self, owners: Rows, count: int) -> None:
        self._rows = np.argsort(owners, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=count))])

    def __getitem__(self, owners: Rows) -> Rows:
        """The rows of different owners, in the table's order."""
        return np.sort(self._rows[ranges(self._starts[owners], self._starts[owners + 1])])


def apart(whole: Swept, owners: Rows) -> Iterator[tuple[Swept, Rows]]:
    """A body in parts that a wide lattice can hold, those of one feature together.

    owners (n,) is the feature of each vertex. With each part come the rows of its vertices.
    """
    if np.ptp(whole.positions, axis=0).max() < WIDE_REACH / 2:
        yield whole, np.arange(len(owners))
        return
    _, first, of = np.unique(owners, return_index=True, return_inverse=True)
    cells = np.floor(whole.positions[first] / (WIDE_REACH / 4)).astype(np.int64)
    _, cell = np.unique(cells, axis=0, return_inverse=True)
    of_vertex = cell.ravel()[of]
    of_triangle = of_vertex[whole.triangles[:, 0]]
    for number in range(int(cell.max()) + 1):
        rows = np.flatnonzero(of_vertex == number)
        triangles = np.searchsorted(rows, whole.triangles[of_triangle == number])
        yield Swept(whole.positions[rows], whole.normals[rows], triangles, whole.owners[rows]), rows


def placed_model(shape: Swept, parts: Parts, rows: Rows) -> Swept:
    """A model wherever parts `rows` place it, its owners numbers of `rows`."""
    turns, places = parts.turns[rows], parts.places[rows]
    positions = np.einsum("kij,nj->kni", turns, shape.positions) + places[:, None]
    normals = np.einsum("kij,nj->kni", turns, shape.normals)
    count = len(shape.positions)
    triangles = shape.triangles + np.arange(len(rows))[:, None, None] * count
    return Swept(
        positions.reshape(-1, 3), normals.reshape(-1, 3), triangles.reshape(-1, 3),
        np.repeat(np.arange(len(rows)), count),
    )  # fmt: skip


def shape_of(swept: Swept, colors: Floats) -> Shape:
    """A body as it is packed, its vertices of opaque colours (n, 3)."""
    opaque = np.column_stack([colors, np.ones(len(colors))])
    triangles = swept.triangles.astype(np.uint32)
    return Shape(swept.positions, swept.normals, opaque, triangles, len(triangles))
