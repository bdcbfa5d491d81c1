"""`cim demo`: a manifest's layers become a city, in its order, once."""

import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely
from typer.testing import CliRunner

from cim_core.city import City
from cim_core.errors import NotFound
from cim_core.store.office_audit import AuditQuery
from server.access.gate import Gate
from server.access.passwords import matches
from server.access.policy import public_policy
from server.cli import app
from server.renewal.asked import today

MEMORY = "12288"
OPTIONS = {"source": "generated", "lifecycle": "planned", "department": "规划 Planning"}


def write_demo(folder: Path, *, storeys: int = 3, **more: object) -> None:
    """A manifest with one layer of a house and one of a park."""
    folder.mkdir(exist_ok=True)
    house = shapely.box(444680.0, 2555710.0, 444700.0, 2555722.0)
    names = ("houses", "parks")
    for name in names:
        (folder / f"{name}.gpkg").unlink(missing_ok=True)
        pyogrio.raw.write(
            str(folder / f"{name}.gpkg"), shapely.to_wkb([house]),
            [np.array(["town-01"], object), np.array([storeys])], ["id", "floors"],
            driver="GPKG", geometry_type="Polygon", crs="EPSG:4547",
        )  # fmt: skip
    layers = [
        {"id": name, "file": f"{name}.gpkg", "kind": kind, "title": f"层 {name}", "crs": "EPSG:4547",
         "options": OPTIONS}
        for name, kind in zip(names, ("buildings", "vector"), strict=True)
    ]  # fmt: skip
    document = {"name": "演示 Demo", "layers": layers, **more}
    (folder / "manifest.json").write_text(json.dumps(document), "utf-8")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIM_PASSWORD_MEMORY_KIB", MEMORY)


def run(folder: Path, city: Path) -> str:
    result = CliRunner().invoke(app, ["demo", str(folder), "--city", str(city)])
    assert result.exception is None, result.output
    return result.stderr


def test_a_manifest_becomes_a_city_with_all_that_is_known_of_its_layers(tmp_path: Path) -> None:
    write_demo(tmp_path / "demo")
    said = run(tmp_path / "demo", tmp_path / "city")
    assert said.index("1/2 层 houses: 1 features") < said.index("2/2 层 parks: 1 features")
    city = City.open(tmp_path / "city")
    assert city.settings.name == "演示 Demo"
    houses, parks = city.layers.current()
    assert (houses.summary["kind"], parks.summary["kind"]) == ("model", "vector")
    assert houses.about.lifecycle == "planned"
    assert houses.about.department == "规划 Planning"
    assert houses.about.source == "generated"


def test_what_did_not_change_is_not_imported_again(tmp_path: Path) -> None:
    write_demo(tmp_path / "demo")
    run(tmp_path / "demo", tmp_path / "city")
    said = run(tmp_path / "demo", tmp_path / "city")
    assert said.count("unchanged") == 2
    write_demo(tmp_path / "demo", storeys=5)
    run(tmp_path / "demo", tmp_path / "city")
    versions = [version.version for version in City.open(tmp_path / "city").layers.current()]
    assert versions == [2, 2]


def test_the_first_time_somebody_is_let_in_with_a_password_told_once(tmp_path: Path) -> None:
    write_demo(tmp_path / "demo", towns=["parks"])
    said = run(tmp_path / "demo", tmp_path / "city")
    password = re.search(r"sign in as admin with the password (\S+) ", said)[1]
    city = City.open(tmp_path / "city")
    (admin,) = city.office.people.all()
    assert admin.roles == ("supervisor", "data-manager", "security-administrator")
    assert matches(password, admin.password, int(MEMORY))
    assert Gate(city).in_force.policy == public_policy()
    assert [item.id for item in city.office.people.departments()] == ["规划 Planning"]
    (town,) = city.office.people.towns()
    park = city.layers.get("parks")
    assert town.boundary.equals(next(city.features.all("parks", park.version)).footprint)
    log = list(city.office.audit.entries(AuditQuery()))
    assert [(entry.what, entry.verb, entry.result, entry.layers) for entry in log] == [
        ("cim demo", "manage", "ok", ("houses",)),
        ("cim demo", "manage", "ok", ("parks",)),
        ("cim demo", "administer", "ok", ()),
    ]
    assert password not in str([entry.as_dict() for entry in log])
    again = run(tmp_path / "demo", tmp_path / "city")
    assert "password" not in again
    assert city.office.people.all() == [admin]


def test_its_renewal_is_moved_by_whole_weeks_to_the_present(tmp_path: Path) -> None:
    write_demo(tmp_path / "demo", renewal="renewal.jsonl", renewal_day="2024-11-15")
    project = {
        "name": "东村", "type": "old-village", "mode": "comprehensive", "town": "town-01",
        "template": "old-village",
    }  # fmt: skip
    line = {
        "recorded": "2024-11-15T17:30:00+08:00", "effective": "2024-11-15", "kind": "project",
        "id": "p1", "change": project,
    }  # fmt: skip
    (tmp_path / "demo" / "renewal.jsonl").write_text(json.dumps(line), "utf-8")
    assert "renewal: 1 changes" in run(tmp_path / "demo", tmp_path / "city")
    city = City.open(tmp_path / "city")
    (event,) = city.renewal.history("p1")
    assert event.effective.weekday() == date(2024, 11, 15).weekday()
    assert 1 <= (today(city) - event.effective).days <= 7
    assert "renewal: unchanged" in run(tmp_path / "demo", tmp_path / "city")


def test_a_city_that_has_people_is_left_to_them(tmp_path: Path) -> None:
    write_demo(tmp_path / "demo")
    City.open_or_create(tmp_path / "city").office.people.add("editor", roles=["editor"])
    assert "password" not in run(tmp_path / "demo", tmp_path / "city")
    office = City.open(tmp_path / "city").office
    assert [item.name for item in office.people.all()] == ["editor"]
    assert office.policies.current() is None


def test_what_was_begun_and_broken_off_is_finished(tmp_path: Path) -> None:
    write_demo(tmp_path / "demo", towns=["parks"])
    run(tmp_path / "demo", tmp_path / "city")
    begun = City.open(tmp_path / "city").office.people
    other = City.open_or_create(tmp_path / "other").office
    other.people.add_department("规划 Planning", {"en": "Planning"})
    town = begun.towns()[0]
    other.people.add_town(town.id, {"en": "There already"}, None)
    assert "with the password" in run(tmp_path / "demo", tmp_path / "other")
    assert [dict(item.title) for item in other.people.towns()] == [{"en": "There already"}]


def test_a_folder_without_a_manifest_is_refused_with_the_remedy(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", str(tmp_path), "--city", str(tmp_path / "city")])
    assert isinstance(result.exception, NotFound)
    with pytest.raises(NotFound, match="python -m sample_data"):
        raise result.exception
    assert not (tmp_path / "city").exists()
