"""A campaign in which everything is right, over a twin that was drawn for it; to be spoilt by tests.

Drawn in metres from a corner: `ground` puts a shape there. The project `q1` has 400 × 200 m of land, two
parcels that halve it, four houses of 20 × 10 m and three storeys, and a planned model for each parcel.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyproj
import shapely

from cim_core.city import City
from cim_core.feature import Feature, Value
from cim_core.layer import Features, Georeference, Layer, Lifecycle
from cim_core.renewal.events import Change
from cim_core.sight import Doer
from tests.support.layers import GUANGZHOU, publish

AT = date(2025, 6, 30)
BEGIN = date(2025, 1, 6)
DOER = Doer("a1", "office")
_GEOD = pyproj.Geod(ellps="GRS80")
_PLANE = pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4490", always_xy=True)
_CORNER = (444_000.0, 2_556_000.0)

Shape = tuple[str, str, shapely.Geometry, Mapping[str, Value]]
"""Id, class, shape in degrees, attributes."""


def ground(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape in metres from the corner, in degrees."""
    x, y = _CORNER
    return shapely.transform(
        shape, lambda p: [_PLANE.transform(x + a, y + b) for a, b in p.tolist()]
    )


def box(west: float, south: float, wide: float, deep: float) -> shapely.Geometry:
    """A rectangle in metres from the corner, in degrees."""
    return ground(shapely.box(west, south, west + wide, south + deep))


def geodesic(shape: shapely.Geometry) -> float:
    """The area of a shape in degrees as GeographicLib has it, m²."""
    parts = getattr(shape, "geoms", [shape])
    return sum(abs(_GEOD.geometry_area_perimeter(part)[0]) for part in parts)


def geojson(shape: shapely.Geometry) -> dict[str, Any]:
    return dict(shapely.geometry.mapping(shape))


def publish_shapes(
    city: City, layer: str, shapes: Sequence[Shape], lifecycle: Lifecycle = "present"
) -> None:
    """Make some shapes the newest version of a layer."""
    features = tuple(
        Feature(key, kind, key, attributes=dict(attributes), shape=shape)
        for key, kind, shape, attributes in sorted(shapes)
    )
    georeference = Georeference("file", None, {"en": "", "zh": ""})
    publish(
        city,
        Layer(layer, layer, GUANGZHOU, Features(features, {}), georeference, lifecycle=lifecycle),
    )


HOUSES = {f"h{number}": box(20 + 40 * number, 20, 20, 10) for number in range(8)}
"""h0 to h3 are those of q1's west, h5 to h7 stand in its east and belong to no project."""
LAND = box(0, 0, 400, 200)
WEST, EAST = box(0, 0, 200, 200), box(200, 0, 200, 200)
TOWER = box(20, 100, 40, 40)


def right(city: City) -> None:
    """A campaign of which the check report says nothing on `AT`."""
    people = city.office.people
    people.add_town("here", {"en": "Here", "zh": "本镇"}, box(-500, -500, 2000, 2000))
    people.add_department("roads", {"en": "Roads", "zh": "交通"})
    publish_shapes(
        city, "stock", [(key, "Building", house, {"floors": 3}) for key, house in HOUSES.items()]
    )
    publish_shapes(
        city, "plan",
        [
            ("t1", "Building", TOWER, {"floors": 10, "height": 33.0}),
            ("t2", "Building", box(220, 100, 40, 40), {"floors": 10, "height": 33.0}),
            ("g1", "Greenery", box(0, 150, 200, 50), {}),
            ("g2", "LandUse", box(200, 150, 200, 50), {"land_use": "G1"}),
        ],
        "planned",
    )  # fmt: skip
    city.renewal.apply([*_project(), *_states(), *_records(), *_work()], DOER)


def record(
    key: str, metric: str, start: str, end: str, actual: float, project: str = "q1"
) -> Change:
    """A weekly record of progress."""
    document = {
        "project": project, "metric": metric, "period": "week", "start": start, "end": end,
        "actual": actual,
    }  # fmt: skip
    return Change("progress", key, document, date.fromisoformat(end))


def recorded_anyway(city: City, change: Change) -> None:
    """Record something new that the store refuses, as it may stand in a history of another program."""
    values = (
        city.renewal.file.now(), change.effective.isoformat(), change.kind, change.id, "q1",
        json.dumps(change.change),
    )  # fmt: skip
    with city.renewal.transaction() as connection:
        connection.execute(
            "INSERT INTO events (recorded, effective, kind, id, project, version, change, name)"
            " VALUES (?, ?, ?, ?, ?, 1, ?, '')",
            values,
        )


def _project() -> list[Change]:
    floor_area = round(geodesic(TOWER) * 10, 1)
    approved = {
        "floor_area": floor_area, "far": round(floor_area / geodesic(WEST), 4), "height": 33.0,
        "density": 0.05, "green_ratio": 0.2,
    }  # fmt: skip
    document = {
        "name": "Right village", "type": "old-village", "mode": "comprehensive", "town": "here",
        "template": "old-village", "boundary": geojson(LAND), "land_area": round(geodesic(LAND), 1),
        "floor_area_planned": 2 * floor_area, "far": round(2 * floor_area / geodesic(LAND), 4),
        "approval": {"number": "2024-1", "date": "2024-06-30"},
        "parcels": [
            {
                "id": "p1", "use": "resettlement", "geometry": geojson(WEST), "planned": "plan",
                "land_area": round(geodesic(WEST), 1), "approved": approved,
            },
            {
                "id": "p2", "use": "financing", "geometry": geojson(EAST), "planned": "plan",
                "land_area": round(geodesic(EAST), 1), "approved": approved,
            },
        ],
        "stages": {
            "approval": {
                "planned_start": "2024-01-01", "planned_end": "2024-06-30", "started": "2024-01-02",
                "ended": "2024-06-30",
            },
            "signing": {
                "planned_start": "2025-01-01", "planned_end": "2025-05-31", "started": "2025-01-06",
                "ended": "2025-04-30",
            },
            "demolition": {"planned_start": "2025-03-01", "planned_end": "2025-12-31",
                           "started": "2025-03-03"},
        },
        "targets": [
            {
                "metric": "floor-area-demolished", "start": "2025-03-01", "end": "2025-12-31",
                "total": 2400.0,
            },
            {"metric": "buildings-demolished", "start": "2025-03-01", "end": "2025-12-31", "total": 6.0},
        ],
    }  # fmt: skip
    return [Change("project", "q1", document, BEGIN)]


def _states() -> list[Change]:
    """Ten households, eight of which sign; h0 and h1 are demolished, the unsigned are in h3."""
    changes = []
    for number in range(4):
        key = f"q1-b{number}"
        document = {
            "project": "q1",
            "name": f"No. {number}",
            "layer": "stock",
            "feature": f"h{number}",
        }
        changes.append(Change("building", key, document, BEGIN))
        states = (
            ("signed", "handed-over", "demolished")
            if number < 2
            else ("signed",)
            if number == 2
            else ()
        )
        for version, state in enumerate(states, start=1):
            changes.append(
                Change("building", key, {"state": state}, date(2025, 1 + version, 3), version)
            )
    for number in range(10):
        key, house = f"q1-h{number}", 3 if number > 7 else number % 3
        document = {"project": "q1", "number": str(number), "building": f"q1-b{house}"}
        changes.append(Change("household", key, document, BEGIN))
        if number <= 7:
            changes.append(Change("household", key, {"state": "signed"}, date(2025, 2, 1), 1))
    return changes


def _records() -> list[Change]:
    return [
        record("r1", "floor-area-demolished", "2025-04-07", "2025-04-13", 600.0),
        record("r2", "floor-area-demolished", "2025-06-02", "2025-06-08", 590.0),
        record("r3", "buildings-demolished", "2025-04-07", "2025-04-13", 2.0),
    ]


def _work() -> list[Change]:
    task = {
        "project": "q1",
        "title": "Survey",
        "unit": "here",
        "start": "2025-01-10",
        "due": "2025-02-10",
    }
    order = {
        "project": "q1", "title": "Faster", "issue": "It is late.", "unit": "roads", "number": "7",
        "state": "closed", "issued": "2025-03-03", "deadline": "2025-03-10", "closed": "2025-03-12",
        "feedback": [{"date": "2025-03-07", "text": "Done."}],
    }  # fmt: skip
    return [Change("task", "q1-t1", task, BEGIN), Change("order", "q1-o1", order, date(2025, 3, 3))]
