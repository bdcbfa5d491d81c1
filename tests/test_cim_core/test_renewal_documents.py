"""What no project may say: outlines without land or in other words, targets too small, parcels that are one."""

from typing import Any

import pytest

from cim_core.errors import InvalidInput
from cim_core.renewal.documents import read_document
from cim_core.renewal.outlines import MOST_POINTS, outline

PROJECT = {
    "name": "Eastern village", "type": "old-village", "mode": "comprehensive", "town": "east",
    "template": "old-village",
}  # fmt: skip
RING = [[113.0, 23.0], [113.1, 23.0], [113.1, 23.1], [113.0, 23.0]]
TARGET = {"metric": "investment", "start": "2025-01-01", "end": "2025-12-31", "total": 1e6}


def polygon(*rings: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings), **more}


@pytest.mark.parametrize(
    ("geometry", "why"),
    [
        (polygon(RING, type="polygon"), "is no polygon"),
        (polygon(RING[:3]), "is no polygon"),
        (polygon(RING, note="x"), "is no polygon"),
        (polygon([[True, 0], [1, 0], [1, 1], [True, 0]]), "is no polygon"),
        (polygon([[0, 0], [1e-170, 0], [1e-170, 1e-170], [0, 1e-170], [0, 0]]), "has no land"),
        (
            polygon([*([113.0, 23 + n / 1e6] for n in range(MOST_POINTS)), [113.1, 23], [113, 23]]),
            "points, more than 10000",
        ),
    ],
    ids=["case", "open", "more", "truth", "no land", "many"],
)
def test_an_outline_is_refused_that_others_would_read_differently(
    geometry: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidInput, match=f"boundary {why}|boundary has .*{why}"):
        read_document("project", {**PROJECT, "boundary": geometry})


def test_outlines_with_holes_parts_and_heights_are_taken() -> None:
    hole = [[113.05, 23.01], [113.06, 23.01], [113.06, 23.02], [113.05, 23.01]]
    assert outline(polygon(RING, hole), "boundary").interiors
    assert outline({"type": "MultiPolygon", "coordinates": [[RING]]}, "boundary").is_valid
    assert outline(polygon([[*point, 4] for point in RING]), "boundary").has_z


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ({"targets": [{**TARGET, "total": 1e-310}]}, "too little to have a share of"),
        ({"targets": [{**TARGET, "end": "2024-12-31"}]}, "ends on 2024-12-31, before it starts"),
        ({"parcels": [{"id": "a", "use": "kept"}] * 2}, "two parcels with the id 'a'"),
        ({"parcels": [{"id": "", "use": "kept"}]}, "length >= 1"),
    ],
    ids=["target", "dates", "parcels", "no id"],
)
def test_a_project_that_could_not_be_worked_with_is_refused(
    patch: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidInput, match=why):
        read_document("project", {**PROJECT, **patch})
