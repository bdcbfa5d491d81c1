"""The tree of an existing tileset: whether it is one, and which files belong to it."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cim_core.errors import InvalidInput
from cim_core.hostile import parsed_json
from cim_core.importers.tileset_content import ENDINGS, gltf_references, references, refuse_packed
from cim_core.importers.tileset_volumes import LENGTHS
from cim_core.progress import Progress

_VERSIONS = ("0.0", "1.0", "1.1")
_RESOURCES = (".bin", ".png", ".jpg", ".jpeg", ".webp", ".ktx2", ".basis")
"""What a glTF may keep in files of its own."""
_SUBTREES = (".subtree", ".json")
_TEMPLATE = re.compile(r"\\\{(level|x|y|z)\\\}")

Json = dict[str, Any]


@dataclass(slots=True)
class Tree:
    """What a tileset is made of.

    root
        Its tileset.json as it stands there.
    files
        All files that belong to it, the tileset.json first.
    """

    root: Json
    files: list[Path]
    tiles: int = 0
    contents: Counter[str] = field(default_factory=Counter)


def read_tree(tileset: Path, folder: Path, longest_data: int, progress: Progress) -> Tree:
    """Read a tileset in `folder`, with the tilesets and files it refers to; they must all be there.

    `longest_data` is how many characters a data URI may have. Raises `InvalidInput` with what is
    wrong first, named by its place in the folder.
    """
    return _Reader(folder.resolve(), longest_data, progress).read(tileset.resolve())


class _Reader:
    def __init__(self, folder: Path, longest_data: int, progress: Progress) -> None:
        self._folder = folder
        self._longest_data = longest_data
        self._progress = progress
        self._files: dict[Path, None] = {}
        self._waiting: list[Path] = []
        self._inside: dict[Path, set[Path]] = {}
        self._present: list[str] | None = None

    def read(self, tileset: Path) -> Tree:
        self._waiting = [tileset]
        self._files[tileset] = None
        tree = Tree({}, [])
        while self._waiting:
            path = self._waiting.pop()
            document = self._document(path)
            tree.root = tree.root or document
            for number, tile in enumerate(self._tiles(document, path)):
                if number % 1000 == 0:
                    self._progress(0, 0, "checking")
                tree.tiles += 1
                for uri in _contents(tile):
                    for content in self._found(uri, path, "implicitTiling" in tile):
                        self._take_content(content, path, tree)
        try:
            TopologicalSorter(self._inside).prepare()
        except CycleError as error:
            raise self._wrong(tileset, "it holds a tileset that holds itself") from error
        tree.files = list(self._files)
        return tree

    def _document(self, path: Path) -> Json:
        """A tileset.json whose head is right."""
        document = self._json(path)
        asset = document.get("asset")
        version = asset.get("version") if isinstance(asset, dict) else None
        if version not in _VERSIONS:
            raise self._wrong(path, f"its asset.version is {version}, not 1.0 or 1.1")
        self._check_error(document, path)
        if not isinstance(document.get("root"), dict):
            raise self._wrong(path, "it has no root")
        schema = document.get("schemaUri")
        if schema is not None:
            self._take(schema, path, (".json",))
        return document

    def _tiles(self, document: Json, path: Path) -> Iterator[Json]:
        """All tiles, each with the members it must have."""
        stack = [document["root"]]
        while stack:
            tile = stack.pop()
            if not isinstance(tile, dict):
                raise self._wrong(path, "one of its tiles is no object")
            self._check_error(tile, path)
            self._check_volume(tile.get("boundingVolume"), path)
            if "transform" in tile and not _numbers(tile["transform"], 16):
                raise self._wrong(path, "the transform of a tile is not 16 numbers")
            if str(tile.get("refine", "ADD")).upper() not in ("ADD", "REPLACE"):
                raise self._wrong(path, "the refine of a tile is neither ADD nor REPLACE")
            children = tile.get("children", [])
            if not isinstance(children, list):
                raise self._wrong(path, "the children of a tile are no list")
            stack.extend(children)
            if "implicitTiling" in tile:
                uri = _at(tile, "implicitTiling", "subtrees", "uri")
                if uri is None:
                    raise self._wrong(path, "its implicit tiling names no subtrees")
                for subtree in self._found(uri, path, template=True, endings=_SUBTREES):
                    self._files[subtree] = None
            yield tile

    def _check_error(self, tile: Json, path: Path) -> None:
        error = tile.get("geometricError")
        if not _numbers([error], 1) or error < 0:  # type: ignore[operator]
            raise self._wrong(path, "a geometricError in it is missing or no number")

    def _check_volume(self, volume: Any, path: Path) -> None:
        known = (
            {}
            if not isinstance(volume, dict)
            else {k: v for k, v in volume.items() if k in LENGTHS}
        )
        if not known or not all(_numbers(value, LENGTHS[kind]) for kind, value in known.items()):
            raise self._wrong(
                path, "a boundingVolume in it is missing, or no box, sphere or region of numbers"
            )

    def _take_content(self, path: Path, beside: Path, tree: Tree) -> None:
        """Check a content once, and take what it refers to along."""
        ending = path.suffix.lower()
        if ending == ".json":
            self._inside.setdefault(beside, set()).add(path)
        if path in self._files:
            return
        self._files[path] = None
        tree.contents[ending.lstrip(".")] += 1
        if ending == ".json":
            self._waiting.append(path)
            return
        try:
            if ending == ".gltf":
                named = list(gltf_references(self._json(path)))
            else:
                named = list(references(path.read_bytes(), ENDINGS[ending]))
        except ValueError as error:
            raise self._wrong(path, f"{error}") from error
        for uri in named:
            self._take(uri, path, (*_RESOURCES, ".glb", ".gltf"))

    def _take(self, uri: str, beside: Path, endings: tuple[str, ...]) -> None:
        for path in self._found(uri, beside, template=False, endings=endings):
            self._files[path] = None

    def _found(
        self, uri: str, beside: Path, template: bool,
        endings: tuple[str, ...] = (*ENDINGS, ".gltf", ".json"),
    ) -> list[Path]:  # fmt: skip
        """The files a URI in the file `beside` means; none for one that brings its data along."""
        if not isinstance(uri, str) or not uri:
            raise self._wrong(beside, "it refers to a file without a name")
        shown = uri if len(uri) <= 80 else f"{uri[:80]}…"
        if uri.startswith("data:"):
            if len(uri) > self._longest_data:
                raise self._wrong(beside, f"{shown} holds more data than may stand in a reference")
            return []
        parts = urlsplit(uri)
        if parts.scheme or parts.netloc or uri.startswith(("/", "\\")):
            raise self._wrong(
                beside, f"it refers to {shown}, which is not beside it in the same folder"
            )
        path = (beside.parent / unquote(parts.path).replace("\\", "/")).resolve()
        if not path.is_relative_to(self._folder):
            raise self._wrong(beside, f"it refers to {shown}, which is outside its folder")
        if path.suffix.lower() not in endings:
            raise self._wrong(beside, f"it refers to {shown}, which is no file of 3D Tiles")
        found = self._matching(path) if template else [path] if path.is_file() else []
        if not found:
            raise self._wrong(beside, f"it refers to {shown}, which is not there")
        return found

    def _matching(self, path: Path) -> list[Path]:
        """The files of a template such as content/{level}/{x}/{y}.glb."""
        if self._present is None:
            self._present = [str(p) for p in sorted(self._folder.rglob("*")) if p.is_file()]
        wanted = re.compile(_TEMPLATE.sub(r"\\d+", re.escape(str(path))))
        return [Path(present) for present in self._present if wanted.fullmatch(present)]

    def _json(self, path: Path) -> Json:
        data = path.read_bytes()
        try:
            refuse_packed(data)
        except ValueError as error:
            raise self._wrong(path, f"{error}") from error
        try:
            document = parsed_json(data)
        except ValueError as error:
            raise self._wrong(path, "it is no JSON") from error
        if not isinstance(document, dict):
            raise self._wrong(path, "it is no JSON object")
        return document

    def _wrong(self, path: Path, reason: str) -> InvalidInput:
        return InvalidInput(
            f"{path.relative_to(self._folder).as_posix()} in the tileset is not right: {reason}; "
            "make the tileset again"
        )


def _contents(tile: Json) -> Iterator[Any]:
    """The references of a tile; `url` is what 0.0 called them."""
    content, several = tile.get("content"), tile.get("contents")
    entries = [content] if isinstance(content, dict) else []
    entries += [entry for entry in several if isinstance(entry, dict)] if isinstance(several, list) else []  # fmt: skip
    for entry in entries:
        yield entry.get("uri", entry.get("url"))


def _at(tile: Json, *keys: str) -> Any:
    found: Any = tile
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _numbers(values: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(
            isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
            for v in values
        )
    )
