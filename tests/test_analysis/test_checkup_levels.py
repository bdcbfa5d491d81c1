"""All levels at once: parts add up, and what did not change is not computed again."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.checkup.digests import digest_of, way_of
from analysis.checkup.examine import Examined, examine
from analysis.checkup.loaded import engine_table
from analysis.checkup.measured import By, Measured
from analysis.checkup.packed import pack, unpack
from analysis.checkup.roles import FILE_NAME
from analysis.checkup.scene import Scene
from analysis.reach.rules import reach_table
from cim_core.cells import cell_named, cell_polygon
from cim_core.city import City
from tests.support.checkup import (
    a_set,
    box,
    draw,
    drawn,
    formula,
    indicator,
    line,
    measured,
    point,
    scene_of,
)

KINDS: tuple[By, ...] = ("district", "town", "community", "estate", "building", "cell")
QUARTERS = [
    ("ne", box(50, 50, 50, 50), {"name_zh": "东北"}), ("nw", box(0, 50, 50, 50), {}),
    ("se", box(50, 0, 50, 50), {}), ("sw", box(0, 0, 50, 50), {}),
]  # fmt: skip
FORMULAS = {
    "count": {"operator": "total", "what": {"input": "ponding"}},
    "length": {"operator": "total", "what": {"input": "roads"}, "measure": "length"},
    "area": {"operator": "total", "what": {"input": "buildings"}, "measure": "area"},
    "column": {"operator": "total", "what": {"input": "buildings"}, "measure": "floor_area"},
    "gap": {"operator": "gap", "what": {"input": "estates"}, "required": "parking_required", "existing": "parking"},
    "density": {"operator": "density", "what": {"input": "buildings"}, "measure": "area", "within": {"input": "built-up"}},
    "coverage": {"operator": "coverage", "demand": {"input": "buildings"}, "sites": [{"input": "ponding", "radius": 12}]},
    "loss": {"operator": "loss", "what": {"input": "water-meters"}, "given": "supplied", "used": "metered"},
    "trips": {"operator": "both-ends", "trips": {"input": "commutes"}, "weight": "commuters", "sites": [{"input": "ponding", "radius": 40}]},
}  # fmt: skip

spots = st.lists(st.tuples(st.integers(-10, 100), st.integers(-10, 100)), min_size=2, max_size=7)
sizes = st.integers(3, 60)


@pytest.fixture(scope="module")
def quarters(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A town of 100 × 100 m in four communities."""
    folder = tmp_path_factory.mktemp("quarters") / "city"
    return drawn(folder, towns=[("t", box(0, 0, 100, 100), {})], communities=QUARTERS)


@settings(
    deadline=None, max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(spots, sizes, sizes)
def test_parts_add_up(quarters: City, at: list[tuple[int, int]], wide: int, deep: int) -> None:
    """Features on the borders of communities, lines along them and areas across them count once."""
    areas = [(f"f{n}", box(x, y, wide, deep)) for n, (x, y) in enumerate(at)]
    draw(quarters, "ponding", [(f"p{n}", point(*one), {}) for n, one in enumerate(at)])
    draw(quarters, "buildings", [(key, shape, {"floor_area": 10.0}) for key, shape in areas])
    estate = {"parking": wide, "parking_required": deep}
    draw(quarters, "estates", [(key, shape, estate) for key, shape in areas])
    draw(quarters, "land", [(key, shape, {"kind": "built-up"}) for key, shape in areas[:2]])
    meter = {"supplied": 9.0, "metered": 7.0}
    draw(quarters, "water-meters", [(key, shape, meter) for key, shape in areas])
    ways = [line((x, 0), (x, y + 11)) for x, y in at] + [
        line((50, 0), (50, 100)),
        line((0, 50), (100, 50)),
    ]
    draw(quarters, "roads", [(f"r{n}", way, {}) for n, way in enumerate(ways)])
    trips = [line((x, y), (50, 50)) for x, y in at if (x, y) != (50, 50)]
    draw(
        quarters, "commutes", [(f"c{n}", trip, {"commuters": 5.0}) for n, trip in enumerate(trips)]
    )
    scene = scene_of(quarters)
    for name, told in FORMULAS.items():
        whole, parts = measured(scene, **told), measured(scene, "community", **told)
        assert parts.numerator.sum() == pytest.approx(whole.numerator[0], rel=1e-6, abs=1e-6), name
        if name not in ("count", "length", "area", "column", "gap"):  # whose denominator is 1
            assert parts.denominator.sum() == pytest.approx(whole.denominator[0], rel=1e-6), name


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A town of 1 km² with two communities, estates, houses, and a bus stop."""
    folder = tmp_path_factory.mktemp("levels") / "city"
    return drawn(
        folder, towns=[("t", box(0, 0, 1000, 1000), {})],
        communities=[("c1", box(0, 0, 500, 1000), {"name_zh": "东区", "name_en": "East"}), ("c2", box(500, 0, 500, 1000), {})],
        estates=[("e1", box(0, 0, 400, 400), {"parking": 5, "parking_required": 9})],
        buildings=houses(), bus_stops=[("s", point(100, 100), {})],
        parcels=[("l", box(0, 0, 1000, 400), {"land_use": "R2"})],
    )  # fmt: skip


def houses(**uses: str) -> list:
    """Four houses, the uses of some of which are as said."""
    return [
        (f"h{n}", box(100 + 200 * n, 100, 20, 10), {"use": uses.get(f"h{n}", "residential"), "height": 10.0 * n})
        for n in range(4)
    ]  # fmt: skip


STOPS = [{"input": "bus-stops", "radius": 200}]
TALL = {"input": "buildings", "where": {"height": {"above": 15}}}
FLATS = {"input": "buildings", "where": {"use": "residential"}}
SET = a_set(
    indicator("houses", KINDS[1:], operator="total", what={"input": "buildings"}),
    indicator("tall", operator="total", what=TALL),
    indicator("flats", KINDS[1:], operator="total", what=FLATS),
    indicator("share", operator="share", part=FLATS, whole={"input": "buildings"}, measure="area"),
    indicator(
        "stops", KINDS[1:], operator="coverage", demand={"input": "residential-land"}, sites=STOPS
    ),
    indicator("gap", ("community", "estate"), **FORMULAS["gap"]),
)


def test_values_at_every_level(city: City) -> None:
    scene = scene_of(city)
    found = examine(scene, SET, lambda digest: None)
    houses = found.values["houses"]
    assert set(houses) == set(KINDS)
    assert houses["district"].value.tolist() == houses["town"].value.tolist() == [4.0]
    assert houses["community"].value.tolist() == [2.0, 2.0]
    assert houses["estate"].value.tolist() == [2.0]
    assert houses["building"].value.tolist() == [1.0] * 4
    assert houses["cell"].value.sum() == 4.0
    names = found.units["community"].names
    assert [name["zh"] for name in names] == ["东区", "c2"]
    assert names[0]["en"] == "East"
    cells = found.units["cell"]
    assert shapely.area(cells.shapes).sum() == pytest.approx(1e6, rel=1e-6)
    for name, shape in zip(cells.ids, scene.lon_lat(cells.shapes), strict=True):
        assert cell_polygon(cell_named(name)).buffer(1e-7).covers(shape)
    stops = found.values["stops"]
    served = shapely.intersection(point(100, 100).buffer(200, quad_segs=256), box(0, 0, 1000, 400))
    assert stops["district"].numerator[0] == pytest.approx(served.area, rel=1e-3)
    for by in ("town", "community", "cell"):
        assert stops[by].numerator.sum() == pytest.approx(stops["district"].numerator[0], rel=1e-6)
    # The house next to the stop is all in reach; the next begins where reach ends.
    assert stops["building"].value.tolist() == pytest.approx([100.0, 0.0, 0.0, 0.0], abs=1e-6)
    assert stops["building"].unserved is None


def test_a_change_of_use_changes_what_depends_on_it_and_nothing_else(city: City) -> None:
    store: dict[str, bytes] = {}

    def run() -> Examined:
        found = examine(scene_of(city), SET, store.get)
        store.update({found.digests[code]: found.packed(code) for code in found.computed})
        return found

    draw(city, "buildings", houses())
    first = run()
    assert set(first.computed) == {one.code for one in SET.indicators}
    assert run().computed == ()
    draw(city, "buildings", houses(h3="office"))
    second = run()
    changed = {code for code in first.digests if first.digests[code] != second.digests[code]}
    assert changed == {"flats", "share"} == set(second.computed)
    for code in first.values:
        same = first.packed(code) == second.packed(code)
        assert same == (code not in changed), code
    assert [
        v.value[0] for v in (first.values["flats"]["district"], second.values["flats"]["district"])
    ] == [4, 3]
    # The layer is another version, whatever was computed.
    versions = [{i.role: i.version for i in run.inputs}["buildings"] for run in (first, second)]
    assert versions[1] == versions[0] + 1
    # What was there before is known again.
    draw(city, "buildings", houses())
    third = run()
    assert (third.computed, third.digests) == ((), first.digests)
    tallest = houses()
    tallest[1][2]["height"] = 99.0
    draw(city, "buildings", tallest)
    assert run().computed == ("tall",)
    draw(city, "buildings", houses())


def test_inputs_are_told(city: City) -> None:
    found = examine(scene_of(city), SET, lambda digest: None)
    assert {one.role for one in found.inputs} == {
        "towns", "communities", "estates", "buildings", "residential-land", "bus-stops"
    }  # fmt: skip
    [demand, sites] = found.inputs_of["stops"]
    assert (demand.role, demand.layer, demand.features) == ("residential-land", "parcels", 1)
    assert (sites.role, sites.features) == ("bus-stops", 1)
    assert len(sites.date) == 10  # the day it was published, as nothing else is known
    [tall] = found.inputs_of["tall"]
    assert tall.features == 2


def same(one: Measured, other: Measured) -> bool:
    """Whether two are the same to the last bit."""
    arrays = ("numerator", "denominator", "value", "surveyed")
    shapes = [
        [] if m.unserved is None else shapely.to_wkb(m.unserved).tolist() for m in (one, other)
    ]
    return (
        all(np.array_equal(getattr(one, a), getattr(other, a), equal_nan=True) for a in arrays)
        and (one.status, one.reason, one.by) == (other.status, other.reason, other.by)
        and shapes[0] == shapes[1]
        and [(e.ids, e.values.tolist(), e.units.tolist()) for e in one.evidence]
        == [(e.ids, e.values.tolist(), e.units.tolist()) for e in other.evidence]
    )


def test_what_is_packed_is_the_same_unpacked(city: City) -> None:
    found = examine(scene_of(city), SET, lambda digest: None)
    for code, values in found.values.items():
        back = unpack(found.packed(code))
        assert set(back) == set(values)
        assert all(same(values[by], back[by]) for by in values), code
        assert pack(back) == found.packed(code)
    assert any(m.evidence for m in found.values["stops"].values())


def test_what_is_used_twice_is_made_once(city: City) -> None:
    scene: Scene = scene_of(city)
    one = formula(operator="total", what={"input": "buildings"})
    assert scene.pick(one.what) is scene.pick(one.what)
    assert scene.units("cell") is scene.units("cell")


def test_a_digest_knows_the_rules_and_the_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = {"input": "clinics", "minutes": 15}
    land = {"input": "residential-land"}
    walk = indicator("walk", (), operator="coverage", demand=land, sites=[site], on="walk")
    count = indicator("count", (), operator="total", what={"input": "clinics"})
    clinics = [("c", point(0, 0), {})]
    city = drawn(tmp_path, clinics=clinics, towns_2=[], clinics_2=clinics)

    def digests() -> list[str]:
        return [digest_of(scene_of(city), one) for one in (walk, count)]

    first = digests()
    with monkeypatch.context() as other:
        other.setitem(reach_table()["walk"], "pace", 10.0)
        second = digests()
        ways = [way_of(scene_of(city), one)["rules"] for one in (walk, count)]
    assert (second[0] != first[0], second[1] == first[1]) == (True, True)
    usual = [way_of(scene_of(city), one)["rules"] for one in (walk, count)]
    assert (ways[0] != usual[0], ways[1] == usual[1]) == (True, True)
    with monkeypatch.context() as other:
        other.setitem(engine_table()["circles"], "quarter", 8)
        second = digests()
    assert second[0] != first[0] and second[1] != first[1]
    assert digests() == first
    way = way_of(scene_of(city), count)
    (city.folder / FILE_NAME).write_text('[inputs.clinics]\nlayer = "clinics-2"\n')
    assert digests()[1] != first[1]
    named = [
        {one["role"]: one["layer"] for one in told["sources"]}
        for told in (way, way_of(scene_of(city), count))
    ]
    assert named == [
        {"clinics": "clinics", "towns": "towns"}, {"clinics": "clinics-2", "towns": "towns"},
    ]  # fmt: skip
