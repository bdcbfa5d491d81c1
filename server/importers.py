"""All importers there are: those of the floors below and those other packages bring."""

from importlib.metadata import entry_points
from pathlib import Path, PurePath

from bim_import.importers import IMPORTERS as BIM_IMPORTERS
from cim_core.errors import UnsupportedFormat
from cim_core.importers import IMPORTERS as BASE_IMPORTERS
from cim_core.layer import Importer


def importers() -> list[Importer]:
    """Every importer; packages add theirs under the entry-point group `cim.importers`."""
    outside: list[Importer] = [entry.load() for entry in entry_points(group="cim.importers")]
    return [*BIM_IMPORTERS, *BASE_IMPORTERS, *outside]


def extensions() -> list[str]:
    """The file name endings that can be imported."""
    return sorted({ending for importer in importers() for ending in importer.extensions})


def importer_for(filename: str, path: Path | None = None, kind: str | None = None) -> Importer:
    """The importer for a file by its name, and where several answer for that, by its content.

    `path` is the file once it is there, `kind` the one a person chose. Raises `UnsupportedFormat`.
    """
    ending = PurePath(filename).suffix.lower()
    suited = [
        importer
        for importer in importers()
        if ending in importer.extensions and kind in (None, importer.kind)
    ]
    if path is None or len(suited) == 1:
        found = suited[:1]
    else:
        found = [importer for importer in suited if importer.recognises(path)]
    if found:
        return found[0]
    if suited:
        raise UnsupportedFormat(
            f"{filename} cannot be imported: its content is none of what {ending} files hold here; "
            f"say what it is with --as, one of {', '.join(importer.kind for importer in suited)}"
        )
    raise UnsupportedFormat(
        f"{filename} cannot be imported: {ending or 'a name without ending'} is not a format known "
        f"here; give one of {', '.join(extensions())}"
    )
