"""An existing tileset, brought in as it is: a folder, a zip archive or a .3tz."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from cim_core.archives import Limits, bring_in, default_limits, names_in
from cim_core.errors import InvalidInput
from cim_core.feature import Feature, Value
from cim_core.frame import Frame
from cim_core.importers.placing import frame_near
from cim_core.importers.styles import class_styles
from cim_core.importers.tileset_tree import Tree, read_tree
from cim_core.importers.tileset_volumes import corners, is_on_earth, matrix_of, moved
from cim_core.layer import FILES, ExternalTileset, Georeference, Layer, Placement, Source
from cim_core.mesh import Floats
from cim_core.progress import Progress

FEATURE_CLASS = "Tileset"
FOLDER = "tileset"
"""Where it lies below the version's folder of files."""

ROOT = "tileset.json"


@dataclass(frozen=True, slots=True)
class TilesetImporter:
    """Takes tilesets over after a check of every file they are made of."""

    limits: Limits = field(default_factory=default_limits)

    def recognises(self, path: Path) -> bool:
        """Whether it is a folder or an archive with a tileset.json in it."""
        if path.is_dir():
            return (path / ROOT).is_file()
        return any(name == ROOT or name.endswith(f"/{ROOT}") for name in names_in(path))

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a tileset; raises `InvalidInput` or `TooLarge`."""
        assert source.scratch is not None, "a tileset needs a folder to go to"
        progress(0, 0, "unpacking")
        unpacked = source.scratch / f".{FOLDER}"
        unpacked.mkdir()
        size = bring_in(source.path, source.filename, unpacked, self.limits, progress)
        root = _root_in(unpacked, source.filename)
        tree = read_tree(root, root.parent, self.limits.data_uri, progress)
        volume, georeference, warnings = _placed(tree, source, placement)
        around = corners(volume)
        middle = (around.min(axis=0) + around.max(axis=0)) / 2
        frame = frame_near(middle, placement)
        if placement.anchor is not None and georeference.method == "user":
            frame = _anchored(placement)
        left_out = _keep(tree, root.parent, source.scratch / FILES / FOLDER)
        shutil.rmtree(unpacked)
        if left_out:
            warnings.append(
                f"{left_out} files that no tile of {source.filename} uses were left out"
            )
        return Layer(
            id=source.layer_id,
            title=source.title,
            frame=frame,
            content=ExternalTileset(
                (_feature(tree, source, around, placement.geoid_separation, size),),
                source.scratch / FILES / FOLDER / ROOT,
            ),
            georeference=georeference,
            class_styles=class_styles((FEATURE_CLASS,)),
            warnings=tuple(warnings),
        )


def _root_in(folder: Path, name: str) -> Path:
    """The tileset.json that lies least deep."""
    found = sorted(folder.rglob(ROOT), key=lambda path: (len(path.parts), path))
    if not found:
        raise InvalidInput(f"{name} holds no tileset.json; name the folder or archive that does")
    if len(found) > 1 and len(found[0].parts) == len(found[1].parts):
        raise InvalidInput(f"{name} holds several tilesets side by side; import them one by one")
    return found[0]


def _placed(
    tree: Tree, source: Source, placement: Placement
) -> tuple[dict[str, Any], Georeference, list[str]]:
    """The root's volume in EPSG:4978, and how it got there."""
    root = tree.root["root"]
    volume = moved(root["boundingVolume"], matrix_of(root))
    if is_on_earth(volume):
        note = {"en": "placed where the tileset says", "zh": "按三维瓦片自身坐标放置"}
        warnings = []
        if placement.anchor is not None:
            warnings.append(
                f"{source.filename} has a place of its own; the anchor given was not used"
            )
        return volume, Georeference("file", "EPSG:4978", note), warnings
    if placement.anchor is None:
        raise InvalidInput(
            f"{source.filename} has no place on the earth: its root lies {_distance(volume):.0f} km "
            "from the earth's centre; say with --anchor lon,lat,height where its origin is"
        )
    lon, lat, height = placement.anchor
    note = {
        "en": f"placed at the anchor given: {lon:.6f}, {lat:.6f}, {height:g} m",
        "zh": f"按给定锚点放置：经度 {lon:.6f}，纬度 {lat:.6f}，高程 {height:g} 米",
    }
    there = moved(volume, _anchored(placement).ecef_matrix())
    return there, Georeference("user", None, note), []


def _anchored(placement: Placement) -> Frame:
    assert placement.anchor is not None
    lon, lat, height = placement.anchor
    return Frame(lon, lat, height + placement.geoid_separation)


def _distance(volume: dict[str, Any]) -> float:
    middle = volume["box"][:3] if "box" in volume else volume["sphere"][:3]
    return float(np.linalg.norm(middle)) / 1000


def _keep(tree: Tree, unpacked: Path, folder: Path) -> int:
    """Move what belongs to the tileset to where it is served; returns how many files do not."""
    present = sum(path.is_file() for path in unpacked.rglob("*"))
    base = unpacked.resolve()
    for path in tree.files:
        target = folder / path.relative_to(base)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    return present - len(tree.files)


def _feature(
    tree: Tree, source: Source, around: Floats, geoid_separation: float, size: int
) -> Feature:
    """The tileset as one thing; `around` (8, 3) as of `corners`."""
    bottom = float(around[:, 2].min()) - geoid_separation
    attributes: dict[str, Value] = {
        "tiles": tree.tiles,
        "contents": dict(sorted(tree.contents.items())),
        "bytes": size,
        "lowest": round(bottom, 3),
        "highest": round(float(around[:, 2].max()) - geoid_separation, 3),
        "tileset_version": str(tree.root["asset"]["version"]),
    }
    outline = shapely.convex_hull(shapely.multipoints(around[:, :2]))
    return Feature(
        source.filename, FEATURE_CLASS, source.title,
        attributes=attributes, shape=shapely.force_3d(outline, bottom),
    )  # fmt: skip
