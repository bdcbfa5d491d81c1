"""Networks in arrays: where the pieces of segments lie."""

from dataclasses import replace

import numpy as np
import pytest

from cim_core.network import Network
from tests.support.streets import CORNER, lon_lat, pipes


def test_elevations_run_evenly_along_the_bends_of_a_segment() -> None:
    network = pipes({"a": (0, 0), "b": (30, 10)}, {"x": ("a", "b")}, elevations=[[9, 5]])
    bends = replace(
        network.segments, bends=lon_lat([(10, 0), (30, 0)]), bend_starts=np.array([0, 2])
    )
    pieces = Network(network.nodes, bends).pieces()
    assert pieces.segments.tolist() == [0, 0, 0]
    assert pieces.ends[:, :, 2] == pytest.approx(np.array([[9, 8], [8, 6], [6, 5]]), abs=1e-3)
    lengths = np.hypot(*(np.diff(pieces.flat(CORNER)[..., :2], axis=1)[:, 0]).T)
    assert lengths == pytest.approx([10, 20, 10], abs=1e-3)


def test_a_riser_between_nodes_at_one_place_keeps_both_its_elevations() -> None:
    network = pipes(
        {"a": (0, 0), "b": (0, 0), "c": (5, 0)}, {"up": ("a", "b"), "on": ("b", "c")},
        elevations=[[5, 9], [9, 8]],
    )  # fmt: skip
    assert network.pieces().ends[:, :, 2].tolist() == [[5, 9], [9, 8]]
