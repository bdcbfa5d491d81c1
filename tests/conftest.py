"""Fixtures that many tests share."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import sample_data
import sample_data.district
from cim_core.city import City
from cim_core.progress import Progress
from cim_core.work import Crew
from server.ingest import Upload, ingest, layer_id_for
from tests.support.ifc_edits import Edits, second_version
from tests.support.serving import Server

SHARED = Path(__file__).parents[2] / "shared"
DATA = SHARED / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real files nobody here wrote."""
    if not DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{DATA} is missing, and nothing is skipped in CI")
        pytest.skip(f"{DATA} is not on this machine")
    return DATA


@pytest.fixture(scope="session")
def real_city(data: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city with every real IFC file imported, each as a layer."""
    city = City.open_or_create(tmp_path_factory.mktemp("real") / "city")
    for path in sorted((data / "ifc").glob("*.ifc")):
        import_file(city, path)
    return city


def import_file(city: City, path: Path, **more: object) -> dict:
    """Import a file as the product does; returns the report."""
    upload = Upload(path, path.name, layer_id_for(path.name), path.stem, **more)
    return ingest(city, upload, Crew(), Progress())


@pytest.fixture
def city(tmp_path: Path) -> City:
    """An empty city."""
    return City.open_or_create(tmp_path / "city")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the two sample buildings."""
    folder = tmp_path_factory.mktemp("sample")
    sample_data.generate(folder)
    return folder


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sample district, its manifest and the two sample buildings."""
    folder = tmp_path_factory.mktemp("district")
    sample_data.generate(folder)
    sample_data.district.generate(folder)
    return folder


@pytest.fixture(scope="session")
def sample_city(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city with the two sample buildings; shared, so look but do not change."""
    city = City.open_or_create(tmp_path_factory.mktemp("sample-city") / "city", "Sample")
    for path in sorted(sample.glob("*.ifc")):
        import_file(city, path)
    return city


@dataclass(frozen=True)
class EditedCity:
    """A city with a sample building in two versions, and what was done between them."""

    city: City
    edits: Edits
    files: tuple[Path, Path]


@pytest.fixture(scope="session")
def edited(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> EditedCity:
    """The community centre in two versions; shared, so look but do not change."""
    folder = tmp_path_factory.mktemp("edited")
    first, second = sample / "community_centre.ifc", folder / "community_centre.ifc"
    edits = second_version(first, second)
    city = City.open_or_create(folder / "city", "Edited")
    for path in (first, second):
        import_file(city, path)
    return EditedCity(city, edits, (first, second))


@pytest.fixture
def server(city: City, tmp_path: Path) -> Iterator[Server]:
    """A server of an empty city; its log must stay clean."""
    running = Server(city.folder, tmp_path / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


@pytest.fixture(scope="session")
def sample_server(sample_city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the sample city; its log must stay clean."""
    running = Server(sample_city.folder, tmp_path_factory.mktemp("log") / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []
