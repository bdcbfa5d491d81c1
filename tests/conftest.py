"""Fixtures that many tests share."""

import os
from pathlib import Path

import pytest

from cim_core.city import City
from cim_core.progress import Progress
from cim_core.work import Limits
from server.ingest import Upload, ingest, layer_id_for

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
    return ingest(city, upload, Limits(), Progress())


@pytest.fixture
def city(tmp_path: Path) -> City:
    """An empty city."""
    return City.open_or_create(tmp_path / "city")
