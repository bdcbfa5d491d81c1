"""Networks as features: what is said of each segment."""

from dataclasses import replace

import numpy as np
import pytest

from cim_core.network import Reference
from cim_core.progress import Progress
from pipelines.network_layer import node_features, segment_features, size_text
from tests.support.streets import pipes


@pytest.mark.parametrize("reference", list(Reference))
@pytest.mark.parametrize("size", [0.2, np.nan])
def test_the_depth_of_a_segment_is_that_of_what_was_surveyed(
    reference: Reference, size: float
) -> None:
    network = pipes(
        {"a": (0, 0), "b": (9, 0)}, {"x": ("a", "b")}, ground=10, elevations=[[9, 8.5]], size=size,
        reference=reference,
    )  # fmt: skip
    [feature] = segment_features(network, {}, Progress())
    assert feature.attributes["depth_start"] == pytest.approx(1.0)
    assert feature.attributes["depth_end"] == pytest.approx(1.5)


def test_what_is_not_known_hides_nothing_that_the_source_says() -> None:
    network = pipes({"a": (0, 0), "b": (9, 0)}, {"x": ("a", "b")}, ground=np.nan)
    said = {"x": {"owner": "区供水公司"}, "a": {"ground": 4.5}}
    [segment] = segment_features(network, said, Progress())
    assert segment.attributes["owner"] == "区供水公司"
    first, _ = node_features(network, said, Progress())
    assert first.attributes["ground"] == 4.5


def test_a_node_of_unknown_elevation_is_a_place_without_height() -> None:
    network = pipes(
        {"a": (0, 0), "b": (9, 0)}, {"x": ("a", "b")}, ground=np.nan, elevations=[[np.nan] * 2]
    )
    assert [feature.shape.has_z for feature in node_features(network, {}, Progress())] == [
        False
    ] * 2


def test_a_block_of_ducts_is_told_by_their_number_where_sizes_are_not_known() -> None:
    network = pipes({"a": (0, 0), "b": (9, 0)}, {"x": ("a", "b")}, size=np.nan)
    ducts = replace(network.segments, ducts=np.array([[3, 4]], np.int16))
    assert size_text(ducts, 0) == "3×4"
    assert size_text(replace(ducts, duct_sizes=np.array([0.11])), 0) == "3×4 φ110"
