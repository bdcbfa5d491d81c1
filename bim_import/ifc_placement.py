"""Where products stand, from the text of their placements.

An element that was only moved needs no geometry kernel: its matrix is computed here, for it and
for all others.
"""

import re
from collections.abc import Iterable

import numpy as np

from bim_import.ifc_text import StepText
from cim_core.mesh import Floats

_TRIPLE = re.compile(
    rb"(?:IFCCARTESIANPOINT|IFCDIRECTION)\(\(([-+.\dE]+),([-+.\dE]+),([-+.\dE]+)\)\)"
)
_Z, _X = (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)
_STRAIGHT = 1e-6
"""The sine of an angle; axes that differ by less do not span a plane."""


class LocalPlacements:
    """The IfcLocalPlacements of a file as matrices.

    Simple are those of an IfcAxis2Placement3D with both directions or none, relative to nothing or
    to a simple one. The others (grids, alignments) are the geometry kernel's business.
    """

    def __init__(self, text: StepText, rows: Iterable[int]) -> None:
        self._text = text
        self._parents: dict[int, int | None] = {}
        self._relative: dict[int, int] = {}
        placements = set(rows)
        for row in placements:
            refs = text.refs_of(row)
            parents = [ref for ref in refs if ref in placements]
            self._parents[row] = parents[0] if parents else None
            self._relative[row] = next((ref for ref in refs if ref not in placements), -1)
        self._matrices = self._multiplied(self._own_axes(placements))

    def matrix(self, row: int | None) -> Floats | None:
        """From a placement to the model, (4, 4), in the file's unit; None if it is not simple.

        A product without a placement stands at the origin.
        """
        return np.eye(4) if row is None else self._matrices.get(row)

    def between(self, inner: int | None, outer: int | None) -> tuple[list[int], list[int]]:
        """The relative placements from `inner` and from `outer` up to the first they share."""
        ours, theirs = self._chain(inner), self._chain(outer)
        shared = next((row for row in ours if row in set(theirs)), None)
        above, beside = (
            chain[: chain.index(shared)] if shared is not None else chain
            for chain in (ours, theirs)
        )
        return [self._relative[row] for row in above], [self._relative[row] for row in beside]

    def _chain(self, row: int | None) -> list[int]:
        chain: list[int] = []
        while row is not None and row not in chain:
            chain.append(row)
            row = self._parents.get(row)
        return chain

    def _own_axes(self, rows: Iterable[int]) -> dict[int, Floats]:
        """The matrix of each placement relative to its parent, for those that can be read."""
        read: dict[int, tuple[tuple[float, ...], ...]] = {}
        for row in rows:
            if self._text.bare(row) in (b"IFCLOCALPLACEMENT($,#)", b"IFCLOCALPLACEMENT(#,#)"):
                axes = self._axes(self._relative[row])
                if axes is not None:
                    read[row] = axes
        if not read:
            return {}
        origin, z, x = np.array(list(read.values()), np.float64).transpose(1, 0, 2)
        y = np.cross(z, x)
        lengths = np.linalg.norm(z, axis=1) * np.linalg.norm(x, axis=1)
        sound = np.linalg.norm(y, axis=1) > _STRAIGHT * lengths
        z, y, x = (_unit(axis, sound) for axis in (z, y, np.cross(y, z)))
        matrices = np.zeros((len(read), 4, 4))
        matrices[:, :3] = np.stack([x, y, z, origin], axis=2)
        matrices[:, 3, 3] = 1.0
        return {row: m for row, m, good in zip(read, matrices, sound.tolist(), strict=True) if good}

    def _axes(self, row: int) -> tuple[tuple[float, ...], ...] | None:
        """Origin, z and x of an IfcAxis2Placement3D."""
        if row < 0:
            return None
        refs = self._text.refs_of(row)
        match self._text.bare(row):
            case b"IFCAXIS2PLACEMENT3D(#,$,$)":
                origin = self._triple(refs[0])
                return None if origin is None else (origin, _Z, _X)
            case b"IFCAXIS2PLACEMENT3D(#,#,#)":
                origin, z, x = (self._triple(ref) for ref in refs)
                return None if origin is None or z is None or x is None else (origin, z, x)
        return None

    def _triple(self, row: int) -> tuple[float, ...] | None:
        found = _TRIPLE.fullmatch(self._text.bare(row)) if row >= 0 else None
        return tuple(float(number) for number in found.groups()) if found else None

    def _multiplied(self, own: dict[int, Floats]) -> dict[int, Floats]:
        matrices: dict[int, Floats] = {}
        for row in own:
            chain = self._chain(row)
            for step in reversed(chain):
                parent = self._parents[step]
                if step in matrices or step not in own:
                    continue
                if parent is None:
                    matrices[step] = own[step]
                elif parent in matrices:
                    matrices[step] = matrices[parent] @ own[step]
        return matrices


def _unit(axes: Floats, sound: Floats) -> Floats:
    lengths = np.linalg.norm(axes, axis=1)
    result: Floats = axes / np.where(sound, lengths, 1.0)[:, None]
    return result
