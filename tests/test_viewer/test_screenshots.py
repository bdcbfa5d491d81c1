"""The viewer as people see it; with CIM_SCREENSHOTS set, the smaller pictures go to that folder."""

import os
from pathlib import Path

import pytest

from tests.support.serving import Server


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_the_workbench_fits_its_window(
    width: int, height: int, locale: str, sample_server: Server, visit, tmp_path: Path
) -> None:
    page = visit(sample_server.url, width=width, height=height, locale=locale)
    page.evaluate("() => window.cim.flyTo('office')")
    # What the middle of the picture shows: something on the side that faces the camera.
    hit = page.evaluate(
        "() => { const c = window.cim.viewer.canvas;"
        " return window.cim.pickAt(c.clientWidth / 2, c.clientHeight / 2); }"
    )
    page.evaluate("([id]) => window.cim.select('office', id)", [hit["id"]])
    page.wait_for_function("() => document.body.innerText.includes('Pset_')")
    page.evaluate("() => window.cim.settled()")
    wanted = os.environ.get("CIM_SCREENSHOTS") if width == 1280 else None
    folder = Path(wanted or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    name = "viewer.png" if locale == "en-US" else "viewer-zh.png"
    page.screenshot(path=folder / name)
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
