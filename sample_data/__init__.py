"""Two small fictional buildings as IFC, and in `district` the place they stand in.

The buildings are authored from a seed with IfcOpenShell.

See SOURCES.md for what they are and how they are made.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import ifcopenshell

from sample_data import community, office

__all__ = ["BUILDINGS", "generate"]

Progress = Callable[[int, int, str], None]

BUILDINGS: dict[str, Callable[[int], ifcopenshell.file]] = {
    "community_centre.ifc": community.build,
    "office.ifc": office.build,
}


def generate(folder: Path, seed: int = 2026, progress: Progress | None = None) -> list[Path]:
    """Write the sample buildings into a folder and return their paths.

    The folder is made if needed. Equal seeds give equal bytes. A file appears only when it is
    complete: it is written beside its place and then renamed. `progress` is called with the
    number of finished buildings, their total and the file name, before each and at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name, build in BUILDINGS.items():
        if progress is not None:
            progress(len(paths), len(BUILDINGS), name)
        paths.append(_write(build(seed), folder / name))
    if progress is not None:
        progress(len(paths), len(BUILDINGS), "")
    return paths


def _write(model: ifcopenshell.file, path: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii", newline="\n") as stream:
            stream.write(model.to_string())
        # A temporary file is private; a sample file is not.
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
