"""A tileset somebody else made, as the tileset of a version: one tile around it."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cim_core.files import write_whole
from cim_core.frame import Frame
from cim_core.importers.tileset_volumes import is_on_earth, matrix_of, moved
from cim_core.layer import ExternalTileset
from cim_core.store.layer_summary import TilesetSummary


def wrap_tileset(external: ExternalTileset, frame: Frame, tileset: Path) -> TilesetSummary:
    """Write a tileset.json whose only content is that of `external`, below its folder.

    What has no place of its own stands in `frame`.
    """
    inner: dict[str, Any] = json.loads(external.root.read_bytes())
    root = inner["root"]
    # Its root brings its own transform along, which the volume around it must have had already.
    volume = moved(root["boundingVolume"], matrix_of(root))
    error = max(inner["geometricError"], root["geometricError"])
    tile: dict[str, Any] = {
        "boundingVolume": volume,
        "geometricError": error,
        "refine": "REPLACE",
        "content": {"uri": quote(external.root.relative_to(tileset.parent).as_posix())},
    }
    if not is_on_earth(volume):
        tile["transform"] = frame.ecef_matrix().T.ravel().tolist()
    document = {"asset": {"version": "1.0"}, "geometricError": error, "root": tile}
    write_whole(tileset, json.dumps(document, separators=(",", ":")).encode())
    contents = [path.stat().st_size for path in external.root.parent.rglob("*") if path.is_file()]
    return TilesetSummary(
        bytes=sum(contents),
        leaf_bytes=sum(contents),
        tiles=len(contents),
        reused_tiles=0,
        triangles=0,
        deviation=0.0,
    )
