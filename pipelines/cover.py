"""How deep pipes and cables lie below the ground, and which lie less deep than tables demand.

The cover is the height of the ground above the highest point of the pipe, walls included, along the
vertical through its middle line. It is looked at in steps along every segment. The ground is that of
the network's nodes, evenly from one end of a segment to the other, or that of a terrain; where the one
is not known the other counts. Pipes steeper than 45° are risers and have no cover.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.layer import Ground
from cim_core.mesh import Floats
from cim_core.network import Network, Pieces, Rows
from cim_core.progress import Progress
from pipelines.clearance_rules import Source
from pipelines.distances import solids
from pipelines.rule_kinds import Kinds, kind_names, kinds_of

SurfaceOf = Callable[[Floats], NDArray[np.int8]]
"""(n, 2) metres in the plane → (n,) the number of the surface there."""

_STEEP = np.cos(np.radians(45.0))
_NEAR_ENOUGH = 1e-4
_PORTION = 250_000
"""Places that are looked at at a time, if not more lie along one segment."""


def surfaces() -> dict[str, dict[str, str]]:
    """What can lie above, in the order of its numbers, with its titles by language."""
    found: dict[str, dict[str, str]] = _table()["surfaces"]
    return found


def cover_sources() -> dict[str, Source]:
    """All sources of cover depths by name, in the order of the file."""
    return {
        name: Source(name, {"en": entry["en"], "zh": entry["zh"]}, entry["source"], entry["confidence"])
        for name, entry in _table()["sources"].items()
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shallow:
    """Segments that lie less deep than demanded, one row for each surface they lie under, k of them.

    segments, surfaces
        (k,) the row of the segment, and the number of the surface.
    cover, lengths
        (k,) the least cover there, and how much of the segment is short of what any source demands.
    places
        (k, 2) longitude and latitude of the least cover.
    from_terrain
        (k,) whether the ground there is the terrain's, else the nodes'.
    required
        (k,) by source, NaN where it demands nothing.
    """

    segments: Rows
    surfaces: Rows
    cover: Floats
    lengths: Floats
    places: Floats
    from_terrain: NDArray[np.bool_]
    required: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.segments)

    def taken(self, rows: Rows) -> "Shallow":
        """Some of the rows."""
        return Shallow(
            self.segments[rows], self.surfaces[rows], self.cover[rows], self.lengths[rows],
            self.places[rows], self.from_terrain[rows],
            {name: values[rows] for name, values in self.required.items()},
        )  # fmt: skip

    def broken(self, source: str) -> NDArray[np.bool_]:
        """(k,) which lie too shallow by a source."""
        short: NDArray[np.bool_] = self.cover < self.required[source] - _NEAR_ENOUGH
        return short


@dataclass(frozen=True, slots=True)
class CoverChecked:
    """What a check found; `measured` (m,) are the segments whose cover is known somewhere."""

    shallow: Shallow
    kinds: Kinds
    measured: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class GroundChoice:
    """Where the ground is from: a terrain, if there is one, before or after the nodes."""

    terrain: Ground | None
    terrain_first: bool


def too_shallow(
    network: Network, pieces: Pieces, flat: Floats, rules: tuple[str, ...], ground: GroundChoice,
    surface_of: SurfaceOf, progress: Progress,
    *, step: float, within: NDArray[np.bool_] | None = None,
) -> CoverChecked:  # fmt: skip
    """Check all segments, or those of the pieces `within` (p,); looked at every `step` metres."""
    kinds = kinds_of(network.segments)
    demanded = {rule: _demanded(network, kinds, rule) for rule in rules}
    level = np.linalg.norm(np.diff(flat[..., :2], axis=1)[:, 0], axis=1)
    length = np.linalg.norm(np.diff(flat, axis=1)[:, 0], axis=1)
    cosine = np.divide(level, length, out=np.zeros(len(length)), where=length > 0)
    asked = (kinds.of[pieces.segments] >= 0) & (cosine > _STEEP)
    if within is not None:
        asked &= within
    tops = solids(network, pieces, flat).halves[:, 1] / np.maximum(cosine, _STEEP)
    begins, ends = shares_along(pieces.segments, level)
    ground_ends = network.nodes.ground[np.column_stack([network.segments.starts, network.segments.ends])]  # fmt: skip
    rows = np.flatnonzero(asked)
    counts_of = np.maximum(np.ceil(level[rows] / step).astype(np.int64), 1) + 1
    measured = np.zeros(len(network.segments), bool)
    parts = []
    for start, end in pairwise(_portions(pieces.segments[rows], counts_of)):
        progress(start, len(rows), "cover")
        some, counts = rows[start:end], counts_of[start:end]
        of = np.repeat(some, counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        number = np.arange(len(of)) - first
        share = number / (np.repeat(counts, counts) - 1)
        points = pieces.ends[of, 0] + share[:, None] * (pieces.ends[of, 1] - pieces.ends[of, 0])
        owner = pieces.segments[of]
        along = begins[of] + share * (ends[of] - begins[of])
        heights = ground_ends[owner, 0] + along * (ground_ends[owner, 1] - ground_ends[owner, 0])
        heights, from_terrain = _either(heights, points[:, :2], ground)
        cover = heights - points[:, 2] - tops[of]
        known = np.isfinite(cover)
        measured[owner[known]] = True
        # Half a step at the ends of a piece, a whole one between.
        stands_for = level[of] / (np.repeat(counts, counts) - 1)
        stands_for[(share == 0) | (share == 1)] /= 2
        plane = flat[of, 0, :2] + share[:, None] * (flat[of, 1, :2] - flat[of, 0, :2])
        surface = surface_of(plane).astype(np.int64)
        required = {rule: table[owner, surface] for rule, table in demanded.items()}
        samples = Shallow(owner, surface, cover, stands_for, points[:, :2], from_terrain, required)
        short = np.zeros(len(of), bool)
        for rule in rules:
            short |= samples.broken(rule)
        parts.append(_least(samples.taken(np.flatnonzero(short))))
    progress(len(rows), len(rows), "cover")
    return CoverChecked(_joined(parts, rules), kinds, measured)


def _portions(owners: Rows, counts: Rows) -> list[int]:
    """Where to cut pieces, (p,), into portions of whole segments: at the first, the next, …, the end.

    The places on them, so many on each, come to no more than `_PORTION`, or else are those of one
    segment.
    """
    borders = np.append(np.flatnonzero(np.diff(owners, prepend=-1)), len(owners))
    before = np.concatenate([[0], np.cumsum(counts)])[borders]
    cuts, at = [0], 0
    while at < len(borders) - 1:
        full = int(np.searchsorted(before, before[at] + _PORTION, side="right")) - 1
        at = max(full, at + 1)
        cuts.append(int(borders[at]))
    return cuts


def _either(
    nodes: Floats, lon_lat: Floats, choice: GroundChoice
) -> tuple[Floats, NDArray[np.bool_]]:
    """The ground at places, and where it is the terrain's."""
    if choice.terrain is None:
        return nodes, np.zeros(len(nodes), bool)
    needed = np.full(len(nodes), True) if choice.terrain_first else ~np.isfinite(nodes)
    terrain = np.full(len(nodes), np.nan)
    terrain[needed] = choice.terrain(lon_lat[needed])
    taken = np.isfinite(terrain)
    return np.where(taken, terrain, nodes), taken


def shares_along(owners: Rows, lengths: Floats) -> tuple[Floats, Floats]:
    """(p,) and (p,) how far along its segment each piece begins and ends, 0 to 1."""
    last = np.cumsum(lengths)
    first = last - lengths
    count = int(owners.max(initial=-1)) + 1
    base = np.zeros(count)
    begins = np.flatnonzero(np.diff(owners, prepend=-1))
    base[owners[begins]] = first[begins]
    total = np.bincount(owners, lengths, count)
    whole = np.where(total > 0, total, 1.0)[owners]
    return (first - base[owners]) / whole, (last - base[owners]) / whole


def _least(samples: Shallow) -> Shallow:
    """Of the samples of a segment under one surface the least cover, and the sum of their lengths."""
    order = np.lexsort((samples.cover, samples.surfaces, samples.segments))
    samples = samples.taken(order)
    keys = samples.segments * len(surfaces()) + samples.surfaces
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    lengths = np.add.reduceat(samples.lengths, first) if len(first) else samples.lengths
    found = samples.taken(first)
    return Shallow(
        found.segments, found.surfaces, found.cover, lengths, found.places, found.from_terrain,
        found.required,
    )  # fmt: skip


def _joined(parts: list[Shallow], rules: tuple[str, ...]) -> Shallow:
    none = np.empty(0, np.int64)
    return Shallow(
        np.concatenate([none, *(part.segments for part in parts)]),
        np.concatenate([none, *(part.surfaces for part in parts)]),
        np.concatenate([np.empty(0), *(part.cover for part in parts)]),
        np.concatenate([np.empty(0), *(part.lengths for part in parts)]),
        np.concatenate([np.empty((0, 2)), *(part.places for part in parts)]),
        np.concatenate([np.empty(0, bool), *(part.from_terrain for part in parts)]),
        {
            rule: np.concatenate([np.empty(0), *(part.required[rule] for part in parts)])
            for rule in rules
        },
    )


def _demanded(network: Network, kinds: Kinds, rule: str) -> Floats:
    """(m, s) what a source demands of each segment under each surface, NaN for nothing."""
    table = cover_table(rule)
    classes = _table()["cover"][rule].get("classes", {})
    labels = network.segments.classes
    number = {name: row for row, name in enumerate(surfaces())}
    columns = [number[name] for name in _table()["cover"][rule]["surfaces"]]
    demanded = table[kinds.of]
    for name, values in classes.items():
        rows = np.flatnonzero(labels.are(name) & (kinds.of >= 0))
        demanded[rows[:, None], columns] = values
    return demanded


def cover_table(rule: str) -> Floats:
    """(k, s) what a source demands by kind and surface, NaN for nothing."""
    entry = _table()["cover"][rule]
    kinds, above = kind_names(), list(surfaces())
    table = np.full((len(kinds), len(above)), np.nan)
    for name, values in entry.items():
        if name not in kinds:
            continue
        for surface, value in zip(entry["surfaces"], values, strict=True):
            if value != "-":
                table[kinds.index(name), above.index(surface)] = value
    return table


@lru_cache
def _table() -> dict[str, Any]:
    text = files("pipelines").joinpath("covers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
