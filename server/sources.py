"""What lies on disk for one import: a file with its companions, or a folder as a whole."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from cim_core.receipt import Input, hash_file

COMPANIONS: Mapping[str, tuple[str, ...]] = {
    ".shp": (".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".shp.xml"),
    ".tif": (".tfw", ".prj", ".tif.aux.xml", ".tif.ovr", ".tif.msk"),
    ".tiff": (".tfw", ".prj", ".tiff.aux.xml", ".tiff.ovr", ".tiff.msk"),
    ".obj": (".mtl",),
    ".gltf": (".bin",),
    ".inp": (".valves.csv",),
}
"""Endings of the files beside one that belong to it, by its own ending."""


def companions_of(path: Path) -> list[Path]:
    """The files beside a file that belong to it: of the same name but for the ending."""
    endings = COMPANIONS.get(path.suffix.lower(), ())
    stem = path.name[: -len(path.suffix)].lower()
    wanted = {f"{stem}{ending}" for ending in endings}
    return sorted(p for p in path.parent.iterdir() if p.name.lower() in wanted) if wanted else []


def files_below(folder: Path) -> list[Path]:
    """All files of a folder and those below it, in an order of their own; links are not followed."""
    found = [
        Path(where) / name
        for where, _, names in os.walk(folder)
        for name in names
        if not (Path(where) / name).is_symlink()
    ]
    return sorted(found)


def inputs_of(path: Path, filename: str) -> tuple[Input, ...]:
    """What an import is made from, as its receipt has it.

    A folder is one input, whose hash is that of the names and hashes of its files.
    """
    if not path.is_dir():
        beside = tuple(hash_file(companion, companion.name) for companion in companions_of(path))
        return (hash_file(path, filename), *beside)
    total, size = hashlib.sha256(), 0
    for file in files_below(path):
        one = hash_file(file, file.relative_to(path).as_posix())
        total.update(f"{one.sha256} {one.name}\n".encode())
        size += one.bytes
    return (Input(filename, total.hexdigest(), size),)
