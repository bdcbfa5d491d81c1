"""Imports whose work a Dask cluster does: the same bytes, and plain words when it is not there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from cim_core.work import Crew, Limits
from server.cli import EXIT_CODES
from server.ingest import Upload, ingest
from server.settings import load_settings
from tests.support.dask_cluster import DaskCluster
from tests.support.ifc_factory import Recipe, write_ifc
from tests.support.serving import Server
from tests.support.warm import cim


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Two workers that share this machine's files."""
    running = DaskCluster(tmp_path_factory.mktemp("dask"), workers=2)
    yield running
    running.stop()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_ifc(tmp_path / "small.ifc", Recipe(boxes=40))
    return tmp_path / "small.ifc"


def published(folder: Path, path: Path, crew: Crew) -> dict[str, bytes]:
    """Everything that is served of a model imported into a new city, by path and content."""
    city = City.open_or_create(folder)
    ingest(
        city, Upload(path, path.name, "model", "Model", anchor=(113.46, 23.1, 5)), crew, Progress()
    )
    layer = city.layers_folder / "model"
    return {
        str(file.relative_to(layer)): file.read_bytes()
        for file in layer.rglob("*")
        if file.is_file()
    }


def test_tiles_are_equal_byte_for_byte_whoever_makes_them(
    data: Path, cluster: DaskCluster, tmp_path: Path
) -> None:
    path = data / "ifc" / "schep_staal.ifc"  # the kernel cuts some of its faces now so, now so
    alone = published(tmp_path / "one", path, Crew(workers=1))
    assert "1/tileset.json" in alone
    assert any(file.startswith("content/") for file in alone)
    assert published(tmp_path / "two", path, Crew(workers=2)) == alone
    assert published(tmp_path / "many", path, Crew(scheduler=cluster.address)) == alone


def test_a_server_has_its_imports_done_by_the_cluster(
    city: City, small: Path, cluster: DaskCluster, tmp_path: Path
) -> None:
    clients = cluster.log().count("Receive client connection")
    server = Server(city.folder, tmp_path / "server.log", CIM_SCHEDULER=cluster.address)
    job = server.finished(server.upload(small)["jobID"])
    server.stop()
    assert job["status"] == "successful"
    assert job["report"]["features"] == 40
    assert cluster.log().count("Receive client connection") == clients + 1
    assert server.odd_lines() == []


def test_a_scheduler_that_is_not_there_ends_the_command_with_a_sentence(
    small: Path, tmp_path: Path
) -> None:
    scheduler = "tcp://127.0.0.1:1"
    done = cim("import", small, "--city", tmp_path / "city", CIM_SCHEDULER=scheduler)
    assert "the Dask scheduler tcp://127.0.0.1:1 cannot be reached; start it" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == next(
        code for kind, code in EXIT_CODES.items() if kind.__name__ == "MissingDependency"
    )


def test_the_setting_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIM_ITEM_SECONDS", "7")
    assert load_settings().crew() == Crew(limits=Limits(seconds=7.0))
    monkeypatch.setenv("CIM_SCHEDULER", "tcp://10.0.0.5:8786")
    assert load_settings().crew().scheduler == "tcp://10.0.0.5:8786"
    monkeypatch.setenv("CIM_SCHEDULER", "10.0.0.5")
    with pytest.raises(InvalidInput, match=r"CIM_SCHEDULER .* is wrong"):
        load_settings()
