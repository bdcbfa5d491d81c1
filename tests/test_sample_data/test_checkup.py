"""What two years of the check-up look at: files that are listed, land that adds up, and known flaws."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely

from sample_data.district.checkup import YEARS, checkup_manifest, layer_table
from sample_data.district.checkup_truth import BY_COMMUNITY
from sample_data.district.plan import plan


class Table:
    """A file as shapes (n,) in plan metres and columns by name."""

    def __init__(self, path: Path) -> None:
        meta, _, shapes, columns = pyogrio.raw.read(path)
        self.shapes = shapely.transform(shapely.from_wkb(shapes), lambda xy: xy - plan().origin)
        self.columns = dict(zip(meta["fields"].tolist(), columns, strict=True))
        self.crs = meta["crs"]

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]


@pytest.fixture(scope="module")
def years(checkup_files: Path) -> dict[int, dict[str, Table]]:
    return {
        listed["year"]: {
            layer["id"]: Table(checkup_files / layer["file"]) for layer in listed["layers"]
        }
        for listed in checkup_manifest({})
    }


def test_each_year_lists_its_files_and_no_others(checkup_files: Path) -> None:
    listed = checkup_manifest({"licence": "Apache-2.0"})
    assert [year["year"] for year in listed] == list(YEARS)
    for year in listed:
        files = {layer["file"] for layer in year["layers"]}
        there = {
            path.relative_to(checkup_files).as_posix()
            for path in (checkup_files / year["folder"]).iterdir()
        }
        assert files == there and len(files) == len(layer_table()["layer"]) == 20
        for layer in year["layers"]:
            assert layer["options"]["date"] == f"{year['year']}-06-30"
            assert layer["options"]["licence"] == "Apache-2.0"
            assert layer["zh"] != layer["en"]


def test_shapes_are_valid_and_ids_are_one_of_a_kind(years: dict[int, dict[str, Table]]) -> None:
    for tables in years.values():
        for name, table in tables.items():
            assert table.crs == "EPSG:4547", name
            assert shapely.is_valid(table.shapes).all() and not shapely.is_empty(table.shapes).any()
            assert len(set(table["id"].tolist())) == len(table.shapes), name


def test_squares_tile_the_district_and_metered_areas_share_it_out(
    years: dict[int, dict[str, Table]],
) -> None:
    for tables in years.values():
        for name in ("population", "land-cover", "water-meters", "sewage"):
            shapes = tables[name].shapes
            assert shapely.area(shapes).sum() == pytest.approx(4e6, rel=1e-6)
            assert shapely.union_all(shapes).area == pytest.approx(4e6, rel=1e-6)
        land = tables["land"]
        built = shapely.union_all(land.shapes[land["kind"] == "built-up"])
        clusters = shapely.union_all(land.shapes[land["kind"] == "cluster"])
        assert clusters.difference(built.buffer(0.01)).area < 2_000
        assert (land["kind"] == "cluster").sum() >= 2


def test_the_flaws_of_real_data_are_there(
    checkup_files: Path, years: dict[int, dict[str, Table]]
) -> None:
    before, after = years[2025], years[2026]
    buildings = Table(checkup_files / "buildings.gpkg")
    for tables in (before, after):
        # An estate that let nobody in, and the houses that stand on it.
        unknown = np.isnan(tables["estates"]["parking"])
        assert unknown.sum() == 1
        survey = tables["building-survey"]
        unseen = survey["surveyed"] == "no"
        assert 0 < unseen.sum() < 200
        assert all(value is None for value in survey["gas_hazard"][unseen])
        inside = shapely.intersects(tables["estates"].shapes[unknown][0], survey.shapes)
        assert (inside == unseen).all()
        # Houses beside the estates nobody looked at, so that there is no point for them.
        homes = buildings["id"][buildings["use"] == "residential"]
        assert set(survey["building"].tolist()) < set(homes.tolist())
        # What lies past the border, overlaps, or is there twice.
        facilities = tables["facilities"]
        assert (shapely.get_x(facilities.shapes) > 2000).sum() == 1
        assert (shapely.get_x(facilities.shapes[facilities["kind"] == "elderly-care"]) > 2000).any()
        twice = shapely.to_wkb(facilities.shapes[facilities["kind"] == "shop"])
        assert len(set(twice.tolist())) == len(twice) - 1
        for name in ("parks", "activity-sites"):
            shapes = tables[name].shapes
            assert shapely.union_all(shapes).area < shapely.area(shapes).sum() - 100
    assert sum(value is None for value in before["walkways"]["problem"]) == 2
    assert np.isnan(before["estates"]["piles"]).sum() == 2


def test_the_second_year_is_what_became_of_the_first(years: dict[int, dict[str, Table]]) -> None:
    before, after = years[2025], years[2026]
    for name in ("estates", "building-survey", "walkways", "commutes", "mains", "gas-renewal"):
        assert before[name]["id"].tolist() == after[name]["id"].tolist(), name
        assert shapely.equals(before[name].shapes, after[name].shapes).all(), name
    for name in ("gas-renewal", "estates"):
        was, is_now = before[name]["renewed" if "gas" in name else "renovated"], after[name]["renewed" if "gas" in name else "renovated"]  # fmt: skip
        assert not ((was == "yes") & (is_now == "no")).any()
        assert (was == "yes").sum() < (is_now == "yes").sum()
    kinds = [set(tables["facilities"]["id"].tolist()) for tables in (before, after)]
    assert {"fire-station-2"} <= kinds[1] - kinds[0]
    assert kinds[0] - kinds[1] == {"culture-05"}  # one was closed
    assert set(before["parks"]["id"].tolist()) < set(after["parks"]["id"].tolist())


def test_the_key_tells_of_every_community(checkup_files: Path) -> None:
    key = json.loads((checkup_files / "checkup_truth.json").read_text("utf-8"))
    assert set(key) == {str(year) for year in YEARS}
    for found in key.values():
        assert len(found["district"]) == 79
        assert set(found["communities"]) == set(BY_COMMUNITY)
        assert all(len(areas) == 19 for areas in found["communities"].values())
        # What can be added up of communities is that of the district.
        for code in ("01", "10", "28", "h01"):
            parts = sum(told["numerator"] for told in found["communities"][code].values())
            assert parts == pytest.approx(found["district"][code]["numerator"], rel=1e-6), code
