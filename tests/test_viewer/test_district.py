"""The sample district in a real browser; with CIM_SCREENSHOTS set, the pictures go to that folder."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli import app
from tests.support.serving import Server

PICTURES = os.environ.get("CIM_SCREENSHOTS")

VIEW = "#c=113.4525,23.0788,900,18,-24,0"
"""From the other bank of the river, over the towers to the hills."""


@pytest.fixture(scope="module")
def district_server(district: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the ground, the picture on it, the buildings and the roads."""
    folder = tmp_path_factory.mktemp("district-city")
    document = json.loads((district / "manifest.json").read_text("utf-8"))
    wanted = ("terrain", "imagery", "buildings", "roads")
    document["things"] = None
    document["layers"] = [
        {**layer, "file": str(district / layer["file"])}
        for layer in document["layers"]
        if layer["id"] in wanted
    ]
    (folder / "manifest.json").write_text(json.dumps(document), "utf-8")
    done = CliRunner().invoke(app, ["demo", str(folder), "--city", str(folder / "city")])
    assert done.exception is None, done.output
    running = Server(folder / "city", folder / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"] if PICTURES else ["en-US"])
def test_the_district_stands_on_its_terrain_and_no_tile_is_missing(
    locale: str, district_server: Server, visit
) -> None:
    size = {"width": 1280, "height": 720} if PICTURES else {}
    page = visit(district_server.url, VIEW, locale=locale, **size)
    layers = {entry["id"]: entry for entry in page.evaluate("() => window.cim.layers()")}
    assert set(layers) == {"terrain", "imagery", "buildings", "roads"}
    assert not layers["roads"]["visible"], "roads would cover the picture of the ground"
    base = page.evaluate("() => window.cim.base()")
    assert base["terrain"].startswith("terrain")
    assert base["current"] == "imagery"
    # `visit` fails for every request that fails: what terrain Cesium asked for was there.
    asked = page.evaluate(
        "() => performance.getEntriesByType('resource').filter(r => r.name.endsWith('.terrain')).length"
    )
    assert asked > 4
    hill, river = page.evaluate(
        """() => {
            const { scene, camera } = window.cim.viewer;
            const Cartographic = camera.positionCartographic.constructor;
            return [[113.4640, 23.1070], [113.4575, 23.0905]].map(
                ([x, y]) => scene.globe.getHeight(Cartographic.fromDegrees(x, y)));
        }"""
    )
    assert hill > river + 10
    if PICTURES:
        name = "district.png" if locale == "en-US" else "district-zh.png"
        page.screenshot(path=Path(PICTURES) / name)
