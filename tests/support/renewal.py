"""A small campaign: three projects in two towns, recorded week by week in the spring of 2025."""

from datetime import date, timedelta
from typing import Any

import shapely

from cim_core.city import City
from cim_core.renewal.events import Change
from cim_core.sight import Doer
from cim_core.store.renewal_evidence import EvidenceFiles

BEGIN = date(2025, 1, 6)
"""A Monday: the first day anything holds, and that of the first weekly record."""
END = date(2025, 4, 6)
"""A Sunday: the last day of the last weekly record."""
DOER = Doer("a1", "office of renewal")


def renewal_of(city: City, here: str = "here", there: str = "there", layer: str = "") -> None:
    """Record a campaign with the projects e1 and e2 in the town `here`, and w1 in the town `there`.

    e1 is a village with its buildings e1-b1 … e1-b4 (`layer` and the features b1 … b4 if told), its
    households e1-h1 … e1-h10 (the last two unsigned), weekly records of floor area demolished (4,000
    m² a week where 5,000 were to be) and of investment, a task e1-t1 and the order e1-o1; e2 is a
    factory that has nothing yet; w1 has two buildings, and three households that have all signed.
    """
    city.renewal.apply(
        [
            *_projects(here, there),
            *_buildings(layer),
            *_households(),
            *_records("e1", "floor-area-demolished", 4000.0, 5000.0),
            *_records("e1", "investment", 2e6, 2e6),
            *_records("w1", "investment", 5e5, None),
            Change("task", "e1-t1", {
                "project": "e1", "title": "Publish the survey", "unit": here, "stage": "survey",
                "start": "2025-01-06", "due": "2025-02-28",
            }, BEGIN),
            Change("order", "e1-o1", {
                "project": "e1", "title": "Demolition is behind", "issue": "Say what is in the way.",
                "unit": here, "state": "issued", "number": "2025-001", "light": "yellow", "days": 5,
                "issued": "2025-03-03", "issued_by": "office of renewal", "deadline": "2025-03-10",
            }, date(2025, 3, 3)),
        ],
        DOER,
    )  # fmt: skip


def evidence_of(city: City, project: str = "e1") -> str:
    """Keep a file that shows something of a project; its id."""
    with EvidenceFiles(city.renewal.evidence_folder).taking("a.pdf", 100) as taking:
        taking.write(b"%PDF-1.7")
        kept = taking.keep()
    document = {
        "project": project, "name": "a.pdf", "media_type": kept.media_type, "size": kept.size,
        "sha256": kept.sha256,
    }  # fmt: skip
    return city.renewal.apply([Change("evidence", None, document, BEGIN)], DOER)[0].id


def towns_of(city: City, *towns: str) -> None:
    """Begin towns, each with a boundary beside the one before; those of `renewal_of` if none is told."""
    for place, town in enumerate(towns or ("here", "there")):
        west = 113.39 + 0.1 * place
        boundary = shapely.box(west, 23.09, west + 0.02, 23.11)
        title = {"en": town.capitalize(), "zh": f"{town}镇"}
        city.office.people.add_town(town, title, boundary)


def square(lon: float, lat: float, side: float = 0.002) -> dict[str, Any]:
    """A square as GeoJSON, its south-west corner and its side in degrees."""
    return dict(shapely.geometry.mapping(shapely.box(lon, lat, lon + side, lat + side)))


def _projects(here: str, there: str) -> list[Change]:
    village = {
        "name": "东村全面改造", "type": "old-village", "mode": "comprehensive", "town": here,
        "template": "old-village", "village": "东村", "lead": "Housing office", "entity": "Village company",
        "partner": "Partner enterprise", "boundary": square(113.40, 23.10), "land_area": 45_000.0,
        "floor_area_existing": 130_000.0, "floor_area_planned": 190_000.0, "far": 4.2,
        "investment": 2e9, "approval": {"number": "2024-17", "date": "2024-11-20"},
        "parcels": [
            {
                "id": "p1", "use": "resettlement", "geometry": square(113.40, 23.10, 0.001),
                "land_area": 11_000.0,
                "approved": {"floor_area": 40_000.0, "far": 3.6, "height": 60.0, "green_ratio": 0.3},
            },
            {"id": "p2", "use": "financing", "geometry": square(113.401, 23.101, 0.001)},
        ],
        "stages": {
            "approval": {
                "planned_start": "2024-09-01", "planned_end": "2024-12-31", "started": "2024-09-01",
                "ended": "2024-11-20",
            },
            "signing": {
                "planned_start": "2025-01-01", "planned_end": "2025-03-31", "started": "2025-01-06",
            },
            "demolition": {"planned_start": "2025-02-01", "planned_end": "2025-12-31"},
        },
        "targets": [
            {
                "metric": "households-signed", "start": "2025-01-01", "end": "2025-03-31", "total": 10.0,
            },
            {
                "metric": "floor-area-demolished", "start": "2025-01-06", "end": "2025-07-06",
                "total": 130_000.0,
            },
            {
                "metric": "investment", "start": "2025-01-01", "end": "2025-12-31", "total": 1e8,
                "milestones": [{"date": "2025-06-30", "share": 0.25}],
            },
        ],
    }  # fmt: skip
    factory = {
        "name": "东厂自行改造", "type": "old-factory", "mode": "comprehensive", "town": here,
        "template": "old-factory-self", "boundary": square(113.404, 23.10), "land_area": 8000.0,
        "stages": {"survey": {"planned_start": "2025-02-01", "planned_end": "2025-03-31"}},
    }  # fmt: skip
    town = {
        "name": "西街微改造", "type": "old-town", "mode": "micro", "town": there,
        "template": "micro-renewal", "boundary": square(113.50, 23.10), "land_area": 6000.0,
        "stages": {
            "survey": {
                "planned_start": "2025-01-06", "planned_end": "2025-01-31", "started": "2025-01-06",
                "ended": "2025-01-30",
            },
            "scheme": {
                "planned_start": "2025-02-01", "planned_end": "2025-05-31", "started": "2025-02-03",
            },
        },
    }  # fmt: skip
    return [
        Change("project", key, document, BEGIN)
        for key, document in (("e1", village), ("e2", factory), ("w1", town))
    ]


def _buildings(layer: str) -> list[Change]:
    changes = []
    for key, area, states in (
        ("e1-b1", 600.0, ("signed", "handed-over", "demolished")),
        ("e1-b2", 450.0, ("signed", "handed-over", "demolished")),
        ("e1-b3", 800.0, ("signed",)),
        ("e1-b4", 300.0, ()),
        ("w1-b1", 900.0, ("signed",)),
        ("w1-b2", 1200.0, ()),
    ):
        project, name = key.split("-")
        twin = {"layer": layer, "feature": name} if layer and project == "e1" else {}
        document = {"project": project, "name": name, "floor_area": area, "storeys": 3.0, **twin}
        changes.append(Change("building", key, document, BEGIN))
        for version, state in enumerate(states, start=1):
            day = BEGIN + timedelta(weeks=2 * version)
            changes.append(Change("building", key, {"state": state}, day, version))
    return changes


def _households() -> list[Change]:
    changes = []
    for project, count, signed in (("e1", 10, 8), ("w1", 3, 3)):
        for number in range(1, count + 1):
            key = f"{project}-h{number}"
            document = {
                "project": project, "number": str(number), "building": f"{project}-b1",
                "holder": "户主甲", "persons": 3, "area_legal": 120.0,
            }  # fmt: skip
            changes.append(Change("household", key, document, BEGIN))
            if number <= signed:
                day = BEGIN + timedelta(weeks=number)
                changes.append(Change("household", key, {"state": "signed"}, day, 1))
    return changes


def _records(project: str, metric: str, actual: float, plan: float | None) -> list[Change]:
    changes = []
    for week in range(13):
        start = BEGIN + timedelta(weeks=week)
        end = start + timedelta(days=6)
        record = {
            "project": project, "metric": metric, "period": "week", "start": start.isoformat(),
            "end": end.isoformat(), "actual": actual, "reporter": "reporter",
            **({} if plan is None else {"plan": plan}),
        }  # fmt: skip
        changes.append(Change("progress", f"{project}-{metric}-{week + 1}", record, end))
    return changes
