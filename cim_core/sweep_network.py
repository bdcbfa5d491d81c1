"""The segments of a network as tubes in a frame, and what had to be assumed for that."""

import tomllib
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.network import Network, Profile, Reference, Segments
from cim_core.sweep import BOX, DUCTS, ROUND, Tubes, lean

_APART = 1e-4
"""Metres; vertices that are nearer to each other are one."""


@lru_cache
def drawing() -> dict[str, Any]:
    """What `sweep.toml` says."""
    return tomllib.loads(files("cim_core").joinpath("sweep.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Drawn:
    """The segments of a network as they are drawn.

    tubes
        Those that can be, their owners being rows of the network's segments.
    height_assumed, size_assumed
        (m,) what was not surveyed and is drawn by an assumption of `sweep.toml`.
    placed
        (m,) which segments have an elevation, surveyed or assumed.
    """

    tubes: Tubes
    height_assumed: NDArray[np.bool_]
    size_assumed: NDArray[np.bool_]
    placed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Sizes:
    kinds: NDArray[np.int8]
    outer: Floats
    clear: Floats
    hollow: NDArray[np.bool_]
    ducts: NDArray[np.int16]
    bores: Floats
    assumed: NDArray[np.bool_]


def drawn_segments(network: Network, frame: Frame, geoid_separation: float) -> Drawn:
    """The tubes of a network's segments in a frame, metres.

    A pipe's axis lies so that its lowest inner point, or its highest outer one, is at both ends at
    the elevation that was surveyed. Where none was, its top lies `cover` below the ground; where the
    ground is not known either, it lies level with its other end, or is not drawn.
    """
    segments = network.segments
    size = _sizes(segments)
    elevations, assumed = _elevations(network, size)
    level = replace(segments, elevations=elevations, references=np.zeros(len(segments), np.int8))
    pieces = Network(network.nodes, level).pieces()
    owners, firsts = np.unique(pieces.segments, return_index=True)
    counts = np.diff([*firsts, len(pieces.segments)]) + 1
    starts = np.concatenate([[0], np.cumsum(counts)])
    points = np.empty((starts[-1], 3))
    last = np.zeros(len(points), bool)
    last[starts[1:] - 1] = True
    points[~last] = pieces.ends[:, 0]
    points[last] = pieces.ends[firsts + counts - 2, 1]
    of = np.repeat(owners, counts)
    where = np.asarray(np.isfinite(network.nodes.places).all(axis=1))
    placed = np.asarray(np.isfinite(elevations).all(axis=1))
    placed &= where[segments.starts] & where[segments.ends]
    known = placed[of]
    points, of, ends = points[known], of[known], last[known]
    points[:, 2] += geoid_separation
    points = frame.from_geographic(points)
    apart = np.ones(len(points), bool)
    begin = np.r_[True, ends[:-1]] if len(ends) else ends
    apart[1:] = np.linalg.norm(np.diff(points, axis=0), axis=1) > _APART
    kept = apart | begin
    points, of = points[kept], of[kept]
    owners, starts = np.unique(of, return_index=True)
    long = np.diff([*starts, len(of)]) > 1
    tubes = Tubes(
        owners, np.append(starts, len(of)), points, size.kinds[owners], size.outer[owners],
        np.where(size.hollow, size.clear.T, 0.0).T[owners], size.ducts[owners], size.bores[owners],
    )[long]  # fmt: skip
    lift = np.select(
        [segments.references == Reference.INVERT, segments.references == Reference.TOP],
        [size.clear[:, 1] / 2, -size.outer[:, 1] / 2],
        0.0,
    )[tubes.owners] * lean(tubes)  # fmt: skip
    tubes.points[:, 2] += lift[tubes.of]
    return Drawn(tubes, assumed, size.assumed, placed)


def widest_drawn(network: Network) -> float:
    """How wide or high the largest of the segments is drawn, metres; 0 without any."""
    return float(_sizes(network.segments).outer.max(initial=0.0))


def elevations_of(network: Network) -> tuple[Floats, NDArray[np.bool_]]:
    """The elevations (m, 2) segments are drawn with, NaN where they are not.

    And which (m,) of them have one that was assumed.
    """
    return _elevations(network, _sizes(network.segments))


def _sizes(segments: Segments) -> _Sizes:
    """What is drawn of sizes: a positive number for each."""
    said = drawing()["assumed"]
    widths, heights = _positive(segments.widths), _positive(segments.heights)
    bores = np.nan_to_num(_positive(segments.duct_sizes))
    ducts = segments.profiles == Profile.DUCTS
    block = segments.ducts * (bores * said["spacing"])[:, None]
    widths = np.where(ducts & np.isnan(widths) & (block[:, 0] > 0), block[:, 0], widths)
    heights = np.where(ducts & np.isnan(heights) & (block[:, 1] > 0), block[:, 1], heights)
    assumed = np.isnan(widths) & np.isnan(heights)
    clear = np.column_stack(
        [np.where(np.isnan(widths), heights, widths), np.where(np.isnan(heights), widths, heights)]
    )
    clear[assumed] = said["size"]
    wall = np.where(ducts, 0.0, np.maximum(np.nan_to_num(segments.walls), 0.0))
    round_ = segments.profiles == Profile.CIRCLE
    clear[round_, 1] = clear[round_, 0]
    kinds = np.select([round_, ducts], [ROUND, DUCTS], BOX).astype(np.int8)
    return _Sizes(kinds, clear + 2 * wall[:, None], clear, wall > 0, segments.ducts, bores, assumed)


def _positive(values: Floats) -> Floats:
    known: Floats = np.where(values > 0, values, np.nan)
    return known


def _elevations(network: Network, size: _Sizes) -> tuple[Floats, NDArray[np.bool_]]:
    """(m, 2) elevations of what the reference says, and for which (m,) one was assumed."""
    segments = network.segments
    ground = network.nodes.ground[np.column_stack([segments.starts, segments.ends])]
    wall = (size.outer[:, 1] - size.clear[:, 1]) / 2
    below = np.select(
        [segments.references == Reference.INVERT, segments.references == Reference.TOP],
        [size.outer[:, 1] - wall, 0.0],
        size.outer[:, 1] / 2,
    )
    buried = ground - drawing()["assumed"]["cover"] - below[:, None]
    unknown = ~np.isfinite(segments.elevations)
    elevations = np.where(unknown, buried, segments.elevations)
    other = elevations[:, ::-1]
    elevations = np.where(np.isfinite(elevations), elevations, other)
    return elevations, unknown.any(axis=1) & np.isfinite(elevations).all(axis=1)
