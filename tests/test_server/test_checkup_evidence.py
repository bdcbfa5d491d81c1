"""What speaks against a value of a check-up, where it is told by more than one kind of feature."""

from pathlib import Path

from cim_core.city import City
from server.checkup.reading import evidence
from tests.support.checkups import (
    DOER,
    SET,
    checkup_city,
    examine_city,
    feature,
    import_layer,
    indicator,
    mini_set,
    square,
)


def test_a_house_with_a_finding_is_told_once_as_the_house(tmp_path: Path) -> None:
    """Two of three surveyed houses have a hazard: the houses are evidence, their points are not beside."""
    city = City.open_or_create(tmp_path / "city")
    checkup_city(city, tmp_path / "files")
    houses = [square(0, 0.1 + 0.2 * n, 0.1, 0.1) for n in range(3)]
    import_layer(
        city, tmp_path / "files", "buildings",
        [feature(f"b{n}", shape, use="residential") for n, shape in enumerate(houses)],
        "public",
    )  # fmt: skip
    import_layer(
        city, tmp_path / "files", "building-survey",
        [
            feature(f"s{n}", shape.centroid, structure_hazard="yes" if n else "no", surveyed="yes")
            for n, shape in enumerate(houses)
        ],
        "public",
    )  # fmt: skip
    own = mini_set()
    own["indicators"] = [
        indicator(
            "h01", "Hazards", "隐患", "housing", "safety", "buildings", "lower",
            {
                "operator": "total",
                "what": {"input": "building-survey", "where": {"structure_hazard": "yes"}},
                "about": {"input": "buildings", "where": {"use": "residential"}},
            },
            {"value": 0.0, "source": "plan", "confidence": "confirmed"}, ["community", "building"],
        ),
    ]  # fmt: skip
    city.checkups.sets.put(SET, own, None, DOER)
    run = city.checkups.run(examine_city(city))
    found = evidence(city, run, "h01", "community", "c1")
    assert {(one["layer"], one["id"]) for one in found["features"]} == {
        ("buildings", "b1"), ("buildings", "b2"),
    }  # fmt: skip
    assert found["total"] == 2
    every = evidence(city, run, "h01", "district", None)
    assert {one["layer"] for one in every["features"]} == {"building-survey"}
