"""How much there is of a network: volumes, bands, shares by area, and sums by any properties."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.network import Labels, Pieces, Profile, Rows, Segments
from cim_core.progress import Progress

_AT_ONCE = 200_000
_NOTHING = 1e-9


def clear_volumes(segments: Segments, rows: Rows | slice = slice(None)) -> Floats:
    """(m,) what segments hold, cubic metres: the clear cross-section times the length.

    NaN where the size or the length is not known; of a block of ducts all its ducts.
    """
    widths, profiles = segments.widths[rows], segments.profiles[rows]
    ducts = segments.ducts[rows].prod(axis=1, dtype=np.int64)
    areas = np.select(
        [profiles == Profile.BOX, profiles == Profile.DUCTS],
        [widths * segments.heights[rows], ducts * np.pi / 4 * segments.duct_sizes[rows] ** 2],
        np.pi / 4 * widths**2,
    )
    volumes: Floats = areas * segments.lengths[rows]
    return volumes


def ages(segments: Segments, year: int) -> Floats:
    """(m,) years since each segment was laid; NaN where that is not known or lies ahead."""
    laid = segments.years.astype(float)
    return np.where((laid > 0) & (laid <= year), year - laid, np.nan)


def age_bands(years: Floats, limits: Sequence[int]) -> Labels:
    """The band of each age, (m,): a limit begins the band above it.

    >>> age_bands(np.array([0.0, 10, 60, np.nan]), [10, 50]).texts().tolist()
    ['0–9', '10–49', '50+', '']
    """
    begins = [0, *sorted(limits)]
    names = [f"{low}–{high - 1}" for low, high in pairwise(begins)]
    return _banded(years, begins[1:], [*names, f"{begins[-1]}+"], "right")


def size_bands(segments: Segments, limits: Sequence[int]) -> Labels:
    """The band of each size, (m,), millimetres: a limit ends the band below it.

    The size is the clear diameter, of a box or a block of ducts the larger side.
    """
    sizes = np.round(np.fmax(segments.widths, segments.heights) * 1000, 6)
    ends = sorted(limits)
    names = [f"{low}–{high}" for low, high in pairwise(ends)]
    return _banded(sizes, ends, [f"≤{ends[0]}", *names, f">{ends[-1]}"], "left")


def _banded(values: Floats, limits: Sequence[int], names: Sequence[str], side: str) -> Labels:
    codes = np.searchsorted(np.array(limits, float), values, "left" if side == "left" else "right")
    return Labels(tuple(names), np.where(np.isfinite(values), codes, -1).astype(np.int32))


@dataclass(frozen=True, eq=False)
class Shares:
    """How much of segments lies in which area.

    segments, areas
        (k,) rows of segments, and of areas, -1 for outside all of them.
    shares
        (k,) 0 to 1, those of a segment together 1.
    """

    segments: Rows
    areas: Rows
    shares: Floats


def shares_by_area(
    pieces: Pieces, lengths: Floats, areas: NDArray[np.object_], progress: Progress
) -> Shares:
    """How much of each segment lies in areas, (a,) polygons in longitude and latitude.

    `lengths` are those of the pieces, (p,) metres. What lies in several areas is shared evenly.
    """
    count = int(pieces.segments[-1]) + 1 if len(pieces.segments) else 0
    found: list[tuple[Rows, Rows, Floats]] = []
    for first in range(0, len(pieces.segments), _AT_ONCE):
        progress(first, len(pieces.segments), "areas")
        some = slice(first, first + _AT_ONCE)
        rows, numbers, shares = _inside(pieces.ends[some, :, :2], areas)
        total = np.bincount(rows, shares, minlength=1)[rows]
        found.append((rows + first, numbers, shares / np.maximum(total, 1.0)))
    rows, numbers, shares = (
        np.concatenate(column) for column in zip(*found, strict=True)
    ) if found else (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))  # fmt: skip
    # A segment whose pieces have no length is where its pieces are, each as much as the others.
    along = np.where(lengths > 0, lengths, _NOTHING)
    whole = np.bincount(pieces.segments, along, count)
    owners = pieces.segments[rows]
    keys, inverse = np.unique(owners * (len(areas) + 1) + numbers + 1, return_inverse=True)
    inner = np.bincount(inverse, shares * along[rows] / whole[owners], len(keys))
    segments, numbers = keys // (len(areas) + 1), keys % (len(areas) + 1) - 1
    outer = 1.0 - np.bincount(segments, inner, count)
    outside = np.flatnonzero(outer > 1e-6)
    return Shares(
        np.concatenate([segments, outside]),
        np.concatenate([numbers, np.full(len(outside), -1)]),
        np.concatenate([inner, outer[outside]]),
    )


def _inside(ends: Floats, areas: NDArray[np.object_]) -> tuple[Rows, Rows, Floats]:
    """Which lines, (p, 2, 2), lie in which areas, and how much of each."""
    lines = shapely.linestrings(ends)
    rows, numbers = shapely.STRtree(areas).query(lines)
    order = np.argsort(numbers, kind="stable")
    rows, numbers = rows[order], numbers[order]
    shares = np.zeros(len(rows))
    begins = np.searchsorted(numbers, np.arange(len(areas) + 1))
    for number in np.unique(numbers).tolist():
        here = slice(begins[number], begins[number + 1])
        area, own = areas[number], lines[rows[here]]
        shapely.prepare(area)
        within = shapely.covers(area, own)
        partly = np.flatnonzero(~within & shapely.intersects(area, own))
        parts = shapely.length(shapely.intersection(own[partly], area))
        share = within.astype(float)
        share[partly] = parts / shapely.length(own[partly])
        shares[here] = share
    kept = shares > 0
    return rows[kept], numbers[kept], shares[kept]


@dataclass(frozen=True, eq=False)
class Groups:
    """Sums by the combinations of properties there are, g of them.

    names
        By property, (g,) texts, empty for what is not known.
    counts, lengths, volumes
        (g,) how many segments have a share in the group, metres, cubic metres.
    ages
        (g,) years, the mean by length over what has a known age; NaN where nothing has.
    unsized, undated
        (g,) metres of unknown size, so not in the volume, and of unknown age.
    """

    names: tuple[tuple[str, ...], ...]
    counts: Rows
    lengths: Floats
    volumes: Floats
    ages: Floats
    unsized: Floats
    undated: Floats


def grouped_sums(
    segments: Segments, years: Floats, shares: Shares, properties: Sequence[Labels]
) -> Groups:
    """Sums by properties, each (k,) labels, one for each share."""
    keys = np.zeros(len(shares.segments), np.int64)
    for labels in properties:
        keys = keys * (len(labels.names) + 1) + labels.codes + 1
    found, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    rows = shares.segments
    lengths = np.nan_to_num(segments.lengths[rows]) * shares.shares
    volumes = clear_volumes(segments, rows) * shares.shares
    dated = np.isfinite(years[rows])

    def total(values: Floats) -> Floats:
        sums: Floats = np.bincount(inverse, values, len(found)).astype(float)
        return sums

    with np.errstate(invalid="ignore"):
        mean = total(np.where(dated, years[rows], 0.0) * lengths) / total(lengths * dated)
    return Groups(
        tuple(tuple(labels[first].texts().tolist()) for labels in properties),
        np.bincount(inverse, minlength=len(found)),
        total(lengths),
        total(np.nan_to_num(volumes)),
        mean,
        total(np.where(np.isfinite(volumes), 0.0, lengths)),
        total(np.where(dated, 0.0, lengths)),
    )
