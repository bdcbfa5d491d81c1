"""Which reference system a file names, known before it is imported."""

from pathlib import Path

from cim_core.errors import CimError
from cim_core.reference import reference

OWN_PLACE = ("ifc", "tileset", "osm", "roads")
"""Kinds that bring their place along, whatever it is called, or are put where a person says."""


def declared_crs(path: Path, kind: str) -> str | None:
    """What the system a file (or the first of a folder) names is called, None where it names none.

    A file that cannot be read names none; its importer says what is wrong with it.
    """
    try:
        text = _text(path, kind)
        return reference(text, geoid_separation=0.0).name if text else None
    except CimError:
        return None


def _text(path: Path, kind: str) -> str | None:
    match kind:
        case "points":
            from cim_core.importers import points_file

            first = points_file.files_in(path)[0] if path.is_dir() else path
            return points_file.read_header(first, path.name).crs
        case "terrain" | "imagery":
            from cim_core.importers import raster_kind

            return raster_kind.declared_crs(path)
        case "vector" | "buildings" | "pipe-lines":
            from cim_core.importers import table_file

            return table_file.declared_crs(path, path.name)
        case "cityjson":
            from cim_core.importers import cityjson_file

            return cityjson_file.read_head(path, path.name).crs
        case _:
            return None
