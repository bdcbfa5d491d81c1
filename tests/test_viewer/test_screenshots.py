"""The viewer as people see it; with CIM_SCREENSHOTS set, the smaller pictures go to that folder."""

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.support.serving import Server


def test_the_workbench_fits_its_window(sample_server: Server, visit, tmp_path: Path) -> None:
    page = visit(sample_server.url, width=1280, height=720)
    page.evaluate("() => window.cim.flyTo('office')")
    # What the middle of the picture shows: something on the side that faces the camera.
    hit = page.evaluate(
        "() => { const c = window.cim.viewer.canvas;"
        " return window.cim.pickAt(c.clientWidth / 2, c.clientHeight / 2); }"
    )
    page.evaluate("([id]) => window.cim.select('office', id)", [hit["id"]])
    page.wait_for_function("() => document.body.innerText.includes('Pset_')")
    page.evaluate("() => window.cim.settled()")
    folder = Path(os.environ.get("CIM_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    for language, name in (("English", "viewer.png"), ("中文", "viewer-zh.png")):
        page.get_by_role("button", name=language).click()
        page.screenshot(path=folder / name)
        fits(page)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.evaluate("() => window.cim.settled()")
    for language in ("English", "中文"):
        page.get_by_role("button", name=language).click()
        fits(page)


def fits(page: Page) -> None:
    """Nothing scrolls, and no button is cut off."""
    scrolls = page.evaluate(
        "() => [document.documentElement.scrollWidth > innerWidth, document.documentElement.scrollHeight > innerHeight]"
    )
    assert scrolls == [False, False]
    cut = page.evaluate(
        """() => [...document.querySelectorAll("button")].filter(b => b.offsetParent)
        .map(b => b.getBoundingClientRect())
        .filter(r => r.width && (r.right > innerWidth + 1 || r.left < -1)).length"""
    )
    assert cut == 0
