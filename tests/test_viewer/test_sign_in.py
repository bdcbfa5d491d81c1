"""Signing in in the viewer: what strangers see, what whoever signs in sees, and what stays secret."""

import contextlib
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from urllib.parse import quote

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from cim_core.city import City
from server.access.policy import public_policy
from tests.conftest import import_file
from tests.support.people import Office, open_office
from tests.support.rasters import hills, write_raster
from tests.test_viewer.conftest import COARSE, Watched

PEOPLE = {
    "data-manager": ("data-manager",), "viewer": ("viewer",),
    "administrator": ("security-administrator",),
}  # fmt: skip
OPEN, CLOSED = "community_centre", "office"
"""The layers of two buildings; strangers see the first."""

GUARDED = re.compile(r"/c/([\w-]{40,})/(t|tiles)/(\w+)/")
ENTRIES = {"en": ("Second factor", "Sign out"), "zh": ("第二因素", "退出登录")}
BELIEVED = 2_100
"""Milliseconds: a little longer than the server believes what it found in its office."""


@pytest.fixture(scope="module")
def office(sample_city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A city that opens its public layers: one building is, another one and the ground are not."""
    folder = tmp_path_factory.mktemp("office")
    sample_city.database.close()
    nobody = shutil.ignore_patterns("office.db*")
    shutil.copytree(sample_city.folder, folder / "city", ignore=nobody)
    city = City.open(folder / "city")
    import_file(city, write_raster(folder / "ground.tif", hills(60, 60)), kind="terrain")
    for layer, sensitivity in {OPEN: "public", CLOSED: "sensitive", "ground": "sensitive"}.items():
        city.describe(layer, {"sensitivity": sensitivity})
    city.office.policies.put(public_policy().document(), 0, "test")
    opened = open_office(folder, city, PEOPLE)
    yield opened
    opened.stop()


@pytest.fixture
def enter(browser: Browser, office: Office) -> Iterator:
    """Open the viewer as a stranger; refusals that a test provokes are named by it."""
    opened: list[tuple[Watched, str]] = []

    def go(fragment: str = "", *, locale="en-US", refused="^$", width=640, height=400) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=locale,
            reduced_motion="reduce",
            device_scale_factor=COARSE,
        )
        watched = Watched(context.new_page(), office.server.url)
        watched.listen()
        opened.append((watched, refused))
        watched.page.set_default_timeout(90_000)
        watched.page.goto(f"{office.server.url}/{fragment}")
        settle(watched.page)
        return watched.page

    yield go
    for watched, refused in opened:
        kept = watched.page.evaluate("() => JSON.stringify({ ...localStorage, ...sessionStorage })")
        watched.page.context.close()
        assert [odd for odd in watched.odd if not re.search(refused, odd)] == []
        for secret in office.passwords.values():
            assert secret not in kept


def settle(page: Page) -> None:
    """Wait until the page, opened or begun anew, shows all there is."""
    page.wait_for_function("() => window.cim")
    page.evaluate("() => window.cim.ready")
    page.evaluate("() => window.cim.settled()")


def fill_in(page: Page, office: Office, name: str, code: str | None = None) -> None:
    """Say in the dialog who one is, and wait for the page to begin anew."""
    page.locator("#sign-in-name").fill(name)
    page.locator("#sign-in-password").fill(office.passwords[name])
    submit = page.locator(".sign-in button[type=submit]")
    if code is not None:
        submit.click()
        page.locator("#sign-in-code").fill(code)
    with page.expect_navigation():
        submit.click()
    settle(page)


def sign_in(page: Page, office: Office, name: str, code: str | None = None) -> None:
    page.locator(".sign-in-button").click()
    fill_in(page, office, name, code)


def sign_out(page: Page) -> None:
    page.locator(".account-badge").click()
    with page.expect_navigation():
        page.locator(".account-entry").last.click()
    settle(page)


def layers(page: Page) -> dict[str, bool]:
    """Whether each layer is shown."""
    assert page.evaluate("() => window.cim.layers().every(layer => layer.error === null)")
    return dict(page.evaluate("() => window.cim.layers().map(({ id, visible }) => [id, visible])"))


def guarded(page: Page) -> tuple[list[str], list[tuple[str, str, str]]]:
    """Lists that fill with the paths asked for, and with token, folder and layer of guarded ones."""
    paths: list[str] = []
    found: list[tuple[str, str, str]] = []

    def note(request) -> None:
        path = request.url.removeprefix("http://").partition("/")[2]
        paths.append(f"/{path}")
        found.extend(match.groups() for match in GUARDED.finditer(f"/{path}"))

    page.on("request", note)
    return paths, found


def test_strangers_see_public_layers_and_who_signs_in_sees_all(office: Office, enter) -> None:
    feature = next(iter(office.city.features.all(CLOSED, 1))).feature.id
    inputs = quote(f'{{"layers":["{CLOSED}"]}}')
    page = enter(
        f"#l={OPEN}&l={CLOSED};o=0.7&sel={CLOSED}/{quote(feature)}&cmp={CLOSED};1;2"
        f"&table={CLOSED}&t.here=what-is-here;{inputs}",
        refused=r"^404 .*/comparison|status of 404",  # of a version that is not kept
    )
    assert layers(page) == {OPEN: True}
    expect(page.locator(".table-panel:not(.chart-panel, .series-panel)")).to_be_hidden()
    assert CLOSED not in page.locator("body").inner_text().lower()
    names = "() => performance.getEntriesByType('resource').map(({ name }) => name)"
    assert not [name for name in page.evaluate(names) if CLOSED in name], "nothing is asked of it"
    expect(page.locator("#tab-imports")).to_have_count(0)
    expect(page.get_by_role("button", name="Import…")).to_be_hidden()

    _, found = guarded(page)
    sign_in(page, office, "data-manager")
    assert layers(page) == {OPEN: True, CLOSED: True, "ground": False}, "those the link names"
    assert page.evaluate("() => window.cim.selection()") == {"layer": CLOSED, "id": feature}
    assert page.evaluate("() => window.cim.table().layer") == CLOSED
    assert {layer for _, _, layer in found} == {CLOSED}
    assert not GUARDED.search(page.url)
    expect(page.locator("#tab-imports")).to_be_visible()

    page.locator(".account-badge").click()
    menu = page.locator(".account-menu")
    expect(menu).to_contain_text("Data manager")
    expect(menu.locator(".account-rights li")).to_have_count(7)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    assert page.evaluate("() => window.cim.selection()") is not None, "Esc closed the menu alone"
    sign_out(page)
    assert layers(page) == {OPEN: True}


def test_who_came_without_a_link_sees_what_there_is_after_signing_in(office: Office, enter) -> None:
    page = enter(refused="^401 .*/session$|status of 401")
    camera = re.compile(r"c=[^&]*")
    page.evaluate("id => window.cim.flyTo(id)", OPEN)
    before = camera.search(page.evaluate("() => window.cim.link()"))
    page.locator(".sign-in-button").click()
    page.locator("#sign-in-name").fill("data-manager")
    page.locator("#sign-in-password").fill("not the password")
    page.locator(".sign-in button[type=submit]").click()
    expect(page.locator(".sign-in [role=alert]")).to_contain_text("name or password is wrong")
    _, found = guarded(page)
    fill_in(page, office, "data-manager")
    assert layers(page) == {OPEN: True, CLOSED: True, "ground": True}
    assert page.evaluate("() => window.cim.base().terrain") == "ground/1"
    assert camera.search(page.evaluate("() => window.cim.link()")).group() == before.group()
    assert ("t", "ground") in {(folder, layer) for _, folder, layer in found}


def test_a_capability_that_is_revoked_is_replaced_unnoticed(office: Office, enter) -> None:
    page = enter(f"#l={OPEN}", refused=r"^401 .*/c/|status of 401")
    sign_in(page, office, "data-manager")
    paths, found = guarded(page)
    page.evaluate("() => window.cim.setView('ground', { visible: true })")
    page.evaluate("() => { window.kept = window.cim.viewer; }")
    with contextlib.closing(sqlite3.connect(office.city.office.path)) as database, database:
        database.execute("DELETE FROM capabilities")
    page.wait_for_timeout(BELIEVED)
    page.evaluate("id => window.cim.setView(id, { visible: true })", CLOSED)
    page.evaluate("id => window.cim.flyTo(id)", CLOSED)
    assert layers(page) == {OPEN: True, CLOSED: True, "ground": True}
    assert page.evaluate("() => window.kept === window.cim.viewer"), "the page was not begun anew"
    before, after = dict.fromkeys(token for token, _, _ in found)
    asked = [path for path in paths if f"/c/{after}/t/{CLOSED}/" in path]
    assert asked and len(asked) == len(set(asked)), "nothing is loaded twice"
    assert before != after
    assert len(page.evaluate("id => window.cim.features(id)", CLOSED)) > 100


def test_a_session_that_ends_is_told_of_and_the_view_stays(office: Office, enter) -> None:
    page = enter(f"#l={OPEN}&l={CLOSED}", refused=r"^40[14] |status of 40[14]")
    sign_in(page, office, "data-manager")
    page.evaluate("id => window.cim.flyTo(id)", CLOSED)
    before = page.evaluate("() => window.cim.link()")
    expect(page.locator(".session-notice")).to_be_hidden()
    office.city.office.sessions.end_all(office.id_of("data-manager"))
    page.wait_for_timeout(BELIEVED)
    feature = next(iter(office.city.features.all(CLOSED, 1))).feature.id
    page.evaluate("([layer, id]) => window.cim.select(layer, id)", [CLOSED, feature])
    notice = page.locator(".session-notice")
    expect(notice).to_contain_text("not signed in any more")
    assert layers(page)[CLOSED], "what is shown stays"
    page.evaluate("() => window.cim.clear()")
    notice.get_by_role("button").click()
    assert page.locator("#sign-in-name").input_value() == "data-manager"
    fill_in(page, office, "data-manager")
    assert page.evaluate("() => window.cim.link()") == before
    expect(notice).to_be_hidden()


def test_a_layer_seen_in_part_is_a_plan_with_a_sign(office: Office, enter) -> None:
    link = f"#l={OPEN}&l={CLOSED}&lang=en"
    page = enter(link, width=1000, height=500)  # wide enough for the list of layers
    _, found = guarded(page)
    sign_in(page, office, "viewer")
    assert layers(page) == {OPEN: True, CLOSED: True}, "a ground without heights is none"
    assert {(folder, layer) for _, folder, layer in found} == {("tiles", CLOSED)}
    tag = page.locator(".layer .tag.part")
    for language, sign, told in (
        ("中文", "部分可见", "不显示高程与埋深。"),
        ("English", "in part", "Heights and depths are not shown."),
    ):
        page.get_by_role("button", name=language).click()
        expect(tag).to_have_text(sign)
        assert told in tag.get_attribute("title")
    assert page.evaluate("id => window.cim.features(id)", CLOSED) == []
    page.locator(f"[data-key='name-{CLOSED}']").click()
    page.locator(f"[data-key='versions-{CLOSED}']").click()
    expect(page.locator(".version")).to_have_count(1)
    expect(page.locator(".version-actions button")).to_have_count(0)
    page.locator(".account-badge").click()
    expect(page.locator(".account-entry").last).to_have_text(ENTRIES["en"][1])
    page.keyboard.press("Escape")
    page.get_by_role("button", name="中文").click()
    page.locator(".account-badge").click()
    expect(page.locator(".account-entry").last).to_have_text(ENTRIES["zh"][1])


def test_a_link_signs_in_once_and_leaves_nothing_in_the_address(office: Office, enter) -> None:
    token = office.city.office.sessions.link(office.id_of("data-manager"))
    page = enter(f"#sign-in={token}&l={CLOSED}", refused=r"^401 .*/session/link|status of 401")
    assert token not in page.url
    assert layers(page) == {OPEN: False, CLOSED: True, "ground": False}
    expect(page.locator(".account-badge")).to_contain_text("data-manager")
    sign_out(page)
    page.evaluate("token => { location.hash = `sign-in=${token}`; }", token)
    told = page.locator(".toast.error")
    expect(told).to_contain_text("this link signs nobody in", timeout=30_000)
    assert token not in page.url
    assert layers(page) == {OPEN: False}


def test_a_second_factor_is_set_up_and_asked_for(office: Office, enter) -> None:
    page = enter(refused="^401 .*/session$|status of 401|^4.. .*/session/totp|status of 4")
    sign_in(page, office, "administrator")
    expect(page.get_by_role("button", name="Import…")).to_be_hidden()
    menu = page.locator(".account-badge")
    menu.click()
    expect(page.get_by_role("link", name="Administration")).to_have_attribute(
        "href", "/office#tab=people&lang=en"
    )
    entry = page.locator(".account-entry", has_text=ENTRIES["en"][0])
    entry.click()
    expect(page.locator(".qr svg")).to_be_visible()
    factor = pyotp.TOTP(page.locator(".qr-key code").inner_text())
    code = factor.now()
    page.locator("#confirm-code").fill(f"{code[:3]} {code[3:]}")
    page.locator(".own-account button[type=submit]").click()
    expect(page.locator(".own-account")).to_have_count(0)
    menu.click()
    expect(entry).to_contain_text("on")
    page.keyboard.press("Escape")
    sign_out(page)

    # A code is good once, so this is that of the next half minute, as of a clock that is fast.
    sign_in(page, office, "administrator", factor.at(int(time.time()) + 30))
    expect(menu).to_contain_text("administrator")
