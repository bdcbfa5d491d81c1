"""The panel of an intersection: its figures are the server's, it fits, in both languages."""

import csv
import io
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Page

from cim_core.city import City
from cim_core.traffic.event import Cause, Change, TrafficEvent
from cim_core.traffic.moving import Positions, joined
from tests.support.serving import Server
from tests.support.traffic import (
    ARM,
    BEARINGS,
    HALF,
    SPEED,
    along,
    at_places,
    city_with_roads,
    lon_lat,
    shown,
)

LAYER, CROSSING = "roads", "J1"
MINUTES = 12
CYCLE = 60
GREENS = {"ns": (0, 27), "ew": (30, 57)}
RED, GREEN, YELLOW = 3, 6, 7
EVERY = {"north": 12, "east": 20, "south": 15, "west": 40}
"""Seconds between two who come in by an arm; those from the west all turn right."""


@dataclass(frozen=True)
class Crossing:
    """A server with an intersection that was driven through for some minutes."""

    server: Server
    start: int
    end: int

    def asked(self, path: str, **query: object) -> dict:
        about = {"intersection": CROSSING, "layer": LAYER, "start": self.start, "end": self.end}
        return self.server.client.get(path, params=about | query).raise_for_status().json()

    def measures(self, by: str, **query: object) -> list[dict]:
        """Rows by the names of their columns, of the whole time."""
        bin_ = (self.end - self.start) // 1000
        found = self.asked("/measures", by=by, **{"bin": bin_} | query)
        names = [column["name"] for column in found["columns"]]
        return [dict(zip(names, row, strict=True)) for row in found["rows"]]


def driven(arm: str, start: int) -> Positions:
    """All who come in by an arm: at `SPEED`, but for those whom the red light stops."""
    heading = BEARINGS[arm]
    begins, ends = GREENS["ns" if arm in ("north", "south") else "ew"]
    out = heading + (90.0 if arm == "west" else 0.0)
    parts = []
    for number, enters in enumerate(range(0, MINUTES * 60 - 60, EVERY[arm])):
        reached = enters + (ARM - HALF) / SPEED
        goes = reached if begins <= reached % CYCLE < ends else -(-(reached - begins) // CYCLE) * CYCLE + begins  # fmt: skip
        seconds = np.arange(enters, goes + (ARM + HALF) / SPEED, 0.5)
        before = np.minimum((seconds - enters) * SPEED - ARM, -HALF - 1)
        after = (seconds - goes) * SPEED - HALF
        through = seconds >= goes
        places = np.where(
            through[:, None] & (after >= HALF)[:, None], along(out, np.maximum(after, HALF)),
            along(heading, np.where(through, np.minimum(after, HALF), before)),
        )  # fmt: skip
        stands = ~through & (before >= -HALF - 1)
        parts.append(
            at_places(
                start + np.round(seconds * 1000).astype(np.int64), [f"{arm}{number}"] * len(seconds),
                places, speeds=np.where(stands, 0.0, SPEED),
                headings=np.where(through & (after >= HALF), out, heading),
            )
        )  # fmt: skip
    return joined(parts, Positions)


def lit(start: int) -> tuple[list[int], list[str], list[int]]:
    """What both groups showed, once a second."""
    times, groups, lights = [], [], []
    for second in range(MINUTES * 60):
        for group, (begins, ends) in GREENS.items():
            at = second % CYCLE
            times.append(start + second * 1000)
            groups.append(group)
            lights.append(
                GREEN if begins <= at < ends else YELLOW if ends <= at < ends + 3 else RED
            )
    return times, groups, lights


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crossing]:
    folder = tmp_path_factory.mktemp("crossing")
    city = city_with_roads(folder / "city")
    # A whole minute, for the window is one of whole minutes; and one where a cycle begins.
    start = (int(time.time()) // 3600 - 1) * 3_600_000
    for arm in BEARINGS:
        city.traffic.append(LAYER, driven(arm, start))
    city.traffic.append(LAYER, shown(*lit(start)))
    server = Server(folder / "city", folder / "server.log")
    spans = server.client.get(f"/intersections/{CROSSING}").json()["recorded"]
    minute = 60_000
    first = min(span[0] for span in spans.values()) // minute * minute
    last = -(-max(span[1] for span in spans.values()) // minute) * minute
    lon, lat = lon_lat(along(0.0, [-50.0]))[0].tolist()
    stands = TrafficEvent(
        kind="notice", key="stop", begun=start + 60_000, lon=lon, lat=lat, link="north-in",
        lane="north-in-1", intersection=CROSSING, vehicles=("north3",), confidence=0.83,
        causes=(Cause(kind="demand", score=0.4, en="Too many want through.", zh="需求过大。"),),
    )  # fmt: skip
    City.open(folder / "city").traffic.events.apply(LAYER, [Change("opened", stands)])
    yield Crossing(server, first, last)
    server.stop()
    assert server.odd_lines() == []


def part(page: Page, name: str) -> None:
    """Open a part of the panel and wait until all it asked for is there."""
    page.click(f".crossing-panel [data-tab={name}]")
    settled(page)


def settled(page: Page) -> None:
    page.wait_for_selector(".crossing-panel[aria-busy=false]")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.crossing-part')].every(p => p.ariaBusy !== 'true')"
    )


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def cells(page: Page) -> dict[str, list[str]]:
    """The cells of the table of measures, by what a row is about."""
    return dict(
        page.evaluate(
            """() => [...document.querySelectorAll('.crossing-table tbody tr')]
               .map(row => [row.dataset.about, [...row.cells].slice(1).map(c => c.innerText.trim())])"""
        )
    )


def nothing_clipped(page: Page) -> None:
    """The panel is within the window, and nothing of it is wider than it."""
    box = page.locator(".crossing-panel").bounding_box()
    size = page.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"] + 0.5
    assert box["y"] + box["height"] <= size["height"] + 0.5
    wide = page.evaluate(
        """() => [".crossing-head", ".crossing-time", ".crossing-tabs", ".crossing-page", ".crossing-side"]
           .filter(s => { const e = document.querySelector(s);
                          return e && e.scrollWidth > e.clientWidth + 1; })"""
    )
    assert wide == []


def flows(crossing: Crossing, page: Page) -> None:
    """An arrow for each movement, as wide as its volume."""
    served = {(row["link"], row["turn"]): row for row in crossing.measures("movement")}
    assert sum(row["volume"] or 0 for row in served.values()) > 100
    drawn = page.evaluate(
        """() => [...document.querySelectorAll('.crossing-plan .flow')].map(f => [
             f.dataset.link, f.dataset.turn, f.dataset.volume,
             Number(f.querySelector('.ribbon').getAttribute('stroke-width'))])"""
    )
    assert len(drawn) == 12
    busy = {}
    for link, turn, volume, width in drawn:
        row = served.get((link, turn))
        assert volume == ("" if row is None or row["volume"] is None else str(row["volume"]))
        if row and row["volume"]:
            busy[link, turn] = width / row["volume"]
    assert ("north-in", "straight") in busy and ("west-in", "right") in busy
    assert max(busy.values()) == pytest.approx(min(busy.values()), rel=0.02)
    page.locator(".crossing-plan .flow[data-link=north-in][data-turn=left]").focus()
    page.keyboard.press("ArrowRight")
    told = page.locator(".crossing-flow").inner_text()
    busiest = served["north-in", "straight"]
    assert "South straight" in told and busiest["los"] in told
    assert f"{busiest['delay_s']:.1f} s" in told
    nothing_clipped(page)


def measures(crossing: Crossing, page: Page) -> None:
    """By movement, and sorted."""
    part(page, "measures")
    served = crossing.measures("movement")
    for about, row in cells(page).items():
        expected = next(one for one in served if one["movement"] == about)
        assert row[0] == ("–" if expected["volume"] is None else f"{expected['volume']}")
        delay = expected["delay_s"]
        assert row[1] == "–" if delay is None else abs(number(row[1]) - delay) <= 0.051
        assert row[2] == (expected["los"] or "–")
    page.click(".crossing-table [data-sort=volume]")
    volumes = [number(row[0]) for row in cells(page).values() if row[0] != "–"]
    assert volumes == sorted(volumes, reverse=True)
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Motor vehicles")


def compared(crossing: Crossing, page: Page) -> None:
    """By lane, beside the same of another time."""
    page.click(".crossing-ask button[data-value=lane]")
    page.wait_for_selector(".crossing-table tr[data-about=north-in-1]")
    lanes = {row["lane"]: row for row in crossing.measures("lane")}
    assert {about: row[0] for about, row in cells(page).items()} == {name: f"{row['volume']}" for name, row in lanes.items()}  # fmt: skip
    other = crossing.start + 5 * 60_000
    page.locator(".crossing-page").get_by_label("Compared with").select_option("own")
    page.fill(".crossing-ask input[name=other]", page.evaluate("t => { const d = new Date(t - new Date(t).getTimezoneOffset() * 60000); return d.toISOString().slice(0, 16) }", other))  # fmt: skip
    page.locator(".crossing-ask input[name=other]").blur()
    page.wait_for_selector(".crossing-table .compared td.change")
    settled(page)
    span = crossing.end - crossing.start
    before = {row["lane"]: row for row in crossing.measures("lane", start=other, end=other + span)}
    for about, row in cells(page).items():
        now, then = lanes[about]["delay_s"], before[about]["delay_s"]
        assert number(row[0]) - number(row[1]) == number(row[2].replace("±", ""))
        if now is not None and then is not None and abs(now - then) > 0.1:
            assert row[5].endswith("better" if now < then else "worse")
    page.evaluate(
        "() => Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text } } })"
    )
    page.click(".copy-csv")
    rows = {row["lane"]: row for row in csv.DictReader(io.StringIO(page.evaluate("() => window.copied")))}  # fmt: skip
    assert {name: row["volume"] for name, row in rows.items()} == {name: f"{row['volume']}" for name, row in lanes.items()}  # fmt: skip
    assert rows["north-in-1"]["volume_before"] == f"{before['north-in-1']['volume']}"
    nothing_clipped(page)


def queues(crossing: Crossing, page: Page) -> None:
    """A line for the lane of the approach that is chosen, and its figures as a table."""
    part(page, "lines")
    served = crossing.asked("/measures/queues", step=2)
    page.locator(".crossing-page").get_by_label("Approach").select_option("south-in")
    settled(page)
    line = page.locator(".crossing-lines figure").first.locator("path.curve")
    assert line.count() == 1
    points = len(re.findall(r"[ML]", line.get_attribute("d")))
    assert points == len(served["times"])
    page.locator(".crossing-lines figure").first.locator("summary").click()
    page.wait_for_selector(".crossing-lines details[open] tbody tr")
    shown_rows = page.locator(".crossing-lines figure").first.locator("tbody tr td:nth-child(2)")
    own = served["metres"][served["lanes"].index("south-in-1")]
    assert [number(text) for text in shown_rows.all_inner_texts()] == pytest.approx(own, abs=0.06)
    assert max(own) > 0


def signals(crossing: Crossing, page: Page) -> None:
    """The plan's greens, and a column for each cycle with its arrivals."""
    part(page, "signals")
    cycles = crossing.asked("/measures/cycles")
    page.locator(".crossing-page").get_by_label("Signal group").select_option("ns")
    assert page.locator(".crossing-planbar .stretch.green").count() == 2
    starts = [one for one in cycles["cycles"] if one["group"] == "ns"]
    assert page.locator(".crossing-sheet rect.band.green").count() == sum(1 for one in starts if one["green"])  # fmt: skip
    arrivals = [one for one in cycles["arrivals"] if one["group"] == "ns"]
    assert page.locator(".crossing-sheet circle.arrival").count() == len(arrivals) > 30
    on_green = sum("green" in one["light"] for one in arrivals)
    assert page.locator("circle.arrival[data-light=green]").count() == on_green
    assert f"{on_green} on green" in page.locator(".crossing-part").inner_text()


def in_chinese(crossing: Crossing, page: Page) -> None:
    """Another language, another size: the same figures, all of it in sight."""
    page.get_by_role("button", name="中文").click()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.click(".crossing-widen")
    page.wait_for_selector(".crossing-panel.beside")
    settled(page)
    assert page.locator(".crossing-side .crossing-plan").is_visible()
    assert "信号方案" in page.locator(".crossing-page").inner_text()
    nothing_clipped(page)
    part(page, "measures")
    lanes = crossing.measures("lane")
    assert {about: row[0] for about, row in cells(page).items()} == {row["lane"]: f"{row['volume']}" for row in lanes}  # fmt: skip
    assert "改善" in page.locator(".crossing-table").inner_text() or "变差" in page.locator(".crossing-table").inner_text()  # fmt: skip
    part(page, "corridor")
    assert "没有其他路口" in page.locator(".crossing-page").inner_text()


def events(crossing: Crossing, page: Page) -> None:
    """What is open here, why, and closing it with a reason."""
    part(page, "events")
    item = page.locator(".crossing-events li.open")
    assert "路侧信息" in item.inner_text() and "83%" in item.inner_text()
    assert "需求过大。" in page.locator(".crossing-causes").inner_text()
    item.get_by_role("button", name="结束事件").click()
    page.fill("#crossing-event-note", "已拖离")
    page.locator("dialog button[type=submit]").click()
    page.wait_for_function("() => !document.querySelector('.crossing-events li.open')")
    known = crossing.server.client.get("/traffic/events").json()["events"]
    closed = next(one for one in known if one["kind"] == "notice")
    assert closed["state"] == "closed" and closed["note"] == "已拖离"


def test_an_intersection_is_told_as_the_server_measures_it(crossing: Crossing, visit) -> None:
    page = visit(crossing.server.url, f"#t.traffic={LAYER};;;;{CROSSING}", width=1280, height=720)
    page.wait_for_selector(".crossing-plan svg .flow")
    settled(page)
    head = page.locator(".crossing-head").inner_text()
    assert "Signals" in head and "试验路口" in head
    assert {"MAP-JSON", "GeoJSON", "CSV", "Parquet"} <= set(page.locator(".crossing-files a").all_inner_texts())  # fmt: skip
    for one in (flows, measures, compared, queues, signals, in_chinese, events):
        one(crossing, page)
