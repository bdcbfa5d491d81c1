"""Heat maps as vector tiles."""

from analysis.heat_map import Heat
from cim_core.cells import cell_names, cell_polygons
from tiles.mercator import MapTile
from tiles.mvt import encode_tile

MVT = "application/vnd.mapbox-vector-tile"

_SAFE = (1 << 53) - 1
"""Numbers of features up to this one are read right by JavaScript."""


def heat_tile(tile: MapTile, property_: str, found: Heat) -> bytes:
    """The cells of a heat map in a tile as Mapbox Vector Tile 2.1; empty where there are none.

    Each has its name, value and count; the number of a feature is the lower 53 bits of its cell's.
    """
    return encode_tile(
        tile, property_, cell_polygons(found.cells), [cell & _SAFE for cell in found.cells.tolist()],
        [
            {"cell": name, "value": value, "count": count}
            for name, value, count in zip(
                cell_names(found.cells), found.values.tolist(), found.counts.tolist(), strict=True
            )
        ],
    )  # fmt: skip
