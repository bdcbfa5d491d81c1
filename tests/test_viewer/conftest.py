"""A real browser on a real server; anything odd that the page says or asks for fails the test."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.serving import session_at

FLAGS = (
    "--headless --no-sandbox --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage "
    "--use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader --ignore-gpu-blocklist --hide-scrollbars --disable-gpu-rasterization "
    "--force-color-profile=srgb --force-device-scale-factor=1 --mute-audio"
).split()

COARSE = 1 if os.environ.get("CIM_SCREENSHOTS") else 0.5
"""Pixels drawn for one of the page, each way: what takes the time of these tests is their number."""


@pytest.fixture(scope="package")  # its event loop would be in the way of tests that come after
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "chromium is missing; `make test` installs it on Debian"
    expect.set_options(timeout=90_000)  # nothing is to come within a time
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@dataclass
class Watched:
    """A page and everything odd that happened on it."""

    page: Page
    origin: str
    odd: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on(
            "console", lambda m: m.type in ("error", "warning") and self.odd.append(m.text)
        )
        self.page.on("pageerror", lambda e: self.odd.append(f"page error: {e}"))
        self.page.on("requestfailed", self._failed)
        self.page.on(
            "response", lambda r: r.status >= 400 and self.odd.append(f"{r.status} {r.url}")
        )
        self.page.on("request", lambda r: self._asked(r.url))

    def _failed(self, request) -> None:
        # A stream that the page itself closes, or that ends with the page, has not failed.
        if request.resource_type != "eventsource" and request.failure != "net::ERR_ABORTED":
            self.odd.append(f"failed: {request.url} {request.failure}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if (
            parts.scheme in ("http", "https", "ws")
            and f"{parts.scheme}://{parts.netloc}" != self.origin
        ):
            self.odd.append(f"asked another host: {url}")


@pytest.fixture
def visit(browser: Browser) -> Iterator:
    """Open the viewer at an address and wait until its layers stand in the scene.

    Somebody who manages the city's data is signed in, unless there is to be no session. They ask
    for less motion, unless flights are to be seen. Where no pixels are looked at, all may be as
    large as said and drawn with a quarter of them, as on a small screen that is zoomed out.
    """
    opened: list[Watched] = []

    def go(
        url: str,
        fragment: str = "",
        *,
        width=640,
        height=360,
        locale="en-US",
        session=True,
        motion="reduce",
        scale=1.0,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=locale,
            reduced_motion=motion,
            device_scale_factor=scale,
        )
        if session and (token := session_at(url)):
            context.add_cookies([{"name": "cim_session", "value": token, "url": url}])
        watched = Watched(context.new_page(), url)
        watched.listen()
        opened.append(watched)
        watched.page.set_default_timeout(90_000)
        watched.page.goto(f"{url}/{fragment}")
        watched.page.wait_for_function("() => window.cim && window.cim.ready.then(() => true)")
        watched.page.evaluate("() => window.cim.settled()")
        return watched.page

    yield go
    for watched in opened:
        watched.page.context.close()
        assert watched.odd == []
