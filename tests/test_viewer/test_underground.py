"""Pipes in a real browser: seen through the ground, asked about by a click, drawn as sections.

With CIM_SCREENSHOTS set, the pictures of the documentation go to that folder.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from server.cli import app
from tests.support.serving import Server

ABOVE = "#c=113.4606,23.0944,130,0,-60,0"
"""Over a street of the sample district with mains, storm drains and their wells."""
CLOSE = "#c=113.4607,23.0952,45,0,-89,0"

VIEW = "#c=113.4525,23.0930,260,18,-30,0"
"""Along a main road, the urban village to its left."""

PICTURES = os.environ.get("CIM_SCREENSHOTS")
NETWORKS = ("pipes-water", "pipes-storm")
BESIDE = ("imagery", "buildings", "pipes-sewage", "pipes-gas", "pipes-power", "pipes-telecom")
"""Layers that are there for the pictures only."""

QUESTIONS = 9
SMALL = {"width": 960, "height": 540}
DEPTH = 1.8
"""Metres: the mains lie higher than the drains."""


@pytest.fixture(scope="module")
def pipes_server(district: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the ground, the water mains and the storm drains."""
    folder = tmp_path_factory.mktemp("pipes-city")
    document = json.loads((district / "manifest.json").read_text("utf-8"))
    document["things"] = None
    document["layers"] = [
        {**layer, "file": str(district / layer["file"])}
        for layer in document["layers"]
        if layer["id"] in ("terrain", *NETWORKS, *(BESIDE if PICTURES else ()))
    ]
    (folder / "manifest.json").write_text(json.dumps(document), "utf-8")
    done = CliRunner().invoke(app, ["demo", str(folder), "--city", str(folder / "city")])
    assert done.exception is None, done.output
    running = Server(folder / "city", folder / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


def settled(page: Page) -> None:
    page.evaluate("() => window.cim.settled()")


def longest(server: Server, layer: str) -> list[dict]:
    """Wide pipes below the middle of the picture, the longest first."""
    box = "113.4604,23.0950,113.4610,23.0955"
    found = server.client.get(f"/collections/{layer}/items?bbox={box}&limit=200").json()
    pipes = [f for f in found["features"] if f["properties"].get("diameter", 0) >= 200]
    return sorted(pipes, key=lambda pipe: -pipe["properties"]["length"])[:12]


SEEN = """async (pipes) => { const seen = [];
    for (const [layer, id] of pipes) {
        const at = await window.cim.screenPositionOf(layer, id);
        if (at && window.cim.featuresAt(at.x, at.y).some(hit => hit.layer === layer && hit.id === id)) seen.push(id);
    }
    return seen; }"""
"""Which of some pipes are drawn where the middle of their box is."""


def test_pipes_are_seen_through_the_ground_down_to_a_depth(pipes_server: Server, visit) -> None:
    page = visit(pipes_server.url, CLOSE)
    shown = "() => window.cim.layers().filter(l => l.id.startsWith('pipes')).map(l => l.visible)"
    assert page.evaluate(shown) == [False, False], "they lie in the ground"
    page.keyboard.press("u")
    settled(page)
    assert page.evaluate(shown) == [True, True]
    pipes = [(layer, pipe) for layer in NETWORKS for pipe in longest(pipes_server, layer)]
    named = [[layer, pipe["id"]] for layer, pipe in pipes]
    all_of_them = set(page.evaluate(SEEN, named))
    deep = {pipe["id"] for _, pipe in pipes if pipe["properties"]["depth_start"] > DEPTH}
    assert deep & all_of_them
    assert all_of_them - deep
    # What lies deeper is taken away, the rest stays.
    page.evaluate(f"() => window.cim.tool('underground', '0.2,{DEPTH}')")
    settled(page)
    assert set(page.evaluate(SEEN, named)) == all_of_them - deep
    page.evaluate("() => window.cim.tool('underground', null)")
    assert page.evaluate(shown) == [False, False]


def test_a_click_on_a_burst_pipe_lists_its_valves_and_colours_what_is_cut_off(
    pipes_server: Server, visit
) -> None:
    page = visit(pipes_server.url, ABOVE, **SMALL)
    page.keyboard.press("n")
    page.locator("[data-analysis='isolation']").click()
    expect(page.locator(".analysis select").first).to_have_value("isolation")
    pipe = longest(pipes_server, "pipes-water")[0]
    (x, y), (u, v) = (point[:2] for point in pipe["geometry"]["coordinates"])
    height = (pipe["properties"]["zmin"] + pipe["properties"]["zmax"]) / 2
    at = [(x + u) / 2, (y + v) / 2, height]
    answer = page.evaluate("([at]) => window.cim.ask([at])", [at])
    told = pipes_server.client.post(
        "/processes/isolation/execution",
        json={
            "inputs": {"segment": pipe["id"], "layer": "pipes-water"},
            "response": "document",
        },
    ).json()
    valves = [row[:2] for row in told["valves"]["rows"]]
    assert valves
    assert [row[:2] for row in answer["valves"]["rows"]] == valves
    marked = {one["output"]: one["count"] for one in page.evaluate("() => window.cim.highlights()")}
    assert marked["valves"] == len(valves)
    assert marked["segments"] == len(told["segments"]["rows"])
    first = valves[0][1]
    page.locator(".answer-part .link", has_text=first).first.click()
    page.wait_for_function(f"() => window.cim.selection()?.id === {json.dumps(first)}")
    expect(page.locator(".attributes:not(.thing-card)")).to_contain_text(first)
    # The same question, by its link.
    link = page.evaluate("() => window.cim.link()")
    again = visit(pipes_server.url, f"#{link}")
    again.wait_for_function("() => window.cim.highlights().length > 0")


def test_a_section_across_a_street_is_a_drawing_linked_with_the_map(
    pipes_server: Server, visit
) -> None:
    page = visit(pipes_server.url, ABOVE, locale="zh-CN", **SMALL)
    page.evaluate("() => window.cim.tool('pipes', '1')")
    line = {"type": "LineString", "coordinates": [[113.4608, 23.0946], [113.4608, 23.0958]]}
    asked = json.dumps({"line": line}, separators=(",", ":"))
    page.evaluate("([text]) => window.cim.tool('here', text)", [f"cross-section;{asked}"])
    page.wait_for_selector(".chart-panel [data-id]")
    part = page.locator(".chart-panel [data-id]").first
    identity = part.get_attribute("data-id")
    part.dispatch_event("click")
    page.wait_for_function(f"() => window.cim.selection()?.id === {json.dumps(identity)}")
    expect(page.locator(f".chart-panel [data-id='{identity}'].selected").first).to_be_attached()
    expect(page.locator(".chart-panel h2")).to_contain_text("管线横断面")
    with page.expect_download() as saved:
        page.locator(".chart-panel .table-files button", has_text="PNG").click()
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")
    # A pit across the same street hits what the section shows.
    corners = [[113.4607, 23.0946], [113.4609, 23.0946], [113.4609, 23.0958], [113.4607, 23.0958]]
    area = {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}
    asked = json.dumps({"area": area, "depth": 6}, separators=(",", ":"))
    page.evaluate("([text]) => window.cim.tool('here', text)", [f"excavation;{asked}"])
    page.wait_for_function("() => window.cim.highlights().some(one => one.output === 'hit')")
    expect(page.locator(".chart-panel")).to_be_hidden()
    # Drains know which way they flow.
    page.wait_for_function("() => window.cim.arrows() > 0")
    wide = page.evaluate(
        "() => [document.documentElement.scrollWidth > innerWidth, document.documentElement.scrollHeight > innerHeight]"
    )
    assert wide == [False, False]


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"] if PICTURES else ["zh-CN"])
def test_the_tool_for_pipes_offers_every_question_in_the_readers_language(
    locale: str, pipes_server: Server, visit
) -> None:
    size = {"width": 1280, "height": 720} if PICTURES else SMALL
    page = visit(pipes_server.url, VIEW, locale=locale, **size)
    page.keyboard.press("n")
    buttons = page.locator(".pipe-questions button")
    expect(buttons).to_have_count(QUESTIONS)
    chinese = [bool(re.search("[一-鿿]", text)) for text in buttons.all_inner_texts()]
    assert chinese == [locale == "zh-CN"] * QUESTIONS
    cut = "() => [...document.querySelectorAll('.pipe-questions button')].filter(b => b.scrollWidth > b.clientWidth + 1).length"
    assert page.evaluate(cut) == 0
    settled(page)
    if PICTURES:
        name = "underground.png" if locale == "en-US" else "underground-zh.png"
        page.screenshot(path=Path(PICTURES) / name)
