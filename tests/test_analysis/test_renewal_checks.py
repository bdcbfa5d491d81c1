"""The check report of renewal: a campaign that is right has no findings, and each rule finds what it is for."""

import shutil
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.renewal.checks import CHECKS, CheckFinding, checks
from analysis.renewal.examined import check_rules
from cim_core.city import City
from cim_core.renewal.events import Change
from cim_core.sight import Sight
from tests.support.renewal_twin import (
    AT,
    BEGIN,
    DOER,
    LAND,
    box,
    geodesic,
    geojson,
    record,
    recorded_anyway,
    right,
)

DAY = date(2025, 6, 1)
DOCS = Path(__file__).parents[2] / "docs" / "reference" / "renewal-checks.md"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a city whose campaign is right."""
    city = City.open_or_create(tmp_path_factory.mktemp("right") / "city")
    right(city)
    city.renewal.close()
    city.office.close()
    city.database.close()
    return city.folder


@pytest.fixture
def city(base: Path, tmp_path: Path) -> City:
    return City.open(Path(shutil.copytree(base, tmp_path / "city")))


def told(city: City, at: date = AT) -> list[tuple[str, str]]:
    return [(finding.rule, finding.subject) for finding in checks(city, at)]


def change(city: City, kind: Any, key: str, patch: dict[str, Any] | None, day: date = DAY) -> None:
    """Change a subject, or add one that is not there."""
    known = {one.id: one.version for one in city.renewal.find(kind)}
    city.renewal.apply([Change(kind, key, patch, day, known.get(key))], DOER)


def parcels(city: City, *patches: dict[str, Any] | None) -> None:
    """Change the parcels of q1, in their order; None removes one, more are added."""
    before = city.renewal.get("project", "q1").document["parcels"]
    given = [*before, *[{}] * (len(patches) - len(before))]
    after = [
        {**old, **patch} for old, patch in zip(given, patches, strict=True) if patch is not None
    ]
    change(city, "project", "q1", {"parcels": after})


Spoil = Callable[[City], object]


def project(**patch: Any) -> Spoil:
    return lambda city: change(city, "project", "q1", patch)


def thing(kind: str, key: str, **patch: Any) -> Spoil:
    return lambda city: change(city, kind, key, patch)


def several(*spoils: Spoil) -> Spoil:
    def spoil(city: City) -> None:
        for one in spoils:
            one(city)

    return spoil


def another(key: str = "q2", **patch: Any) -> Spoil:
    """A second project elsewhere, right but for what is told."""
    land = box(600, 0, 100, 100)
    document = {
        "name": "Other", "type": "old-town", "mode": "micro", "town": "here",
        "template": "micro-renewal", "boundary": geojson(land), "approval": {"number": "1"}, **patch,
    }  # fmt: skip
    return lambda city: change(city, "project", key, document, BEGIN)


UNSIGNED = thing("household", "q1-h10", project="q1", number="10", building="q1-b3")
SURVEY = {"started": "2025-05-02", "ended": "2025-05-30"}
SPOILT: dict[str, tuple[Spoil, Sequence[str]]] = {
    "demolished-unsigned": (thing("household", "q1-h9", building="q1-b0"), ["q1-b0"]),
    "signed-unsigned": (thing("building", "q1-b3", state="signed"), ["q1-b3"]),
    "building-back": (
        lambda city: change(city, "building", "q1-b2", {"state": "unsigned"}, date(2025, 3, 9)),
        ["q1-b2"],
    ),
    "household-back": (
        several(
            thing("household", "q1-h0", state="handed-over"),
            lambda city: change(city, "household", "q1-h0", {"state": "signed"}, date(2025, 6, 5)),
        ),
        ["q1-h0"],
    ),
    "household-without-building": (
        several(
            thing("household", "q1-h0", building="q1-b77"), thing("household", "q1-h1", building=None),
        ),
        ["q1-h0", "q1-h1"],
    ),
    "building-twice": (
        thing("building", "q1-b9", project="q1", layer="stock", feature="h3"), ["q1-b9"],
    ),
    "building-outside": (
        project(boundary=geojson(LAND - box(135, 15, 60, 12))), ["q1-b3"],
    ),
    "twin-unknown": (thing("building", "q1-b9", project="q1", layer="stock", feature="gone"), ["q1"]),
    "demolition-before-gate": (
        UNSIGNED, ["q1"],
    ),
    "approval-lapses": (
        several(
            project(approval={"number": "2022-1", "date": "2022-06-30"}),
            UNSIGNED,
        ),
        ["q1"],
    ),
    "demolition-before-approval": (project(approval=None), ["q1"]),
    "demolished-area-differs": (thing("progress", "r1", actual=901.0), ["q1"]),
    "reported-count-differs": (thing("progress", "r3", actual=5.0), ["q1"]),
    "progress-overlap": (
        lambda city: recorded_anyway(
            city, record("r4", "floor-area-demolished", "2025-04-13", "2025-04-19", 9000.0)
        ),
        ["r4"],
    ),
    "progress-over-target": (
        project(targets=[{
            "metric": "floor-area-demolished", "start": "2025-04-13", "end": "2025-06-08", "total": 1183.0,
        }]),
        ["q1"],
    ),
    "progress-missing": (thing("progress", "r2", start="2025-05-08", end="2025-05-15"), ["q1"]),
    "metric-unknown": (
        project(targets=[{"metric": "houses", "start": "2025-01-01", "end": "2025-12-31", "total": 1.0}]),
        ["q1"],
    ),
    "boundary-missing": (another(boundary=None), ["q2"]),
    "land-area-differs": (another(land_area=10_600.0), ["q2"]),
    "parcels-sum": (lambda city: parcels(city, {}, None), ["q1"]),
    "parcel-area-differs": (
        another(parcels=[{"id": "a", "use": "kept", "geometry": geojson(box(600, 0, 100, 80)), "land_area": 8500.0},
                         {"id": "b", "use": "kept", "geometry": geojson(box(600, 80, 100, 20)), "land_area": 1500.0}]),
        ["q2", "q2"],
    ),
    "parcels-overlap": (
        another(parcels=[{"id": "a", "use": "kept", "geometry": geojson(box(600, 0, 100, 51)), "land_area": 5000.0},
                         {"id": "b", "use": "kept", "geometry": geojson(box(600, 50, 100, 50))}]),
        ["q2"],
    ),
    "parcel-outside": (
        another(parcels=[{"id": "a", "use": "kept", "geometry": geojson(box(598, 0, 100, 100))}]), ["q2"],
    ),
    "projects-overlap": (another(boundary=geojson(box(398, 0, 100, 100))), ["q2"]),
    "town-unknown": (another(town="nowhere"), ["q2"]),
    "town-outside": (another(boundary=geojson(box(1480, 0, 100, 100))), ["q2"]),
    "planned-missing": (lambda city: parcels(city, {"planned": "stock"}, {"planned": "none"}), ["q1", "q1"]),
    "plan-exceeds": (
        lambda city: parcels(city, {"approved": {"height": 32.0, "green_ratio": 0.26}}, {}), ["q1"],
    ),
    "far-differs": (another(floor_area_planned=20_000.0, land_area=10_000.0, far=2.2), ["q2"]),
    "stage-dates": (
        project(stages={"area-planning": {"planned_start": "2025-01-02", "planned_end": "2025-01-01"}}),
        ["q1"],
    ),
    "stage-order": (project(stages={"approval": {"started": "2025-05-01", "ended": "2025-05-02"}}), ["q1"]),
    "stage-future": (project(stages={"demolition": {"ended": "2025-07-01"}}), ["q1"]),
    "stage-unknown": (project(stages={"party": SURVEY}), ["q1"]),
    "template-unknown": (another(template="nothing"), ["q2"]),
    "task-dates": (thing("task", "q1-t1", done="2025-01-09"), ["q1-t1"]),
    "task-without-unit": (thing("task", "q1-t1", unit=None), ["q1-t1"]),
    "order-without-unit": (thing("order", "q1-o1", unit="nobody"), ["q1-o1"]),
    "order-dates": (thing("order", "q1-o1", closed="2025-03-02"), ["q1-o1"]),
    "order-closed-unanswered": (thing("order", "q1-o1", feedback=None), ["q1-o1"]),
}  # fmt: skip
"""By rule: how the campaign is spoilt, and the subjects that are then found."""

TOGETHER = {
    "approval-lapses": {"demolition-before-gate"},
    "building-outside": {"parcel-outside"},
}
"""What cannot be so without something else being wrong as well."""

BARELY: dict[str, Spoil] = {
    "building-outside": project(boundary=geojson(LAND - box(135, 26, 60, 10))),
    "demolished-area-differs": thing("progress", "r1", actual=601.0 + 120.0 - 1.0),
    "reported-count-differs": thing("progress", "r3", actual=4.0),
    "progress-overlap": lambda city: city.renewal.apply(
        [record("r4", "floor-area-demolished", "2025-04-14", "2025-04-20", 0.0)], DOER
    ),
    "progress-over-target": project(targets=[{
        "metric": "floor-area-demolished", "start": "2025-04-13", "end": "2025-06-08", "total": 1185.0,
    }]),
    "progress-missing": thing("progress", "r2", start="2025-05-08", end="2025-05-16"),
    "approval-lapses": project(approval={"number": "2022-1", "date": "2022-06-30"}),
    "land-area-differs": another(land_area=round(1.04 * geodesic(box(600, 0, 100, 100)))),
    "parcels-overlap": another(parcels=[
        {"id": "a", "use": "kept", "geometry": geojson(box(600, 0, 100, 50.15))},
        {"id": "b", "use": "kept", "geometry": geojson(box(600, 50, 100, 50))},
    ]),
    "parcel-outside": another(parcels=[
        {"id": "a", "use": "kept", "geometry": geojson(box(599.2, 0, 100, 100))},
    ]),
    "projects-overlap": another(boundary=geojson(box(399.2, 0, 100, 100))),
    "town-outside": another(boundary=geojson(box(1409, 0, 100, 100))),
    "plan-exceeds": lambda city: parcels(city, {"approved": {"height": 33.0, "green_ratio": 0.25}}, {}),
    "far-differs": another(floor_area_planned=20_000.0, land_area=10_000.0, far=2.09),
    "stage-future": project(stages={"demolition": {"ended": "2025-06-30"}}),
    "order-dates": thing("order", "q1-o1", closed="2025-03-03"),
}  # fmt: skip
"""By rule: what is just not found by it."""


def test_a_campaign_that_is_right_has_no_findings(city: City) -> None:
    assert told(city) == []


@pytest.mark.parametrize("rule", SPOILT)
def test_a_rule_finds_what_it_is_for_and_nothing_else_is_found(city: City, rule: str) -> None:
    spoil, subjects = SPOILT[rule]
    spoil(city)
    findings = checks(city, AT)
    assert [finding.subject for finding in findings if finding.rule == rule] == list(subjects)
    assert {finding.rule for finding in findings} - {rule} == TOGETHER.get(rule, set())
    for finding in findings:
        assert_speaks(finding)


def assert_speaks(finding: CheckFinding) -> None:
    """It is told in both languages, with all values, and says what to do."""
    assert finding.project in ("q1", "q2")
    assert "{" not in finding.text["en"] + finding.text["zh"]
    assert "; " in finding.text["en"]
    assert "请" in finding.text["zh"] or "应" in finding.text["zh"]
    assert not any("一" <= sign <= "鿿" for sign in finding.text["en"])


@pytest.mark.parametrize("rule", BARELY)
def test_what_is_just_within_a_limit_is_not_found(city: City, rule: str) -> None:
    BARELY[rule](city)
    assert rule not in {finding.rule for finding in checks(city, AT)}


def test_a_day_is_checked_as_it_was(city: City) -> None:
    change(city, "building", "q1-b3", {"state": "demolished"}, date(2025, 6, 20))
    assert told(city, date(2025, 6, 19)) == []
    assert ("demolished-unsigned", "q1-b3") in told(city, date(2025, 6, 20))


def test_a_state_corrected_for_the_same_day_is_no_step_back(city: City) -> None:
    change(city, "building", "q1-b2", {"state": "handed-over"}, date(2025, 3, 3))
    change(city, "building", "q1-b2", {"state": "signed"}, date(2025, 3, 3))
    assert told(city) == []


def test_what_the_city_changes_of_the_gate_counts_here_too(city: City) -> None:
    (city.folder / "renewal.toml").write_text("[signing]\ngate = 0.85\n")
    assert told(city) == [("demolition-before-gate", "q1")]


def test_who_sees_no_renewal_is_told_nothing_and_who_sees_no_layer_no_areas(city: City) -> None:
    SPOILT["task-dates"][0](city)
    nobody = city.seen_by(Sight({}, towns=frozenset()), None)
    assert told(nobody) == []
    town = city.seen_by(Sight({}, towns=frozenset({"here"})), None)
    assert told(town) == [("twin-unknown", "q1"), ("planned-missing", "q1"), ("planned-missing", "q1"),
                          ("task-dates", "q1-t1")]  # fmt: skip


def test_which_household_it_is_only_those_entitled_are_told(city: City) -> None:
    SPOILT["household-back"][0](city)
    for households, expected in ((frozenset({"here"}), ["q1-h0"]), (frozenset({"there"}), [])):
        sight = Sight(None, towns=None, households=households)
        found = [one for one in checks(city.seen_by(sight, None), AT) if one.kind == "household"]
        assert [one.subject for one in found] == expected
    change(city, "project", "q1", {"town": "there"}, AT + timedelta(days=1))
    for households, expected in ((frozenset({"here"}), []), (frozenset({"there"}), ["q1-h0"])):
        sight = Sight(None, towns=None, households=households)
        found = [one for one in checks(city.seen_by(sight, None), AT) if one.kind == "household"]
        assert [one.subject for one in found] == expected, "as it is of that town now"


def test_every_rule_has_a_function_a_test_and_a_place_in_the_docs() -> None:
    assert set(CHECKS) == set(check_rules()) == set(SPOILT)
    page = DOCS.read_text("utf-8")
    for rule in check_rules().values():
        assert f"`{rule.id}`" in page, rule.id
        assert rule.title["en"] and rule.title["zh"]
        for limit in rule.limits.values():
            assert f"{limit:g}" in page or f"{limit * 100:g} %" in page, rule.id


def test_the_land_is_as_large_as_it_was_drawn() -> None:
    assert geodesic(LAND) == pytest.approx(80_000, rel=2e-4)
