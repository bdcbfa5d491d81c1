"""Fixtures that many tests share."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

import sample_data
import sample_data.district
from cim_core.city import City
from cim_core.progress import Progress
from cim_core.work import Crew
from server.ingest import Upload, ingest, layer_id_for
from tests.support.checkup_files import write_checkup
from tests.support.ifc_edits import Edits, second_version
from tests.support.made_once import made_once
from tests.support.serving import Server

# The tests start some hundred processes: what they import is compiled once, whatever else is usual here.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

SHARED = Path(__file__).parents[2] / "shared"
DATA = SHARED / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes come first: at the end one process would wait for another's."""
    long = {"test_viewer", "test_tiles", "test_schemathesis.py"}
    items.sort(key=lambda item: not long & set(item.path.parts))


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

    def make(folder: Path) -> None:
        with closing_city(City.open_or_create(folder / "city")) as city:
            for path in sorted((data / "ifc").glob("*.ifc")):
                import_file(city, path)

    return City.open(made_once(tmp_path_factory, "real", make) / "city")


@contextmanager
def closing_city(city: City) -> Iterator[City]:
    """A city whose registry is whole on disk afterwards, to be copied."""
    yield city
    city.database.close()


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
    return made_once(tmp_path_factory, "sample", sample_data.generate)


@pytest.fixture(scope="session")
def district(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sample district, its manifest and the two sample buildings."""

    def make(folder: Path) -> None:
        shutil.copytree(sample, folder, dirs_exist_ok=True)
        sample_data.district.generate(
            folder, observed=False, renewed=False, driven=False, examined=False
        )

    return made_once(tmp_path_factory, "district", make)


@pytest.fixture(scope="session")
def checkup_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the sample district, two years of its check-up, and the answer key of these."""
    return made_once(tmp_path_factory, "checkup-files", write_checkup)


@pytest.fixture(scope="session")
def sample_city(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    """A city with the two sample buildings; shared, so look but do not change."""

    def make(folder: Path) -> None:
        with closing_city(City.open_or_create(folder / "city", "Sample")) as city:
            for path in sorted(sample.glob("*.ifc")):
                import_file(city, path)

    return City.open(made_once(tmp_path_factory, "sample-city", make) / "city")


@dataclass(frozen=True)
class EditedCity:
    """A city with a sample building in two versions, and what was done between them."""

    city: City
    edits: Edits
    files: tuple[Path, Path]


@pytest.fixture(scope="session")
def edited(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> EditedCity:
    """The community centre in two versions; shared, so look but do not change."""

    def make(folder: Path) -> None:
        first, second = sample / "community_centre.ifc", folder / "community_centre.ifc"
        edits = second_version(first, second)
        (folder / "edits.json").write_text(json.dumps(asdict(edits)), "utf-8")
        with closing_city(City.open_or_create(folder / "city", "Edited")) as city:
            for path in (first, second):
                import_file(city, path)

    folder = made_once(tmp_path_factory, "edited", make)
    edits = Edits(**json.loads((folder / "edits.json").read_text("utf-8")))
    files = (sample / "community_centre.ifc", folder / "community_centre.ifc")
    return EditedCity(City.open(folder / "city"), edits, files)


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
