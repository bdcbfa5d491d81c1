"""Layers of pipes: what becomes one node, what is healed, what is said of the rest."""

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from cim_core.errors import InvalidInput
from cim_core.layer import Layer
from cim_core.network import Network, NodeKind, Profile, Reference
from pipelines.edges import EdgeImporter
from pipelines.inp import read_water_model
from pipelines.inp_text import read_text
from server.importers import importer_for
from tests.support.vectors import CORNER, imported, moved, write_table, zipped

FOOT = 1200 / 3937
BROKEN = "ky4_disconnected_pipes.geojson"
HEALS = "12.5"
"""Metres: the ends of one node lie at most 2 × 12.3 m apart; see the first test."""


def read(path: Path, **more: object) -> Layer:
    return imported(EdgeImporter(), path, **more)


def net(layer: Layer) -> Network:
    return layer.content.network


def line(*points: tuple[float, ...]) -> shapely.Geometry:
    """A line in metres from the corner, with its heights if it has some."""
    return shapely.LineString([np.add(point, (*CORNER, 0.0)[: len(point)]) for point in points])


def pipes(path: Path, *shapes: shapely.Geometry, **columns: list) -> Path:
    columns = columns or {"size": [300] * len(shapes)}
    return write_table(path, list(shapes), columns)


def between(network: Network) -> Counter[frozenset[str]]:
    """How often two nodes are joined, by their names."""
    nodes, segments = network.nodes.ids, network.segments
    return Counter(
        frozenset((nodes[a], nodes[b])) for a, b in zip(segments.starts, segments.ends, strict=True)
    )


@pytest.fixture(scope="module")
def model(data: Path) -> dict[str, tuple[str, str]]:
    """The nodes at the ends of the pipes of ky4 as its model has them."""
    found = read_water_model(read_text(data / "water/ky4.inp", "ky4"))
    pairs = zip(found.nodes[found.starts], found.nodes[found.ends], strict=True)
    both = dict(zip(found.links.tolist(), pairs, strict=True))
    return {name: (str(a), str(b)) for name, (a, b) in both.items() if name.startswith("P-")}


def test_how_the_broken_layer_is_broken(data: Path) -> None:
    """Each pipe is turned and shrunk about its middle; its attributes are as they were."""
    sound, broken = (
        {f["properties"]["name"]: f for f in json.loads((data / "water" / name).read_text())["features"]}
        for name in ("ky4_pipes.geojson", BROKEN)
    )  # fmt: skip
    assert sound.keys() == broken.keys()
    away, turned = [], []
    for name, feature in broken.items():
        before, after = (np.array(f["geometry"]["coordinates"]) for f in (sound[name], feature))
        assert len(before) == len(after)
        away += [np.linalg.norm(before[at] - after[at]) * FOOT for at in (0, -1)]
        if len(before) == 2:
            one, other = (complex(*np.diff(c, axis=0)[0]) for c in (before, after))
            turned.append(np.angle(other / one, deg=True))
            np.testing.assert_allclose(before.mean(axis=0), after.mean(axis=0), atol=1e-6)
    assert 4.9 < np.abs(turned).max() <= 5
    assert np.max(away) == pytest.approx(12.30, abs=0.01)
    assert np.median(away) == pytest.approx(2.86, abs=0.01)


def test_the_sound_layer_is_the_network_of_the_model(
    data: Path, model: dict[str, tuple[str, str]]
) -> None:
    layer = read(data / "water/ky4_pipes.geojson")
    network = net(layer)
    assert (len(network.segments), len(network.nodes)) == (1156, 964)
    assert network.segments.lengths.sum() / 1000 == pytest.approx(260.241, abs=0.0005)
    assert topology(network) == {name: frozenset(ends) for name, ends in model.items()}
    assert "pipe-snapped" not in {f.rule for f in layer.findings}
    assert "pipe-end-unconnected" not in {f.rule for f in layer.findings}


def topology(network: Network) -> dict[str, frozenset[str]]:
    nodes, segments = network.nodes.ids, network.segments
    return {
        name: frozenset((nodes[a], nodes[b]))
        for name, a, b in zip(segments.ids, segments.starts, segments.ends, strict=True)
    }


def test_the_broken_layer_is_reported_as_it_is(data: Path) -> None:
    layer = read(data / "water" / BROKEN)
    rules = Counter(f.rule for f in layer.findings)
    assert rules["pipe-end-unconnected"] == 1296
    # Each end is in its place or is said not to be: there are as many as nodes too many.
    assert len(net(layer).nodes) - 964 == rules["pipe-end-unconnected"]
    apart = [f for f in layer.findings if f.rule == "pipe-end-unconnected"]
    assert max(f.value for f in apart) < 2 * 12.31
    assert min(f.value for f in apart) > 0.5
    assert all(f.place is not None and f.words["limit"] == "0.5" for f in apart)
    assert rules["isolated-network"] > 1000
    # What is joined though it moved is said, too.
    assert 0 < rules["pipe-snapped"] <= 2 * (964 - 699)


@pytest.mark.parametrize("with_points", [False, True])
def test_under_a_tolerance_the_broken_layer_heals_to_the_model(
    with_points: bool, data: Path, model: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    path = data / "water" / BROKEN
    if with_points:
        for name in (BROKEN, "ky4_junctions.geojson"):
            shutil.copy(data / "water" / name, tmp_path / name)
        path = tmp_path
    layer = read(path, snap=HEALS)
    network = net(layer)
    assert topology(network) == {name: frozenset(ends) for name, ends in model.items()}
    rules = Counter(f.rule for f in layer.findings)
    assert "pipe-end-unconnected" not in rules
    # The model's pumps are no pipes, so what lies before the works' pump hangs loose.
    assert rules["isolated-network"] == 1
    moved_by = [f.value for f in layer.findings if f.rule == "pipe-snapped"]
    assert max(moved_by) <= 12.5
    if with_points:
        exact = {
            f["properties"]["name"]: f["geometry"]["coordinates"]
            for f in json.loads((data / "water/ky4_junctions.geojson").read_text())["features"]
        }
        wkb = pyogrio.raw.read(data / "water/ky4_junctions.geojson")[2]
        assert len(wkb) == len(exact)
        sound = net(read(data / "water/ky4_pipes.geojson"))
        there = dict(zip(sound.nodes.ids.tolist(), sound.nodes.places, strict=True))
        for name, place in zip(network.nodes.ids.tolist(), network.nodes.places, strict=True):
            if name in exact:
                np.testing.assert_allclose(place, there[name], atol=1e-9)
        row = network.nodes.ids.tolist().index("J-1")
        assert network.nodes.demand[row] == pytest.approx(0.15709458903600003)
        start = network.segments.elevations[network.segments.ids.tolist().index("P-1"), 0]
        assert start == pytest.approx(186.35158056)


def test_without_names_the_broken_layer_heals_nearly_and_no_pipe_is_lost(
    data: Path, model: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    """The ends of neighbouring nodes lie among each other: distance alone cannot tell them apart."""
    document = json.loads((data / "water" / BROKEN).read_text())
    for feature in document["features"]:
        for column in ("start_node_name", "end_node_name"):
            del feature["properties"][column]
    path = tmp_path / "unnamed.geojson"
    path.write_text(json.dumps(document))
    network = net(read(path, snap="10"))
    assert len(network.segments) == 1156
    assert (network.segments.starts != network.segments.ends).all()
    true: dict[str, set[int]] = {}
    seen: dict[int, set[str]] = {}
    for name, a, b in zip(network.segments.ids, network.segments.starts, network.segments.ends, strict=True):  # fmt: skip
        for node, end in zip(model[name], (int(a), int(b)), strict=True):
            true.setdefault(node, set()).add(end)
            seen.setdefault(end, set()).add(node)
    assert len(network.nodes) == 961
    assert sum(len(parts) > 1 for parts in true.values()) == 13
    assert sum(len(nodes) > 1 for nodes in seen.values()) == 16


def test_plain_lines_stay_with_the_maps(data: Path, tmp_path: Path) -> None:
    assert importer_for("p.geojson", data / "water/ky4_pipes.geojson").kind == "pipe-lines"
    assert importer_for("j.geojson", data / "water/ky4_junctions.geojson").kind == "vector"
    roads = write_table(tmp_path / "roads.gpkg", [line((0, 0), (9, 0))], {"name": ["A"]})
    assert importer_for(roads.name, roads).kind == "vector"
    assert importer_for(roads.name, roads, "pipe-lines").kind == "pipe-lines"


def test_ends_within_the_tolerance_are_one_node_and_others_are_not(tmp_path: Path) -> None:
    path = pipes(
        tmp_path / "p.gpkg",
        line((0, 0), (100, 0)), line((100.3, 0), (200, 0)), line((100, 0.3), (100, 80)),
        line((201.2, 0), (300, 0)), line((1000, 0), (1100, 0)),
    )  # fmt: skip
    layer = read(path)
    network = net(layer)
    degree = np.bincount(np.concatenate([network.segments.starts, network.segments.ends]))
    assert sorted(degree.tolist()) == [1] * 7 + [3]
    found = {(f.rule, f.name): f for f in layer.findings}
    # 200 and 201.2 nearly meet; the other ends are dead ends.
    loose = [f for f in layer.findings if f.rule == "pipe-end-unconnected"]
    assert sorted(f.name for f in loose) == ["p.2", "p.4"]
    assert all(f.value == pytest.approx(1.2, abs=0.001) for f in loose)
    assert found["isolated-network", "p.5"].value == 1
    snapped = [f for f in layer.findings if f.rule == "pipe-snapped"]
    assert sorted(f.value for f in snapped) == pytest.approx([0.141, 0.224, 0.224], abs=0.002)
    wider = net(read(path, snap="1"))
    assert len(wider.nodes) == 7


def test_a_pipe_shorter_than_the_tolerance_keeps_both_ends(tmp_path: Path) -> None:
    path = pipes(
        tmp_path / "p.gpkg", line((0, 0), (50, 0)), line((50, 0), (50.2, 0)), line((50.2, 0), (90, 0)),
    )  # fmt: skip
    network = net(read(path))
    assert len(network.nodes) == 4
    assert (network.segments.starts != network.segments.ends).all()
    assert network.segments.lengths.tolist() == pytest.approx([50, 0.2, 39.8], rel=1e-3)


@pytest.mark.parametrize("split", [False, True])
def test_an_end_on_the_middle_of_a_pipe_cuts_it_if_so_asked(split: bool, tmp_path: Path) -> None:
    path = pipes(
        tmp_path / "p.gpkg",
        line((0, 0, 10), (60, 0, 10), (100, 0, 20)),  # the main
        line((30, 0.2, 10), (30, 50, 10)),  # two branches
        line((80, -40, 9), (80, -0.1, 9)),
        line((50, -10, 5), (50, 10, 5)),  # crosses below
        size=[300, 100, 100, 500], name=["main", "a", "b", "c"],
    )  # fmt: skip
    layer = read(path, **({"split": "yes"} if split else {}))
    network = net(layer)
    ids = network.segments.ids.tolist()
    if not split:
        assert sorted(ids) == ["a", "b", "c", "main"]
        return
    assert sorted(ids) == ["a", "b", "c", "main.1", "main.2", "main.3"]
    rows = {name: row for row, name in enumerate(ids)}
    segments = network.segments
    lengths = [segments.lengths[rows[f"main.{n}"]] for n in (1, 2, 3)]
    assert lengths == pytest.approx([30, 50, 20], rel=1e-2)
    assert segments.ends[rows["main.1"]] == segments.starts[rows["a"]]
    assert segments.ends[rows["main.2"]] == segments.starts[rows["main.3"]]
    assert segments.ends[rows["b"]] == segments.ends[rows["main.2"]]
    assert np.diff(segments.bend_starts)[[rows[f"main.{n}"] for n in (1, 2, 3)]].tolist() == [0, 1, 0]  # fmt: skip
    assert (segments.widths[[rows[f"main.{n}"] for n in (1, 2, 3)]] == 0.3).all()
    # Elevations run evenly from end to end, and so they do over the parts.
    assert segments.elevations[rows["main.2"]].tolist() == pytest.approx([13, 18], abs=0.02)
    assert not any(f.rule == "pipe-end-unconnected" for f in layer.findings)


def test_columns_say_size_material_year_and_class(tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "管线.gpkg",
        [line((0, 0), (50, 0)), line((50, 0), (90, 0)), line((90, 0), (120, 0))],
        {
            "管线编号": ["L1", "L2", "L3"], "起点号": ["a", "b", "c"], "终点号": ["b", "c", "d"],
            "管径": ["DN300", "400×600", "3×4φ110"], "管材": ["PE", "混凝土", None],
            "建设年代": ["2009-05", "1998", None], "权属单位": ["区供水公司", None, None],
            "类别": ["JP", "YS", "DL"], "状态": ["关闭", None, None],
        },
    )  # fmt: skip
    network = net(read(path))
    segments = network.segments
    assert segments.ids.tolist() == ["L1", "L2", "L3"]
    assert segments.profiles.tolist() == [Profile.CIRCLE, Profile.BOX, Profile.DUCTS]
    assert segments.widths[:2].tolist() == [0.3, 0.4]
    assert segments.heights[:2].tolist() == [0.3, 0.6]
    assert segments.ducts[2].tolist() == [3, 4]
    assert segments.materials.texts().tolist() == ["PE", "混凝土", ""]
    assert segments.years.tolist() == [2009, 1998, 0]
    assert segments.owners.text(0) == "区供水公司"
    assert segments.classes.texts().tolist() == ["JP", "YS", "DL"]
    assert segments.closed.tolist() == [True, False, False]
    assert network.nodes.ids.tolist() == ["a", "b", "c", "d"]


def test_words_and_flows_are_as_those_of_a_survey(tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "管线.gpkg", [line((9 * row, 0), (9 * row + 9, 0)) for row in range(5)],
        {
            "起点号": ["a", "b", "c", "d", "e"], "终点号": ["b", "c", "d", "e", "f"], "管径": [300] * 5,
            "材质": ["QM", "球墨", "竹", None, "PE"], "埋设方式": ["ZM", "GM", None, None, "直埋"],
            "使用状态": ["1", "在用", None, None, "关闭"], "类别": ["WS", "WS", "WS", "JP", "YS"],
            "流向": ["反向", None, None, None, "+"],
            "起点管底高程": [8.0, 7.0, 6.0, 7.0, 5.0], "终点管底高程": [7.0, 6.5, 6.5, 6.0, 6.0],
        },
    )  # fmt: skip
    segments = net(read(path)).segments
    assert segments.materials.texts().tolist() == ["球墨铸铁", "球墨铸铁", "竹", "", "PE"]
    assert segments.burials.texts().tolist() == ["直埋", "管埋", "", "", "直埋"]
    assert segments.statuses.texts().tolist() == ["废弃", "在用", "", "", "关闭"]
    assert segments.closed.tolist() == [True, False, False, False, True]
    # As its column says, else down in drains; water flows either way.
    assert segments.flows.tolist() == [-1, 1, -1, 0, 1]


@pytest.mark.parametrize(
    ("values", "option", "metres"),
    [
        ([100.0, 300.0], None, 0.1), ([0.1, 0.3], None, 0.1), ([6.0, 12.0], "in", 0.1524),
        ([110.0, 12.0], "mm", 0.11),
    ],
)  # fmt: skip
def test_diameters_are_understood_or_asked_about(
    values: list[float], option: str | None, metres: float, tmp_path: Path
) -> None:
    path = pipes(tmp_path / "p.gpkg", line((0, 0), (9, 0)), line((9, 0), (20, 0)), diameter=values)
    more = {"diameter_unit": option} if option else {}
    assert net(read(path, **more)).segments.widths[0] == pytest.approx(metres)


def test_what_cannot_be_told_is_asked_about(tmp_path: Path) -> None:
    path = pipes(tmp_path / "p.gpkg", line((0, 0), (9, 0)), line((9, 0), (20, 0)), diameter=[6.0, 12.0])  # fmt: skip
    for options, sentence in (
        ({}, r"diameters such as 9 may be in inches .* diameter_unit=mm, m or in"),
        ({"diameter_unit": "cm"}, "diameter_unit=cm is not known; give one of mm, m, in"),
        ({"snap": "near"}, "snap=near is no distance"),
        ({"snap": "-1"}, "snap=-1 is no distance"),
        ({"snap": "101"}, "snap=101 is too far; give at most 100 metres"),
        ({"from": "start"}, r"p\.gpkg has no column 'start', which the option from names"),
        ({"diameter_unit": "in", "pipe_class": "XY"}, "pipe_class=XY is no class of pipes"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            read(path, **options)


def test_points_are_nodes_and_say_what_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "layers"
    folder.mkdir()
    write_table(folder / "lines.gpkg", [line((0, 0), (50, 0)), line((50, 0), (90, 0))],
        {"a": ["1", "2"], "b": ["2", "3"], "起点埋深": [1.5, 1.6], "终点埋深": [1.6, 1.7],
         "管径": [300, 300], "class": ["JP", "JP"]})  # fmt: skip
    write_table(
        folder / "points.gpkg", [moved(shapely.Point(xy)) for xy in ((0.2, 0), (50, 0.1), (90, 0))],
        {"点号": ["1", "2", "3"], "地面高程": [20.0, 21.0, 22.0], "附属物": ["阀门", None, "消防栓"]},
    )  # fmt: skip
    write_table(folder / "areas.gpkg", [moved(shapely.box(0, 0, 9, 9))], {"id": [1]})
    (tmp_path / "scratch").mkdir()
    for path in (folder, zipped(folder, tmp_path / "layers.zip")):
        layer = read(path, scratch=tmp_path / "scratch", **{"from": "a", "to": "b"})
        network = net(layer)
        named = {name: row for row, name in enumerate(network.nodes.ids.tolist())}
        assert sorted(named) == ["1", "2", "3"]
        assert [NodeKind(network.nodes.kinds[named[n]]) for n in "123"] == [
            NodeKind.VALVE, NodeKind.JOINT, NodeKind.HYDRANT,
        ]  # fmt: skip
        # Depths count from the ground to the top, as water is surveyed.
        assert network.segments.elevations.tolist() == pytest.approx(np.array([[18.5, 19.4], [19.4, 20.3]]))  # fmt: skip
        assert set(network.segments.references.tolist()) == {Reference.TOP}
        assert [item.reason for item in layer.dropped] == ["it is neither a line nor a point"]


def test_lines_without_length_and_of_many_parts_are_accounted_for(tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "p.gpkg",
        [
            moved(shapely.MultiLineString([[(0, 0), (9, 0)], [(20, 0), (30, 0)]])),
            moved(shapely.MultiLineString([[(40, 0), (40, 0)]])),
            moved(shapely.MultiLineString([[(9, 0), (20, 0)]])),
        ],
        {"name": ["A", "B", "C"]},
    )  # fmt: skip
    layer = read(path)
    assert net(layer).segments.ids.tolist() == ["A", "A~2", "C"]
    assert [(item.id, item.reason) for item in layer.dropped] == [("B", "it is a line without a length")]  # fmt: skip
    empty = write_table(tmp_path / "e.gpkg", [moved(shapely.Point(0, 0))], {"name": ["A"]})
    with pytest.raises(InvalidInput, match=r"e\.gpkg holds no line"):
        read(empty)


def test_lengths_that_are_in_feet_are_not_taken(tmp_path: Path) -> None:
    path = pipes(tmp_path / "p.gpkg", line((0, 0), (50, 0)), line((50, 0), (90, 0)), length=[164.0, 131.2])  # fmt: skip
    layer = read(path)
    assert net(layer).segments.lengths.tolist() == pytest.approx([50, 40], rel=1e-3)
    assert any("says 3.28 times what is drawn" in warning for warning in layer.warnings)
