"""The administration in a real browser: people, rights and the log; with CIM_SCREENSHOTS set, pictures of it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from cim_core.city import City
from server.access.policy import public_policy
from tests.conftest import import_file
from tests.support.people import Office, begin_account, open_office, sign_in
from tests.test_viewer.conftest import Watched
from tests.test_viewer.test_screenshots import fits

PICTURES = os.environ.get("CIM_SCREENSHOTS")

WEST, MIDDLE, EAST = 113.40, 113.44, 113.48
SOUTH, NORTH = 23.08, 23.12
WELLS = {"west-1": 113.41, "west-2": 113.42, "east-1": 113.47}


def square(west: float, east: float) -> dict:
    ring = [[west, SOUTH], [east, SOUTH], [east, NORTH], [west, NORTH], [west, SOUTH]]
    return {"type": "Polygon", "coordinates": [ring]}


def points(path: Path, places: dict[str, float]) -> Path:
    features = [
        {
            "type": "Feature",
            "id": name,
            "properties": {"name": name, "depth": 2.5},
            "geometry": {"type": "Point", "coordinates": [lon, 23.1]},
        }
        for name, lon in places.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A city of two towns with public trees, internal wells and an internal plan of the east."""
    folder = tmp_path_factory.mktemp("office")
    city = City.open_or_create(folder / "city", "示范区 Sample district")
    trees = {"tree-1": 113.41, "tree-2": 113.47}
    import_file(city, points(folder / "trees.geojson", trees), options={"sensitivity": "public"})
    for name, places in (("wells", WELLS), ("eastern", {"plan-1": 113.46, "plan-2": 113.47})):
        path = points(folder / f"{name}.geojson", places)
        import_file(city, path, options={"sensitivity": "internal"})
    city.office.policies.put(public_policy().document(), 0, "test")
    opened = open_office(
        folder, city, {"administrator": ("security-administrator",), "auditor": ("auditor",)}
    )
    yield opened
    opened.stop()


@pytest.fixture
def enter(browser: Browser, office: Office) -> Iterator:
    """Open the administration as somebody, in a browser of their own; through the form if told so."""
    opened: list[Watched] = []
    refusals: list[str] = []  # statuses that a test brings about on purpose

    def go(name: str, *, locale="en-US", form=False) -> Page:
        url = office.server.url
        context = browser.new_context(viewport={"width": 1280, "height": 720}, locale=locale)
        if not form:
            cookie = office.known(name).cookies["cim_session"]
            context.add_cookies([{"name": "cim_session", "value": cookie, "url": url}])
        watched = Watched(context.new_page(), url)
        watched.listen()
        opened.append(watched)
        page = watched.page
        page.goto(f"{url}/office")
        if form:
            dialog = page.locator("dialog.sign-in")
            dialog.locator("#sign-in-name").fill(name)
            dialog.locator("#sign-in-password").fill(office.passwords[name])
            dialog.locator("button[type=submit]").click()
        page.locator(".office-tabs").wait_for()
        return page

    go.refusals = refusals
    yield go
    for watched in opened:
        watched.page.context.close()
        assert [odd for odd in watched.odd if not any(one in odd for one in refusals)] == []


def tab(page: Page, name: str) -> Locator:
    page.locator(f"#tab-{name}").click()
    return page.locator(f"#page-{name}")


def told(page: Page) -> str:
    """What a dialog tells once; it is closed."""
    secret = page.locator("#told").input_value()
    page.locator("dialog.told footer button").click()
    return secret


def test_a_reporter_of_one_town_sees_just_that_and_the_auditor_sees_who_made_them(
    office: Office, enter
) -> None:
    page = enter("administrator", form=True)
    # The towns come first, one of them from a file with a feature in it.
    places = tab(page, "places")
    for town, west, east in (("town-a", WEST, MIDDLE), ("town-b", MIDDLE, EAST)):
        places.locator("button[aria-label='Add a town']").click()
        form = page.locator("dialog[open]")
        form.locator("#place-id").fill(town)
        form.locator("#place-en").fill(town.replace("-", " ").title())
        feature = {"type": "Feature", "properties": {}, "geometry": square(west, east)}
        form.locator("#place-file").set_input_files(
            {
                "name": "a.geojson",
                "mimeType": "application/json",
                "buffer": json.dumps(feature).encode(),
            }
        )
        form.locator(".boundary-map path").wait_for()
        form.locator("button[type=submit]").click()
        places.locator(f"tr[data-id={town}]").wait_for()
    # 0.04° × 0.04° at 23.1° north, by the lengths of a degree on the WGS 84 ellipsoid.
    expected = 0.04 * 110.75 * 0.04 * 102.45
    area = float(places.locator("tr[data-id=town-a] td").first.inner_text().split()[0])
    assert abs(area - expected) / expected < 0.01
    assert places.locator(".boundary-map path").count() == 2

    people = tab(page, "people")
    people.get_by_role("button", name="Add a person").first.click()
    panel = people.locator(".office-detail")
    panel.locator("#person-name").fill("town-a-reporter")
    panel.get_by_role("checkbox", name="Reporter").check()
    panel.get_by_role("checkbox", name="Town A", exact=True).check()
    panel.locator("button[type=submit]").click()
    office.passwords["town-a-reporter"] = told(page)
    row = people.locator("tr[data-id]", has_text="town-a-reporter")
    assert row.locator(".tag").first.inner_text() == "Reporter"
    assert "Town A" in row.inner_text()
    fits(page)

    reporter = enter("town-a-reporter", form=True)
    assert reporter.locator(".office-tabs [role=tab]").all_inner_texts() == ["What may I", "Keys"]
    assert held(reporter) == {"read", "report", "households"}
    seen = reporter.locator("#page-me tr[data-id]")
    seen.first.wait_for()
    assert [row.get_attribute("data-id") for row in seen.all()] == ["trees", "wells"]
    wells = reporter.locator("#page-me tr[data-id=wells]").inner_text()
    assert "in part" in wells and wells.split()[-1] == "2"
    # What the page itself is told: nothing of the east, and nothing of other people.
    fetched = reporter.evaluate(
        """async () => {
            const get = async (path) => (await fetch(path)).json();
            return {
                layers: (await get("/collections")).collections.map((c) => c.id),
                wells: (await get("/collections/wells/items")).features.map((f) => f.id),
            };
        }"""
    )
    assert fetched == {"layers": ["trees", "wells"], "wells": ["west-1", "west-2"]}

    log = enter("auditor").locator("#page-log")
    log.locator("#log-person").fill("town-a-reporter")
    signed_in = log.locator("tr[data-id]", has_text="POST /session")
    signed_in.first.wait_for()
    log.locator("#log-person").fill("administrator")
    made = log.locator("tr[data-id]", has_text="POST /people")
    made.wait_for()
    assert "town-a-reporter" in made.inner_text()
    made.click()
    details = log.locator(".office-detail").inner_text()
    assert "town-a" in details and "reporter" in details
    assert office.passwords["town-a-reporter"] not in log.inner_text()
    assert exported(log, office) >= {"sign-in", "administer"}


def held(page: Page) -> set[str | None]:
    return {item.get_attribute("data-verb") for item in page.locator(".may-list .held").all()}


def exported(log: Locator, office: Office) -> set[str]:
    """The verbs of what the page offers as a file, without filters."""
    log.get_by_role("button", name="Clear the filters").click()
    with log.page.expect_download() as started:
        log.get_by_role("link", name="JSONL").click()
    lines = Path(started.value.path()).read_text("utf-8").splitlines()
    return {json.loads(line)["verb"] for line in lines}


def test_one_cannot_be_administrator_and_auditor(office: Office, enter) -> None:
    page = enter("administrator")
    people = page.locator("#page-people")
    people.locator("tr[data-id]", has_text="auditor").first.click()
    panel = people.locator(".office-detail")
    panel.get_by_role("checkbox", name="Security administrator").check()
    panel.locator("button[type=submit]").click()
    sentence = panel.locator("[role=alert]")
    assert "cannot be security administrator and auditor at once" in sentence.inner_text()
    page.get_by_role("button", name="中文").click()
    assert "不能同时担任安全管理员和审计员" in panel.locator("[role=alert]").inner_text()
    # The page only says it sooner: the server keeps the rule.
    account = office.city.office.people.named("auditor")
    assert account is not None
    roles = {"roles": ["security-administrator", "auditor"]}
    answer = office.known("administrator").patch(f"/people/{account.id}", json=roles)
    assert answer.status_code == 422
    assert office.city.office.people.get(account.id).roles == ("auditor",)


def test_people_are_locked_out_let_in_again_and_sent_away(office: Office, enter) -> None:
    office.passwords["helper"] = begin_account(office.city, "helper", "viewer")
    stranger = office.stranger()
    for _ in range(public_policy().limits.failures):
        sign_in(stranger, "helper", "wrong")
    page = enter("administrator")
    people = page.locator("#page-people")
    people.locator("input[type=search]").fill("help")
    rows = people.locator("tr[data-id]")
    assert rows.count() == 1 and "locked" in rows.inner_text()
    rows.click()
    panel = people.locator(".office-detail")
    panel.get_by_role("button", name="Unlock").click()
    people.locator("tr[data-id] .tag.good").wait_for()
    panel.get_by_role("button", name="New password").click()
    office.passwords["helper"] = told(page)
    panel.get_by_role("button", name="One-click link").click()
    link = told(page)
    assert link.startswith(f"{office.server.url}/#sign-in=")
    assert sign_in(stranger, "helper", office.passwords["helper"]).status_code == 201
    theirs = enter("helper")
    panel.get_by_role("button", name="Deactivate").click()
    page.locator("dialog.confirm .danger").click()
    people.locator("tr[data-id]", has_text="inactive").wait_for()
    assert stranger.get("/session").json()["person"] is None
    enter.refusals.append("401")
    theirs.locator("#tab-keys").click()
    theirs.get_by_text("You are not signed in any more").wait_for()
    people.locator("#people-role").select_option("auditor")
    assert (
        people.locator(".list .empty-note").inner_text()
        == "Nobody fits the search and the filters."
    )


def test_a_key_is_told_once_and_works_until_it_is_revoked(office: Office, enter) -> None:
    page = enter("auditor")
    keys = tab(page, "keys")
    keys.get_by_role("button", name="New key").click()
    form = page.locator("dialog[open]")
    form.locator("#key-title").fill("archive of the log")
    form.get_by_role("checkbox", name="Audit").check()
    form.locator("button[type=submit]").click()
    secret = told(page)
    assert secret.startswith("cim_")
    program = office.stranger()
    program.headers["authorization"] = f"Bearer {secret}"
    assert program.get("/audit").status_code == 200
    row = keys.locator("tr[data-id]")
    assert "Audit" in row.inner_text() and secret not in page.content()
    page.reload()
    assert secret not in page.content()
    row.get_by_role("button", name="Revoke").click()
    page.locator("dialog.confirm .danger").click()
    keys.locator("tr[data-id]", has_text="revoked").wait_for()
    assert program.get("/audit").status_code == 401


def test_a_policy_is_tried_out_then_saved_and_somebody_elses_is_not_overwritten(
    office: Office, enter
) -> None:
    page = enter("administrator")
    policy = tab(page, "policy")
    stranger = office.stranger()
    assert layers_of(stranger) == ["trees"]
    policy.locator("select[id='roles/stranger/read/internal']").select_option("all")
    policy.get_by_role("button", name="What would this role see?").click()
    policy.locator("#preview-role").select_option("stranger")
    wells = policy.locator("tr[data-id=wells]")
    wells.locator("del").wait_for()
    assert wells.locator("del").inner_text() == "no"
    assert wells.locator(".tags > .tag").first.inner_text() == "whole"
    assert layers_of(stranger) == ["trees"], "what is only tried out changes nothing"

    # Meanwhile somebody else keeps the log for longer.
    other = office.known("administrator")
    now = other.get("/policy").json()
    now["policy"]["limits"]["audit_days"] = 400
    del now["kind"]
    assert other.put("/policy", json=now).status_code == 200
    enter.refusals.append("409")
    with page.expect_response(lambda r: r.url.endswith("/policy") and r.status == 409):
        save(page)
    # The refusal is told, nothing is lost on either side, and saving again puts both in force.
    assert "Somebody else saved version" in policy.locator(".refusal").inner_text()
    save(page)
    policy.get_by_text("all saved").wait_for()
    saved = other.get("/policy").json()["policy"]
    assert saved["limits"]["audit_days"] == 400
    assert saved["roles"]["stranger"]["read"] == {"public": "all", "internal": "all"}
    assert layers_of(stranger) == ["eastern", "trees", "wells"]
    policy.get_by_role("button", name="Hidden attributes").click()
    assert policy.locator(".policy-card").count() == 3
    policy.get_by_role("button", name="Limits").click()
    assert policy.locator("[id='limits/audit_days']").input_value() == "400"


def save(page: Page) -> None:
    page.locator("#policy-save").click()
    page.locator("dialog[open] li").wait_for()
    page.locator("dialog[open] button[type=submit]").click()
    page.locator("dialog[open]").wait_for(state="detached")


def layers_of(client) -> list[str]:
    return sorted(layer["id"] for layer in client.get("/collections").json()["collections"])


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_every_page_fits_its_window(locale: str, office: Office, enter) -> None:
    page = enter("administrator", locale=locale)
    tab(page, "me")
    for name in ("me", "people", "places", "keys", "policy"):
        # The arrow keys go from one tab to the next.
        if name != "me":
            page.keyboard.press("ArrowRight")
        page.locator(f"#page-{name}").wait_for()
        for width, height in ((1280, 720), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            fits(page)
        page.set_viewport_size({"width": 1280, "height": 720})
    page.locator(".rights-table tbody tr").first.wait_for()
    if PICTURES:
        page.locator("#tab-policy").blur()
        page.mouse.move(640, 700)
        name = "policy.png" if locale == "en-US" else "policy-zh.png"
        page.screenshot(path=Path(PICTURES) / name)
    log = enter("auditor", locale=locale)
    log.locator("#log-verify").click()
    log.locator(".verdict.good").wait_for()
    fits(log)
