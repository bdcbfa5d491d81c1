"""Map tiles of what a layer's features show: vector tiles for maps, pictures to drape."""

import threading
from collections.abc import Mapping
from typing import Any

from cim_core.city import City
from cim_core.store.layers import LayerVersion
from tiles.mercator import MapTile
from tiles.mvt import encode_tile
from tiles.picture import SIZE, draw_tile

_MOST = 20_000
"""Features in a tile; on a tile of 256 pixels more cannot be told apart."""

_MARGIN = 1 / 16
"""Of a tile's width: what lies so near beyond its edge reaches into it."""

_AT_ONCE = threading.BoundedSemaphore(4)
"""Tiles that are made at one time: each holds its features in memory."""


def vector_tile(city: City, known: LayerVersion, tile: MapTile) -> bytes:
    """A layer's features in a tile as Mapbox Vector Tile 2.1; empty where there are none.

    Each has the registry's own number, and as attributes its id, class, name and what the layer
    lets travel with its tiles.
    """
    with _AT_ONCE:
        drawn = city.drawn_features.in_box(
            known.layer, known.version, tile.box(_MARGIN), _least(tile), _MOST
        )
        wanted = known.summary["tile_attributes"]
        attributes = [
            {"id": own, "class": kind, "name": name, **_plain(values, wanted)}
            for own, kind, name, values in zip(
                drawn.ids, drawn.classes, drawn.names, drawn.attributes, strict=True
            )
        ]
        return encode_tile(tile, known.layer, drawn.shapes, drawn.numbers, attributes)


def picture_tile(city: City, known: LayerVersion, tile: MapTile) -> bytes:
    """A layer's features in a tile as PNG, in the colours of their classes.

    Classes that start hidden are not drawn.
    """
    classes = known.summary["classes"]
    with _AT_ONCE:
        drawn = city.drawn_features.in_box(
            known.layer, known.version, tile.box(_MARGIN), _least(tile), _MOST
        )
        shown = [
            row for row, kind in enumerate(drawn.classes)
            if kind not in classes or classes[kind]["visible"]
        ]  # fmt: skip
        return draw_tile(
            tile, drawn.shapes[shown], [drawn.classes[row] for row in shown],
            [_number(drawn.attributes[row].get("width")) for row in shown],
            {name: style["color"] for name, style in classes.items()},
        )  # fmt: skip


def _least(tile: MapTile) -> float:
    """Half a pixel, in degrees."""
    west, _, east, _ = tile.box()
    return (east - west) / SIZE / 2


def _plain(values: Mapping[str, Any], wanted: list[str]) -> dict[str, str | int | float | bool]:
    return {
        name: values[name] for name in wanted if isinstance(values.get(name), str | int | float)
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 < value < 1000 else None
