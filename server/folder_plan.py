"""What a folder of mixed files would become: one line for each layer, or for each refusal."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cim_core.errors import CimError, UnsupportedFormat
from cim_core.feature import Value
from cim_core.importers.declared import OWN_PLACE, declared_crs
from server.importers import importer_for
from server.ingest import layer_id_for
from server.sources import companions_of, files_below

_TOGETHER = ("terrain", "imagery", "points")
"""Kinds of which all the files of a folder may be one layer."""

_PIPES = "pipes"
"""The kind of survey tables of pipes: those of a folder and all below it are one network."""

_NO_SURVEY = "{name} holds no table of pipe points or pipe lines; name a file or folder that does"

_SILENT = {
    ".txt", ".md", ".pdf", ".doc", ".docx", ".xml", ".html", ".htm", ".qgz", ".qgs", ".qml", ".sld",
    ".lyr", ".log", ".ini", ".db", ".toml", ".yaml", ".yml",
}  # fmt: skip
"""What lies beside data and is none; it is not worth a line of its own."""

_MODELS = {".obj", ".gltf", ".glb", ".ply"}
_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bin", ".mtl"}
"""What belongs to a model in the same folder."""


@dataclass(frozen=True, slots=True)
class Item:
    """One layer to be, or a file that cannot be one.

    path, name
        The file or folder, and its place in the folder that is imported.
    kind, layer
        The importer's kind and the layer's id; empty where it is refused.
    crs
        What the reference system the file names is called, None where it names none.
    needs_crs
        Whether a person has to say one.
    files, bytes
        How many files it is with its companions, and their size.
    refusal
        Why it cannot be imported; None if it can.
    """

    path: Path
    name: str
    kind: str = ""
    layer: str = ""
    crs: str | None = None
    needs_crs: bool = False
    files: int = 1
    bytes: int = 0
    refusal: str | None = None

    def as_dict(self) -> dict[str, Value]:
        """As plain values, for people's tables and programs."""
        return {
            "file": self.name, "kind": self.kind or None, "layer": self.layer or None,
            "crs": self.crs, "needs_crs": self.needs_crs, "files": self.files, "bytes": self.bytes,
            "refusal": self.refusal,
        }  # fmt: skip


def plan_folder(folder: Path, *, mosaic: bool = False) -> list[Item]:
    """What would be imported from a folder, by name.

    A folder with a tileset.json is one tileset. The GeoTIFFs or point clouds of a folder below the
    one named are one layer if they are of one kind; with `mosaic` those in `folder` itself are too.
    Companions (the .dbf of a .shp) come with their file; links are not followed.
    """
    found = [_sized(item) for item in _items(folder, folder, together=mosaic)]
    return list(_with_layers(sorted(found, key=lambda item: item.name)))


def _items(folder: Path, base: Path, *, together: bool, piped: bool = False) -> Iterator[Item]:
    """The items of a folder; `piped` says that a folder above has its survey tables already."""
    entries = sorted(entry for entry in folder.iterdir() if not _hidden(entry))
    files = [entry for entry in entries if entry.is_file()]
    belonging = {companion for file in files for companion in companions_of(file)}
    if any(file.suffix.lower() in _MODELS for file in files):
        belonging |= {file for file in files if file.suffix.lower() in _PICTURES}
    items = [
        _item(file, base)
        for file in files
        if file not in belonging and file.suffix.lower() not in _SILENT
    ]
    tables = [item for item in items if item.kind == _PIPES]
    surveys = [item for item in tables if not item.refusal]
    if piped or surveys:  # those of valves and users are recognised beside the others only
        items = [item for item in items if item.kind != _PIPES]
    if surveys and not piped:
        yield _whole(folder, base, surveys) if len(tables) > 1 else surveys[0]
    piped = piped or bool(surveys)
    kinds = {item.kind for item in items}
    if together and len(items) > 1 and len(kinds) == 1 and kinds <= {*_TOGETHER}:
        yield _whole(folder, base, items)
    else:
        yield from items
    for below in entries:
        if below.is_dir() and (below / "tileset.json").is_file():
            yield Item(below, below.relative_to(base).as_posix(), "tileset")
        elif below.is_dir() and below.suffix.lower() == ".gdb":
            yield _item(below, base)
        elif below.is_dir():
            yield from _items(below, base, together=True, piped=piped)


def _whole(folder: Path, base: Path, items: Sequence[Item]) -> Item:
    """A folder as one layer, made of some of its items."""
    name = folder.relative_to(base).as_posix()
    named = replace(items[0], path=folder, name=folder.name if name == "." else name)
    return replace(named, crs=_common(item.crs for item in items))


def _hidden(entry: Path) -> bool:
    return entry.name.startswith((".", "__MACOSX")) or entry.is_symlink()


def _item(path: Path, base: Path) -> Item:
    name = path.relative_to(base).as_posix()
    try:
        importer = importer_for(path.name, None if path.is_dir() else path)
    except UnsupportedFormat as error:
        return Item(path, name, refusal=error.sentence)
    except (CimError, OSError) as error:
        return Item(path, name, refusal=str(error))
    kind = importer.kind
    if kind == _PIPES and not importer.recognises(path):
        return Item(path, name, kind, refusal=_NO_SURVEY.format(name=path.name))
    crs = declared_crs(path, kind)
    return Item(path, name, kind, crs=crs, needs_crs=crs is None and kind not in OWN_PLACE)


def _common(systems: Iterable[str | None]) -> str | None:
    """The one system of all, None where one file names none."""
    found = set(systems)
    return found.pop() if len(found) == 1 else None if None in found else ", ".join(map(str, found))


def _sized(item: Item) -> Item:
    files = files_below(item.path) if item.path.is_dir() else [item.path, *companions_of(item.path)]
    return replace(item, files=len(files), bytes=sum(file.stat().st_size for file in files))


def _with_layers(items: list[Item]) -> Iterator[Item]:
    """Each with a layer id of its own: from its name, from more of its path where two are alike."""
    wanted = [(item, _ids(item)) for item in items]
    alike = Counter(ids[0] for item, ids in wanted if not item.refusal)
    used: dict[str, int] = defaultdict(int)
    for item, (short, long) in wanted:
        if item.refusal:
            yield item
            continue
        chosen = short if alike[short] == 1 else long
        used[chosen] += 1
        yield replace(item, layer=chosen if used[chosen] == 1 else f"{chosen[:58]}-{used[chosen]}")


def _ids(item: Item) -> tuple[str, str]:
    path = PurePosixPath(item.name)
    if item.path.is_dir():  # a folder's name has no ending, whatever dots are in it
        return layer_id_for(f"{path.name}.d"), layer_id_for(f"{'-'.join(path.parts)}.d")
    return layer_id_for(path.name), layer_id_for(f"{'-'.join(path.parts)}.d")
