"""Parts of a network, and how long its segments are as they lie."""

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.network import Network, Nodes, Rows, Segments


def part_of(network: Network, nodes: NDArray[np.bool_], segments: NDArray[np.bool_]) -> Network:
    """Some nodes, (n,), and some segments, (m,), of a network without valves.

    The nodes of the segments must be among those that are kept.
    """
    counts = np.diff(network.segments.bend_starts)
    rows = np.cumsum(nodes) - 1
    chosen = Segments(
        **{
            field.name: getattr(network.segments, field.name)[segments]
            for field in fields(Segments)
            if field.name not in ("bends", "bend_starts")
        },
        bends=network.segments.bends[np.repeat(segments, counts)],
        bend_starts=np.concatenate([[0], np.cumsum(counts[segments])]),
    )
    return Network(
        Nodes(**{field.name: getattr(network.nodes, field.name)[nodes] for field in fields(Nodes)}),
        replace(chosen, starts=rows[chosen.starts], ends=rows[chosen.ends]),
    )


def drawn_lengths(network: Network) -> Floats:
    """(m,) how long segments are as they lie, in the plane, metres."""
    if not len(network.segments):
        return np.empty(0)
    west, south = network.nodes.places.min(axis=0)
    east, north = network.nodes.places.max(axis=0)
    frame = Frame(float(west + east) / 2, float(south + north) / 2, 0.0)
    pieces = network.pieces()
    plane = pieces.flat(frame)[..., :2]
    steps = np.linalg.norm(plane[:, 1] - plane[:, 0], axis=1)
    return lengths_of(pieces.segments, steps, len(network.segments))


def lengths_of(segments: Rows, steps: Floats, count: int) -> Floats:
    """(m,) what the steps, (p,), of the segments of these rows make together."""
    found: Floats = np.bincount(segments, steps, count).astype(np.float64)
    return found
