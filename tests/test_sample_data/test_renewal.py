"""The renewal campaign of the sample district, asked of its file, and brought into a city."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely.geometry

from analysis.renewal.checks import checks
from analysis.renewal.standing import campaign
from cim_core.city import City
from cim_core.progress import Progress
from cim_core.renewal.lights import default_rules
from cim_core.renewal.orders import number_of, urgency
from cim_core.renewal.working_days import NATIONAL
from sample_data.district.generate import RENEWAL, add_renewal
from sample_data.district.renewal_sites import campaign_table
from server.renewal.history_file import load_history_file
from tests.conftest import import_file
from tests.support.made_once import made_once

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("parcels", "towns", "buildings", "buildings_renewal", "buildings_planned")
TODAY = date(2026, 11, 20)
STATES = ["unsigned", "signed", "handed-over", "demolished", "rebuilding", "rebuilt"]
OF_TWIN = {"building-outside", "twin-unknown", "demolished-area-differs", "plan-exceeds"}
"""Rules that compare with the buildings of layers."""

Row = dict[str, Any]


@pytest.fixture(scope="module")
def folder(district: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The campaign beside the files that it is made from."""

    def make(made: Path) -> None:
        for name in NEEDED:
            shutil.copy(district / f"{name}.gpkg", made)
        add_renewal(made, 2026)

    return made_once(tmp_path_factory, "district-renewal", make)


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Row]:
    """The changes as the file has them."""
    return [json.loads(line) for line in (folder / RENEWAL).read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def now(rows: list[Row]) -> dict[str, dict[str, Row]]:
    """What all changes come to, by kind and id."""
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        found[row["kind"]][row["id"]] = merged(found[row["kind"]].get(row["id"], {}), row["change"])
    return found


@pytest.fixture(scope="module")
def city(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city with the campaign and its towns, and no layer."""
    opened = City.open_or_create(tmp_path_factory.mktemp("renewal") / "city")
    load_history_file(opened.renewal, folder / RENEWAL, Progress())
    for name in ("towns", "neighbour_towns"):
        _, _, _, columns = pyogrio.raw.read(folder / f"{name}.gpkg", columns=["id"])
        for town in columns[0]:
            opened.office.people.add_town(str(town), {"zh": str(town)}, None)
    for department in ("更新 Renewal", "规划 Planning", "住建 Housing"):
        opened.office.people.add_department(department, {"en": department})
    yield opened
    opened.renewal.close()


def merged(document: Row, change: Row) -> Row:
    """JSON Merge Patch, for changes without nulls."""
    both = dict(document)
    for key, value in change.items():
        both[key] = merged(both.get(key, {}), value) if isinstance(value, dict) else value
    return both


def meant(rule: str) -> set[str]:
    """The projects that are wrong on purpose in the way a rule finds."""
    wrong = campaign_table()["wrong"]
    return {one["project"] for one in wrong if rule in (one["rule"], *one.get("also", ()))}


def test_equal_seeds_give_equal_bytes(folder: Path, tmp_path: Path) -> None:
    for name in NEEDED:
        (tmp_path / f"{name}.gpkg").symlink_to(folder / f"{name}.gpkg")
    again = "import sys, pathlib; from sample_data.district.generate import add_renewal; add_renewal(pathlib.Path(sys.argv[1]), 2026)"
    subprocess.run(
        [sys.executable, "-c", again, tmp_path], cwd=ROOT, env={"PYTHONHASHSEED": "7"}, check=True
    )
    for name in (RENEWAL, "neighbour_towns.gpkg", "neighbour_buildings.gpkg"):
        first, second = ((at / name).read_bytes() for at in (folder, tmp_path))
        assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest(), name


def test_sixty_projects_have_twelve_thousand_households_and_eighty_orders(
    now: dict[str, dict[str, Row]], folder: Path
) -> None:
    assert len(now["project"]) == 60
    assert len(now["household"]) == 12_000
    assert len(now["order"]) == 80
    states = Counter(order.get("state", "draft") for order in now["order"].values())
    assert states == {state: about["count"] for state, about in campaign_table()["orders"].items()}
    layers = defaultdict(set)
    for building in now["building"].values():
        layers[building["project"]].add(building.get("layer", "neighbour-buildings"))
    own = {"buildings", "buildings-renewal"}
    assert sum(not of - own for of in layers.values()) == 12
    assert sum("neighbour-buildings" in of for of in layers.values()) == 48
    assert 6_000 < len(pyogrio.raw.read(folder / "neighbour_buildings.gpkg")[2]) < 10_000


def test_what_is_recorded_comes_in_the_order_of_its_moments_and_not_after_the_day(
    rows: list[Row],
) -> None:
    moments = [datetime.fromisoformat(row["recorded"]) for row in rows]
    assert moments == sorted(moments)
    assert {moment.utcoffset() for moment in moments} == {timedelta(hours=8)}
    assert max(moments).date() == TODAY
    assert max(row["effective"] for row in rows) == TODAY.isoformat()
    assert all(row["effective"] <= row["recorded"][:10] for row in rows)


def test_two_years_of_weeks_are_reported(now: dict[str, dict[str, Row]]) -> None:
    weeks = {
        (date.fromisoformat(r["start"]), date.fromisoformat(r["end"]))
        for r in now["progress"].values()
        if r["period"] == "week"
    }
    assert len(weeks) == 104
    assert all(start.weekday() == 0 and (end - start).days == 6 for start, end in weeks)
    assert max(end for _, end in weeks) == date(2026, 11, 15)
    assert 15_000 < len(now["progress"]) < 25_000


def test_parcels_add_up_to_the_land_but_where_they_are_not_to(
    now: dict[str, dict[str, Row]],
) -> None:
    for key, project in now["project"].items():
        parts = sum(parcel["land_area"] for parcel in project["parcels"])
        adds_up = abs(parts / project["land_area"] - 1) < 0.001
        assert adds_up is (key not in meant("parcels-sum")), key
        whole = shapely.union_all(
            [shapely.geometry.shape(parcel["geometry"]) for parcel in project["parcels"]]
        )
        boundary = shapely.geometry.shape(project["boundary"])
        same = shapely.symmetric_difference(whole, boundary).area < 0.001 * boundary.area
        assert same is (key not in meant("parcels-sum") | meant("projects-overlap")), key


def test_buildings_go_on_in_order_and_are_signed_before_they_are_handed_over(
    rows: list[Row],
) -> None:
    told: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in rows:
        if row["kind"] == "building" and "state" in row["change"]:
            told[row["id"]].append((row["effective"], STATES.index(row["change"]["state"])))
    back = set()
    for building, steps in told.items():
        assert [day for day, _ in steps] == sorted(day for day, _ in steps), building
        assert steps[0][1] == 1, building
        if not (np.diff([state for _, state in steps]) == 1).all():
            back.add(building[:6])
    assert back == meant("building-back")


def test_nobody_is_named(rows: list[Row], now: dict[str, dict[str, Row]]) -> None:
    holders = [household["holder"] for household in now["household"].values()]
    assert all(re.fullmatch(r"户主\d{4,5}", holder) for holder in holders)
    assert len(set(holders)) == 12_000
    assert all(re.fullmatch(r"区更新办|..(街道|镇)更新办", row["name"]) for row in rows)


def test_orders_fall_due_as_the_calendar_says_and_some_are_late(
    now: dict[str, dict[str, Row]],
) -> None:
    numbers = []
    for order in now["order"].values():
        if "issued" not in order:
            continue
        issued = date.fromisoformat(order["issued"])
        numbers.append((issued.year, order["number"]))
        if not any(one["state"] == "granted" for one in order.get("extensions", ())):
            due = NATIONAL.deadline(issued, order["days"])
            assert order["deadline"] == due.isoformat()
    for year in (2025, 2026):
        count = sum(one == year for one, _ in numbers)
        told = {number_of(date(year, 1, 1), n + 1) for n in range(count)}
        assert {number for one, number in numbers if one == year} == told
    urgent = Counter(urgency(order, TODAY) for order in now["order"].values())
    assert urgent["red"] >= 5
    assert urgent["blue"] >= 5
    assert urgent["yellow"] >= 5


def test_most_projects_are_green_some_yellow_and_few_red(city: City) -> None:
    lights = Counter(
        project.light
        for project in campaign(city.renewal.ledger(), TODAY, rules=default_rules()).projects
    )
    assert 30 <= lights["green"] <= 42
    assert 9 <= lights["yellow"] <= 18
    assert 6 <= lights["red"] <= 14


def test_the_next_order_takes_the_next_number(city: City) -> None:
    with city.renewal.transaction() as connection:
        rows = connection.execute("SELECT series, last FROM numbers").fetchall()
    assert {row["series"]: row["last"] for row in rows}.keys() == {"order-2025", "order-2026"}
    assert sum(row["last"] for row in rows) == 75


def test_what_is_wrong_on_purpose_is_named_by_the_check_report_and_nothing_else(city: City) -> None:
    found = defaultdict(set)
    for finding in checks(city, TODAY):
        found[finding.rule].add(finding.project)
    named = {one["rule"] for one in campaign_table()["wrong"]} - OF_TWIN
    assert len(named) >= 10
    everywhere = {"planned-missing", *OF_TWIN}  # there is no layer here
    for rule in sorted(named | (set(found) - everywhere)):
        assert found[rule] == meant(rule), rule


@pytest.mark.soak
def test_with_the_layers_all_that_is_wrong_on_purpose_is_named(
    city: City, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(city.folder, tmp_path / "city")
    whole = City.open(tmp_path / "city")
    for name in ("buildings", "buildings-renewal", "buildings-planned", "neighbour-buildings"):
        path = shutil.copy(folder / f"{name.replace('-', '_')}.gpkg", tmp_path / f"{name}.gpkg")
        life = {"lifecycle": "planned" if name == "buildings-planned" else "present"}
        import_file(whole, Path(path), crs="EPSG:4547", kind="buildings", options=life)
    found = defaultdict(set)
    for finding in checks(whole, TODAY):
        found[finding.rule].add(finding.project)
    wrong = campaign_table()["wrong"]
    rules = {rule for one in wrong for rule in (one["rule"], *one.get("also", ()))}
    assert dict(found) == {rule: meant(rule) for rule in rules}
