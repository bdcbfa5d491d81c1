"""Drawings: each format read back by a program that did not write it."""

import io
import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import ezdxf
import numpy as np
import pytest
import shapely
from ezdxf import recover
from PIL import Image

from analysis.drawing import Drawing, fill, height_marks, line_width, scale_bar
from analysis.drawing_dxf import APP, write_dxf
from analysis.drawing_json import write_json
from analysis.drawing_png import write_png
from analysis.drawing_svg import write_svg
from analysis.plane import Plane, level, upright
from analysis.section import cut, meets
from cim_core.bodies import bodies
from cim_core.errors import MissingDependency
from cim_core.layer import Layer
from tests.support.layers import GLASS, RED, box, inside_out, joined, layer_of

SVG = {"svg": "http://www.w3.org/2000/svg"}
WALL, DOOR, ODD = "2O2Fr$t4X7Zf8NOew3FNtn", "door", 'a b/c"&<墙>'


def drawn(layer: Layer, plane: Plane, height: float | None = None) -> Drawing:
    cuts = cut([body for body in bodies(layer.content) if meets(body, plane)], plane)
    return Drawing(cuts, plane, "一号楼 & <A>", height, {"layer": "boxes", "version": 3})


@pytest.fixture
def plan() -> Drawing:
    """A wall with a shaft in it, a glass door, and an open sheet with an odd id."""
    shaft = joined(box((8, 4, 3), material=RED), inside_out(box((2, 2, 3), (1, 1, 0))))
    sheet = box((3, 1, 3), (10, 0, 0))
    layer = layer_of(
        {
            WALL: [shaft],
            DOOR: [box((1, 0.1, 2), (8, 0, 0), GLASS)],
            ODD: [type(sheet)(sheet.positions, sheet.triangles[4:])],
        },
        classes={DOOR: "IfcDoor", ODD: "Odd/Class*"},
    )
    return drawn(layer, level(1.2), 10.3)


def svg_of(drawing: Drawing) -> ET.Element:
    return ET.fromstring(write_svg(drawing))


def rings(path: ET.Element) -> list[np.ndarray]:
    parts = re.findall(r"M([^MZ]+)Z?", path.get("d", ""))
    return [np.array([p.split() for p in part.split("L")], float) * (1, -1) for part in parts]


def test_an_svg_is_true_to_its_scale_and_shows_everything(plan: Drawing) -> None:
    root = svg_of(plan)
    x, y, wide, high = (float(part) for part in root.get("viewBox").split())
    assert plan.scale == 50
    for side, printed in ((wide, root.get("width")), (high, root.get("height"))):
        assert side / float(printed.removesuffix("mm")) * 1000 == pytest.approx(50, rel=1e-3)
    for path in root.iterfind("./svg:g[@id='section']//svg:path", SVG):
        for ring in rings(path):
            assert (ring[:, 0] > x).all() and (ring[:, 0] < x + wide).all()
            assert (-ring[:, 1] > y).all() and (-ring[:, 1] < y + high).all()


def test_an_svg_groups_classes_and_names_each_element(plan: Drawing) -> None:
    root = svg_of(plan)
    groups = {g.get("data-class"): g for g in root.iterfind("./svg:g[@id='section']/svg:g", SVG)}
    assert list(groups) == ["IfcDoor", "Odd/Class*", "IfcWall"]  # main parts are drawn over others
    widths = {name: float(group.get("stroke-width")) * 1000 / 50 for name, group in groups.items()}
    assert widths == pytest.approx({"IfcDoor": 0.35, "Odd/Class*": 0.35, "IfcWall": 0.5})
    [wall] = groups["IfcWall"]
    assert (wall.get("data-id"), wall.get("data-name")) == (WALL, f"名称 {WALL}")
    assert wall.get("fill") == "#{:02x}{:02x}{:02x}".format(*RED.srgb())
    outer, inner = (shapely.Polygon(ring) for ring in rings(wall))
    assert outer.area - inner.area == pytest.approx(8 * 4 - 2 * 2)
    [open_sheet] = groups["Odd/Class*"]
    assert (open_sheet.get("data-id"), open_sheet.get("fill")) == (ODD, "none")
    assert "Z" not in open_sheet.get("d")
    assert root.find("svg:title", SVG).text == "一号楼 & <A> – 平面图 Plan · +10.300 m · 1:50"
    assert json.loads(root.find("svg:desc", SVG).text) == {"layer": "boxes", "version": 3}


def test_the_scale_bar_of_an_svg_is_as_long_as_it_says(plan: Drawing) -> None:
    foot = svg_of(plan).find("svg:g[@id='foot']", SVG)
    unit = float(re.search(r"scale\((\S+)\)", foot.get("transform"))[1])
    parts = foot.findall("svg:rect", SVG)
    said = next(t.text for t in foot.findall("svg:text", SVG) if t.text.endswith(" m"))
    length = sum(float(part.get("width")) for part in parts) * unit
    assert length == pytest.approx(float(said.removesuffix(" m")), rel=1e-3)
    assert "北 N" in [t.text for t in foot.iter("{http://www.w3.org/2000/svg}text")]


def test_an_upright_section_has_heights_beside_it_and_no_north() -> None:
    plane = upright(np.array([0.0, 0.5, -20.0]), np.array([5.0, 0.5, -20.0]))
    drawing = drawn(layer_of({WALL: [box((8, 1, 12), (0, 0, -18))]}), plane)
    assert drawing.bounds == (0, 2, 8, 14)
    root = svg_of(drawing)
    marks = [t.text for t in root.iterfind("./svg:g[@id='heights']/svg:text", SVG)]
    assert (
        [float(mark) for mark in marks] == height_marks(drawing) == [2 + n / 2 for n in range(25)]
    )
    assert "北" not in write_svg(drawing).decode()
    assert "剖面图 Section · 1:50" in drawing.subtitle


@pytest.mark.parametrize(
    ("side", "scale", "bar"),
    [
        (0.02, 10, (0.5, 5)),
        (3, 10, (0.5, 5)),
        (20, 100, (5, 5)),
        (100, 300, (10, 5)),
        (60, 200, (10, 5)),
        (50, 150, (5, 5)),
        (3e6, 20000, (1000, 5)),
    ],
)
def test_scales_are_those_of_the_standard(side: float, scale: int, bar: tuple) -> None:
    drawing = drawn(layer_of({"a": [box((min(side, 5000.0), 0.01, 3))]}), level(1.0))
    assert drawing.scale == scale
    assert scale_bar(drawing) == pytest.approx(bar)
    assert svg_of(drawing) is not None


def test_line_widths_are_a_step_apart() -> None:
    assert line_width("IfcSlab") > line_width("IfcWindow") > line_width("IfcFurniture")
    assert line_width("Pipe") == line_width("IfcWindow")


def test_glass_is_pale(plan: Drawing) -> None:
    [door] = [item for item in plan.cuts if item.feature.id == DOOR]
    assert all(int(fill(door)[i : i + 2], 16) > 200 for i in (1, 3, 5))


def read_dxf(content: bytes, folder: Path) -> ezdxf.document.Drawing:
    path = folder / "section.dxf"
    path.write_bytes(content)
    document, auditor = recover.readfile(path)
    assert (auditor.errors, auditor.fixes) == ([], [])
    assert not document.audit().has_issues
    return document


def test_a_dxf_is_in_metres_with_a_layer_for_each_class(plan: Drawing, tmp_path: Path) -> None:
    document = read_dxf(write_dxf(plan), tmp_path)
    assert (document.header["$INSUNITS"], document.header["$MEASUREMENT"]) == (6, 1)
    names = {layer.dxf.name for layer in document.layers}
    assert {"IfcWall", "IfcWall_FILL", "IfcDoor", "Odd_Class_"} <= names
    assert document.layers.get("IfcWall").dxf.lineweight == 50
    space = document.modelspace()
    lines = space.query("LWPOLYLINE[layer=='IfcWall']")
    areas = [shapely.Polygon(line.get_points("xy")).area for line in lines]
    assert sorted(areas) == pytest.approx([4, 32])
    assert all(line.closed for line in lines)
    [open_line, _] = space.query("LWPOLYLINE[layer=='Odd_Class_']")
    assert not open_line.closed
    [hatch] = space.query("HATCH[layer=='IfcWall_FILL']")
    assert len(hatch.paths) == 2
    assert ezdxf.colors.int2rgb(hatch.dxf.true_color) == RED.srgb()


def test_a_dxf_keeps_ids_and_chinese(plan: Drawing, tmp_path: Path) -> None:
    document = read_dxf(write_dxf(plan), tmp_path)
    space = document.modelspace()
    told = {
        tuple(tag.value for tag in entity.get_xdata(APP))
        for entity in space.query("LWPOLYLINE HATCH")
    }
    assert (WALL, "IfcWall", f"名称 {WALL}") in told
    assert (ODD, "Odd/Class*", f"名称 {ODD}") in told
    texts = {text.dxf.text: text for text in space.query("TEXT")}
    assert set(texts) == {"一号楼 & <A>", "平面图 Plan · +10.300 m · 1:50"}
    styles = {document.styles.get(text.dxf.style).dxf.font for text in texts.values()}
    assert styles == {"simsun.ttc"}  # a font of shapes would show question marks
    assert document.header.custom_vars.get("version") == "3"


def test_a_dxf_takes_names_of_any_length_and_letter(tmp_path: Path) -> None:
    layer = layer_of(
        {"甲" * 300: [box()], "b": [box(at=(2, 0, 0))]}, classes={"b": "a:b", "甲" * 300: "a/b"}
    )
    document = read_dxf(write_dxf(drawn(layer, level(0.5))), tmp_path)
    assert len(document.modelspace().query("LWPOLYLINE[layer=='a_b']")) == 2


def test_json_has_the_numbers_behind_the_drawing(plan: Drawing) -> None:
    document = json.loads(write_json(plan))
    assert (document["layer"], document["unit"], document["plane"]["height"]) == (
        "boxes",
        "m",
        10.3,
    )
    assert document["plane"]["normal"] == [0, 0, 1]
    found = {item["id"]: item for item in document["cuts"]}
    assert found[WALL]["area"] == pytest.approx(28)
    assert found[WALL]["length"] == pytest.approx(24 + 8)
    assert shapely.geometry.shape(found[WALL]["face"]).area == pytest.approx(28)
    assert shapely.geometry.shape(found[ODD]["lines"]).length == pytest.approx(6)
    assert (found[DOOR]["class"], found[DOOR]["material"]) == ("IfcDoor", GLASS.name)


def test_a_png_shows_each_face_in_its_colour_and_size(
    plan: Drawing, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = Image.open(io.BytesIO(write_png(plan)))
    pixels = np.array(picture.convert("RGB")).reshape(-1, 3)
    per_metre = 6 * 1000 / 50  # six pixels to a millimetre of paper at 1:50
    left, _, right, _ = plan.bounds
    assert picture.width == pytest.approx((right - left) * per_metre + 2 * 12 * 6, abs=2)
    red = (np.abs(pixels.astype(int) - RED.srgb()) < 3).all(axis=1).sum() / per_metre**2
    # Half of each line lies on the face, 0.25 mm of paper along 32 m of outline, and blurs into it.
    assert red == pytest.approx(28 - 32 * 0.0125, rel=0.02)
    assert (pixels == 255).all(axis=1).mean() > 0.3
    assert capfd.readouterr() == ("", "")


def test_a_machine_without_opengl_says_so(plan: Drawing, monkeypatch: pytest.MonkeyPatch) -> None:
    # A real failure: VTK is told to use a library that is not there, and ends its process.
    monkeypatch.setitem(os.environ, "VTK_DEFAULT_OPENGL_WINDOW", "vtkXOpenGLRenderWindow")
    monkeypatch.delitem(os.environ, "DISPLAY", raising=False)
    with pytest.raises(MissingDependency, match="VTK found no OpenGL"):
        write_png(plan)
