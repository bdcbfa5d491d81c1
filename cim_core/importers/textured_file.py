"""Models with pictures on them as files: OBJ, PLY, glTF and GLB; the door of trimesh for them."""

import base64
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.hostile import check_picture, parsed_json
from cim_core.mesh import Floats

if TYPE_CHECKING:
    import trimesh

ENDINGS = (".obj", ".glb", ".gltf", ".ply")

_HEAD = 1 << 16
_PICTURE_HEAD = 1 << 22
"""Bytes of a picture among which its size stands, behind what cameras write before it."""
_REMOTE = re.compile(r"^(?!data:)[a-z][a-z0-9+.-]+:|^//", re.IGNORECASE)
_MAP = re.compile(r"^\s*(?:map_\w+|bump|disp|decal|refl|norm)\s+(.+?)\s*$", re.IGNORECASE | re.MULTILINE)  # fmt: skip
_LIBRARY = re.compile(r"^\s*mtllib\s+(.+?)\s*$", re.MULTILINE)
_PLY_PICTURE = re.compile(rb"^comment\s+TextureFile\s+(.+?)\s*$", re.IGNORECASE | re.MULTILINE)

_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""East, north, up to the axes of glTF."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it was read.

    parts
        Its meshes where they stand, each with its material; vertices are (n, 3) in the file's axes.
    missing
        Files it names that are not there.
    webp
        Whether it brings pictures as WebP.
    """

    parts: "list[trimesh.Trimesh]"
    missing: tuple[str, ...]
    webp: bool

    @property
    def points(self) -> Floats:
        """All vertices, (n, 3)."""
        return np.vstack([np.asarray(part.vertices, np.float64) for part in self.parts])

    @property
    def triangles(self) -> int:
        """How many triangles it has."""
        return sum(len(part.faces) for part in self.parts)


def read_model(path: Path, name: str) -> Model:
    """Read a model with its pictures, which lie beside it.

    Raises `InvalidInput` where the file cannot be read, has no surface, or names what does not lie
    below its folder.
    """
    import trimesh  # noqa: PLC0415 – takes half a second, and only this needs it

    named = sorted(set(_references(path, name)))
    for reference in named:
        _check_reference(reference, name)
    there = {reference: path.parent / unquote(reference) for reference in named}
    missing = tuple(reference for reference, file in there.items() if not file.is_file())
    for inside, start in _pictures(path, name, there):
        check_picture(start, inside, name)
    try:
        scene = trimesh.load_scene(path, process=False)
        parts = [
            part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)
        ]
    except Exception as error:  # its readers raise whatever a damaged file leads to
        raise InvalidInput(
            f"{name} cannot be read as a model ({error}); export it again as GLB"
        ) from error
    if not parts:
        raise InvalidInput(f"{name} has no surface to draw; export it again with its meshes")
    webp = any(reference.lower().endswith(".webp") for reference in named)
    return Model(parts, missing, webp or b"image/webp" in _json_of(path))


def write_model(model: Model, to_frame: Callable[[Floats], Floats]) -> bytes:
    """The model as GLB, y up; `to_frame` takes (n, 3) in the file's axes to east, north and up."""
    import trimesh  # noqa: PLC0415 – as above

    scene = trimesh.Scene()
    for number, part in enumerate(model.parts):
        before = np.asarray(part.vertices, np.float64)
        after = to_frame(before)
        # Only what the file brings: drone models carry their light in their pictures.
        normals = part.vertex_normals if "vertex_normals" in part._cache else None
        part.vertices = after @ _Y_UP.T
        if normals is not None:
            turned = (to_frame(before + normals) - after) @ _Y_UP.T
            lengths = np.linalg.norm(turned, axis=1, keepdims=True)
            part.vertex_normals = turned / np.where(lengths > 0, lengths, 1.0)  # type: ignore[method-assign]
        scene.add_geometry(part, node_name=str(number), geom_name=str(number))
    data: bytes = trimesh.exchange.gltf.export_glb(scene, extension_webp=model.webp)
    return data


def _references(path: Path, name: str) -> Iterator[str]:
    """The files a model names."""
    ending = path.suffix.lower()
    if ending in (".glb", ".gltf"):
        document = _document(path, name)
        items = [*_entries(document, "buffers"), *_entries(document, "images")]
        uris = [item["uri"] for item in items if isinstance(item.get("uri"), str)]
        yield from (uri for uri in uris if not uri.startswith("data:"))
    elif ending == ".obj":
        with path.open(encoding="utf-8", errors="replace") as file:
            libraries = [found[1] for line in file if (found := _LIBRARY.match(line))]
        for library in libraries:
            yield library
            _check_reference(library, name)
            file_of = path.parent / library
            if file_of.is_file():
                text = file_of.read_text(encoding="utf-8", errors="replace")
                # Options such as "-s 1 1 1" stand before the name.
                yield from (str(found).split()[-1] for found in _MAP.findall(text))
    else:
        with path.open("rb") as binary:
            head = binary.read(_HEAD).partition(b"end_header")[0]
        yield from (found.decode("utf-8", "replace") for found in _PLY_PICTURE.findall(head))


def _document(path: Path, name: str) -> dict[str, Any]:
    """The JSON of a glTF or GLB; raises `InvalidInput`."""
    try:
        document = parsed_json(_json_of(path) or path.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{name} is not sound glTF ({error}); export it again") from error
    if not isinstance(document, dict):
        raise InvalidInput(f"{name} is not sound glTF (it is no object); export it again")
    return document


def _entries(document: Mapping[str, Any], part: str) -> list[dict[str, Any]]:
    entries = document.get(part)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []  # fmt: skip


def _pictures(path: Path, name: str, there: Mapping[str, Path]) -> Iterator[tuple[str, bytes]]:
    """The name and the beginning of each picture, beside the model and within it."""
    for reference, file in there.items():
        if file.is_file():
            with file.open("rb") as opened:
                yield reference, opened.read(_PICTURE_HEAD)
    if path.suffix.lower() not in (".glb", ".gltf"):
        return
    document = _document(path, name)
    views = _entries(document, "bufferViews")
    for number, picture in enumerate(_entries(document, "images")):
        uri, view = picture.get("uri"), picture.get("bufferView")
        if isinstance(uri, str) and uri.startswith("data:"):
            text = uri.partition(",")[2][:_PICTURE_HEAD]
            yield f"{number}", base64.b64decode(text[: len(text) // 4 * 4], validate=False)
        elif isinstance(view, int) and 0 <= view < len(views):
            with path.open("rb") as model:
                model.seek(_binary_at(model.read(20)) + int(views[view].get("byteOffset", 0)))
                yield f"{number}", model.read(_PICTURE_HEAD)


def _binary_at(head: bytes) -> int:
    """Where the binary part of a GLB begins, by its first 20 bytes."""
    return int(struct.unpack_from("<I", head, 12)[0]) + 28


def _json_of(path: Path) -> bytes:
    """The JSON of a GLB; empty for anything else."""
    with path.open("rb") as file:
        head = file.read(20)
        if len(head) < 20 or head[:4] != b"glTF" or head[16:20] != b"JSON":
            return b""
        return file.read(struct.unpack_from("<I", head, 12)[0])


def _check_reference(reference: str, name: str) -> None:
    plain = PurePosixPath(unquote(reference).replace("\\", "/"))
    if _REMOTE.match(reference) or plain.is_absolute() or ".." in plain.parts:
        raise InvalidInput(
            f"{name} names {reference}, which does not lie beside it; put the file there and name "
            "it without a path, or export the model as GLB"
        )
