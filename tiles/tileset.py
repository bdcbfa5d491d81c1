"""tileset.json: the tree of tiles, written by py3dtiles' own model of it."""

import json
from typing import TYPE_CHECKING

import numpy as np

from cim_core.frame import Frame
from cim_core.mesh import Floats

if TYPE_CHECKING:
    from py3dtiles.tileset.tile import Tile


def tile(bounds: Floats, error: float, uri: str | None = None) -> "Tile":
    """A tile whose box is `bounds` (2, 3), metres in the layer's frame."""
    from py3dtiles.tileset.bounding_volume_box import BoundingVolumeBox
    from py3dtiles.tileset.tile import Tile

    box = BoundingVolumeBox.from_mins_maxs(np.round(_padded(bounds), 4).ravel())
    return Tile(round(error, 4), box, refine_mode="REPLACE", content_uri=uri)


def write_tileset(root: "Tile", frame: Frame, error: float) -> bytes:
    """The whole tileset.json; the root's transform takes the layer's frame to EPSG:4978."""
    from py3dtiles.constants import SpecVersion
    from py3dtiles.tileset import TileSet

    root.transform = frame.ecef_matrix()
    tileset = TileSet(round(error, 4), SpecVersion.V1_1)
    tileset.asset.extras.clear()  # py3dtiles puts the time of day there: no two builds were alike
    tileset.root_tile = root
    text = json.dumps(tileset.to_dict(), separators=(",", ":"), sort_keys=True)
    return text.encode()


def _padded(bounds: Floats) -> Floats:
    """A hair larger, so that rounding and float32 never put geometry outside."""
    margin = 0.001 + 2e-7 * float((bounds[1] - bounds[0]).max())
    padded: Floats = bounds + np.array([[-margin], [margin]])
    return padded
