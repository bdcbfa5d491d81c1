"""Names with characters that documents may not hold: every format can still be read."""

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import shapely
from ezdxf import recover

from analysis.chart import Chart
from analysis.drawing import Drawing
from analysis.drawing_dxf import APP, write_chart_dxf, write_dxf
from analysis.drawing_json import write_json
from analysis.drawing_png import painted
from analysis.drawing_svg import write_svg
from analysis.marks import PIPES, Line, Owner, Scales, Words
from analysis.plane import level
from analysis.section import cut
from cim_core.bodies import bodies
from tests.support.layers import box, layer_of

BAD, PLAIN = "J\x07S\x00\ud800\x1b 1\ufffe路", "JS 1路"


@pytest.fixture
def chart() -> Chart:
    owner = Owner("gas", BAD, f"T{BAD}")
    marks = (
        Line(np.array([[10.0, 10], [50, 20]]), PIPES, owner=owner),
        Words(BAD, (20.0, 20.0), "labels", owner=owner),
    )
    return Chart(BAD, (100.0, 60.0), marks, Scales(500, 100, 10.0, 10.0, 0.0), {"layer": BAD})


@pytest.fixture
def drawing() -> Drawing:
    layer = layer_of({BAD: [box((3, 1, 3))]}, classes={BAD: f"Wall{BAD}"})
    plane = level(1.0)
    return Drawing(cut(list(bodies(layer.content)), plane), plane, BAD, None, {"layer": BAD})


def test_an_svg_can_be_read(chart: Chart, drawing: Drawing) -> None:
    root = ET.fromstring(chart.svg())
    [text] = root.iter("{http://www.w3.org/2000/svg}text")
    assert (text.text, text.get("data-id")) == (PLAIN, PLAIN)
    assert "\x07" not in chart.as_dict()["svg"]
    ids = {part.get("data-id") for part in ET.fromstring(write_svg(drawing)).iter()}
    assert PLAIN in ids


def test_a_dxf_can_be_read(chart: Chart, drawing: Drawing, tmp_path: Path) -> None:
    for content in (write_chart_dxf(chart), write_dxf(drawing)):
        assert not {*range(9), 11, 12, *range(14, 32)} & {*content}
        (tmp_path / "a.dxf").write_bytes(content)
        document, auditor = recover.readfile(tmp_path / "a.dxf")
        assert (auditor.errors, auditor.fixes) == ([], [])
        told = [tag.value for e in document.modelspace() if e.has_xdata(APP) for tag in e.get_xdata(APP)]  # fmt: skip
        assert PLAIN in told
        assert PLAIN in [entity.dxf.text for entity in document.modelspace().query("TEXT")]


def test_numbers_and_a_picture_can_be_had(chart: Chart, drawing: Drawing) -> None:
    [wall] = json.loads(write_json(drawing))["cuts"]
    assert wall["class"].startswith("Wall")
    words = [mark for mark in chart.marks if isinstance(mark, Words)]
    assert (
        io.BytesIO(painted([("#ff0000", shapely.box(5, 5, 9, 9))], words, (60.0, 60.0))).read(4)
        == b"\x89PNG"
    )
