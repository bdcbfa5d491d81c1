"""People, towns, departments, keys and the policy, looked after over HTTP."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import shapely

from cim_core.city import City
from server.access.policy import public_policy
from tests.conftest import import_file
from tests.support.people import Office, open_office, sign_in

WEST = {
    "type": "Polygon",
    "coordinates": [[[113.4, 23.0], [113.45, 23.0], [113.45, 23.2], [113.4, 23.2], [113.4, 23.0]]],
}
PEOPLE = {
    "administrator": ("security-administrator",),
    "data-manager": ("data-manager",),
    "editor": ("editor",),
    "auditor": ("auditor",),
    "retired": ("viewer",),
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A city with a public and an internal layer, of which strangers may read the public one."""
    folder = tmp_path_factory.mktemp("people")
    city = City.open_or_create(folder / "city")
    for name, sensitivity in (("trees", "public"), ("wells", "internal")):
        features = [
            {
                "type": "Feature",
                "properties": {"name": f"{name}-{i}"},
                "geometry": {"type": "Point", "coordinates": [113.44 + i / 50, 23.1]},
            }
            for i in range(2)
        ]
        path = folder / f"{name}.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        import_file(city, path, options={"sensitivity": sensitivity})
    city.office.policies.put(public_policy().document(), 0, "test")
    running = open_office(folder, city, PEOPLE)
    yield running
    running.stop()


@pytest.fixture
def administrator(office: Office) -> httpx.Client:
    return office.known("administrator")


def made(administrator: httpx.Client, name: str, *roles: str, **more: object) -> dict:
    answer = administrator.post("/people", json={"name": name, "roles": roles, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_person_is_made_and_signs_in_with_a_password_told_once(
    office: Office, administrator: httpx.Client
) -> None:
    town = administrator.post(
        "/towns", json={"id": "west", "title": {"zh": "西镇"}, "boundary": WEST}
    )
    assert town.status_code == 201
    assert town.json()["title"] == {"en": "西镇", "zh": "西镇"}
    assert shapely.equals(
        shapely.geometry.shape(town.json()["boundary"]), shapely.geometry.shape(WEST)
    )
    new = made(administrator, "west-reporter", "reporter", title="Reporter", towns=["west"])
    password = new.pop("password")
    assert len(password) == 23
    assert (new["has_password"], new["totp"], new["locked"], new["active"]) == (
        True, False, False, True,
    )  # fmt: skip
    assert administrator.get(f"/people/{new['id']}").json() == new
    assert new in administrator.get("/people").json()["people"]
    reporter = office.stranger()
    assert sign_in(reporter, "west-reporter", password).status_code == 201
    seen = [layer["id"] for layer in reporter.get("/collections").json()["collections"]]
    assert seen == ["trees", "wells"]
    assert reporter.get("/collections/wells/items").json()["numberMatched"] == 1
    assert reporter.get("/people").status_code == 403
    assert administrator.delete("/towns/west").status_code == 409
    moved = administrator.patch(f"/people/{new['id']}", json={"towns": []})
    assert moved.json()["towns"] == []
    assert administrator.delete("/towns/west").status_code == 204
    assert administrator.delete("/towns/west").status_code == 404


def test_names_are_taken_once_and_roles_that_watch_each_other_are_not_one_person(
    administrator: httpx.Client,
) -> None:
    made(administrator, "clerk", "viewer")
    assert administrator.post("/people", json={"name": " CLERK"}).status_code == 409
    both = {"name": "both", "roles": ["auditor", "security-administrator"]}
    assert administrator.post("/people", json=both).status_code == 422
    assert administrator.post("/people", json={"name": "x", "roles": ["king"]}).status_code == 422
    assert administrator.post("/people", json={"name": "x", "rolls": []}).status_code == 422
    assert administrator.post("/people", json={"name": "a\nb"}).status_code == 422
    assert administrator.get("/people/nobody").status_code == 404


def test_a_change_of_roles_ends_sessions_keys_and_capabilities_at_once(
    office: Office, administrator: httpx.Client
) -> None:
    known = office.known("data-manager")
    capability = known.post("/session/capability").json()["prefix"].removeprefix("/c/")
    key = known.post("/keys", json={"title": "k", "scopes": ["manage", "read"], "days": 30}).json()
    program = office.stranger()
    program.headers["authorization"] = f"Bearer {key['key']}"
    assert program.get("/session").json()["person"]["name"] == "data-manager"
    person = f"/people/{office.id_of('data-manager')}"
    same = administrator.patch(person, json={"roles": ["data-manager"], "title": "Data"})
    assert same.json()["title"] == "Data"
    assert known.get("/session").json()["person"] is not None
    assert administrator.patch(person, json={"roles": ["viewer"]}).status_code == 200
    assert known.get("/session").json()["person"] is None
    assert program.get("/session").status_code == 401
    assert office.city.office.capabilities.get(capability) is None
    administrator.patch(person, json={"roles": ["data-manager"]})
    assert program.get("/session").status_code == 401  # nothing comes back


def test_who_becomes_inactive_is_out_at_once_and_for_good(
    office: Office, administrator: httpx.Client
) -> None:
    new = made(administrator, "leaving", "viewer")
    client = office.stranger()
    sign_in(client, "leaving", new["password"])
    link = administrator.post(f"/people/{new['id']}/link").json()["href"]
    assert administrator.patch(f"/people/{new['id']}", json={"active": False}).status_code == 200
    assert client.get("/session").json()["person"] is None
    assert sign_in(client, "leaving", new["password"]).status_code == 401
    token = link.removeprefix("/#sign-in=")
    assert client.post("/session/link", json={"token": token}).status_code == 401
    assert administrator.post(f"/people/{new['id']}/link").status_code == 409


def test_somebody_always_looks_after_people_and_the_policy(
    office: Office, administrator: httpx.Client
) -> None:
    own = f"/people/{office.id_of('administrator')}"
    assert administrator.patch(own, json={"active": False}).status_code == 409
    assert administrator.patch(own, json={"roles": ["viewer"]}).status_code == 409
    document = administrator.get("/policy").json()
    without = json.loads(json.dumps(document["policy"]))
    without["roles"]["security-administrator"]["city"] = []
    refused = administrator.put("/policy", json={"version": document["version"], "policy": without})
    assert refused.status_code == 409
    second = made(administrator, "administrator-2", "security-administrator")
    other = office.stranger()
    sign_in(other, "administrator-2", second["password"])
    # Each takes the other's role away at the same time: one of them stays.
    with ThreadPoolExecutor(2) as threads:
        both = [
            threads.submit(administrator.patch, f"/people/{second['id']}", json={"roles": []}),
            threads.submit(other.patch, own, json={"roles": []}),
        ]
    assert sorted(change.result().status_code for change in both)[0] == 200
    people = office.city.office.people.all()
    left = [item.name for item in people if "security-administrator" in item.roles and item.active]
    assert len(left) == 1
    office.city.office.people.change(
        office.id_of("administrator"), roles=["security-administrator"]
    )
    office.city.office.people.change(second["id"], roles=[])


def test_a_password_is_given_anew_and_a_locked_name_unlocked(
    office: Office, administrator: httpx.Client
) -> None:
    person = f"/people/{office.id_of('editor')}"
    known, client = office.known("editor"), office.stranger()
    for _ in range(5):
        sign_in(client, "editor", "wrong")
    assert administrator.get(person).json()["locked"] is True
    assert sign_in(client, "editor", office.passwords["editor"]).status_code == 429
    assert administrator.post(f"{person}/unlock").json()["locked"] is False
    answer = administrator.post(f"{person}/password")
    assert answer.headers["cache-control"] == "no-store"
    assert known.get("/session").json()["person"] is None
    assert sign_in(client, "editor", office.passwords["editor"]).status_code == 401
    assert sign_in(client, "editor", answer.json()["password"]).status_code == 201
    office.passwords["editor"] = answer.json()["password"]


def test_a_link_and_a_lost_second_factor_are_the_administrators_to_give_and_take(
    office: Office, administrator: httpx.Client
) -> None:
    person = f"/people/{office.id_of('editor')}"
    told = administrator.post(f"{person}/link").json()
    client = office.stranger()
    token = told["href"].removeprefix("/#sign-in=")
    assert client.post("/session/link", json={"token": token}).status_code == 201
    unused = administrator.post(f"{person}/link").json()["href"].removeprefix("/#sign-in=")
    office.city.office.people.change(
        office.id_of("editor"), totp="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    )
    assert administrator.post(f"{person}/link").status_code == 409
    assert client.post("/session/link", json={"token": unused}).status_code == 401
    assert administrator.delete(f"{person}/totp").status_code == 204
    assert administrator.get(person).json()["totp"] is False


def test_departments_are_kept_while_somebody_is_in_them(administrator: httpx.Client) -> None:
    name = "水务局 / 排水科"
    added = administrator.post("/departments", json={"id": name, "title": {"en": "Drainage"}})
    assert added.json() == {"id": name, "title": {"en": "Drainage", "zh": "Drainage"}}
    new = made(administrator, "drainage-editor", "editor", department=name)
    assert administrator.delete(f"/departments/{name}").status_code == 409
    moved = administrator.patch(f"/people/{new['id']}", json={"department": None})
    assert moved.json()["department"] is None
    assert administrator.delete(f"/departments/{name}").status_code == 204
    assert administrator.get("/departments").json() == {"departments": []}


@pytest.mark.parametrize(
    "boundary",
    [
        {"type": "Point", "coordinates": [113.4, 23.0]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[500, 0], [501, 1], [501, 0], [500, 0]]]},
        {"type": "Polygon", "coordinates": [["a", "b"]]},
        {},
    ],
)
def test_a_boundary_that_is_no_area_is_refused_in_one_sentence(
    administrator: httpx.Client, boundary: dict
) -> None:
    town = {"id": "odd", "title": {"en": "Odd"}, "boundary": boundary}
    answer = administrator.post("/towns", json=town)
    assert answer.status_code == 422
    assert answer.json()["detail_zh"]


def test_a_key_may_what_its_person_may_and_less(
    office: Office, administrator: httpx.Client
) -> None:
    editor = office.known("editor")
    asked = {"title": "nightly", "scopes": ["read"], "days": 7}
    for scope in ("manage", "administer", "own", "open", "everything"):
        refused = editor.post("/keys", json={**asked, "scopes": ["read", scope]})
        assert refused.status_code == 403, scope
    answer = editor.post("/keys", json=asked)
    assert answer.status_code == 201
    told = answer.json()
    secret = told.pop("key")
    assert secret.startswith("cim_")
    assert editor.get("/keys").json() == {"keys": [told]}
    program = office.stranger()
    program.headers["authorization"] = f"Bearer {secret}"
    assert program.get("/collections/wells").status_code == 200
    assert program.patch("/collections/wells", json={"licence": "x"}).status_code == 403
    assert administrator.get("/keys").json() == {"keys": []}
    everybodys = administrator.get("/keys?all=true").json()["keys"]
    assert told["id"] in [key["id"] for key in everybodys]
    assert editor.get("/keys?all=true").status_code == 403
    other = office.known("auditor")
    assert other.delete(f"/keys/{told['id']}").status_code == 404
    assert editor.delete(f"/keys/{told['id']}").status_code == 204
    assert program.get("/collections/wells").status_code == 401
    assert editor.get("/keys").json()["keys"][0]["revoked"] is not None
    assert secret not in json.dumps(everybodys)


def test_the_policy_is_changed_by_who_knows_the_version_in_force(
    office: Office, administrator: httpx.Client
) -> None:
    before = administrator.get("/policy").json()
    assert before["kind"] == "own"
    closed = json.loads(json.dumps(before["policy"]))
    closed["roles"]["stranger"] = {}
    stranger = office.stranger()
    assert stranger.get("/collections/trees").status_code == 200
    changed = administrator.put("/policy", json={"version": before["version"], "policy": closed})
    assert (changed.status_code, changed.json()["version"]) == (200, before["version"] + 1)
    assert stranger.get("/collections/trees").status_code in (401, 404)
    late = administrator.put("/policy", json={"version": before["version"], "policy": closed})
    assert late.status_code == 409
    version = changed.json()["version"]
    wrong = {**closed, "limits": {"failures": 0}}
    refused = administrator.put("/policy", json={"version": version, "policy": wrong})
    assert refused.status_code == 422
    assert "limits.failures" in refused.json()["detail"]
    back = administrator.put("/policy", json={"version": version, "policy": before["policy"]})
    assert back.json()["policy"] == before["policy"]
    assert stranger.get("/collections/trees").status_code == 200


def test_a_preview_shows_what_a_role_would_see_and_changes_nothing(
    office: Office, administrator: httpx.Client
) -> None:
    administrator.post("/towns", json={"id": "west", "title": {"en": "W"}, "boundary": WEST})

    def preview(**query: str) -> dict[str, dict]:
        answer = administrator.get("/policy/preview", params=query)
        assert answer.status_code == 200, answer.text
        return {layer["id"]: layer for layer in answer.json()["layers"]}

    stranger = preview(role="stranger")
    assert (stranger["trees"]["seen"], stranger["wells"]["seen"]) == ("whole", "no")
    reporter = preview(role="reporter", town="west")
    assert (reporter["trees"]["seen"], reporter["wells"]["seen"]) == ("whole", "part")
    assert reporter["wells"]["area"] == "west"
    assert preview(role="reporter")["wells"]["seen"] == "no"
    assert preview(role="data-manager")["wells"]["may"] == [
        "read", "export", "edit", "manage", "record", "respond", "households",
    ]  # fmt: skip
    assert administrator.get("/policy/preview?role=king").status_code == 422
    missing = administrator.get("/policy/preview", params={"role": "reporter", "town": "north"})
    assert missing.status_code == 404
    document = administrator.get("/policy").json()
    opened = json.loads(json.dumps(document["policy"]))
    opened["roles"]["stranger"]["read"] = {"public": "all", "internal": "all"}
    thought_of = administrator.post("/policy/preview", json={"role": "stranger", "policy": opened})
    assert [layer["seen"] for layer in thought_of.json()["layers"]] == ["whole", "whole"]
    assert administrator.get("/policy").json() == document
    administrator.delete("/towns/west")


def test_the_auditor_finds_who_did_what_to_whom_and_nobody_else_does(
    office: Office, administrator: httpx.Client
) -> None:
    begun = time.time()
    new = made(administrator, "for-the-log", "viewer")
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun - 1))
    auditor = office.known("auditor")
    page = auditor.get("/audit", params={"since": since, "verb": "administer", "limit": 1}).json()
    [entry] = page["entries"]
    assert entry["person"]["name"] == "administrator"
    assert (entry["what"], entry["result"], entry["status"]) == ("POST /people", "ok", 201)
    assert entry["detail"]["about"] == new["id"]
    for number in range(4):
        made(administrator, f"for-the-log-{number}", "viewer")
    asked = {"since": since, "verb": "administer", "limit": 2}
    page = auditor.get("/audit", params=asked).json()
    seen = [item["seq"] for item in page["entries"]]
    while page["next"] is not None:
        page = auditor.get("/audit", params={**asked, "after": page["next"]}).json()
        seen += [item["seq"] for item in page["entries"]]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == page["total"] >= 5
    verification = auditor.get("/audit/verification").json()
    assert verification["intact"] is True
    assert verification["entries"] >= entry["seq"]
    rows = [
        json.loads(line)
        for line in auditor.get("/audit/export?f=jsonl").text.splitlines()
        if "for-the-log" in line
    ]
    assert entry in rows
    table = auditor.get("/audit/export")
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert table.text.startswith("\ufeffseq,at,")
    assert auditor.get("/audit?since=yesterday").status_code == 422
    for path in ("/audit", "/audit/export", "/audit/verification"):
        assert administrator.get(path).status_code == 403
        assert office.stranger().get(path).status_code == 401
    told = auditor.get("/audit/export?f=jsonl").text
    secrets = [new["password"], *office.passwords.values(), administrator.cookies["cim_session"]]
    assert not [secret for secret in secrets if secret in told]
