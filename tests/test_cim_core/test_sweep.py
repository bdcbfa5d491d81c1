"""Pipes become bodies: closed, of the right volume, and as high as they were surveyed."""

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.network import Labels, NodeKind, Profile, Reference
from cim_core.sweep import BOX, DUCTS, ROUND, Tubes, sides_of, sweep
from cim_core.sweep_models import BLOCK, FRAME, HUB, REDUCER, model
from cim_core.sweep_network import drawing, drawn_segments
from cim_core.sweep_nodes import DrawnNodes, drawn_nodes
from cim_core.sweep_scene import drawing_notes, swept_features
from tests.support.pipes import GEOID, HERE, network_layer_of, network_of

CIRCLE, PIPE, BLOCK_OF_DUCTS = "circle", "pipe", "ducts"


def tube(
    points: np.ndarray, kind: int, outer: tuple[float, float],
    inner: tuple[float, float] = (0.0, 0.0), ducts: tuple[int, int] = (0, 0), bore: float = 0.0,
) -> Tubes:  # fmt: skip
    return Tubes(
        np.array([7]), np.array([0, len(points)]), points, np.array([kind], np.int8),
        np.array([outer], float), np.array([inner], float), np.array([ducts], np.int16),
        np.array([bore], float),
    )  # fmt: skip


def solid(tubes: Tubes, *, sharp: bool = True) -> trimesh.Trimesh:
    """What is swept, its vertices joined where they are at one place."""
    swept = sweep(tubes, sharp=sharp)
    assert (swept.owners == 7).all()
    body = trimesh.Trimesh(swept.positions, swept.triangles, process=False)
    body.merge_vertices(digits_vertex=8, merge_norm=True, merge_tex=True)
    return body


@st.composite
def lines(draw: st.DrawFn) -> np.ndarray:
    """A line that falls evenly and bends by less than a right angle, its pieces 8 to 40 m long."""
    headings = np.cumsum([draw(st.floats(-1.5, 1.5)) for _ in range(draw(st.integers(1, 4)))])
    lengths = np.array([draw(st.floats(8.0, 40.0)) for _ in headings])
    slope = draw(st.floats(-0.5, 0.5))
    way = np.column_stack([np.cos(headings), np.sin(headings), np.full(len(headings), slope)])
    return np.vstack([np.zeros(3), np.cumsum(way * lengths[:, None], axis=0)])


@st.composite
def profiles(draw: st.DrawFn) -> tuple[dict, float]:
    """What `tube` takes, and the area of the section."""
    kind = draw(st.sampled_from(["circle", "pipe", "box", "conduit", "ducts"]))
    wide, high = draw(st.floats(0.05, 3.0)), draw(st.floats(0.05, 3.0))
    wall = draw(st.floats(0.01, 0.2))
    across = wide + 2 * wall
    match kind:
        case "circle":
            return {"kind": ROUND, "outer": (wide, wide)}, np.pi / 4 * wide**2
        case "pipe":
            area = np.pi / 4 * (across**2 - wide**2)
            return {"kind": ROUND, "outer": (across, across), "inner": (wide, wide)}, area
        case "box":
            return {"kind": BOX, "outer": (wide, high)}, wide * high
        case "conduit":
            outer = (across, high + 2 * wall)
            return {"kind": BOX, "outer": outer, "inner": (wide, high)}, outer[0] * outer[1] - wide * high  # fmt: skip
        case _:
            columns, rows = draw(st.integers(1, 5)), draw(st.integers(1, 4))
            bore = 0.8 * min(wide / columns, high / rows)
            area = wide * high - columns * rows * np.pi / 4 * bore**2
            return {"kind": DUCTS, "outer": (wide, high), "ducts": (columns, rows), "bore": bore}, area  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(lines(), profiles(), st.booleans())
def test_a_swept_tube_is_closed_and_encloses_its_section_times_its_length(
    line: np.ndarray, profile: tuple[dict, float], sharp: bool
) -> None:
    tubes, area = tube(line, **profile[0]), profile[1]
    body = solid(tubes, sharp=sharp)
    assert body.is_watertight and body.is_winding_consistent
    length = np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
    assert body.volume == pytest.approx(area * length, rel=0.01)


@settings(max_examples=20, deadline=None)
@given(st.floats(-1.57, 1.57), st.floats(0, 6.28), st.floats(0.05, 2.0))
def test_however_steep_a_straight_pipe_is_its_volume_is_right(
    slope: float, heading: float, size: float
) -> None:
    way = [np.cos(slope) * np.cos(heading), np.cos(slope) * np.sin(heading), np.sin(slope)]
    body = solid(tube(np.array([[0, 0, 0], way]) * 20, ROUND, (size, size)))
    assert body.is_watertight
    assert body.volume == pytest.approx(np.pi / 4 * size**2 * 20, rel=0.01)


def test_a_vertical_pipe_is_closed_too() -> None:
    body = solid(tube(np.array([[0, 0, 0], [0, 0, 3.0]]), ROUND, (0.4, 0.4)))
    assert body.is_watertight and body.volume == pytest.approx(np.pi * 0.04 * 3, rel=0.01)
    assert np.allclose(body.bounds[:, 2], [0, 3])


def test_a_block_of_ducts_has_as_many_holes_as_ducts() -> None:
    body = solid(tube(np.array([[0, 0, 0], [9, 0, 0], [12, 5, 0.0]]), DUCTS, (0.8, 0.5), ducts=(4, 3), bore=0.11))  # fmt: skip
    # A body with g holes through it has the Euler number 2 − 2g.
    assert body.euler_number == 2 - 2 * 12
    ends = body.vertices[np.abs(body.vertices[:, 0]) < 1e-9]
    assert len(ends) == (5 * 4) + 12 * 8


def test_sides_follow_the_size_within_eight_and_twenty_four() -> None:
    sides = sides_of(np.array([0.01, 0.1, 0.3, 0.6, 1.5, 9.0]))
    assert (np.diff(sides) >= 0).all() and sides[0] == 8 and sides[-1] == 24
    assert (sides % 4 == 0).all()


PLACES = np.array([[0.0, 0], [30, 0], [55, 12]])
LINE = [[0, 1], [1, 2]]


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0.1, 2.0), st.sampled_from([np.nan, 0.05]), st.floats(-0.6, 0.6),
    st.sampled_from([Profile.CIRCLE, Profile.BOX]),
    st.sampled_from([Reference.INVERT, Reference.TOP, Reference.AXIS]),
)  # fmt: skip
def test_both_ends_are_where_the_survey_has_them(
    size: float, wall: float, slope: float, profile: Profile, reference: Reference
) -> None:
    surveyed = np.array([[10.0, 10.0 + 30 * slope]])
    network = network_of(
        PLACES[:2], LINE[:1], surveyed, widths=np.array([size]), heights=np.array([size]),
        walls=np.array([wall]), profiles=np.array([profile], np.int8),
        references=np.array([reference], np.int8),
    )  # fmt: skip
    drawn = drawn_segments(network, HERE, GEOID)
    swept = sweep(drawn.tubes)
    heights = HERE.to_geographic(swept.positions)[:, 2] - GEOID
    inward = inward_of(swept.positions, drawn.tubes)
    for end, elevation in enumerate(surveyed[0]):
        here = np.abs(swept.positions[:, 0] - 30 * end) < 1.0
        within = heights[here & (inward if wall > 0 else True)]
        low, high = within.min(), heights[here].max()
        found = {Reference.INVERT: low, Reference.TOP: high, Reference.AXIS: (heights[here].min() + high) / 2}  # fmt: skip
        assert found[reference] == pytest.approx(elevation, abs=2e-4)


def inward_of(positions: np.ndarray, tubes: Tubes) -> np.ndarray:
    """Which vertices of one straight hollow pipe are on its inside."""
    along = tubes.points[1] - tubes.points[0]
    along[2] = 0
    away = positions - tubes.points[0]
    across = np.abs(away @ np.array([-along[1], along[0], 0]) / np.linalg.norm(along))
    share = (away @ along) / (along @ along)
    axis = tubes.points[0, 2] + share * (tubes.points[1, 2] - tubes.points[0, 2])
    lean = np.hypot(1, (tubes.points[1, 2] - tubes.points[0, 2]) / np.linalg.norm(along))
    inside = tubes.inner[0] / 2
    return (across <= inside[0] + 1e-3) & (np.abs(positions[:, 2] - axis) <= inside[1] * lean + 1e-3)  # fmt: skip


def test_an_elevation_that_is_not_known_is_assumed_below_the_ground_and_said() -> None:
    unknown = np.full((2, 2), np.nan)
    network = network_of(
        PLACES, LINE, unknown, ground=np.array([20.0, 21.0, np.nan]), widths=np.full(2, 0.3),
        heights=np.full(2, 0.3), references=np.full(2, Reference.INVERT, np.int8),
    )  # fmt: skip
    drawn = drawn_segments(network, HERE, 0.0)
    assert drawn.height_assumed.tolist() == [True, True]
    tops = HERE.to_geographic(drawn.tubes.points)[:, 2] + 0.15
    cover = drawing()["assumed"]["cover"]
    # The last node has no ground: its segment lies level with the other end.
    assert tops == pytest.approx([20 - cover, 21 - cover, 21 - cover, 21 - cover], abs=2e-3)
    [note] = drawing_notes(network)
    assert note.startswith("2 segments have no elevation")


def test_a_segment_that_cannot_be_placed_is_left_out_and_said() -> None:
    network = network_of(PLACES, LINE, [[np.nan, np.nan], [3.0, 4.0]])
    drawn = drawn_segments(network, HERE, 0.0)
    assert drawn.tubes.owners.tolist() == [1]
    assert drawn.size_assumed.tolist() == [True, True]
    [note] = drawing_notes(network)
    assert note.startswith("1 segments are not drawn in 3D: neither")


def test_a_segment_without_length_is_left_out_and_said() -> None:
    network = network_of(np.array([[0.0, 0], [0, 0], [9, 0]]), LINE, [[1.0, 1], [1, 2]])
    assert drawn_segments(network, HERE, 0.0).tubes.owners.tolist() == [1]
    assert drawing_notes(network)[0].startswith("1 segments are not drawn in 3D: both")


def fittings(network) -> tuple[DrawnNodes, dict[int, list[str]]]:
    nodes = drawn_nodes(network, drawn_segments(network, HERE, 0.0), HERE, 0.0)
    names: dict[int, list[str]] = {}
    for owner, name in zip(nodes.parts.owners.tolist(), nodes.parts.names.tolist(), strict=True):
        names.setdefault(owner, []).append(name)
    return nodes, {owner: sorted(found) for owner, found in names.items()}


def test_fittings_follow_from_what_meets_at_a_node() -> None:
    around = np.array([[0.0, 0], [20, 0], [40, 0], [60, 0], [60, 20], [60, 40], [80, 40], [60, 60], [40, 40]])  # fmt: skip
    ends = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6], [5, 7], [5, 8]]
    sizes = np.array([0.3, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.1])
    network = network_of(around, ends, np.zeros((8, 2)), widths=sizes, heights=sizes)
    _, names = fittings(network)
    assert names[0] == ["ring"]  # an end
    assert names[1] == ["ring"]  # straight on
    assert names[2] == [REDUCER]
    assert names[3] == [HUB]  # a bend
    assert names[5] == [HUB, *["socket"] * 4]  # a cross
    assert set(names) == set(range(9)), "every node can be seen"
    boxes = network_of(PLACES, LINE, np.zeros((2, 2)), widths=np.full(2, 1.0), heights=np.full(2, 0.5), profiles=np.full(2, Profile.BOX, np.int8))  # fmt: skip
    nodes, names = fittings(boxes)
    assert names == {0: [FRAME], 1: [BLOCK], 2: [FRAME]}
    assert nodes.parts.ratios.tolist() == [0.5] * 3


def test_wells_reach_from_their_floor_to_the_ground_and_have_a_cover() -> None:
    network = network_of(
        PLACES, LINE, [[17.0, 16.9], [16.9, 16.8]], widths=np.full(2, 0.6), heights=np.full(2, 0.6),
        references=np.full(2, Reference.INVERT, np.int8), ground=np.array([20.0, 20.5, np.nan]),
        bottom=np.array([16.5, np.nan, np.nan]), kinds=np.full(3, NodeKind.WELL, np.int8),
    )  # fmt: skip
    nodes, names = fittings(network)
    assert names == {0: ["lid"], 1: ["lid"], 2: ["lid"]}
    heights = HERE.to_geographic(nodes.tubes.points)[:, 2].reshape(-1, 2)
    assert heights[0] == pytest.approx([16.5, 20.0], abs=1e-3)
    assert heights[1] == pytest.approx([16.9, 20.5], abs=1e-3)  # down to the lowest pipe
    assert nodes.assumed.tolist() == [False, True, True]
    lids = HERE.to_geographic(nodes.parts.places)[:, 2]
    assert lids[:2] == pytest.approx([20.0, 20.5], abs=1e-3)


@pytest.mark.parametrize("name", [HUB, REDUCER, BLOCK, FRAME, *drawing()["models"]])
def test_models_are_closed_and_their_normals_face_outward(name: str) -> None:
    made = model(name, 0.2, 0.5)
    body = trimesh.Trimesh(made.positions, made.triangles, process=False)
    facing = body.face_normals.copy()
    corners = made.normals[made.triangles]
    assert (np.einsum("ij,ikj->ik", facing, corners) > 0.3).all()
    body.merge_vertices(digits_vertex=8, merge_norm=True, merge_tex=True)
    assert body.is_watertight and body.is_winding_consistent and body.volume > 0


def test_chosen_features_become_meshes_that_do_not_depend_on_the_others() -> None:
    network = network_of(
        PLACES, LINE, [[1.0, 2], [2, 3]], widths=np.full(2, 0.3), heights=np.full(2, 0.3),
        classes=Labels.of(["JP", "JP"]),
    )  # fmt: skip
    layer = network_layer_of(network)
    whole = swept_features(layer.content, layer.frame, layer.class_styles)
    assert {feature.id for feature in whole.features} == {"s0", "s1", "n0", "n1", "n2"}
    one = type(layer.content)(layer.features[1:2], network, GEOID)
    [alone] = swept_features(one, layer.frame, layer.class_styles).features
    assert alone.id == "s1"
    same = next(feature for feature in whole.features if feature.id == "s1")
    assert [i.mesh_key for i in alone.instances] == [i.mesh_key for i in same.instances]
    [mesh] = [whole.meshes[i.mesh_key] for i in same.instances]
    assert mesh.material.srgb() == (0, 255, 255)  # 给水 of CJJ 61
    body = trimesh.Trimesh(mesh.positions, mesh.triangles, process=False)
    assert body.is_watertight
    length = np.hypot(np.hypot(25, 12), 1)
    assert body.volume == pytest.approx(np.pi * 0.15**2 * length, rel=0.01)
