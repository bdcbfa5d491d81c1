"""Versions in the viewer: comparing two of a building whose edits are known, and going back."""

import base64
import colorsys
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import EditedCity
from tests.support.serving import Server
from tests.test_viewer.conftest import COARSE

LAYER = "community_centre"
WIDTH, HEIGHT = 1000, 560
HUES = {"added": 139, "removed": 0, "moved": 216, "geometry": 33, "properties": 277}
"""Degrees on the colour circle."""


@pytest.fixture
def edited_server(edited: EditedCity, tmp_path: Path) -> Iterator[Server]:
    """A server of a copy of the edited city, free to be changed; its log must stay clean."""
    edited.city.database.close()
    shutil.copytree(edited.city.folder, tmp_path / "copy")
    running = Server(tmp_path / "copy", tmp_path / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


def ids_of(edited: EditedCity) -> dict[str, str]:
    edits = edited.edits
    return {
        "added": edits.added, "removed": edits.removed, "moved": edits.moved,
        "geometry": edits.reshaped, "properties": edits.repropertied,
    }  # fmt: skip


def picture(page: Page) -> np.ndarray:
    """The canvas as (height, width, 3) numbers 0–255."""
    width, height, text = page.evaluate(
        """async () => {
        const image = await createImageBitmap(await (await fetch(window.cim.pixels())).blob());
        const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, image.width, image.height);
        let text = "";
        for (let i = 0; i < data.length; i += 8192)
            text += String.fromCharCode(...data.subarray(i, i + 8192));
        return [image.width, image.height, btoa(text)]; }"""
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)[:, :, :3]


def hue_of(pixel: np.ndarray) -> tuple[float, float]:
    """Degrees, and how far from grey (0–1)."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*(pixel / 255))
    return hue * 360, saturation


def kinds_drawn(page: Page) -> Counter:
    """How many pixels have the hue of each kind, strongly coloured ones only."""
    pixels = picture(page).reshape(-1, 3)
    counted: Counter = Counter()
    for colour, count in zip(*np.unique(pixels, axis=0, return_counts=True), strict=True):
        hue, saturation = hue_of(colour)
        if saturation > 0.5 and max(colour) > 70:
            near = min(HUES, key=lambda kind: abs((hue - HUES[kind] + 180) % 360 - 180))
            if abs((hue - HUES[near] + 180) % 360 - 180) < 16:
                counted[near] += int(count)
    return counted


FIND = """async ([layer, id, version]) => {
    const middle = await window.cim.screenPositionOf(layer, id, version ?? undefined);
    for (let r = 0; r <= 40; r += 4) for (let turn = 0; turn < (r ? 8 : 1); turn++) {
        const x = Math.round(middle.x + r * Math.cos(turn * Math.PI / 4));
        const y = Math.round(middle.y + r * Math.sin(turn * Math.PI / 4));
        const hit = window.cim.pickAt(x, y);
        if (hit && hit.id === id) return { x, y, ...hit };
    }
    return null;
}"""


def find(page: Page, feature: str, version: int | None = None) -> dict | None:
    """Where a feature is drawn, by picking around the middle it has in a version."""
    return page.evaluate(FIND, [LAYER, feature, version])


def open_versions(page: Page) -> None:
    page.locator(f"[data-key='versions-{LAYER}']").click()
    page.wait_for_selector(".version")


def start_comparing(page: Page) -> None:
    open_versions(page)
    page.locator("[data-key='compare-2']").click()
    page.locator(".version-unfolded").get_by_role("button", name="Version 1").click()
    page.wait_for_selector(".change")
    page.evaluate("() => window.cim.settled()")


def switch(page: Page, kind: str) -> None:
    page.locator(f".comparison input[data-kind={kind}]").click()
    page.evaluate("() => window.cim.settled()")


def test_two_versions_of_a_building_are_compared_in_colours_a_table_and_a_swipe(
    edited_server: Server, edited: EditedCity, visit
) -> None:
    page = visit(edited_server.url, width=WIDTH, height=HEIGHT)
    page.evaluate(f"() => window.cim.flyTo('{LAYER}')")
    start_comparing(page)
    assert page.evaluate("() => window.cim.comparison().counts") == {
        "added": 1, "removed": 1, "moved": 2, "geometry": 1, "properties": 2, "unchanged": 844,
    }  # fmt: skip
    for kind, count in {"added": 1, "moved": 2, "unchanged": 844}.items():
        row = page.locator(f".comparison .legend-row:has(input[data-kind={kind}])")
        expect(row.locator(".count")).to_have_text(str(count))

    # Without what has not changed nothing stands in the way, and only the five colours are left.
    switch(page, "unchanged")
    page.evaluate(f"() => window.cim.flyTo('{LAYER}')")
    drawn = kinds_drawn(page)
    assert all(drawn[kind] > 20 for kind in HUES), drawn
    switch(page, "geometry")
    assert kinds_drawn(page)["geometry"] == 0
    expect(page.locator(".change")).to_have_count(6)
    switch(page, "geometry")
    expect(page.locator(".change")).to_have_count(7)

    # Each row flies to its element, which is drawn in the colour of its kind.
    ids = ids_of(edited)
    for kind, feature in ids.items():
        page.locator(f".change-head[data-id='{feature}']").click()
        page.wait_for_function(f"() => window.cim.selection()?.id === '{feature}'")
        page.evaluate("() => window.cim.settled()")
        version = 1 if kind == "removed" else None
        hit = find(page, feature, version)
        assert hit, kind
        assert hit.get("version") == version
        pixels = picture(page)
        scale = pixels.shape[1] / WIDTH
        around = pixels[
            int(hit["y"] * scale) - 3 : int(hit["y"] * scale) + 4,
            int(hit["x"] * scale) - 3 : int(hit["x"] * scale) + 4,
        ].reshape(-1, 3)
        hues = [hue_of(pixel) for pixel in around]
        assert any(
            abs((hue - HUES[kind] + 180) % 360 - 180) < 14 and strength > 0.4
            for hue, strength in hues
        ), (kind, hues)
    # The table says what the colours say, and what was before.
    shown = page.locator(".change.unfolded").all_inner_texts()
    told = dict(zip(ids, sorted(shown, key=lambda t: list(ids).index(kind_in(t))), strict=True))
    assert "Eastward" in told["moved"]
    assert "1.5 m" in told["moved"]
    assert all(word in told["properties"] for word in ("FireRating", "not there", "EI 90"))
    page.wait_for_function(
        "() => document.querySelector('.attributes')?.innerText.includes('EI 90')"
    )


PRIMITIVES = "() => window.cim.viewer.scene.primitives.length"


def kind_in(text: str) -> str:
    words = {"Added": "added", "Removed": "removed", "Moved": "moved",
             "Geometry changed": "geometry", "Properties changed": "properties"}  # fmt: skip
    return next(kind for word, kind in words.items() if word in text.split("\n"))


def test_the_swipe_shows_the_older_version_on_the_left_and_the_newer_on_the_right(
    edited_server: Server, edited: EditedCity, visit
) -> None:
    page = visit(edited_server.url, width=WIDTH, height=HEIGHT)
    primitives = page.evaluate(PRIMITIVES)
    page.evaluate(f"() => window.cim.compare('{LAYER}', 1, 2)")
    switch(page, "unchanged")
    page.evaluate(f"() => window.cim.flyTo('{LAYER}')")
    page.get_by_role("button", name="Swipe").click()
    page.evaluate("() => window.cim.settled()")
    handle = page.get_by_role("slider", name="Line between version 1")
    gone, new = edited.edits.removed, edited.edits.added

    def put(fraction: float) -> None:
        box = handle.bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(fraction * WIDTH, 300, steps=4)
        page.mouse.up()
        page.evaluate("() => window.cim.settled()")
        assert page.evaluate("() => window.cim.comparison().swipe") == pytest.approx(
            fraction, abs=0.002
        )

    put(0.97)  # all of the older version
    assert find(page, gone, 1)["version"] == 1
    assert find(page, new) is None
    assert kinds_drawn(page)["added"] == 0
    put(0.45)  # all of the newer one
    assert find(page, gone, 1) is None
    assert find(page, new)
    assert kinds_drawn(page)["removed"] == 0
    # What stands in both is drawn on the side where the line leaves it.
    where = find(page, edited.edits.reshaped)
    assert where
    assert where.get("version") is None
    put(where["x"] / WIDTH + 0.05)
    assert page.evaluate("([x, y]) => window.cim.pickAt(x, y)", [where["x"], where["y"]]) == {
        "layer": LAYER, "id": edited.edits.reshaped, "version": 1,
    }  # fmt: skip

    handle.focus()
    before = page.evaluate("() => window.cim.comparison().swipe")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("() => window.cim.comparison().swipe") == pytest.approx(before + 0.02)
    page.keyboard.press("PageDown")
    assert page.evaluate("() => window.cim.comparison().swipe") == pytest.approx(before - 0.08)
    page.keyboard.press("End")
    assert page.evaluate("() => window.cim.comparison().swipe") > 0.9

    page.keyboard.press("Escape")
    page.wait_for_function("() => window.cim.comparison() === null")
    assert page.evaluate(PRIMITIVES) == primitives  # nothing stays behind in the scene


def test_a_link_opens_the_same_comparison_and_escape_leaves_it(
    edited_server: Server, edited: EditedCity, visit
) -> None:
    page = visit(edited_server.url, width=WIDTH, height=HEIGHT, scale=COARSE)
    page.evaluate(f"() => window.cim.compare('{LAYER}', 1, 2)")
    switch(page, "unchanged")
    switch(page, "moved")
    page.get_by_role("button", name="Swipe").click()
    page.evaluate(f"() => window.cim.flyTo('{LAYER}')")
    gone = edited.edits.removed
    page.locator(f".change-head[data-id='{gone}']").click()
    page.wait_for_selector(".attributes .provenance")
    expect(page.locator(".attributes .provenance dd").nth(1)).to_have_text("1")
    page.evaluate("() => window.cim.settled()")
    link = page.evaluate("() => window.cim.link()")
    second = visit(edited_server.url, f"#{link}", width=WIDTH, height=HEIGHT, scale=COARSE)
    state = "() => window.cim.comparison()"
    assert second.evaluate(state) == page.evaluate(state)
    assert second.evaluate("() => window.cim.link()") == link
    picked = "() => window.cim.selection()"
    assert second.evaluate(picked) == {"layer": LAYER, "id": gone, "version": 1}
    second.keyboard.press("Escape")
    second.wait_for_function("() => window.cim.comparison() === null")
    second.evaluate("() => window.cim.settled()")
    assert "cmp=" not in second.evaluate("() => window.cim.link()")
    assert second.locator(".swipe:visible").count() == 0
    assert second.evaluate(picked) is None
    assert find(second, gone, 1) is None


def test_an_earlier_version_is_made_current_and_every_viewer_follows_without_reloading(
    edited_server: Server, edited: EditedCity, visit
) -> None:
    other = visit(edited_server.url, scale=COARSE)
    page = visit(edited_server.url, width=WIDTH, height=HEIGHT, scale=COARSE)
    for one in (other, page):
        one.evaluate("() => { window.stillHere = true; }")
    open_versions(page)
    page.locator("[data-key='confirm-1']").click()
    assert page.evaluate("() => window.cim.layers()[0].version") == 2  # not before it is confirmed
    page.get_by_role("button", name="Serve version 1").click()
    for one in (page, other):
        one.wait_for_function("() => window.cim.layers()[0].version === 1")
        one.evaluate("() => window.cim.settled()")
        assert one.evaluate("() => window.stillHere")
        ids = {f["id"] for f in one.evaluate(f"() => window.cim.features('{LAYER}')")}
        assert edited.edits.removed in ids
        assert edited.edits.added not in ids
    expect(page.locator(".version.current h3")).to_have_text("Version 1")
    expect(page.locator(".roll-backs li")).to_have_count(1)
    page.locator(".roll-backs button").click()
    expect(page.locator("dialog")).to_contain_text("Roll-back")
    page.keyboard.press("Escape")
    # And forth again.
    page.locator("[data-key='confirm-2']").click()
    page.get_by_role("button", name="Serve version 2").click()
    for one in (page, other):
        one.wait_for_function("() => window.cim.layers()[0].version === 2")
    expect(page.locator(".roll-backs li")).to_have_count(2)


def test_versions_and_comparison_fit_their_window_in_both_languages(
    edited_server: Server, edited: EditedCity, visit, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("CIM_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    page = visit(edited_server.url, width=1280, height=720, locale="zh-CN", scale=COARSE)
    open_versions(page)
    page.locator("[data-key='confirm-1']").click()
    check_layouts(page)
    page.locator("[data-key='compare-2']").click()
    page.locator(".version-unfolded button").click()
    page.locator(f".change-head[data-id='{edited.edits.repropertied}']").click()
    page.wait_for_selector(".attributes .property-set")
    check_layouts(page)
    page.get_by_role("button", name="卷帘").click()
    page.wait_for_selector(".swipe-handle:visible")
    check_layouts(page)
    page.get_by_role("button", name="叠加").click()
    for language, word, name in (
        ("中文", "变更", "comparison-zh.png"),
        ("English", "Unchanged", "comparison.png"),
    ):
        page.get_by_role("button", name=language).click()
        picture_of(page, folder / name)
        assert word in page.locator(".comparison").inner_text()


def check_layouts(page: Page) -> None:
    """The layout in both languages, the Chinese one last."""
    for language in ("English", "中文"):
        page.get_by_role("button", name=language).click()
        check_layout(page)


def picture_of(page: Page, path: Path) -> None:
    """The page as it is printed in the documentation, in the smaller size."""
    page.evaluate(f"() => window.cim.flyTo('{LAYER}')")
    page.screenshot(path=path)


def check_layout(page: Page) -> None:
    """Nothing scrolls sideways, is cut off, or is written over, in a large window and a small one.

    Only the page is looked at, so the scene is not drawn anew for each size.
    """
    drawing = "on => { window.cim.viewer.useDefaultRenderLoop = on; }"
    page.evaluate(drawing, False)
    for width, height in ((1920, 1080), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        assert odd_layout(page) == []
    page.evaluate(drawing, True)


def odd_layout(page: Page) -> list[str]:
    """What scrolls or is cut off in the window as it is."""
    found: list[str] = page.evaluate(
        """() => {
        const odd = [];
        const root = document.documentElement;
        if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) odd.push("page scrolls");
        for (const panel of document.querySelectorAll(".panel-scroll"))
            if (panel.offsetParent && panel.scrollWidth > panel.clientWidth) odd.push("panel scrolls sideways");
        for (const button of document.querySelectorAll(".panel button")) {
            const r = button.getBoundingClientRect();
            if (button.offsetParent && (r.right > innerWidth + 1 || r.left < -1)) odd.push(button.innerText);
            if (button.offsetParent && button.scrollWidth > button.clientWidth + 1) odd.push("cut: " + button.innerText);
        }
        return odd; }"""
    )
    return found
