"""Cross-sections and profiles of a city's pipes: tables, and drawings read back by other programs."""

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ezdxf.document
import numpy as np
import pytest
from ezdxf import recover
from PIL import Image

from analysis.analysis import Answer, asked
from analysis.chart import Chart
from analysis.chart_parts import spread
from analysis.cross_section import LONGEST, PipeCrossSection
from analysis.drawing_dxf import APP, write_chart_dxf
from analysis.drawing_png import chinese_font, latin, write_chart_png
from analysis.marks import Words, text_width
from analysis.profile import PipeProfile
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.network import Labels, Network, NodeKind, Profile, Reference
from cim_core.progress import Progress
from tests.support.streets import lon_lat, pipes, publish_pipes

SVG = "{http://www.w3.org/2000/svg}"
ODD = 'g<1>&"管"'


def line(*points: tuple[float, float]) -> dict[str, object]:
    return {"type": "LineString", "coordinates": lon_lat(points).tolist()}


def point(east: float, north: float) -> dict[str, object]:
    return {"type": "Point", "coordinates": lon_lat((east, north))[0].tolist()}


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A street eastwards: gas at 2 m, a sewer in three pipes at 6 m, a block of ducts at 6.6 m, and
    a pipe of which neither size nor elevation is known at 9 m."""
    city = City.open_or_create(tmp_path_factory.mktemp("street") / "city")
    gas = pipes(
        {"g0": (0, 2), "g1": (90, 2)}, {ODD: ("g0", "g1")}, ground=[10, 10.9], size=0.2,
        elevations=[[9, 9]], reference=Reference.TOP, classes="TR", materials=Labels.of(["PE"]),
    )  # fmt: skip
    sewer = pipes(
        {"w1": (0, 6), "w2": (30, 6), "w3": (60, 6), "out": (90, 6)},
        {"s1": ("w1", "w2"), "s2": ("w2", "w3"), "s3": ("w3", "out")},
        ground=[10, 10.3, 10.6, 10.9], size=[0.4, 0.4, 0.6], reference=Reference.INVERT,
        elevations=[[8, 7.91], [7.56, 7.47], [7.47, 7.41]], classes="WS", flows=np.ones(3, np.int8),
        kinds={"w1": NodeKind.WELL, "w2": NodeKind.WELL, "w3": NodeKind.WELL, "out": NodeKind.OUTFALL},
    )  # fmt: skip
    ducts = pipes(
        {"d0": (0, 6.6), "d1": (90, 6.6)}, {"d": ("d0", "d1")}, ground=np.nan, elevations=[[9.2, 9.2]],
        reference=Reference.TOP, classes="XX",
    )  # fmt: skip
    block = replace(
        ducts.segments, profiles=np.array([Profile.DUCTS], np.int8), ducts=np.array([[3, 2]], np.int16),
        duct_sizes=np.array([0.11]), widths=np.array([0.42]), heights=np.array([0.28]),
    )  # fmt: skip
    unknown = pipes({"u0": (0, 9), "u1": (90, 9)}, {"u": ("u0", "u1")}, size=np.nan, classes="BM")
    publish_pipes(city, "gas", gas)
    publish_pipes(city, "sewer", sewer)
    publish_pipes(city, "ducts", Network(ducts.nodes, block))
    publish_pipes(city, "unknown", unknown)
    return city


@pytest.fixture(scope="module")
def section(street: City) -> Answer:
    return asked(PipeCrossSection, {"line": line((10, 0), (10, 12))})(street, Progress())


@pytest.fixture(scope="module")
def profile(street: City) -> Answer:
    return asked(PipeProfile, {"at": point(12, 6.1), "layers": ["sewer"]})(street, Progress())


def rows(answer: Answer, output: str) -> list[dict[str, object]]:
    table = answer.outputs[output]
    return [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]


def test_the_table_of_a_cross_section_says_what_was_surveyed(section: Answer) -> None:
    gas, sewer, ducts, unknown = rows(section, "pipes")
    assert [(r["layer"], r["id"]) for r in rows(section, "pipes")] == [
        ("gas", ODD), ("sewer", "s1"), ("ducts", "d"), ("unknown", "u"),
    ]  # fmt: skip
    expected = {
        "class": "TR", "size": "DN200", "material": "PE", "offset": 2, "ground": 10.1, "top": 9,
        "axis": 8.9, "invert": 8.8, "depth": 1.1, "cover": 1.1, "spacing": 3.7, "angle": 90,
        "width": 0.2, "height": 0.2,
    }  # fmt: skip
    assert {name: gas[name] for name in expected} == pytest.approx(expected)
    assert sewer["depth"] == pytest.approx(10.1 - 7.97)
    assert sewer["cover"] == pytest.approx(10.1 - 8.37)
    assert sewer["spacing"] == pytest.approx(0.6 - 0.41)
    assert (ducts["size"], ducts["ground"], ducts["cover"]) == ("3×2 φ110", None, None)
    assert (unknown["size"], unknown["axis"], unknown["top"]) == (None, None, None)
    assert unknown["offset"] == 9
    assert [gas["lon"], gas["lat"]] == pytest.approx(lon_lat((10, 2))[0].tolist(), abs=1e-7)


def test_the_table_of_a_profile_says_what_was_surveyed(profile: Answer) -> None:
    stations, segments = rows(profile, "stations"), rows(profile, "segments")
    assert [s["id"] for s in stations] == ["w1", "w2", "w3", "out"]
    assert [s["chainage"] for s in stations] == [0, 30, 60, 90]
    assert [s["class"] for s in stations] == ["Well", "Well", "Well", "Outfall"]
    assert [s["invert_in"] for s in stations] == [None, 7.91, 7.47, 7.41]
    assert [s["invert_out"] for s in stations] == [8, 7.56, 7.47, None]
    assert [s["drop"] for s in stations] == [None, 0.35, 0, None]
    assert [s["depth"] for s in stations] == pytest.approx([2, 2.74, 3.13, 3.49])
    assert stations[1]["cover"] == pytest.approx(10.3 - 8.31)
    assert [s["slope"] for s in segments] == [3, 3, 2]
    assert [(s["layer"], s["id"], s["size"]) for s in segments] == [
        ("sewer", "s1", "DN400"), ("sewer", "s2", "DN400"), ("sewer", "s3", "DN600"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "way",
    [
        {"start": "w1", "end": "out"},
        {"segments": ["s1", "s2", "s3"]},
        {"segment": "s1"},
        {"segment": "s1", "layer": "sewer"},
    ],
)
def test_every_way_to_name_the_path_leads_along_it(
    street: City, profile: Answer, way: dict[str, object]
) -> None:
    answer = asked(PipeProfile, way)(street, Progress())
    assert answer.outputs["segments"].rows == profile.outputs["segments"].rows


@pytest.mark.parametrize(
    ("kind", "values", "error", "words"),
    [
        (PipeProfile, {}, InvalidInput, "in one way"),
        (PipeProfile, {"start": "w1"}, InvalidInput, "in one way"),
        (PipeProfile, {"start": "w1", "end": "out", "segment": "s1"}, InvalidInput, "in one way"),
        (PipeProfile, {"start": "w1", "end": "nobody"}, NotFound, "no pipe network has a node"),
        (PipeProfile, {"start": "w1", "end": "g1"}, NotFound, "no pipes connect"),
        (PipeProfile, {"at": point(0, 500)}, NotFound, "no pipe lies within"),
        (PipeProfile, {"segments": ["s1", "s3"]}, InvalidInput, "does not go on"),
        (PipeCrossSection, {"line": point(0, 0)}, InvalidInput, "not a GeoJSON LineString"),
        (PipeCrossSection, {"line": {"type": "LineString"}}, InvalidInput, "not a GeoJSON"),
        (PipeCrossSection, {"line": line((0, 0), (0, 0))}, InvalidInput, "not a GeoJSON"),
        (PipeCrossSection, {"line": line((0, 0), (0, LONGEST + 1))}, InvalidInput, "2001 m long"),
        (PipeCrossSection, {"line": line((0, 0), (0, 9)), "layers": ["no"]}, NotFound, "'no'"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_said(
    street: City, kind: type, values: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        asked(kind, values)(street, Progress())


def test_a_line_that_meets_no_pipe_is_drawn_empty(street: City) -> None:
    answer = asked(PipeCrossSection, {"line": line((0, 50), (0, 60))})(street, Progress())
    assert answer.outputs["pipes"].rows == ()
    ET.fromstring(answer.outputs["drawing"].svg())


def test_the_terrain_stands_in_where_the_survey_has_no_ground(
    street: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(City, "ground", lambda _: lambda places: np.full(len(places), 12.5))
    answer = asked(PipeCrossSection, {"line": line((10, 0), (10, 12))})(street, Progress())
    assert [row["ground"] for row in rows(answer, "pipes")] == [10.1, 10.1, 12.5, 10]
    ground = drawn(answer, "ground")[0]
    assert [y for _, y in ground] == pytest.approx([high(answer, 12.5)] * len(ground), abs=0.01)
    along = asked(PipeProfile, {"segment": "d"})
    with pytest.raises(NotFound, match="no outfall"):
        along(street, Progress())
    answer = asked(PipeProfile, {"segments": ["d"]})(street, Progress())
    assert [row["ground"] for row in rows(answer, "stations")] == [12.5, 12.5]
    assert [row["cover"] for row in rows(answer, "stations")] == pytest.approx([3.3, 3.3])
    assert drawn(answer, "terrain")


def svg(answer: Answer) -> ET.Element:
    return ET.fromstring(answer.outputs["drawing"].svg())


def drawn(answer: Answer, group: str) -> list[list[tuple[float, float]]]:
    """The lines of a group, in millimetres of paper, y downwards."""
    found = svg(answer).iterfind(f"{SVG}g[@data-group='{group}']/{SVG}path")
    texts = (re.findall(r"-?[\d.]+ -?[\d.]+", path.get("d")) for path in found)
    return [[tuple(map(float, pair.split())) for pair in text] for text in texts]


def high(answer: Answer, elevation: float) -> float:
    chart = answer.outputs["drawing"]
    return chart.size[1] - chart.scales.y(elevation)


def test_an_svg_names_the_layer_and_the_id_of_every_pipe(section: Answer, profile: Answer) -> None:
    for answer in (section, profile):
        root = svg(answer)
        shown = {
            (part.get("data-layer"), part.get("data-id"))
            for part in root.iterfind(f"{SVG}g[@data-group='pipes']/*")
        }
        output = "pipes" if answer is section else "segments"
        assert shown == {(row["layer"], row["id"]) for row in rows(answer, output)}
        [wide, tall] = answer.outputs["drawing"].size
        assert [float(x) for x in root.get("viewBox").split()] == pytest.approx([0, 0, wide, tall], abs=0.01)  # fmt: skip
        assert root.find(f"{SVG}style") is None  # a page that holds it keeps its own
        assert root.get("width").removesuffix("mm") == root.get("viewBox").split()[2]
    nodes = svg(profile).iterfind(f"{SVG}g[@data-group='wells']/{SVG}path")
    assert [node.get("data-id") for node in nodes] == ["w1", "w2", "w3"]


def test_pipes_are_drawn_where_they_are_and_as_large_as_they_are(section: Answer) -> None:
    scales = section.outputs["drawing"].scales
    assert scales.across == scales.up == 50
    gas, sewer, *_ = svg(section).iterfind(f"{SVG}g[@data-group='pipes']/{SVG}ellipse")
    for pipe, offset, axis, size in ((gas, 2, 8.9, 0.2), (sewer, 6, 8.17, 0.4)):
        assert float(pipe.get("cx")) == pytest.approx(scales.left + offset * 20, abs=0.01)
        assert float(pipe.get("cy")) == pytest.approx(high(section, axis), abs=0.01)
        assert float(pipe.get("rx")) == float(pipe.get("ry")) == pytest.approx(size * 10, abs=0.01)
    holes = [
        part for part in svg(section).iter(f"{SVG}ellipse")
        if part.get("data-id") == "d" and float(part.get("rx")) < 1.5
    ]  # fmt: skip
    assert len(holes) == 6


def test_a_profile_is_drawn_at_its_scales(profile: Answer) -> None:
    scales = profile.outputs["drawing"].scales
    assert scales.exaggeration > 1
    pipe = drawn(profile, "pipes")[0]
    expected = [
        (scales.x(along), high(profile, elevation))
        for along, elevation in ((0, 8), (30, 7.91), (30, 8.31), (0, 8.4))
    ]
    assert np.array(pipe) == pytest.approx(np.array(expected), abs=0.01)
    texts = [text.text for text in svg(profile).iter(f"{SVG}text")]
    assert {"7.910", "7.560", "0+030.00", "3.00", "2.00", "DN600"} <= set(texts)
    assert {"地面高程 Ground (m)", "坡度 Slope (‰)", "管线纵断面图 Profile of pipes"} <= set(texts)


def boxes(chart: Chart) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Each text with the paper it takes."""
    found = []
    for mark in chart.marks:
        if isinstance(mark, Words):
            wide, half = text_width(mark.text, mark.size), 0.42 * mark.size
            before = {"start": 0.0, "middle": wide / 2, "end": wide}[mark.anchor]
            (x, y) = mark.place
            box = (x - before, y - half, x - before + wide, y + half)
            if mark.turned:
                box = (x - half, y - before, x + half, y - before + wide)
            found.append((mark.text, box))
    return found


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Sixty pipes close to one another across, and a path of short and long pieces along."""
    city = City.open_or_create(tmp_path_factory.mktemp("crowd") / "city")
    rng = np.random.default_rng(5)
    at = np.sort(rng.uniform(0.5, 19.5, 60))
    points = {f"{e}{n}": (x, y) for n, y in enumerate(at) for e, x in (("a", 0.0), ("b", 10.0))}
    publish_pipes(
        city, "across",
        pipes(points, {f"p{n}": (f"a{n}", f"b{n}") for n in range(60)}, elevations=[8.0, 8.0]),
    )  # fmt: skip
    stations = np.cumsum(rng.choice([0.4, 6.0, 30.0], 60))
    path = {f"node-{n}": (x, 40.0) for n, x in enumerate(stations)}
    inverts = 9 - 0.004 * stations - 0.1 * (np.arange(60) % 3 == 0)
    publish_pipes(
        city, "along",
        pipes(
            path, {f"q{n}": (f"node-{n}", f"node-{n + 1}") for n in range(59)}, classes="YS",
            elevations=np.column_stack([inverts[:-1], inverts[:-1] - 0.01]), reference=Reference.INVERT,
            kinds=dict.fromkeys(path, NodeKind.WELL),
        ),
    )  # fmt: skip
    return city


@pytest.mark.parametrize(
    "ask",
    [
        lambda city: asked(PipeCrossSection, {"line": line((5, 0), (5, 20))})(city, Progress()),
        lambda city: asked(PipeProfile, {"start": "node-0", "end": "node-59"})(city, Progress()),
    ],
)
def test_no_two_texts_overlap_however_crowded(crowd: City, ask: Callable[[City], Answer]) -> None:
    chart = ask(crowd).outputs["drawing"]
    found = boxes(chart)
    for number, (text, a) in enumerate(found):
        assert a[0] > 0 and a[1] > 0 and a[2] < chart.size[0] and a[3] < chart.size[1], text
        for other, b in found[:number]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, (text, other, a, b)


def test_labels_keep_their_order_and_their_distance() -> None:
    places = np.sort(np.random.default_rng(1).uniform(0, 50, 30))
    moved = spread(places, 4.0, -100.0, 200.0)
    assert (np.diff(moved) >= 4.0 - 1e-9).all()
    assert moved.mean() == pytest.approx(places.mean())  # none is pushed farther than it takes
    assert spread(np.array([1.0, 20.0]), 4.0, 0.0, 30.0).tolist() == [1.0, 20.0]
    assert spread(np.array([29.0, 30.0]), 4.0, 0.0, 30.0).tolist() == [26.0, 30.0]


def read_dxf(answer: Answer, folder: Path) -> ezdxf.document.Drawing:
    path = folder / "chart.dxf"
    path.write_bytes(write_chart_dxf(answer.outputs["drawing"]))
    document, auditor = recover.readfile(path)
    assert (auditor.errors, auditor.fixes) == ([], [])
    return document


def test_a_dxf_of_a_cross_section_is_true_in_metres(section: Answer, tmp_path: Path) -> None:
    document = read_dxf(section, tmp_path)
    assert document.header["$INSUNITS"] == 6
    space = document.modelspace()
    [gas] = space.query("CIRCLE[layer=='pipes-TR']")
    assert tuple(gas.dxf.center)[:2] == pytest.approx((2.0, 8.9), abs=1e-6)
    assert gas.dxf.radius == pytest.approx(0.1)
    told = tuple(tag.value for tag in gas.get_xdata(APP))
    assert told == ("gas", ODD, "TR")
    [block] = space.query("LWPOLYLINE[layer=='pipes-XX']")
    corners = np.array(block.get_points("xy"))
    assert np.ptp(corners, axis=0) == pytest.approx([0.42, 0.28], abs=1e-6)
    texts = {text.dxf.text for text in space.query("TEXT")}
    assert {"管线横断面图 Cross-section of pipes", "天然气 DN200", "10.100"} <= texts


def test_a_dxf_of_a_profile_is_true_across_and_exaggerated_up(
    profile: Answer, tmp_path: Path
) -> None:
    space = read_dxf(profile, tmp_path).modelspace()
    times = profile.outputs["drawing"].scales.exaggeration
    pipe = space.query("LWPOLYLINE[layer=='pipes-WS']")[0]
    corners = np.array(pipe.get_points("xy"))
    assert corners[:, 0] == pytest.approx([0, 30, 30, 0], abs=1e-6)
    assert corners[:, 1] == pytest.approx(np.array([8, 7.91, 8.31, 8.4]) * times, abs=1e-6)
    assert {text.dxf.rotation for text in space.query("TEXT")} == {0, 90}


def test_a_png_shows_the_pipes_in_their_colours(
    section: Answer, capfd: pytest.CaptureFixture[str]
) -> None:
    chart = section.outputs["drawing"]
    picture = Image.open(io.BytesIO(write_chart_png(chart))).convert("RGB")
    assert picture.size == pytest.approx(np.array(chart.size) * 6, abs=2)
    assert capfd.readouterr() == ("", "")
    gas = (chart.scales.x(2) * 6, picture.height - chart.scales.y(8.9) * 6)
    assert picture.getpixel(tuple(round(part) for part in gas)) == (255, 0, 255)
    pixels = np.array(picture)
    title = pixels[-28 * 6 :, : 100 * 6]
    assert (title < 80).all(axis=2).sum() > 500  # words are there, whatever fonts this machine has


def test_without_a_chinese_font_the_english_stays() -> None:
    assert latin("管线横断面图 Cross-section of pipes") == "Cross-section of pipes"
    assert latin("3×2 φ110") == "3×2 Ø110"
    assert chinese_font() is None or chinese_font().is_file()


def test_a_chart_is_served_as_svg_with_its_other_formats(section: Answer) -> None:
    document = section.outputs["drawing"].as_dict()
    assert document["mediaType"] == "image/svg+xml"
    assert document["formats"] == ["image/svg+xml", "image/png", "image/vnd.dxf"]
    ET.fromstring(document["svg"])
