"""`cim user`, `key`, `town`, `department` and `policy`: who may do what, from the command line."""

import json
import re
import sqlite3
from pathlib import Path

import pytest
import shapely
from click.testing import Result
from typer.testing import CliRunner

from cim_core.city import City
from cim_core.errors import CimError, Conflict, InvalidInput, NotFound
from cim_core.store.office_audit import AuditQuery
from server.access.gate import Gate
from server.access.passwords import matches
from server.access.policy import default_policy, public_policy
from server.cli import app

MEMORY = "12288"
DEPARTMENT = "水务 Water"


@pytest.fixture(autouse=True)
def environment(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIM_CITY", str(city.folder))
    monkeypatch.setenv("CIM_PASSWORD_MEMORY_KIB", MEMORY)
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def cim(*arguments: object, stdin: str | None = None) -> str:
    """What a command prints on stdout when all goes well."""
    result = run(*arguments, stdin=stdin)
    assert result.exception is None, result.output
    return result.stdout


def refused(kind: type[CimError], sentence: str, *arguments: object) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, kind), result.output
    assert re.search(sentence, result.exception.sentence), result.exception.sentence


def logged(city: City) -> list[tuple[str, str, dict]]:
    entries = list(city.office.audit.entries(AuditQuery()))
    assert {entry.via for entry in entries} == {"command line"}
    assert all(entry.name and entry.person is None for entry in entries)
    return [(entry.what, entry.result, dict(entry.detail)) for entry in entries]


def signs_in(city: City, name: str, password: str) -> bool:
    return matches(password, city.office.people.named(name).password, int(MEMORY))


def test_an_account_is_begun_changed_and_given_another_password(city: City) -> None:
    cim("town", "add", "town-a", "--zh", "甲镇")
    cim("department", "add", DEPARTMENT)
    password = cim(
        "user", "add", "town-a-reporter", "--title", "甲镇填报员", "--role", "reporter", "--role", "viewer",
        "--town", "town-a", "--department", DEPARTMENT,
    ).strip()  # fmt: skip
    account = city.office.people.named("town-a-reporter")
    assert (account.roles, account.towns) == (("viewer", "reporter"), ("town-a",))
    assert (account.title, account.department) == ("甲镇填报员", DEPARTMENT)
    assert signs_in(city, "Town-A-Reporter", password)
    session = city.office.sessions.begin(account.id, "", 60, "password")
    city.office.people.failed("town-a-reporter", 1e12, allowed=1, seconds=60)
    other = cim("user", "password", "town-a-reporter").strip()
    assert other != password
    assert signs_in(city, "town-a-reporter", other)
    assert not signs_in(city, "town-a-reporter", password)
    assert city.office.sessions.get(session) is None
    assert city.office.people.named("town-a-reporter").failures == 0
    typed = "five words that nobody guesses"
    cim("user", "password", "town-a-reporter", "--ask", stdin=f"{typed}\n{typed}\n")
    assert signs_in(city, "town-a-reporter", typed)
    cim("user", "change", "town-a-reporter", "--role", "viewer", "--town", "", "--department", "",
        "--title", "", "--inactive")  # fmt: skip
    changed = city.office.people.named("town-a-reporter")
    assert (changed.roles, changed.towns, changed.department) == (("viewer",), (), None)
    assert (changed.title, changed.active) == ("", False)
    city.office.people.change(account.id, totp="JBSWY3DPEHPK3PXP")
    cim("user", "change", "town-a-reporter", "--active", "--without-second-factor")
    changed = city.office.people.named("town-a-reporter")
    assert (changed.active, changed.totp) == (True, None)


def test_people_are_listed_for_eyes_and_as_json(city: City) -> None:
    cim("user", "add", "viewer", "--role", "viewer")
    told = json.loads(cim("user", "add", "auditor", "--role", "auditor", "--sso", "--json"))
    assert "password" not in told
    assert (told["name"], told["sso"], told["has_password"]) == ("auditor", True, False)
    assert json.loads(cim("user", "add", "editor", "--json"))["password"].count("-") == 3
    listed = json.loads(cim("user", "list", "--json"))["people"]
    assert [person["name"] for person in listed] == ["auditor", "editor", "viewer"]
    assert {"password", "totp_pending"}.isdisjoint(listed[0])
    assert "│ viewer" in cim("user", "list")


def test_what_cannot_be_is_refused_in_one_sentence_and_logged(city: City) -> None:
    cim("user", "add", "auditor", "--role", "auditor")
    refused(Conflict, "'AUDITOR' is taken", "user", "add", "AUDITOR")
    refused(InvalidInput, "no role 'root'", "user", "add", "root", "--role", "root")
    refused(
        InvalidInput, "at once",
        "user", "change", "auditor", "--role", "auditor", "--role", "security-administrator",
    )  # fmt: skip
    refused(NotFound, "nobody called 'me' in this city", "user", "unlock", "me")
    short = run("user", "password", "auditor", "--ask", stdin="short\nshort\n")
    assert isinstance(short.exception, InvalidInput)
    cim("user", "add", "editor", "--sso")
    refused(Conflict, "has no password here", "user", "password", "editor")
    refused(Conflict, "no link signs 'editor' in", "user", "link", "editor")
    assert [(what, result) for what, result, _ in logged(city)] == [
        ("cim user add", "ok"), ("cim user add", "failed"), ("cim user add", "failed"),
        ("cim user change", "failed"), ("cim user add", "ok"),
    ]  # fmt: skip
    assert logged(city)[3][2]["error"] == "InvalidInput"


def test_the_last_administrator_stays_one(city: City) -> None:
    cim("user", "add", "admin", "--role", "security-administrator")
    refused(
        Conflict, "the last one who looks after people", "user", "change", "admin", "--inactive"
    )
    cim("user", "add", "other", "--role", "security-administrator")
    cim("user", "change", "admin", "--inactive")


def test_a_locked_account_is_unlocked(city: City) -> None:
    cim("user", "add", "viewer")
    city.office.people.failed("viewer", 1e12, allowed=1, seconds=60)
    assert city.office.people.named("viewer").locked_until is not None
    cim("user", "unlock", "viewer")
    assert city.office.people.named("viewer").locked_until is None


def test_a_link_signs_in_once(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    cim("user", "add", "viewer")
    monkeypatch.setenv("CIM_PORT", "8123")
    found = re.fullmatch(
        r"http://127\.0\.0\.1:8123/#sign-in=(\S+)\n", cim("user", "link", "viewer")
    )
    viewer = city.office.people.named("viewer").id
    assert [city.office.sessions.take_link(found[1]) for _ in range(2)] == [viewer, None]
    there = cim("user", "link", "viewer", "--at", "https://cim.example/", "--minutes", "5")
    assert there.startswith("https://cim.example/#sign-in=")
    assert run("user", "link", "viewer", "--minutes", "61").exit_code == 2


def test_a_key_is_made_listed_and_revoked(city: City) -> None:
    cim("user", "add", "data-manager", "--role", "data-manager")
    made = ("key", "create", "data-manager", "--title", "night import", "--scope", "manage")
    secret = cim(*made, "--days", "30").strip()
    key = city.office.keys.of(secret)
    assert (key.scopes, key.title) == (("manage",), "night import")
    told = json.loads(cim(*made, "--json"))
    assert city.office.keys.of(told["key"]).id == told["id"]
    assert key.id in cim("key", "list")
    assert len(json.loads(cim("key", "list", "data-manager", "--json"))["keys"]) == 2
    cim("key", "revoke", key.id)
    assert city.office.keys.of(secret) is None
    refused(InvalidInput, "no scope 'fly'", "key", "create", "data-manager", "--title", "x",
            "--scope", "fly")  # fmt: skip
    refused(NotFound, "no key 'x'", "key", "revoke", "x")


SQUARE = {
    "type": "Polygon",
    "coordinates": [[[113.4, 23], [113.5, 23], [113.5, 23.1], [113.4, 23]]],
}
FAR = {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]}
BOWTIE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}


def feature(geometry: dict | None) -> dict:
    return {"type": "Feature", "properties": {}, "geometry": geometry}


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        (SQUARE, 1),
        (feature(SQUARE), 1),
        ({"type": "FeatureCollection", "features": [feature(SQUARE), feature(FAR)]}, 2),
    ],
)
def test_a_boundary_is_all_areas_of_a_file(
    city: City, tmp_path: Path, document: dict, parts: int
) -> None:
    (tmp_path / "a.geojson").write_text(json.dumps(document), "utf-8")
    cim(
        "town",
        "add",
        "town-a",
        "--boundary",
        tmp_path / "a.geojson",
        "--zh",
        "甲镇",
        "--en",
        "Town A",
    )
    (town,) = city.office.people.towns()
    assert dict(town.title) == {"zh": "甲镇", "en": "Town A"}
    assert shapely.get_num_geometries(town.boundary) == parts
    assert town.boundary.contains(shapely.Point(113.48, 23.02))
    listed = json.loads(cim("town", "list", "--json"))["towns"]
    assert shapely.geometry.shape(listed[0]["boundary"]).equals(town.boundary)
    assert "town-a" in cim("town", "list")
    cim("town", "remove", "town-a")
    assert json.loads(cim("town", "list", "--json")) == {"towns": []}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not GeoJSON"),
        (json.dumps(feature(None)), "is not GeoJSON"),
        (json.dumps({"type": "Point", "coordinates": [1, 2]}), "has no area in it"),
        (json.dumps(BOWTIE), "crosses itself"),
        (json.dumps({"type": "FeatureCollection", "features": [feature(SQUARE), feature(BOWTIE)]}),
         "crosses itself"),
        (json.dumps({**SQUARE, "coordinates": [[[4e5, 2e6], [5e5, 2e6], [5e5, 3e6], [4e5, 2e6]]]}),
         "does not lie on the earth"),
    ],
)  # fmt: skip
def test_a_boundary_that_cannot_be_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "a.geojson").write_text(text, "utf-8")
    refused(InvalidInput, sentence, "town", "add", "a", "--boundary", tmp_path / "a.geojson")
    refused(NotFound, "no file", "town", "add", "a", "--boundary", tmp_path / "b.geojson")


def test_a_department_is_kept_while_somebody_is_in_it(city: City) -> None:
    cim("department", "add", DEPARTMENT, "--zh", "水务", "--en", "Water")
    cim("user", "add", "editor", "--department", DEPARTMENT)
    refused(Conflict, "somebody is in the department", "department", "remove", DEPARTMENT)
    assert DEPARTMENT in cim("department", "list")
    cim("user", "change", "editor", "--department", "")
    cim("department", "remove", DEPARTMENT)
    assert json.loads(cim("department", "list", "--json")) == {"departments": []}


def test_the_policy_goes_out_and_in_again(city: City, tmp_path: Path) -> None:
    shown = run("policy", "show")
    assert "the city has no policy" in shown.stderr
    assert json.loads(cim("policy", "show", "--json"))["kind"] == "none"
    file = tmp_path / "policy.toml"
    file.write_text(shown.stdout, "utf-8")
    cim("policy", "set", file)
    assert Gate(city).in_force.policy == default_policy()
    assert "program's own policy (version 1)" in run("policy", "show").stderr
    cim("policy", "default", "--public")
    assert Gate(city).in_force.policy == public_policy()
    told = json.loads(cim("policy", "show", "--json"))
    assert (told["kind"], told["version"]) == ("own", 2)
    (tmp_path / "policy.json").write_text(json.dumps(told["policy"]), "utf-8")
    cim("policy", "default")
    cim("policy", "set", tmp_path / "policy.json")
    assert Gate(city).in_force.policy == public_policy()
    file.write_text(cim("policy", "show").replace("export_km2 = 25.0", "export_km2 = 5"), "utf-8")
    cim("policy", "set", file)
    assert Gate(city).in_force.policy.limits.export_km2 == 5
    assert [detail["version"] for _, _, detail in logged(city)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.toml", "[roles", "cannot be read: Expected"),
        ("a.json", "{", "cannot be read: "),
        ("a.json", "[]", "holds no policy"),
        ("a.toml", "[roles.king]", "'king' is not a role"),
        ("a.toml", "[roles.viewer]\nread = { public = 'some' }", "roles.viewer.read.public"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(
    city: City, tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    refused(InvalidInput, sentence, "policy", "set", tmp_path / name)
    refused(NotFound, "no file", "policy", "set", tmp_path / "none.toml")
    assert not city.office.exists


def test_every_change_is_in_the_log_and_no_secret_is(city: City) -> None:
    secrets = [cim("user", "add", "data-manager", "--role", "data-manager").strip()]
    secrets.append(cim("user", "password", "data-manager").strip())
    secrets.append(cim("user", "link", "data-manager").strip().partition("=")[2])
    secrets.append(cim("key", "create", "data-manager", "--title", "t", "--scope", "read").strip())
    cim("user", "unlock", "data-manager")
    cim("town", "add", "a")
    cim("town", "remove", "a")
    cim("department", "add", "b")
    cim("department", "remove", "b")
    assert [what for what, result, _ in logged(city) if result == "ok"] == [
        "cim user add", "cim user password", "cim user link", "cim key create", "cim user unlock",
        "cim town add", "cim town remove", "cim department add", "cim department remove",
    ]  # fmt: skip
    account = city.office.people.named("data-manager").id
    assert [detail["account"] for _, _, detail in logged(city)[:5]] == [account] * 5
    city.office.close()
    with sqlite3.connect(city.office.path) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert not [secret for secret in secrets if secret.removeprefix("cim_") in dump]
