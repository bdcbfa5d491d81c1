"""Models of SWMM: inverts, offsets and cross-sections by hand-computed cases, and real models."""

from pathlib import Path

import numpy as np
import pyproj
import pytest

from cim_core.errors import InvalidInput
from cim_core.layer import Layer
from cim_core.network import Network, NodeKind, Profile, Reference
from pipelines.model_importer import EpanetImporter, SwmmImporter
from tests.support.vectors import imported

HUANGPU = (113.46, 23.10, 0.0)

SMALL = """
[TITLE]
anything
[OPTIONS]
FLOW_UNITS LPS
LINK_OFFSETS DEPTH
END_TIME 24:00:00
[JUNCTIONS]
J1 10.0 3.0 0 0 0
J2 9.0 2.5
J3 8.0 0
[OUTFALLS]
O 7.0 FREE NO
[DIVIDERS]
D 8.5 C4 CUTOFF 1.0 2
[STORAGE]
S 6.0 5 0 FUNCTIONAL 1000 0 0 0 0
[CONDUITS]
C1 J1 J2 100 0.013 0.2 0.5 0 0
C2 J2 J3 80 0.013 0 0
C3 J3 O 60 0.015 0 0.1
C4 D S 50 0.013 0 1.5
C5 J3 S 55 0.03 0 0
[PUMPS]
P S J1 * ON
[ORIFICES]
OR S O SIDE 0.5 0.65 NO
[WEIRS]
W J2 D TRANSVERSE 1.2 1.84 NO
[OUTLETS]
OU J3 O 0.4 TABULAR/DEPTH rating
[XSECTIONS]
C1 CIRCULAR 0.6 0 0 0 1
C2 RECT_CLOSED 1.2 2.0 0 0 2
C3 TRAPEZOIDAL 1.5 1.0 2.0 3.0 1
C4 EGG 0.9 0 0 0 1
C5 IRREGULAR brook
OR CIRCULAR 0.3 0 0 0
W RECT_OPEN 0.5 2.0 0 0
[TRANSECTS]
NC 0.03 0.03 0.03
X1 brook 4 0 10 0 0 0 0 0 0
GR 12 0 10 4 10 6 12.5 10
[COORDINATES]
J1 0 0
J2 100 0
J3 180 0
O 240 0
D 100 50
S 150 50
[VERTICES]
C1 50 5
[SUBCATCHMENTS]
A1 G J1 4.0 50 100 0.5 0
A2 G A1 2.5 50 100 0.5 0
[DWF]
J2 FLOW 1.5 ""
"""


def read(path: Path, **more: object) -> Layer:
    return imported(SwmmImporter(), path, **{"anchor": HUANGPU, **more})


def small(tmp_path: Path, text: str = SMALL) -> Path:
    path = tmp_path / "small.inp"
    path.write_text(text, encoding="utf-8")
    return path


def links(layer: Layer) -> tuple[Network, dict[str, int]]:
    network = layer.content.network
    return network, {name: row for row, name in enumerate(network.segments.ids.tolist())}


@pytest.mark.parametrize(
    ("file", "nodes", "segments"), [("user1", 60, 59), ("user5", 200, 276), ("Example1", 14, 13)]
)
def test_a_real_model_comes_whole(file: str, nodes: int, segments: int, data: Path) -> None:
    path = data / f"drainage/{file}.inp"
    assert SwmmImporter().recognises(path)
    assert not EpanetImporter().recognises(path)
    layer = read(path)
    network, _ = links(layer)
    assert (len(network.nodes), len(network.segments)) == (nodes, segments)
    assert layer.dropped == ()
    assert len({f.id for f in layer.features}) == nodes + segments
    assert (network.segments.references == Reference.INVERT).all()
    stated = section(path, "CONDUITS")
    unit = 1.0 if file == "user1" else 0.3048
    conduits = network.segments.kinds.are("pipe", "channel")
    total = sum(float(words[3]) for words in stated)
    assert network.segments.lengths[conduits].sum() == pytest.approx(total * unit)
    inverts = {words[0]: float(words[1]) * unit for words in section(path, "JUNCTIONS")}
    for name, bottom in zip(network.nodes.ids.tolist(), network.nodes.bottom, strict=True):
        if name in inverts:
            assert bottom == pytest.approx(inverts[name])


def section(path: Path, name: str) -> list[list[str]]:
    text = path.read_text().split(f"[{name}]")[1].split("[")[0]
    lines = [line.split() for line in text.splitlines()]
    return [words for words in lines if words and not words[0].startswith(";")]


def test_nodes_lie_where_pyproj_puts_them(data: Path) -> None:
    """State plane feet of Pennsylvania, whose numbers these could be."""
    path = data / "drainage/user5.inp"
    network, _ = links(read(path, crs="EPSG:2272", anchor=None))
    stated = {words[0]: [float(word) for word in words[1:3]] for words in section(path, "COORDINATES")}  # fmt: skip
    xy = np.array([stated[name] for name in network.nodes.ids.tolist() if name in stated])
    known = [name in stated for name in network.nodes.ids.tolist()]
    there = pyproj.Transformer.from_crs(2272, 4326, always_xy=True).transform(*xy.T)
    np.testing.assert_allclose(network.nodes.places[known], np.column_stack(there), atol=1e-9)


def test_inverts_depths_and_kinds_of_nodes(tmp_path: Path) -> None:
    layer = read(small(tmp_path))
    nodes = layer.content.network.nodes
    by_name = {name: row for row, name in enumerate(nodes.ids.tolist())}
    assert nodes.bottom[by_name["J1"]] == 10.0
    assert nodes.ground[by_name["J1"]] == 13.0
    assert nodes.ground[by_name["S"]] == 11.0
    # No depth means none is known, not that the well is level with its invert.
    assert np.isnan(nodes.ground[by_name["J3"]])
    assert np.isnan(nodes.ground[by_name["O"]])
    kinds = {name: NodeKind(nodes.kinds[row]) for name, row in by_name.items()}
    assert kinds == {
        "J1": NodeKind.WELL, "J2": NodeKind.WELL, "J3": NodeKind.WELL, "O": NodeKind.OUTFALL,
        "D": NodeKind.WELL, "S": NodeKind.DEVICE,
    }  # fmt: skip
    assert nodes.features.text(by_name["D"]) == "divider"
    attributes = {f.id: f.attributes for f in layer.features}
    assert attributes["J1"]["drained_area"] == 6.5
    assert attributes["J2"]["dry_weather_flow"] == 1.5


@pytest.mark.parametrize("offsets", ["DEPTH", "ELEVATION"])
def test_offsets_lift_links_above_the_inverts_of_their_nodes(offsets: str, tmp_path: Path) -> None:
    text = SMALL
    if offsets == "ELEVATION":
        # The same network: 0.2 above 10.0, nothing said, below the invert, and crests.
        text = text.replace("LINK_OFFSETS DEPTH", "LINK_OFFSETS ELEVATION")
        for depths, levels in (
            ("0.013 0.2 0.5 0 0", "0.013 10.2 9.5 0 0"), ("C2 J2 J3 80 0.013 0 0", "C2 J2 J3 80 0.013 * 7.5"),
            ("0.015 0 0.1", "0.015 8 7.1"), ("0.013 0 1.5", "0.013 8.5 7.5"), ("0.03 0 0", "0.03 8 6"),
            ("SIDE 0.5", "SIDE 6.5"), ("OU J3 O 0.4", "OU J3 O 8.4"), ("TRANSVERSE 1.2", "TRANSVERSE 10.2"),
        ):  # fmt: skip
            assert depths in text
            text = text.replace(depths, levels)
    network, rows = links(read(small(tmp_path, text)))
    found = {name: network.segments.elevations[row].tolist() for name, row in rows.items()}
    assert found == {
        "C1": pytest.approx([10.2, 9.5]), "C2": pytest.approx([9.0, 8.0]),
        "C3": pytest.approx([8.0, 7.1]), "C4": pytest.approx([8.5, 7.5]),
        "C5": pytest.approx([8.0, 6.0]), "P": [6.0, 10.0], "OR": [6.5, 6.5],
        "W": pytest.approx([10.2, 10.2]), "OU": pytest.approx([8.4, 8.4]),
    }  # fmt: skip


def test_cross_sections_are_drawn_as_they_are_or_as_the_box_around_them(tmp_path: Path) -> None:
    layer = read(small(tmp_path))
    network, rows = links(layer)
    segments = network.segments
    sizes = {
        name: (Profile(segments.profiles[row]).name, segments.widths[row], segments.heights[row])
        for name, row in rows.items()
    }
    assert sizes["C1"] == ("CIRCLE", 0.6, 0.6)
    assert sizes["C2"] == ("BOX", 2.0, 1.2)
    # Base width 1.0, and slopes of 2 and 3 over a height of 1.5.
    assert sizes["C3"] == ("BOX", pytest.approx(8.5), 1.5)
    assert sizes["C4"] == ("BOX", pytest.approx(0.6), 0.9)
    assert sizes["OR"] == ("CIRCLE", 0.3, 0.3)
    assert sizes["W"] == ("BOX", 2.0, 0.5)
    assert np.isnan(sizes["C5"][1])
    assert np.isnan(sizes["P"][1])
    attributes = {f.id: f.attributes for f in layer.features}
    assert attributes["C2"]["barrels"] == 2
    assert (attributes["C5"]["top_width"], attributes["C5"]["full_depth"]) == (10, 2.5)
    kinds = {name: segments.kinds.text(row) for name, row in rows.items()}
    assert kinds == {
        "C1": "pipe", "C2": "pipe", "C3": "channel", "C4": "pipe", "C5": "channel", "P": "pump",
        "OR": "orifice", "W": "weir", "OU": "outlet",
    }  # fmt: skip
    said = " ".join(layer.warnings)
    assert "1 links have a cross-section EGG" in said
    assert "1 links have a cross-section TRAPEZOIDAL" in said
    assert "1 links are natural channels" in said
    assert "its 2 subcatchments are no part of the network" in said
    assert np.diff(segments.bend_starts).tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0]


def test_feet_become_metres_and_acres_hectares(tmp_path: Path) -> None:
    layer = read(small(tmp_path, SMALL.replace("FLOW_UNITS LPS", "FLOW_UNITS CFS")))
    network, rows = links(layer)
    row = rows["C1"]
    assert network.segments.lengths[row] == pytest.approx(30.48)
    assert network.segments.widths[row] == pytest.approx(0.6 * 0.3048)
    assert network.segments.elevations[row, 0] == pytest.approx(10.2 * 0.3048)
    attributes = {f.id: f.attributes for f in layer.features}
    assert attributes["J1"]["drained_area"] == pytest.approx(6.5 * 0.40468564224)
    assert attributes["J2"]["dry_weather_flow"] == pytest.approx(1.5 * 28.316846592)
    assert attributes["C5"]["top_width"] == pytest.approx(3.048)


@pytest.mark.parametrize(
    ("without", "pipe_class"),
    [((), "HS"), (("DWF",), "YS"), (("SUBCATCHMENTS",), "WS"), (("DWF", "SUBCATCHMENTS"), "PS")],
)
def test_what_flows_in_says_what_class_of_pipes_it_is(
    without: tuple[str, ...], pipe_class: str, tmp_path: Path
) -> None:
    text = SMALL
    for name in without:
        before, _, after = text.partition(f"[{name}]")
        text = before + "".join(after.partition("[")[1:])
    network, _ = links(read(small(tmp_path, text)))
    assert network.segments.classes.names == (pipe_class,)
    chosen, _ = links(read(small(tmp_path, text), pipe_class="WS"))
    assert chosen.segments.classes.names == ("WS",)


@pytest.mark.parametrize(
    ("good", "bad", "sentence"),
    [
        ("C2 J2 J3", "C2 J2 J9", r"small\.inp, section \[CONDUITS\]: there is no node 'J9'"),
        ("J2 9.0 2.5", "J2 low 2.5", r"section \[JUNCTIONS\] cannot be read as SWMM writes it"),
        ("J2 9.0 2.5", "J1 9.0 2.5", r"section \[JUNCTIONS\] has 'J1' twice"),
        ("FLOW_UNITS LPS", "FLOW_UNITS PINTS", "counts its flows in PINTS"),
    ],
)
def test_a_broken_model_is_refused_with_its_place(
    good: str, bad: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        read(small(tmp_path, SMALL.replace(good, bad)))


def test_a_model_without_a_place_is_asked_about(data: Path) -> None:
    with pytest.raises(InvalidInput, match=r"user1\.inp does not say where on earth .*--anchor"):
        read(data / "drainage/user1.inp", anchor=None)
