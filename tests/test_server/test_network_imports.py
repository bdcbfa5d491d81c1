"""A model and a layer of pipes go the whole way into a city: versions, tiles, report."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from cim_core.city import City
from server.folder_plan import plan_folder
from server.sources import inputs_of
from tests.conftest import import_file


def test_a_model_with_its_valves_becomes_a_layer_of_the_city(
    city: City, data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    model, valves = folder / "ky4.inp", folder / "ky4.valves.csv"
    shutil.copy(data / "water/ky4.inp", model)
    shutil.copy(data / "water/oracle/ky4_valve_layer_strategic2.csv", valves)
    [item] = plan_folder(folder)
    assert (item.kind, item.layer, item.needs_crs, item.files) == ("epanet", "ky4", True, 2)
    report = import_file(city, model, crs="EPSG:3547")
    assert report["features"] == 2122
    assert report["dropped"] == []
    version = city.layers.get("ky4")
    assert version.summary["kind"] == "network"
    network = city.network(version)
    assert (len(network.nodes), len(network.segments)) == (964, 1158)
    assert len(network.valves) == len(valves.read_text().splitlines()) - 1
    pipes = network.segments.kinds.are("pipe")
    assert network.segments.lengths[pipes].sum() / 1000 == pytest.approx(260.241, abs=0.0005)
    assert report["tiles"]["tiles"] > 0
    inputs = inputs_of(model, "ky4.inp")
    assert [one.name for one in inputs] == ["ky4.inp", "ky4.valves.csv"]


def test_a_broken_layer_of_pipes_is_imported_with_its_findings_and_heals_in_the_next_version(
    city: City, data: Path
) -> None:
    path = data / "water/ky4_disconnected_pipes.geojson"
    report = import_file(city, path)
    first = city.layers.get(report["layer"])
    assert report["checkin"]["counts"]["warning"] > 1296
    assert len(city.network(first).nodes) == 2260
    report = import_file(city, path, options={"snap": "12.5"})
    healed = city.network(city.layers.get(report["layer"]))
    assert report["version"] == 2
    assert len(healed.nodes) == 964
    assert np.isfinite(healed.nodes.places).all()
    assert report["checkin"]["counts"]["warning"] == 1


def test_a_model_of_drainage_is_drawn_by_its_inverts(city: City, data: Path) -> None:
    report = import_file(city, data / "drainage/user1.inp", anchor=(113.46, 23.10, 0.0))
    network = city.network(city.layers.get(report["layer"]))
    assert (len(network.nodes), len(network.segments)) == (60, 59)
    assert any("58 subcatchments" in warning for warning in report["warnings"])
    assert all(report["warnings_zh"])
