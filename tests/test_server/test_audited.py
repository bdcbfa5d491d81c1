"""What the log has of requests: who did what, no more rows than are of use, and no secret."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator

import pytest

from cim_core.city import City
from cim_core.store.office_audit import Audit, AuditQuery, Entry
from server.access.gathering import Gathering, Row
from server.access.passwords import hashed
from tests.conftest import import_file
from tests.support.inside import STRANGER, Inside
from tests.support.surveys import write_survey

PLACE = [113.4449, 23.1027]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city with sensitive pipes and public trees."""
    folder = tmp_path_factory.mktemp("audited")
    city = City.open_or_create(folder / "city")
    import_file(city, write_survey(folder / "pipes"), crs="EPSG:4547", kind="pipes")
    trees = {"type": "Feature", "id": "t1", "properties": {"name": "JS1 tree"}}
    trees["geometry"] = {"type": "Point", "coordinates": PLACE}
    path = folder / "trees.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [trees]}))
    import_file(city, path, options={"sensitivity": "public"})
    return city


@pytest.fixture(scope="module")
def inside(folder: City) -> Iterator[Inside]:
    with Inside(folder.folder) as running:
        yield running


def rows(inside: Inside, since: int = 0, **query: str) -> list[Entry]:
    """Rows of the log after one, oldest first; what is written meanwhile is waited for."""
    deadline = time.monotonic() + 5
    found: list[Entry] = []
    while time.monotonic() < deadline and not found:
        time.sleep(0.02)
        found = [row for row in inside.office.audit.entries(AuditQuery(**query)) if row.seq > since]
    return found


def last(inside: Inside) -> int:
    entries = inside.office.audit.find(AuditQuery(), 1)[0]
    return entries[0].seq if entries else 0


def test_looking_at_a_sensitive_layer_is_in_the_log_and_at_a_public_one_is_not(
    inside: Inside,
) -> None:
    viewer = inside.client("viewer")
    before = last(inside)
    asked = (
        "/collections/pipes/items?limit=2",
        "/collections/pipes/items/JS1",
        "/collections/pipes/nearest?point=113.4449,23.1027",
        "/collections/pipes/attributes",
        "/collections/pipes/attributes/material",
        "/search?q=JS1",
    )
    for path in asked:
        assert viewer.get(path).status_code == 200, path
    for path in ("/collections", "/collections/trees/items", "/search?q=tree", "/jobs", "/city"):
        assert viewer.get(path).status_code == 200, path
    found = rows(inside, before)
    assert [row.what for row in found] == [f"GET {path}" for path in asked]
    account = inside.account("viewer")
    for row in found:
        assert (row.person, row.name, row.via, row.address) == (
            account,
            "viewer",
            "key",
            "127.0.0.1",
        )
        assert (row.verb, row.status, row.result) == ("read", 200, "ok")
        assert "pipes" in row.layers


def test_strangers_are_in_the_log_where_they_are_turned_away_only(inside: Inside) -> None:
    stranger = inside.client(STRANGER, address="198.51.100.1")
    before = last(inside)
    for path in ("/collections", "/collections/trees/items", "/collections/trees/items/t1", "/"):
        assert stranger.get(path).status_code == 200
    assert stranger.get("/collections/nowhere").status_code == 404
    assert stranger.get("/collections/pipes/items").status_code == 404
    [row] = rows(inside, before)
    assert (row.person, row.name, row.via, row.address) == (None, "", "stranger", "198.51.100.1")
    assert (row.status, row.result, row.layers) == (404, "denied", ("pipes",))


def test_what_somebody_may_not_and_what_they_do_not_see_is_a_denial(inside: Inside) -> None:
    viewer, reporter = inside.client("viewer"), inside.client("reporter")
    before = last(inside)
    assert viewer.get("/people").status_code == 403
    assert viewer.delete("/collections/trees").status_code == 403
    assert viewer.get("/collections/trees/items/t9").status_code == 404
    assert reporter.get("/collections/pipes").status_code == 404
    found = rows(inside, before, person="reporter")
    assert [(row.what, row.status, row.result) for row in found] == [
        ("GET /collections/pipes", 404, "denied")
    ]
    found = rows(inside, before, person="viewer")
    assert [(row.verb, row.what, row.status, row.result) for row in found] == [
        ("administer", "GET /people", 403, "denied"),
        ("manage", "DELETE /collections/trees", 403, "denied"),
    ]


def test_changes_are_in_the_log_whether_they_work_or_not(inside: Inside) -> None:
    manager = inside.client("data-manager")
    before = last(inside)
    assert manager.patch("/collections/trees", json={"source": "survey"}).status_code == 200
    assert manager.patch("/collections/trees", json={"level": "nowhere"}).status_code == 422
    assert manager.get("/keys").status_code == 200
    found = rows(inside, before)
    assert [(row.verb, row.what, row.status, row.result, row.layers) for row in found] == [
        ("edit", "PATCH /collections/trees", 200, "ok", ("trees",)),
        ("edit", "PATCH /collections/trees", 422, "failed", ("trees",)),
        ("own", "GET /keys", 200, "ok", ()),
    ]


def test_signing_in_and_out_is_in_the_log_and_secrets_are_nowhere(inside: Inside) -> None:
    stranger = inside.client(STRANGER, address="198.51.100.2")
    password, wrong = "correct horse battery", "wrong-horse-battery"
    account = inside.office.people.add(
        "walker", roles=("supervisor",), password_hash=hashed(password, 1024)
    )
    before = last(inside)
    secrets = [password, wrong]
    refused = stranger.post("/session", json={"name": "walker", "password": wrong})
    assert refused.status_code == 401
    signed_in = stranger.post("/session", json={"name": "walker", "password": password})
    assert signed_in.status_code == 201, signed_in.text
    secrets += [cookie.value for cookie in stranger.cookies.jar]
    made = stranger.post("/keys", json={"title": "mine", "scopes": ["read"], "days": 1})
    assert made.status_code == 201, made.text
    secrets.append(made.json()["key"])
    given = stranger.post("/session/capability")
    assert given.status_code == 201, given.text
    prefix = given.json()["prefix"]
    secrets.append(prefix.removeprefix("/c/"))
    assert stranger.get(f"{prefix}/t/pipes/1/tileset.json").status_code == 200
    assert stranger.get(f"{prefix}x/t/pipes/1/tileset.json").status_code == 401
    secrets.append("Zm9yIG5vYm9keQ")
    for name in ("code", "state", "token", "password"):
        path = f"/collections/pipes/items?{name}={secrets[-1]}&limit=1"
        assert stranger.get(path).status_code == 200
    assert stranger.get(f"/collections/pipes/items/{made.json()['key']}").status_code == 404
    bad = {"authorization": f"Bearer {made.json()['key'][:-1]}"}
    assert stranger.get("/people", headers=bad).status_code == 401
    assert stranger.delete("/session").status_code == 204
    assert stranger.delete("/session").status_code == 204
    found = rows(inside, before)
    signs = [(row.verb, row.person, row.status) for row in found if row.verb.startswith("sign")]
    assert signs == [
        ("sign-in", account.id, 401), ("sign-in", account.id, 201), ("sign-out", account.id, 204),
    ]  # fmt: skip
    assert any(row.what == "GET /c/…/t/pipes/1/tileset.json" for row in found)
    kept = sqlite3.connect(inside.office.path).execute("SELECT * FROM audit").fetchall()
    for secret in secrets:
        assert secret not in json.dumps(kept, ensure_ascii=False)


def test_tiles_come_as_one_row_at_once_and_their_number_when_the_server_ends(folder: City) -> None:
    with Inside(folder.folder) as inside:
        viewer = inside.client("supervisor", "tile-reader")
        before = last(inside)
        href = viewer.get("/collections/pipes").json()["tileset"]["href"]
        for _ in range(25):
            assert viewer.get(href).status_code == 200
        first = [row for row in rows(inside, before, person="tile-reader") if "/t/" in row.what]
        assert [dict(row.detail) for row in first] == [{}]
    found = list(folder.office.audit.entries(AuditQuery(person="tile-reader")))
    assert [row.detail.get("further", 0) for row in found if row.seq >= first[0].seq] == [0, 24]
    assert folder.office.audit.verify().intact


def test_a_storm_of_strangers_is_two_rows(folder: City) -> None:
    before = folder.office.audit.find(AuditQuery(), 1)[0][0].seq
    with Inside(folder.folder) as inside:
        stranger = inside.client(STRANGER, address="198.51.100.9")
        for number in range(40):
            assert stranger.get("/people" if number % 2 else "/audit").status_code == 401
        known = inside.client("viewer")
        for _ in range(3):
            assert known.get("/people").status_code == 403
    found = [
        row for row in folder.office.audit.entries(AuditQuery(result="denied")) if row.seq > before
    ]
    storm = [row for row in found if row.address == "198.51.100.9"]
    assert [row.detail.get("further", 0) for row in storm] == [0, 39]
    assert len(found) - len(storm) == 3


def test_what_cannot_be_written_to_the_log_is_not_handed_out(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = inside.client("viewer", "unlucky")

    def full(*_: object, **__: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Audit, "append", full)
        answer = viewer.get("/collections/pipes/items/JS1")
        assert answer.status_code == 507
        assert answer.headers["content-type"] == "application/problem+json"
        assert "JS1" not in answer.text.replace("/items/JS1", "")
        assert viewer.get("/collections/trees/items/t1").status_code == 200
    assert viewer.get("/collections/pipes/items/JS1").status_code == 200


def test_a_storm_is_told_of_once_a_while_and_the_rest_at_the_end() -> None:
    written: list[Row] = []

    async def write(row: Row) -> None:
        written.append(row)

    async def storm() -> None:
        gathering = Gathering(write, seconds=0.2)
        row = Row("read", "GET /people", "denied", 401, None, "", "stranger", "198.51.100.1")
        for _ in range(5):
            await gathering.add(("denied", row.address), row)
        assert len(written) == 1
        while len(written) < 2:
            await asyncio.sleep(0.02)
        assert written[1].detail == {"further": 4}
        await gathering.add(("denied", row.address), row)
        await gathering.close()

    asyncio.run(storm())
    assert [row.detail for row in written] == [{}, {"further": 4}, {"further": 1}]


def test_an_unwritten_first_row_is_tried_again() -> None:
    tried = 0

    async def write(row: Row) -> None:
        nonlocal tried
        tried += 1
        raise sqlite3.OperationalError("database or disk is full")

    async def storm() -> None:
        gathering = Gathering(write)
        row = Row("read", "GET /t/pipes", "ok", 200, "a", "viewer", "key", "198.51.100.1")
        for _ in range(3):
            with pytest.raises(sqlite3.OperationalError):
                await gathering.add(("look", "a"), row)
        await gathering.close()

    asyncio.run(storm())
    assert tried == 3
