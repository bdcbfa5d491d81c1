"""A file imported again: what is done anew, what is taken over, and what is said of it."""

import json
from pathlib import Path

import pytest

from cim_core.city import City
from cim_core.draft import GEOMETRY
from cim_core.progress import Progress
from cim_core.store.features import Query
from cim_core.work import Crew
from server.ingest import Upload, ingest, retile
from tests.support.ifc_factory import Recipe, write_ifc
from tests.support.step_files import renumbered
from tests.support.warm import cim

ANCHOR = (113.46, 23.1, 0.0)


def imported(city: City, path: Path) -> dict:
    upload = Upload(path, path.name, "model", "Model", None, ANCHOR)
    return ingest(city, upload, Crew(), Progress())


def saved(city: City, version: int) -> list[tuple]:
    """What the registry keeps of where features lie."""
    return [
        (row.feature.id, row.footprint, row.bbox, row.feature.attributes, row.feature.property_sets)
        for row in city.features.all("model", version)
    ]


@pytest.fixture
def other(sample: Path, tmp_path: Path) -> Path:
    """A sample building as another export would number it."""
    path = tmp_path / "community_centre.ifc"
    path.write_bytes(renumbered((sample / path.name).read_bytes()))
    return path


def test_a_second_version_takes_over_all_that_did_not_change(
    city: City, sample: Path, other: Path
) -> None:
    first = imported(city, sample / other.name)
    elements = first["features"] + len(first["dropped"])
    assert (first["reused"], first["tessellated"]) == (0, elements)
    again = imported(city, other)
    assert (again["reused"], again["tessellated"]) == (elements, 0)
    one, two = ((city.layers_folder / "model" / v / "tileset.json") for v in "12")
    assert one.read_bytes() == two.read_bytes()
    assert [row[:3] for row in saved(city, 1)] == [row[:3] for row in saved(city, 2)]
    assert city.features.count("model", 2, Query()) == first["features"]
    left = {entry.name for entry in (city.layers_folder / "model" / "2").iterdir()}
    assert not any(name.startswith("geometry-") for name in left), "the extract is not kept"


def test_a_layer_tiled_again_still_knows_its_geometry(
    city: City, sample: Path, other: Path
) -> None:
    imported(city, sample / other.name)
    tiled = retile(city, "model", Progress())
    assert (tiled["reused"], tiled["tessellated"]) == (None, None)
    assert imported(city, other)["tessellated"] == 0


def test_a_lost_geometry_file_costs_time_and_nothing_else(
    city: City, sample: Path, other: Path, caplog: pytest.LogCaptureFixture
) -> None:
    imported(city, sample / other.name)
    kept = city.layers_folder / "model" / "1" / GEOMETRY
    for damage in (lambda: kept.write_bytes(kept.read_bytes()[:5000]), kept.unlink):
        damage()
        city.roll_back("model", 1)
        assert imported(city, other)["reused"] == 0
        assert "made anew" in caplog.text
        caplog.clear()


def test_moving_the_anchor_moves_what_is_taken_over(city: City, sample: Path, other: Path) -> None:
    imported(city, sample / other.name)
    upload = Upload(other, other.name, "model", "Model", None, (113.5, 23.1, 0.0))
    report = ingest(city, upload, Crew(), Progress())
    assert report["tessellated"] == 0
    west = [row.bbox[0] for row in city.features.all("model", 1) if row.bbox]
    now = [row.bbox[0] for row in city.features.all("model", 2) if row.bbox]
    assert [b - a for a, b in zip(west, now, strict=True)] == pytest.approx(
        [0.04] * len(west), abs=1e-5
    )


def test_people_and_programs_are_told_how_much_was_taken_over(tmp_path: Path) -> None:
    write_ifc(tmp_path / "m.ifc", Recipe(boxes=3))

    given = ("import", tmp_path / "m.ifc", "--city", tmp_path / "city", "--anchor", "113.46,23.1,0")
    assert "3 elements tessellated, 0 unchanged" in cim(*given).stdout
    report = json.loads(cim(*given, "--json").stdout)
    assert (report["tessellated"], report["reused"]) == (0, 3)
