"""Every shipped indicator over one small city, where each value follows with pencil and paper.

The city is a kilometre square with a town in the south and one in the north, a community in the west
and one in the east. The built-up area is 800 × 500 m in the south-west: 400,000 m². Two residential
parcels of 400 × 250 m lie in it, the eastern one 100 m beyond its edge. What serves by distance stands
upright far in the west, so that its reach ends at a straight line. What serves by time stands at the
western end of the only road through the middle, from which another leaves at right angles after 250 m.
"""

from math import pi
from pathlib import Path

import numpy as np
import pytest
import shapely

from analysis.checkup.examine import measure
from analysis.checkup.measured import Measured
from analysis.checkup.scene import Scene
from analysis.checkup.sets import shipped_sets
from cim_core.feature import Feature, Instance
from cim_core.layer import Features, Georeference, Layer
from tests.support.checkup import Drawn, box, drawn, line, point, scene_of
from tests.support.layers import GUANGZHOU, publish
from tests.support.layers import box as solid
from tests.support.renewal_twin import ground

GATE = point(0, 250)
"""Where the road begins, and everything stands that is reached along it."""


def upright(x: float) -> shapely.Geometry:
    """A line from far south to far north: what is within r of it ends at x + r."""
    return line((x, -4000), (x, 4000))


def facility(key: str, kind: str, at: shapely.Geometry = GATE, **more: str | float) -> Drawn:
    return key, at, {"kind": kind, **more}


FLAWS = (
    "structure_hazard", "gas_hazard", "corridor_hazard", "facade_hazard", "pipes_broken", "water_fails",
    "needs_ageing", "needs_energy", "needs_digital",
)  # fmt: skip


def surveyed(flaw: str | None, **more: str | float) -> dict[str, str | float]:
    known = {} if flaw is None else dict.fromkeys(FLAWS, flaw)
    return {**known, "surveyed": "no" if flaw is None else "yes", **more}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    city = drawn(
        tmp_path_factory.mktemp("cases") / "city",
        towns=[("south", box(0, 0, 1000, 500), {}), ("north", box(0, 500, 1000, 500), {})],
        communities=[("w", box(0, 0, 500, 1000), {}), ("e", box(500, 0, 500, 1000), {})],
        land=[
            ("built", box(0, 0, 800, 500), {"kind": "built-up"}),
            ("c1", box(0, 0, 400, 500), {"kind": "cluster"}),
            ("c2", box(500, 0, 300, 500), {"kind": "cluster"}),
        ],
        population=[
            ("p1", box(0, 0, 500, 500), {"population": 4000, "jobs": 1000, "density": 16000.0, "year": 2025}),
            ("p2", box(500, 0, 500, 500), {"population": 1000, "jobs": 3000, "density": 4000.0, "year": 2025}),
        ],
        parcels=[
            ("r1", box(0, 0, 400, 250), {"land_use": "R2"}),
            ("r2", box(500, 0, 400, 250), {"land_use": "R2"}),
            ("m1", box(0, 250, 400, 250), {"land_use": "M1"}),
        ],
        # Each 400 m² and of 4,000 m² of floors; b4 has half of its ground in common with b3.
        buildings=[
            ("b1", box(10, 10, 20, 20), {"use": "residential", "height": 85.0, "year": 2022, "floor_area": 4000.0}),
            ("b2", box(50, 10, 20, 20), {"use": "residential", "height": 85.0, "year": 2015, "floor_area": 4000.0}),
            ("b3", box(90, 10, 20, 20), {"use": "residential", "height": 80.0, "year": 2022, "floor_area": 4000.0}),
            ("b4", box(100, 10, 20, 20), {"use": "office", "height": 90.0, "year": 2022, "floor_area": 4000.0}),
        ],
        building_survey=[
            ("s1", point(20, 20), surveyed("yes", self_contained="yes", green="yes", year=2022, floor_area=3000.0, dwellings=30)),
            ("s2", point(60, 20), surveyed("no", self_contained="yes", green="no", year=2023, floor_area=1000.0, dwellings=10)),
            ("s3", point(95, 20), surveyed(None, year=2022, floor_area=6000.0, dwellings=60)),
            ("s4", point(115, 20), surveyed("yes", self_contained="no", green="no", year=1990, floor_area=900.0, dwellings=12)),
        ],
        corridors=[("k1", line((0, 900), (300, 900)), {"clear_width": 100.0}), ("k2", line((500, 900), (600, 900)), {"clear_width": 99.0})],
        greenways=[("g", upright(-700), {})],
        # 800,000 m², 4,500 m², 1,500 m², of which 500 m² inside, and 100 m², of which 50 m² inside.
        parks=[
            ("large", box(-601, -2000, 200, 4000), {}), ("middle", box(1050, -3000, 1, 4500), {}),
            ("small", box(430, -1000, 1, 1500), {}), ("tiny", box(-5, 245, 10, 10), {}),
        ],
        activity_sites=[("a", box(10, 200, 15, 15), {"kind": "activity-site"})],
        roads=[
            ("a1", line((0, 250), (250, 250)), {"road_class": "主干路"}),
            ("a2", line((250, 250), (1000, 250)), {"road_class": "主干路"}),
            ("b1", line((250, 0), (250, 250)), {"road_class": "支路"}),
            ("b2", line((250, 250), (250, 500)), {"road_class": "支路"}),
        ],
        link_speeds=[
            ("v1", line((0, 250), (250, 250)), {"length": 1000.0, "speed": 20.0, "period": "peak"}),
            ("v2", line((250, 250), (1000, 250)), {"length": 1000.0, "speed": 30.0, "period": "peak"}),
            ("v3", line((250, 0), (250, 250)), {"length": 1000.0, "speed": 60.0, "period": "off-peak"}),
        ],
        cycleways=[("y1", line((0, 400), (200, 400)), {}), ("y2", line((850, 400), (950, 400)), {})],
        walkways=[("f1", line((0, 100), (200, 100)), {"problem": "broken"}), ("f2", line((0, 120), (300, 120)), {"problem": "none"})],
        utility_tunnels=[("u", line((0, 250), (150, 250)), {})],
        gas_renewal=[("q1", line((0, 50), (300, 50)), {"renewed": "yes"}), ("q2", line((300, 50), (400, 50)), {"renewed": "no"})],
        mains=[("n1", line((0, 60), (100, 60)), {"monitored": "yes"}), ("n2", line((100, 60), (400, 60)), {"monitored": "no"})],
        # Both end at the gate, and are so thin that the ways along their edges are the road.
        schools=[("p", box(-20, 249.99, 20, 0.02), {"kind": "primary"}), ("s", box(-20, 249.99, 20, 0.02), {"kind": "secondary"})],
        clinics=[("h", upright(-1700), {"kind": "hospital"}), ("c", GATE, {"kind": "clinic"})],
        bus_stops=[("stop", upright(-400), {})],
        metro_stations=[("m", upright(-400), {})],
        facilities=[
            facility("x01", "elderly-care"), facility("x02", "elderly-station"), facility("x03", "nursery"),
            facility("x04", "kindergarten", public="no"), facility("x05", "kindergarten", point(900, 600), public="yes"),
            facility("x06", "culture", site_area=500.0), facility("x07", "sports", site_area=6000.0),
            facility("x08", "football", site_area=7000.0), facility("x09", "market"), facility("x10", "shop"),
            facility("x11", "shop", point(600, 600)), facility("x12", "shelter", site_area=5000.0),
            facility("x13", "fire-station", size="small"),
        ],
        estates=[
            ("e1", box(0, 0, 400, 250), {"parking_required": 100, "parking": 60, "piles": 2, "to_renovate": "yes", "renovated": "yes", "ebike_charging": "no", "waste_sorting": "yes", "managed": "no"}),
            ("e2", box(520, 0, 380, 250), {"parking_required": 50, "parking": 80, "piles": 10, "to_renovate": "yes", "renovated": "no", "ebike_charging": "yes", "waste_sorting": "no", "managed": "no"}),
        ],
        ponding=[
            ("w1", point(100, 100), {"severity": "severe", "state": "open"}), ("w2", point(200, 100), {"severity": "light", "state": "open"}),
            ("w3", point(300, 100), {"severity": "severe", "state": "eliminated"}), ("w4", point(900, 900), {"severity": "light", "state": "open"}),
        ],
        land_cover=[
            ("l1", box(0, 0, 400, 300), {"permeable": "yes"}), ("l2", box(0, 0, 100, 100), {"permeable": "yes"}),
            ("l3", box(400, 0, 400, 500), {"permeable": "no"}),
        ],
        # The third leaves the district, and is one of where it begins all the same.
        commutes=[
            ("t1", line((100, 250), (300, 250)), {"commuters": 30, "minutes": 10.0, "distance": 1000.0, "mode": "walk"}),
            ("t2", line((100, 250), (950, 250)), {"commuters": 50, "minutes": 40.0, "distance": 4999.0, "mode": "car"}),
            ("t3", line((900, 250), (5000, 250)), {"commuters": 20, "minutes": 60.0, "distance": 5000.0, "mode": "metro"}),
        ],
        water_meters=[("d1", box(0, 0, 500, 1000), {"supplied": 1000.0, "metered": 900.0}), ("d2", box(500, 0, 500, 1000), {"supplied": 500.0, "metered": 450.0})],
        sewage=[("z1", box(0, 0, 500, 1000), {"discharged": 800.0, "collected": 600.0}), ("z2", box(500, 0, 500, 1000), {"discharged": 200.0, "collected": 100.0})],
    )  # fmt: skip
    return scene_of(city)


# All of both roads is reached in 15 minutes' walk: beside the first 100 m of each parcel's 250 m are
# served, beside the second 200 m × 150 m more of the western one.
ALL_ROADS = 400 * 100 + 200 * 150 + 400 * 100
# In 10 minutes 800 m: the reach ends in a quarter of a circle in the eastern parcel.
TEN = 400 * 100 + 200 * 150 + 300 * 100 + pi * 100**2 / 4
# In 5 minutes 400 m: on the second road 150 m, where it ends in half a circle.
FIVE = 400 * 100 + 200 * 50 + pi * 100**2 / 2
# Parks are entered anywhere along their edge, and the small one lies across the road at 430 m. From there,
# and from where it is nearest to the second road, all of both roads is reached in 5 minutes. Beside the ways
# to them lies all of the western parcel from 150 m on, and of the eastern one what is within 100 m of the park.
PARKS = 150 * 100 + 250 * 250 + 400 * 100 + 31 * 150

CASES: dict[str, tuple[float, float, float]] = {
    "01": (400_000, 1_000_000, 40),
    "02": (200_000, 1, 0.2),
    "03": (250_000, 1, 0.25),
    "04": (1, 1, 1),
    "05": (300, 400, 75),
    "06": (3000, 4000, 75),
    "07": (300 * 250, 200_000, 37.5),
    "08": (99 * 250 + 50 * 250, 400 * 250 + 300 * 250, 100 * 37_250 / 175_000),
    "09": (99 * 250 + 270 * 250 + 231 * 250 + 50 * 250, 175_000, 100 * 650 / 700),
    "10": (550, 5000, 0.11),
    "11": (800 + 500, 400_000, 3.25),
    "12": (400 + 400 + 600, 400_000, 0.35),
    "13": (16_000, 300_000, 16 / 300),
    "14": (800 * 200 + 200 * 300, 400_000, 55),
    "15": (400_000, 400_000, 100),
    "16": (200_000, 200_000, 100),
    "17": (30, 100, 30),
    "18a": (400 * 500, 400_000, 50),
    "18b": (4000 * 0.8, 5000, 64),
    "18c": (1000 * 0.8, 4000, 20),
    "19": (100 * 500, 400_000, 12.5),
    "20": (ALL_ROADS, 200_000, 55),
    "21a": (TEN, 200_000, TEN / 2000),
    "21b": (ALL_ROADS, 200_000, 55),
    "22": (FIVE, 200_000, FIVE / 2000),
    "23a": (ALL_ROADS, 200_000, 55),
    "23b": (ALL_ROADS, 200_000, 55),
    "23c": (ALL_ROADS, 200_000, 55),
    "23d": (TEN, 200_000, TEN / 2000),
    "23e": (PARKS, 200_000, PARKS / 2000),
    "24": (300 * 250, 200_000, 37.5),
    "25": (FIVE, 200_000, FIVE / 2000),
    "26": (1, 2, 50),
    "27a": (2, 2, 100),
    "27b": (1, 2, 50),
    "27c": (1, 2, 50),
    "28": (40, 1, 40),
    "29": (8, 1, 8),  # ten of a hundred spaces less the two there are; the other has five too many
    "30": (200, 1, 0.2),
    "31": (1, 2, 50),
    "32": (2, 400_000, 5),
    "33a": (1, 1, 1),
    "33b": (1, 1, 1),
    "34a": (120_000, 400_000, 30),
    "34b": (120_000, 400_000, 30),
    "35": (150, 1500, 10),
    "36": (5000, 5000, 1),
    "37": (700, 1000, 70),
    "38": (2000, 1000 / 20 + 1000 / 30, 24),
    "39a": (300 + 2000 + 1200, 100, 35),
    "39b": (80, 100, 80),
    "39c": (80, 100, 80),
    "40a": (200, 400_000, 0.5),
    "40b": (50, 100, 50),
    "41a": (150, 1, 0.15),
    "41b": (150, 1500, 10),
    "42": (300, 400, 75),
    "43": (100, 400, 25),
    "45a": (13_000, 5000, 2.6),
    "45b": (500, 5000, 0.1),
    **{f"h{number:02d}": (2, 1, 2) for number in (1, 2, 3, 4, 6, 7, 8, 9, 10)},
    "h05": (12, 1, 12),
    "c01": (1, 1, 1), "c02": (1, 1, 1), "c03": (1, 1, 1), "c08": (1, 1, 1),
    "c07": (1, 1, 1), "c10": (1, 1, 1), "c11": (2, 1, 2),
    "b02": (1, 1, 1), "b03": (1, 1, 1),
}  # fmt: skip
ELSEWHERE = {"44"}
"""Nothing in this city has three dimensions; the last test has a case of its own."""
PART = {"06": 0.4, **{f"h{number:02d}": 2 / 3 for number in range(1, 11)}}
"""Of the rest nobody knows: s3, in the last of three dwellings, was not surveyed."""


def test_every_indicator_has_a_case() -> None:
    codes = {i.code for which in shipped_sets().values() for i in which.indicators}
    assert codes == set(CASES) | ELSEWHERE


def district(scene: Scene, code: str) -> Measured:
    sets = shipped_sets().values()
    [indicator] = [i for which in sets for i in which.indicators if i.code == code]
    return measure(scene, indicator.model_copy(update={"by": ()}))["district"]


@pytest.mark.parametrize("code", CASES)
def test_the_value_is_the_one_worked_out_by_hand(scene: Scene, code: str) -> None:
    above, below, value = CASES[code]
    found = district(scene, code)
    # Curves are polygons, and what is beside a road is drawn with few corners.
    close = {"rel": 1e-2 if code in ("21a", "22", "23d", "23e", "25") else 1e-6, "abs": 1e-6}
    assert found.numerator[0] == pytest.approx(above, **close)
    assert found.denominator[0] == pytest.approx(below, **close)
    assert found.value[0] == pytest.approx(value, **close)
    assert found.surveyed[0] == pytest.approx(PART.get(code, 1.0))
    assert found.status == ("partial" if code in PART else "ready",)


def test_what_stands_in_three_dimensions_covers_its_ground(tmp_path: Path) -> None:
    """44: a body on half of the built-up area is half, whatever lies flat on the rest."""
    city = drawn(
        tmp_path / "city",
        land=[("built", box(0, 0, 800, 500), {"kind": "built-up"})],
        roads=[("a1", line((0, 250), (800, 250)), {"road_class": "主干路"})],
    )
    body = solid((1, 1, 1))
    feature = Feature(
        "hall", "Building", "Hall", instances=(Instance(body.key(), np.eye(4)),),
        shape=ground(box(0, 0, 400, 500)),
    )  # fmt: skip
    content = Features((feature,), {body.key(): body})
    publish(
        city,
        Layer(
            "halls", "Halls", GUANGZHOU, content, Georeference("file", None, {"en": "", "zh": ""})
        ),
    )
    found = district(scene_of(city), "44")
    assert found.status == ("ready",)
    assert found.numerator[0] == pytest.approx(200_000, rel=1e-3)
    assert found.value[0] == pytest.approx(50, rel=1e-3)
