"""Whether two segments are joined by a short way along their network."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.network import Network, Rows

_MOST = 4
"""A short way has so many segments at most."""


@dataclass(frozen=True, slots=True)
class ShortWays:
    """The short segments of a network by the nodes they begin at, each from both of its ends.

    first
        (n + 1,) where the ways from each node begin.
    to, lengths
        (w,) the node a way leads to, and how long it is.
    starts, ends
        (m,) the nodes of all segments.
    """

    first: Rows
    to: Rows
    lengths: Floats
    starts: Rows
    ends: Rows

    @classmethod
    def of(cls, network: Network, lengths: Floats, longest: float) -> "ShortWays":
        """Of the segments that are no longer than `longest`; lengths are (m,) metres."""
        segments = network.segments
        short = np.flatnonzero(lengths <= longest)
        start = np.concatenate([segments.starts[short], segments.ends[short]])
        end = np.concatenate([segments.ends[short], segments.starts[short]])
        order = np.argsort(start, kind="stable")
        first = np.searchsorted(start[order], np.arange(len(network.nodes) + 1))
        return cls(
            first, end[order], np.tile(lengths[short], 2)[order], segments.starts, segments.ends
        )

    def joined(self, segments: Rows, others: Rows, limits: Floats) -> NDArray[np.bool_]:
        """Which pairs of segments, (n,), are joined by a way of no more than so many metres, (n,)."""
        found = np.zeros(len(segments), bool)
        pairs = np.tile(np.arange(len(segments)), 2)
        nodes = np.concatenate([self.starts[segments], self.ends[segments]])
        gone = np.zeros(len(pairs))
        for _ in range(_MOST):
            counts = self.first[nodes + 1] - self.first[nodes]
            which = np.repeat(np.arange(len(nodes)), counts)
            offset = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
            ways = self.first[nodes][which] + offset
            pairs, gone = pairs[which], gone[which] + self.lengths[ways]
            nodes = self.to[ways]
            going = (gone <= limits[pairs]) & ~found[pairs]
            pairs, nodes, gone = pairs[going], nodes[going], gone[going]
            there = (nodes == self.starts[others[pairs]]) | (nodes == self.ends[others[pairs]])
            found[pairs[there]] = True
        return found
