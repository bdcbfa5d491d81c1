"""The chart of readings: its values are the server's, a gap stays a gap, limits are lines."""

import csv
import io
import re
import shutil
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from cim_core.city import City
from tests.support.serving import Server
from tests.test_viewer.test_screenshots import fits
from tests.test_viewer.test_sensing import LAT, LON, Thing, add_thing

MINUTE = 60_000
GAP = (70, 40)
"""Minutes ago between which nothing came."""


@dataclass(frozen=True)
class Readings:
    """A server with a detector of three units that has reported every minute for two hours."""

    server: Server
    thing: Thing
    streams: dict[str, int]
    now: int

    def series(self, *properties: str, start: int = 0, end: int = 0) -> list[dict]:
        ids = ",".join(str(self.streams[name]) for name in properties)
        query = {"datastreams": ids, "points": 1000}
        if end:
            query |= {"start": start, "end": end}
        return self.server.client.get("/observations/series", params=query).json()["series"]


@pytest.fixture(scope="module")
def readings(sample_city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readings]:
    folder = tmp_path_factory.mktemp("readings")
    shutil.copytree(sample_city.folder, folder / "city")
    live = City.open(folder / "city").live
    units = {"ch4": "%LEL", "pressure": "kPa", "flow": "m3/h"}
    thing = add_thing(live, "Detector 1", "gas", units, LON, LAT)
    server = Server(folder / "city", folder / "server.log")
    now = round(time.time() * 1000) - 20_000
    rows = [
        {
            "datastream": f"Detector 1/{name}",
            "time": now - ago * MINUTE,
            "value": base + ago % 7 / 8,
        }
        for ago in range(120, -1, -1)
        if not GAP[1] < ago < GAP[0]
        for name, base in (("ch4", 4.0), ("pressure", 300.0))
    ]
    answer = server.client.post("/ingest", json={"observations": rows})
    assert answer.json()["accepted"] == len(rows), answer.text
    known = server.client.get("/things").json()["things"][0]["datastreams"]
    yield Readings(server, thing, {one["property"]: one["id"] for one in known}, now)
    server.stop()
    assert server.odd_lines() == []


def chart(page: Page, count: int) -> None:
    """Wait until so many curves stand in the chart."""
    page.wait_for_function(
        "(count) => new Set([...document.querySelectorAll('.series-sheet .curve')].map(c => c.dataset.stream)).size >= count",
        arg=count,
    )


def columns(page: Page) -> list[list[tuple[float, float]]]:
    """The pieces of all curves: where each begins and ends, pixels."""
    drawn = page.evaluate(
        "() => [...document.querySelectorAll('.series-sheet path.curve')].map(c => c.getAttribute('d'))"
    )
    return [[(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", d)] for d in drawn]


def test_the_chart_shows_the_values_of_the_server_with_gaps_and_limits(
    readings: Readings, visit
) -> None:
    page = visit(
        readings.server.url, f"#chart={readings.streams['ch4']};24h", width=1280, height=720
    )
    chart(page, 1)
    (served,) = readings.series("ch4")
    pieces = columns(page)
    assert sum(map(len, pieces)) == len(served["times"]) == served["rows"]
    assert [len(piece) for piece in pieces] == [120 - GAP[0] + 1, GAP[1] + 1]
    inner = [gap for gap in served["gaps"] if gap[0] > served["times"][0] - 1]
    assert [round((end - start) / MINUTE) for start, end in inner] == [GAP[0] - GAP[1]]
    bars = page.locator(".series-sheet rect[data-gap]")
    assert bars.count() == len(served["gaps"])
    lines = {(one["level"], one["value"]) for one in served["thresholds"]}
    drawn = page.evaluate(
        "() => [...document.querySelectorAll('.threshold')].map(l => [Number(l.dataset.level), Number(l.dataset.value)])"
    )
    assert {tuple(one) for one in drawn} <= lines
    assert len(lines) >= 3
    told = page.locator(".series-sheet svg text").all_text_contents()
    for level, value in lines:
        word = {1: "Minor", 2: "Major", 3: "Severe", 4: "Extremely severe"}[level]
        assert any(re.fullmatch(rf"(↑ )?{word} ≥ {value:g}", text) for text in told), (word, told)

    sheet = page.locator(".series-sheet")
    sheet.focus()
    page.keyboard.press("End")
    last = f"{served['values'][-1]:g} %LEL"
    assert last in page.locator(".series-card").inner_text()
    assert last in page.locator(".series-sheet [aria-live]").inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".series-card").is_hidden()

    page.click(".series-panel button[data-value=table]")
    cells = page.locator(".series-table tbody td").all_inner_texts()
    newest = served["values"][::-1][: len(cells)]
    assert [float(text) for text in cells] == [round(value, 3) for value in newest]


def test_dragging_asks_for_the_finer_series_and_the_link_keeps_it(
    readings: Readings, visit
) -> None:
    link = f"#chart={readings.streams['ch4']},{readings.streams['pressure']};24h"
    page = visit(readings.server.url, link, width=1280, height=720)
    chart(page, 2)
    box = page.locator(".series-sheet").bounding_box()
    middle = box["y"] + box["height"] / 2
    with page.expect_request("**/observations/series?*") as asked:
        page.mouse.move(box["x"] + box["width"] * 0.85, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.9, middle)
        page.mouse.move(box["x"] + box["width"] * 0.94, middle)
        page.mouse.up()
    query = dict(re.findall(r"(\w+)=(\d+)", asked.value.url))
    start, end = int(query["start"]), int(query["end"])
    assert 1.5 * 3_600_000 < end - start < 3 * 3_600_000
    page.wait_for_function("([a, b]) => location.hash.includes(`;${a}..${b}`)", arg=[start, end])
    chart(page, 2)
    page.wait_for_selector(".series-panel[aria-busy=false]")
    served = readings.series("ch4", "pressure", start=start, end=end)
    assert sum(map(len, columns(page))) == sum(len(one["times"]) for one in served)

    with page.expect_download() as saved:
        page.click(".series-panel .table-files button:has-text('CSV')")
    text = Path(saved.value.path()).read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    expected = [value for one in served for value in one["values"]]
    assert [float(row["value"]) for row in rows] == expected
    assert {row["unit"] for row in rows} == {"%LEL", "kPa"}
    with page.expect_download() as saved:
        page.click(".series-panel .table-files button:has-text('SVG')")
    drawn = ET.fromstring(Path(saved.value.path()).read_text())
    assert len(drawn.findall(".//{*}path[@class='curve']")) == len(columns(page))
    with page.expect_download() as saved:
        page.click(".series-panel .table-files button:has-text('PNG')")
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")

    again = visit(readings.server.url, f"#{page.evaluate('() => window.cim.link()')}")
    chart(again, 2)
    assert f";{start}..{end}" in again.evaluate("() => window.cim.link()")
    page.click(".series-panel header button[aria-label='Back to the range before']")
    page.wait_for_function("() => location.hash.includes(';24h')")


def test_a_new_reading_is_added_without_a_reload(readings: Readings, visit) -> None:
    page = visit(readings.server.url, width=1280, height=720)
    page.wait_for_function("() => window.cim.live() === 'live'")
    page.evaluate("(id) => window.cim.pickThing(id)", readings.thing.id)
    page.click(f".thing-card [data-stream='{readings.streams['ch4']}'] button")
    chart(page, 1)
    page.click(".series-panel button[data-value='1h']")
    page.wait_for_selector(".series-panel[aria-busy=false]")
    before = sum(map(len, columns(page)))
    one = {"datastream": readings.thing.key, "time": round(time.time() * 1000), "value": 6.5}
    assert readings.server.client.post("/ingest", json=[one]).json()["accepted"] == 1
    page.wait_for_function(
        "(n) => [...document.querySelectorAll('.series-sheet path.curve')].reduce((sum, c) => sum + Number(c.dataset.points), 0) > n",
        arg=before,
    )
    assert "6.5 %LEL" in page.locator(".series-picks").inner_text()
    card = page.locator(f".thing-card [data-stream='{readings.streams['ch4']}']")
    assert "6.5 %LEL" in card.inner_text()
    assert card.locator(".sparkline path").get_attribute("d")


def test_three_units_stand_one_above_the_other_and_fit(readings: Readings, visit) -> None:
    ids = ",".join(str(number) for number in readings.streams.values())
    page = visit(readings.server.url, f"#chart={ids};1h", width=1280, height=720)
    chart(page, 2)
    page.evaluate("(id) => window.cim.pickThing(id)", readings.thing.id)
    page.wait_for_selector(".thing-card .streams li:nth-child(3)")
    units = [text for text in page.locator(".series-sheet svg text").all_text_contents() if text in ("%LEL", "kPa", "m³/h")]  # fmt: skip
    assert units == ["%LEL", "kPa", "m³/h"]
    for width, height in ((1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("() => window.cim.settled()")
        for language in ("中文", "English"):
            page.get_by_role("button", name=language).click()
            fits(page)
            card, panel = (
                page.locator(name).bounding_box() for name in (".thing-card", ".series-panel")
            )
            assert panel["x"] + panel["width"] <= card["x"]
            head = page.locator(".series-panel > header").bounding_box()
            assert head["height"] < 48, "the head of the chart stands in one line"
