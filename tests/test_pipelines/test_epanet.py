"""Models of EPANET: all of the model, where it lies, with or without EPANET's own library."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pyproj
import pytest

from cim_core.errors import InvalidInput
from cim_core.layer import Layer
from cim_core.network import Network, NodeKind, Reference
from cim_core.progress import Progress
from pipelines import epanet, inp, model_importer
from pipelines.inp_text import InpText, program_of, read_text
from pipelines.model_importer import EpanetImporter
from pipelines.water_model import WaterModel, water_network
from server.zh import in_chinese
from tests.support.vectors import imported, zipped

KY4, KY10 = "EPSG:3547", "EPSG:3089"
HUANGPU = (113.46, 23.10, 0.0)

SMALL = """
[JUNCTIONS]
A 10 5
B 12 2 ;tap
C 11 1 night
[RESERVOIRS]
R 40
[TANKS]
T 20 3 1 8 12 0
[PIPES]
P1 R A 100 300 130 0 Open
P2 A B 200 200 120 0.5 CV
P3 B C 150 150 110 0 Closed
P4 B C 160 100 110
P5 C T 50 200 100 0 Closed
[PUMPS]
U A C POWER 5
[VALVES]
V1 A B 150 PRV 40 0.2
V2 B T 900 TCV 3 0
[DEMANDS]
B 1.5
B 0.5 night
[STATUS]
U Closed
[PATTERNS]
1 1 1 1
night 0.5 1.5 4
[CONTROLS]
LINK P5 OPEN IF NODE T BELOW 2
[COORDINATES]
A 0 0
B 100 0
C 100 100
R -50 0
T 150 100
[VERTICES]
P1 -25 10
P1 -10 10
[OPTIONS]
Units LPS
Demand Multiplier 2
[TAGS]
LINK P1 main
[END]
"""


def read(path: Path, **more: object) -> Layer:
    return imported(EpanetImporter(), path, **more)


def network(layer: Layer) -> Network:
    return layer.content.network


def small(tmp_path: Path, text: str = SMALL, name: str = "small.inp") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def rows(found: Network) -> dict[str, int]:
    return {name: row for row, name in enumerate(found.segments.ids.tolist())}


@pytest.mark.parametrize(
    ("file", "junctions", "pipes", "pumps", "valves", "kilometres"),
    [
        ("Net3", 92, 117, 2, 0, 65.749),
        ("ky4", 959, 1156, 2, 0, 260.241),
        ("ky10", 920, 1043, 13, 5, None),
        ("Net6", 3323, 3829, 61, 2, None),
    ],
)
def test_a_model_comes_whole(
    file: str, junctions: int, pipes: int, pumps: int, valves: int, kilometres: float | None,
    data: Path,
) -> None:  # fmt: skip
    place = {"ky4": {"crs": KY4}, "ky10": {"crs": KY10}}.get(file, {"anchor": HUANGPU})
    layer = read(data / "water" / f"{file}.inp", **place)
    found = network(layer)
    kinds = found.segments.kinds
    assert found.nodes.features.are("junction").sum() == junctions
    assert [kinds.are(kind).sum() for kind in ("pipe", "pump", "valve")] == [pipes, pumps, valves]
    assert len(layer.features) == len(found.nodes) + len(found.segments)
    assert len({f.id for f in layer.features}) == len(layer.features)
    if kilometres is not None:
        total = found.segments.lengths[kinds.are("pipe")].sum() / 1000
        assert total == pytest.approx(kilometres, abs=0.0005)
    assert layer.kind == "network"
    assert layer.dropped == ()


@pytest.mark.skipif(not epanet.INSTALLED, reason="EPANET has no library for this machine")
@pytest.mark.parametrize("file", ["Net3", "Net6", "ky4", "ky10", None])
def test_our_own_reading_is_that_of_epanet(file: str | None, data: Path) -> None:
    text = read_text(data / f"water/{file}.inp", file) if file else InpText(SMALL, "small")
    theirs, ours = epanet.read_water_model(text, Progress()), inp.read_water_model(text)
    for field in fields(WaterModel):
        one, other = getattr(theirs, field.name), getattr(ours, field.name)
        if isinstance(one, np.ndarray) and one.dtype.kind == "f":
            # EPANET keeps feet, whatever a file has: what it gives back is rounded twice.
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9, err_msg=field.name)
        else:
            assert np.array_equal(one, other), field.name


def test_other_options_of_demand_leave_its_multiplier() -> None:
    more = "Demand Multiplier 2\nDEMAND MODEL DDA"
    one, other = (
        inp.read_water_model(InpText(text, "small"))
        for text in (SMALL, SMALL.replace("Demand Multiplier 2", more))
    )
    assert one.demands.any()
    assert one.demands.tolist() == other.demands.tolist()
    with pytest.raises(InvalidInput, match=r"section \[OPTIONS\]: 'two' is no number"):
        inp.read_water_model(InpText(SMALL.replace("Multiplier 2", "Multiplier two"), "small"))


def test_without_epanets_library_the_layer_is_the_same(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_it = read(data / "water" / "Net3.inp", anchor=HUANGPU)
    monkeypatch.setattr(model_importer.epanet, "INSTALLED", False)
    without = read(data / "water" / "Net3.inp", anchor=HUANGPU)
    assert [f.id for f in with_it.features] == [f.id for f in without.features]
    for one, other in zip(with_it.features, without.features, strict=True):
        assert one.attributes == pytest.approx(other.attributes)


@pytest.mark.parametrize(("file", "crs", "epsg"), [("ky4", KY4, 3547), ("ky10", KY10, 3089)])
def test_nodes_lie_where_pyproj_puts_them(file: str, crs: str, epsg: int, data: Path) -> None:
    path = data / "water" / f"{file}.inp"
    found = network(read(path, crs=crs))
    ids, xy = [], []
    within = False
    for line in path.read_text().splitlines():
        words = line.split(";")[0].split()
        if line.startswith("["):
            within = line.startswith("[COORDINATES]")
        elif within and words:
            ids.append(words[0])
            xy.append([float(word) for word in words[1:]])
    there = pyproj.Transformer.from_crs(epsg, 4326, always_xy=True).transform(*np.array(xy).T)
    expected = dict(zip(ids, np.column_stack(there), strict=True))
    for name, place in zip(found.nodes.ids.tolist(), found.nodes.places, strict=True):
        np.testing.assert_allclose(place, expected[name], atol=1e-9)


def test_feet_inches_and_gallons_become_metres_and_litres(data: Path) -> None:
    layer = read(data / "water" / "ky4.inp", crs=KY4)
    first = next(f for f in layer.features if f.id == "P-1")
    assert first.attributes["length"] == pytest.approx(1760.131 * 0.3048, abs=5e-4)
    assert first.attributes["diameter"] == pytest.approx(6 * 25.4)
    assert first.attributes["elevation_start"] == pytest.approx(611.3897 * 0.3048, abs=5e-4)
    found = network(layer)
    row = found.nodes.ids.tolist().index("J-1")
    # wntr wrote the base demand of this junction, in cubic metres per second, into the layer beside.
    base, pattern = 0.00015709458903600003 * 1000, mean_of_pattern(data / "water/ky4.inp", "1")
    assert found.nodes.demand[row] == pytest.approx(base * pattern, rel=1e-6)


def mean_of_pattern(path: Path, name: str) -> float:
    section = path.read_text().split("[PATTERNS]")[1].split("[")[0]
    words = [line.split() for line in section.splitlines() if not line.strip().startswith(";")]
    return float(np.mean([float(word) for line in words if line and line[0] == name for word in line[1:]]))  # fmt: skip


def test_what_a_model_says_is_in_the_network(tmp_path: Path) -> None:
    layer = read(small(tmp_path), anchor=HUANGPU)
    found = network(layer)
    at, segments, nodes = rows(found), found.segments, found.nodes
    named = dict(zip(nodes.ids.tolist(), range(len(nodes)), strict=True))
    assert segments.widths[at["P1"]] == pytest.approx(0.3)
    assert segments.lengths[at["P2"]] == 200
    # Check valve, pump and the valve that holds a pressure are passed one way.
    one_way = {name for name, row in at.items() if segments.flows[row] == 1}
    assert one_way == {"P2", "U", "V1"}
    # Closed for good is only what nothing opens; the pump is switched by hand, P5 by a control.
    assert {name for name, row in at.items() if segments.closed[row]} == {"P3", "U"}
    assert {n for n, row in at.items() if segments.statuses.text(row) == "closed"} == {"P3", "P5", "U"}  # fmt: skip
    assert [nodes.kinds[named[n]] for n in ("A", "R", "T")] == [
        NodeKind.JOINT, NodeKind.SOURCE, NodeKind.SOURCE,
    ]  # fmt: skip
    # 5; 1.5 and 0.5 by night's mean of 2 in place of 2; 1 by 2; all of it by the multiplier of 2.
    assert nodes.demand[[named[n] for n in "ABC"]].tolist() == pytest.approx([10, 5, 4])
    # The head of a reservoir is no place of a pipe: it is as high as the pipe's other end.
    assert segments.elevations[at["P1"]].tolist() == [10, 10]
    assert segments.elevations[at["P5"]].tolist() == [11, 20]
    assert set(segments.references.tolist()) == {Reference.AXIS}
    # A valve far wider than its pipes is drawn as wide as the widest beside it.
    assert segments.widths[[at["V1"], at["V2"]]].tolist() == pytest.approx([0.15, 0.2])
    assert any("1 valves are wider" in warning for warning in layer.warnings)
    attributes = {f.id: f.attributes for f in layer.features}
    assert attributes["P1"]["tag"] == "main"
    assert attributes["V1"]["valve_type"] == "PRV"
    assert attributes["T"]["tank_diameter"] == 12
    assert np.diff(segments.bend_starts)[at["P1"]] == 2
    assert segments.classes.names == ("JP",)


def test_elevations_can_be_those_of_the_ground_and_pipes_so_deep_below(tmp_path: Path) -> None:
    found = network(read(small(tmp_path), anchor=HUANGPU, depth="1.2", pipe_class="SS"))
    row = rows(found)["P2"]
    assert found.segments.elevations[row].tolist() == pytest.approx([8.8, 10.8])
    assert found.segments.references[row] == Reference.TOP
    assert found.nodes.ground[found.segments.starts[row]] == 10
    assert found.segments.classes.names == ("SS",)


def test_names_that_a_node_and_a_link_share_are_told_apart(data: Path) -> None:
    layer = read(data / "water" / "Net3.inp", anchor=HUANGPU)
    attributes = {f.id: f for f in layer.features}
    assert attributes["101"].attributes["length"] > 0
    assert attributes["node-101"].attributes["model_id"] == "101"
    assert "node-Lake" not in attributes


def test_a_drawing_is_made_as_large_as_its_pipes_are_long(data: Path, tmp_path: Path) -> None:
    layer = read(data / "water" / "Net3.inp", anchor=HUANGPU)
    assert any("one unit of it was taken for 224.6 m" in warning for warning in layer.warnings)
    # Where lengths are those of the drawing there is nothing to scale and nothing to say.
    text = "[JUNCTIONS]\nA 1\nB 1\n[RESERVOIRS]\nR 9\n[PIPES]\nP A B 100 300 100\nQ R A 50 300 100\n[COORDINATES]\nA 0 0\nB 100 0\nR -50 0\n[OPTIONS]\nUNITS LPS\n[END]\n"
    plain = read(small(tmp_path, text), anchor=HUANGPU)
    assert plain.warnings == ()
    geod = pyproj.Geod(ellps="WGS84")
    a, b = network(plain).nodes.places[:2]
    assert geod.inv(*a, *b)[2] == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize(
    ("file", "place", "sentence"),
    [
        ("ky4", {}, r"ky4\.inp does not say where on earth .*--crs.*EPSG:3547.*--anchor lon,lat"),
        ("ky4", {"crs": "EPSG:4547"}, r"4971350, 3905604|cannot be in EPSG:4547"),
        ("Net3", {"crs": "EPSG:4547"}, "cannot be in EPSG:4547"),
        ("Net3", {"anchor": HUANGPU, "pipe_class": "XY"}, "pipe_class=XY is no class of pipes"),
        ("Net3", {"anchor": HUANGPU, "depth": "deep"}, "depth=deep is no number"),
    ],
)
def test_a_model_without_a_place_is_asked_about(
    file: str, place: dict, sentence: str, data: Path
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        read(data / "water" / f"{file}.inp", **place)


BROKEN = [
    ("P1 R A 100 300 130 0 Open", "P1 R Z 100 300 130", "Z"),
    ("P1 R A 100 300 130 0 Open", "P1 R A long 300 130", "long"),
    ("Units LPS", "Units BUCKETS", "BUCKETS"),
    ("A 10 5", "A 10 5\nA 11 5", "A"),
]


@pytest.mark.parametrize("reader", ["epanet", "ours"])
@pytest.mark.parametrize(("good", "bad", "named"), BROKEN)
def test_a_broken_model_is_refused_with_its_line(
    good: str, bad: str, named: str, reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reader == "epanet" and not epanet.INSTALLED:
        pytest.skip("EPANET has no library for this machine")
    monkeypatch.setattr(model_importer.epanet, "INSTALLED", reader == "epanet")
    with pytest.raises(InvalidInput, match=r"small\.inp") as caught:
        read(small(tmp_path, SMALL.replace(good, bad)), anchor=HUANGPU)
    assert named in caught.value.sentence


def test_what_epanet_refuses_is_a_network_all_the_same_if_that_is_sound(tmp_path: Path) -> None:
    alone = SMALL.replace("C 11 1 night", "C 11 1 night\nLONE 5").replace(
        "A 0 0", "A 0 0\nLONE 9 9"
    )
    assert len(network(read(small(tmp_path, alone), anchor=HUANGPU)).nodes) == 6
    broken = SMALL.replace("[CONTROLS]", "[CURVES]\n1 one two\n[CONTROLS]")
    layer = read(small(tmp_path, broken), anchor=HUANGPU)
    assert len(network(layer).segments) == 8
    said = [warning for warning in layer.warnings if "EPANET cannot read" in warning]
    assert len(said) == epanet.INSTALLED
    assert all("read without it" in warning and in_chinese(warning) for warning in said)


def test_a_node_without_coordinates_is_left_out_with_its_links(tmp_path: Path) -> None:
    layer = read(small(tmp_path, SMALL.replace("T 150 100", "")), anchor=HUANGPU)
    assert [(item.id, item.feature_class) for item in layer.dropped] == [
        ("T", "Node"), ("P5", "Link"), ("V2", "Link"),
    ]  # fmt: skip
    assert len(network(layer).segments) == 6
    assert "T" not in {f.id for f in layer.features}
    bare = SMALL.split("[COORDINATES]", maxsplit=1)[0] + "[OPTIONS]\nUnits LPS\n[END]\n"
    with pytest.raises(InvalidInput, match="gives none of its nodes coordinates"):
        read(small(tmp_path, bare), anchor=HUANGPU)


def test_chinese_names_in_gb_18030_are_read(tmp_path: Path) -> None:
    path = tmp_path / "管网.inp"
    path.write_bytes(SMALL.replace("P1", "主干管").encode("gb18030"))
    assert "主干管" in rows(network(read(path, anchor=HUANGPU)))


def test_the_two_programs_are_told_apart(data: Path, tmp_path: Path) -> None:
    for path in sorted((data / "water").glob("*.inp")):
        assert program_of(path.read_bytes()) == "epanet"
    for path in sorted((data / "drainage").glob("*.inp")):
        assert program_of(path.read_bytes()) == "swmm"
        assert not EpanetImporter().recognises(path)
    assert program_of(b"[TITLE]\nnothing\n") is None
    assert EpanetImporter().recognises(small(tmp_path))


@pytest.mark.parametrize("layer", ["Net3_valve_layer_strategic2", "Net3r_valve_layer_random40"])
@pytest.mark.parametrize("packed", ["beside", "folder", "zip"])
def test_a_table_of_valves_comes_with_its_model(
    packed: str, layer: str, data: Path, tmp_path: Path
) -> None:
    table = (data / f"water/oracle/{layer}.csv").read_text()
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "Net3.inp").write_bytes((data / "water/Net3.inp").read_bytes())
    (folder / ("Net3.valves.csv" if packed == "beside" else "valves.csv")).write_text(table)
    path = {"beside": folder / "Net3.inp", "folder": folder}.get(packed) or zipped(
        folder, tmp_path / "model.zip"
    )
    assert EpanetImporter().recognises(path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = network(read(path, anchor=HUANGPU, scratch=scratch))
    wanted = {tuple(line.split(",")) for line in table.splitlines()[1:]}
    valves = found.valves
    links = found.segments.ids[valves.segments].tolist()
    nodes = [name.removeprefix("node-") for name in found.nodes.ids[valves.nodes].tolist()]
    assert set(zip(links, nodes, strict=True)) == wanted
    assert len(valves) == len(wanted)
    assert list(scratch.iterdir()) == []


def test_rows_of_a_valve_table_that_fit_nothing_are_named(tmp_path: Path) -> None:
    small(tmp_path)
    (tmp_path / "small.valves.csv").write_text(
        "阀门编号,管段,节点\nV-1,P1,A\nV-1,P2,A\nV-2,P9,A\nV-3,P1,Q\nV-4,P1,C\n", encoding="gb18030"
    )
    layer = read(tmp_path / "small.inp", anchor=HUANGPU)
    assert network(layer).valves.ids.tolist() == ["V-1"]
    assert network(layer).valves.valves.tolist() == [0, 0]
    assert [(item.id, item.reason) for item in layer.dropped] == [
        ("small.valves.csv:4", "there is no link P9"),
        ("small.valves.csv:5", "there is no node Q"),
        ("small.valves.csv:6", "the link P1 does not end at the node C"),
    ]


def test_a_folder_of_several_models_is_refused(tmp_path: Path) -> None:
    small(tmp_path)
    small(tmp_path, name="other.inp")
    with pytest.raises(InvalidInput, match=r"holds 2 \.inp files; give one model"):
        read(tmp_path, anchor=HUANGPU)


def test_a_flow_unit_says_what_lengths_are_in() -> None:
    for unit, metres in (("GPM", 0.3048), ("MGD", 0.3048), ("LPS", 1.0), ("CMH", 1.0)):
        text = InpText(SMALL.replace("LPS", unit), "small")
        assert water_network(inp.read_water_model(text), "JP").metre == metres
