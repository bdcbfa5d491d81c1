"""All importers there are: those of the floors below and those other packages bring."""

from importlib.metadata import entry_points
from pathlib import PurePath

from bim_import.importers import IMPORTERS
from cim_core.errors import UnsupportedFormat
from cim_core.layer import Importer


def importers() -> list[Importer]:
    """Every importer; packages add theirs under the entry-point group `cim.importers`."""
    outside: list[Importer] = [entry.load() for entry in entry_points(group="cim.importers")]
    return [*IMPORTERS, *outside]


def extensions() -> list[str]:
    """The file name endings that can be imported."""
    return sorted({ending for importer in importers() for ending in importer.extensions})


def importer_for(filename: str) -> Importer:
    """The importer for a file by its name; raises `UnsupportedFormat`."""
    ending = PurePath(filename).suffix.lower()
    for importer in importers():
        if ending in importer.extensions:
            return importer
    raise UnsupportedFormat(
        f"{filename} cannot be imported: {ending or 'a name without ending'} is not a format known "
        f"here; give one of {', '.join(extensions())}"
    )
