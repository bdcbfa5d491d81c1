"""`cim demo`: a manifest's layers become a city, in its order, once."""

import json
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely
from typer.testing import CliRunner

from cim_core.city import City
from cim_core.errors import NotFound
from server.cli import app

OPTIONS = {"source": "generated", "lifecycle": "planned", "department": "规划 Planning"}


def write_demo(folder: Path, *, storeys: int = 3) -> None:
    """A manifest with one layer of a house and one of a park."""
    folder.mkdir(exist_ok=True)
    house = shapely.box(444680.0, 2555710.0, 444700.0, 2555722.0)
    names = ("houses", "parks")
    for name in names:
        (folder / f"{name}.gpkg").unlink(missing_ok=True)
        pyogrio.raw.write(
            str(folder / f"{name}.gpkg"), shapely.to_wkb([house]), [np.array([storeys])], ["floors"],
            driver="GPKG", geometry_type="Polygon", crs="EPSG:4547",
        )  # fmt: skip
    layers = [
        {"id": name, "file": f"{name}.gpkg", "kind": kind, "title": f"层 {name}", "crs": "EPSG:4547",
         "options": OPTIONS}
        for name, kind in zip(names, ("buildings", "vector"), strict=True)
    ]  # fmt: skip
    document = {"name": "演示 Demo", "layers": layers}
    (folder / "manifest.json").write_text(json.dumps(document), "utf-8")


def run(folder: Path, city: Path) -> str:
    result = CliRunner().invoke(app, ["demo", str(folder), "--city", str(city)])
    assert result.exception is None, result.output
    return result.stderr


def test_a_manifest_becomes_a_city_with_all_that_is_known_of_its_layers(tmp_path: Path) -> None:
    write_demo(tmp_path / "demo")
    said = run(tmp_path / "demo", tmp_path / "city")
    assert said.index("1/2 层 houses: 1 features") < said.index("2/2 层 parks: 1 features")
    city = City.open(tmp_path / "city")
    assert city.settings.name == "演示 Demo"
    houses, parks = city.layers.current()
    assert (houses.summary["kind"], parks.summary["kind"]) == ("model", "vector")
    assert houses.about.lifecycle == "planned"
    assert houses.about.department == "规划 Planning"
    assert houses.about.source == "generated"


def test_what_did_not_change_is_not_imported_again(tmp_path: Path) -> None:
    write_demo(tmp_path / "demo")
    run(tmp_path / "demo", tmp_path / "city")
    said = run(tmp_path / "demo", tmp_path / "city")
    assert said.count("unchanged") == 2
    write_demo(tmp_path / "demo", storeys=5)
    run(tmp_path / "demo", tmp_path / "city")
    versions = [version.version for version in City.open(tmp_path / "city").layers.current()]
    assert versions == [2, 2]


def test_a_folder_without_a_manifest_is_refused_with_the_remedy(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", str(tmp_path), "--city", str(tmp_path / "city")])
    assert isinstance(result.exception, NotFound)
    with pytest.raises(NotFound, match="python -m sample_data"):
        raise result.exception
    assert not (tmp_path / "city").exists()
