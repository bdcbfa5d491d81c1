"""Cross-sections (横断面): which pipes a line on the ground cuts, and how."""

from dataclasses import dataclass

import numpy as np

from cim_core.mesh import Floats
from cim_core.network import Network, Pieces, Rows
from pipelines.levels import tops_and_inverts


@dataclass(frozen=True, slots=True, eq=False)
class CrossSection:
    """The pipes a line cuts, c of them, in their order along it.

    A size that is not known is NaN; of the pipe's top and invert only what was surveyed is known then.

    length
        Of the line, metres.
    segments
        (c,) rows of the segments; one that is cut twice is there twice.
    offsets
        (c,) metres along the line from its start to the axis of the pipe.
    places
        (c, 2) longitude and latitude.
    angles
        (c,) degrees between the line and the pipe seen from above, 0 to 90.
    axes, tops, bottoms, inverts
        (c,) elevations of the middle, of the highest and the lowest point outside, and of the lowest
        point inside.
    surveyed
        (c,) the elevation of what the survey took: axis, invert or top.
    ground
        (c,) the elevation of the ground between the ends of the segment, NaN where either is not known.
    sizes
        (c, 2) metres over all, as cut: along the line and up. A pipe that is cut aslant is wider, by
        the sine of its angle; its slope, which would add 0.5 % at 1 in 10, is left out.
    gaps
        (c,) metres along the line from each pipe's outside to that of the next, less than nothing
        where one lies over the other; NaN after the last one and beside unknown sizes.
    """

    length: float
    segments: Rows
    offsets: Floats
    places: Floats
    angles: Floats
    axes: Floats
    tops: Floats
    bottoms: Floats
    inverts: Floats
    surveyed: Floats
    ground: Floats
    sizes: Floats
    gaps: Floats

    def __len__(self) -> int:
        return len(self.segments)

    @property
    def cover(self) -> Floats:
        """(c,) metres of soil over each pipe."""
        return self.ground - self.tops

    @property
    def depths(self) -> Floats:
        """(c,) metres from the ground to what the survey took (埋深)."""
        return self.ground - self.surveyed


def cross_section(network: Network, pieces: Pieces, plane: Floats, line: Floats) -> CrossSection:
    """The pipes that a line cuts; `pieces` and `plane` (p, 2, 3) as in `Pieces.flat`.

    `line` is (k, 2) metres in the same plane, of one straight leg or several, with a length. A run of pipes that
    goes on through a node on the line is cut once, and what only touches the line or runs along it
    is not cut.
    """
    legs = np.diff(line, axis=0)
    lengths = np.hypot(*legs.T)
    begins = np.cumsum(lengths) - lengths
    parts = [
        _crossings(plane, line[leg], legs[leg] / lengths[leg], float(lengths[leg]))
        for leg in np.flatnonzero(lengths > 0).tolist()
    ]
    counts = [len(rows) for rows, *_ in parts]
    rows, along, shares, sines = (np.concatenate(column) for column in zip(*parts, strict=True))
    along = along + np.repeat(begins[lengths > 0], counts)
    order = np.lexsort([rows, along])
    return _section(
        network, pieces, plane, float(lengths.sum()),
        rows[order], along[order], shares[order], sines[order],
    )  # fmt: skip


def _crossings(
    plane: Floats, start: Floats, direction: Floats, length: float
) -> tuple[Rows, Floats, Floats, Floats]:
    """Pieces that cross a leg: rows, metres along it, the share of the piece, the sine between them."""
    offset = plane[..., :2] - start
    away = offset[..., 1] * direction[0] - offset[..., 0] * direction[1]
    # A vertex on the line counts to one side of it, so a run through it is cut once.
    rows = np.flatnonzero((away[:, 0] >= 0) != (away[:, 1] >= 0))
    share = away[rows, 0] / (away[rows, 0] - away[rows, 1])
    run = plane[rows, 1, :2] - plane[rows, 0, :2]
    along = (offset[rows, 0] + share[:, None] * run) @ direction
    within = (along >= 0) & (along < length)
    rows, share, run, along = rows[within], share[within], run[within], along[within]
    sine = np.abs(run[:, 1] * direction[0] - run[:, 0] * direction[1]) / np.hypot(*run.T)
    return rows, along, share, sine


def _section(
    network: Network, pieces: Pieces, plane: Floats, length: float,
    rows: Rows, offsets: Floats, shares: Floats, sines: Floats,
) -> CrossSection:  # fmt: skip
    segments = network.segments
    owner = pieces.segments[rows]
    ends = pieces.ends[rows]
    cut = ends[:, 0] + shares[:, None] * (ends[:, 1] - ends[:, 0])
    outer = segments.outer[owner]
    half = np.nan_to_num(outer[:, 1]) / 2
    axes = cut[:, 2]
    along = _along(pieces, plane, rows, shares)
    surveyed, ground = (
        values[:, 0] + along * (values[:, 1] - values[:, 0])
        for values in (
            segments.elevations[owner],
            np.column_stack(
                [network.nodes.ground[segments.starts[owner]], network.nodes.ground[segments.ends[owner]]]
            ),
        )
    )  # fmt: skip
    wide = outer[:, 0] / sines
    gaps = np.full(len(rows), np.nan)
    gaps[:-1] = np.diff(offsets) - (wide[:-1] + wide[1:]) / 2
    tops, inverts = tops_and_inverts(segments, owner, axes)
    return CrossSection(
        length, owner, offsets, cut[:, :2], np.degrees(np.arcsin(np.minimum(sines, 1.0))),
        axes, tops, axes - half, inverts, surveyed, ground,
        np.column_stack([wide, outer[:, 1]]), gaps,
    )  # fmt: skip


def _along(pieces: Pieces, plane: Floats, rows: Rows, shares: Floats) -> Floats:
    """How far along its segment a share of a piece lies, 0 to 1, (c,)."""
    steps = np.hypot(*(plane[:, 1, :2] - plane[:, 0, :2]).T)
    before = np.concatenate([[0.0], np.cumsum(steps)])
    first = np.searchsorted(pieces.segments, pieces.segments[rows])
    after = np.searchsorted(pieces.segments, pieces.segments[rows], side="right")
    walked = before[rows] - before[first] + shares * steps[rows]
    share: Floats = walked / (before[after] - before[first])
    return share
