"""Cross-sections, against geometry worked out by hand and against shapely."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.network import Network, Profile, Reference
from pipelines.cross_section import CrossSection, cross_section
from tests.support.streets import CORNER, lon_lat, pipes


def cut(network: Network, *line: tuple[float, float]) -> CrossSection:
    pieces = network.pieces()
    return cross_section(network, pieces, pieces.flat(CORNER), np.array(line, float))


def named(network: Network, section: CrossSection) -> list[str]:
    return network.segments.ids[section.segments].tolist()


@pytest.fixture
def street() -> Network:
    """Three pipes eastwards at 3, 5 and 9 m, named against their order, falling 1 in 100."""
    return pipes(
        {"a": (0, 9), "b": (100, 9), "c": (0, 3), "d": (100, 3), "e": (0, 5), "f": (100, 5)},
        {"far": ("a", "b"), "near": ("c", "d"), "middle": ("f", "e")},
        ground=[10, 11, 10, 11, 10, 11], elevations=[[8, 7], [8, 7], [7, 8]],
        size=[0.4, 0.2, 0.3], reference=Reference.INVERT,
    )  # fmt: skip


def test_pipes_come_in_the_order_of_the_line_with_all_their_heights(street: Network) -> None:
    section = cut(street, (40, 0), (40, 12))
    assert named(street, section) == ["near", "middle", "far"]
    assert section.length == 12
    assert section.offsets == pytest.approx([3, 5, 9], abs=1e-6)
    assert section.angles == pytest.approx([90, 90, 90], abs=1e-4)
    assert section.inverts == pytest.approx([7.6] * 3, abs=1e-6)
    assert section.surveyed == pytest.approx(section.inverts)
    assert section.tops - section.inverts == pytest.approx([0.2, 0.3, 0.4])
    assert section.axes == pytest.approx(7.6 + np.array([0.1, 0.15, 0.2]), abs=1e-6)
    assert section.ground == pytest.approx([10.4] * 3, abs=1e-6)
    assert section.cover == pytest.approx(2.8 - np.array([0.2, 0.3, 0.4]), abs=1e-6)
    assert section.depths == pytest.approx([2.8] * 3, abs=1e-6)
    assert section.gaps[:2] == pytest.approx([2 - 0.25, 4 - 0.35], abs=1e-6)
    assert np.isnan(section.gaps[2])
    back = cut(street, (40, 12), (40, 0))
    assert named(street, back) == ["far", "middle", "near"]
    assert back.offsets == pytest.approx([3, 7, 9], abs=1e-6)


def test_a_pipe_cut_aslant_is_wider_and_stands_closer(street: Network) -> None:
    section = cut(street, (10, 0), (22, 12))
    assert section.angles == pytest.approx([45] * 3, abs=1e-4)
    assert section.sizes[:, 0] == pytest.approx(np.sqrt(2) * np.array([0.2, 0.3, 0.4]), rel=1e-6)
    assert section.sizes[:, 1] == pytest.approx([0.2, 0.3, 0.4])
    assert section.gaps[0] == pytest.approx(np.sqrt(2) * (2 - 0.25), rel=1e-5)


def test_the_width_as_cut_is_that_of_a_cylinder_and_a_plane() -> None:
    network = pipes({"a": (0, 0), "b": (30, 17)}, {"x": ("a", "b")}, elevations=[[5, 5]], size=0.6)
    section = cut(network, (15, 0), (16, 20))
    turn = np.linspace(0, 2 * np.pi, 20_001)
    along = np.array([30, 17]) / np.hypot(30, 17)
    across = np.array([-along[1], along[0]])
    line = np.array([1, 20]) / np.hypot(1, 20)
    # Each line of the cylinder's surface, until it meets the plane through the line.
    sides = 0.3 * np.cos(turn)[:, None] * across
    normal = np.array([-line[1], line[0]])
    met = sides - ((sides @ normal) / (along @ normal))[:, None] * along
    assert section.sizes[0, 0] == pytest.approx(np.ptp(met @ line), rel=1e-6)


def test_walls_count_and_sizes_that_are_not_known_do_not(street: Network) -> None:
    segments = replace(
        street.segments, walls=np.array([0.02, np.nan, np.nan]),
        widths=np.array([0.4, 0.2, np.nan]), heights=np.array([0.4, 0.2, np.nan]),
    )  # fmt: skip
    section = cut(Network(street.nodes, segments), (40, 0), (40, 12))
    assert section.sizes[2] == pytest.approx([0.44, 0.44])
    assert section.tops[2] - section.inverts[2] == pytest.approx(0.42)
    assert np.isnan(section.gaps).all()
    assert np.isnan(section.tops[1]) and np.isnan(section.cover[1])
    assert section.inverts[1] == pytest.approx(7.6, abs=1e-6)  # what was surveyed is known


def test_boxes_and_tops_have_their_own_heights() -> None:
    network = pipes(
        {"a": (0, 5), "b": (10, 5)}, {"x": ("a", "b")}, elevations=[[9, 9]], reference=Reference.TOP,
        profiles=np.array([Profile.BOX], np.int8),
    )  # fmt: skip
    segments = replace(
        network.segments, widths=np.array([2.0]), heights=np.array([1.5]), walls=np.array([0.25])
    )
    section = cut(Network(network.nodes, segments), (5, 0), (5, 10))
    assert (section.tops[0], section.inverts[0], section.bottoms[0]) == pytest.approx((9, 7.25, 7))
    assert section.sizes[0] == pytest.approx([2.5, 2.0], abs=1e-6)


def test_a_run_through_a_node_on_the_line_is_cut_once() -> None:
    network = pipes(
        {"a": (-7, 0), "b": (0, 0), "c": (7, 3), "d": (0, 5)},
        {"in": ("a", "b"), "out": ("b", "c"), "along": ("b", "d")},
    )
    pieces = network.pieces()
    plane = np.round(pieces.flat(CORNER), 6)  # the node lies on the line to the last bit
    section = cross_section(network, pieces, plane, np.array([[0.0, -5.0], [0.0, 9.0]]))
    assert len(section) == 1
    assert section.offsets == pytest.approx([5])


def test_a_bent_pipe_is_cut_wherever_the_line_meets_it_and_falls_along_its_bends() -> None:
    straight = pipes({"a": (0, 0), "b": (20, 0)}, {"x": ("a", "b")}, elevations=[[8, 6]])
    bent = replace(straight.segments, bends=lon_lat((10, 10)), bend_starts=np.array([0, 1]))
    section = cut(Network(straight.nodes, bent), (0, 5), (20, 5))
    assert section.offsets == pytest.approx([5, 15], abs=1e-5)
    assert section.segments.tolist() == [0, 0]
    assert section.axes == pytest.approx([7.5, 6.5], abs=1e-5)


def test_a_line_of_several_legs_counts_its_length_along_them(street: Network) -> None:
    section = cut(street, (40, 0), (40, 4), (60, 4), (60, 4), (60, 12))
    assert named(street, section) == ["near", "middle", "far"]
    assert section.offsets == pytest.approx([3, 4 + 20 + 1, 4 + 20 + 5], abs=1e-5)
    assert section.length == pytest.approx(32)


def test_a_line_beside_all_pipes_cuts_none(street: Network) -> None:
    section = cut(street, (40, 20), (40, 30))
    assert len(section) == 0
    assert section.sizes.shape == (0, 2)


place = st.tuples(*[st.floats(-100, 100, width=32)] * 2)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(place, place), min_size=1, max_size=25), place, place
)  # fmt: skip
def test_order_and_offsets_are_those_shapely_finds(
    ends: list[tuple], start: tuple[float, float], end: tuple[float, float]
) -> None:
    line = shapely.LineString([start, end])
    if line.length < 1:
        return
    points = {f"{n}{s}": p for n, pair in enumerate(ends) for s, p in zip("ab", pair, strict=True)}
    network = pipes(points, {f"{n}": (f"{n}a", f"{n}b") for n in range(len(ends))})
    section = cut(network, start, end)
    expected = {}
    for number, pair in enumerate(ends):
        pipe = shapely.LineString(pair)
        touches = min(line.distance(shapely.Point(p)) for p in pair) < 1e-3
        grazes = min(pipe.distance(shapely.Point(p)) for p in (start, end)) < 1e-3
        if touches or grazes:
            return  # whether it is cut hangs on the last digit
        met = line.intersection(pipe)
        if met.geom_type == "Point" and not met.is_empty:
            expected[number] = line.project(met)
    order = sorted(expected, key=expected.__getitem__)
    found = dict(zip(section.segments.tolist(), section.offsets.tolist(), strict=True))
    assert found.keys() == expected.keys()
    assert [found[n] for n in order] == pytest.approx([expected[n] for n in order], abs=1e-3)
    assert (np.diff(section.offsets) >= 0).all()
