"""What a GeoTIFF announces and names, looked at before its pixels are: sizes, and files beside it.

GDAL takes overviews and masks from files beside a GeoTIFF, opens them by whatever they hold, and
follows what they or its own tags name, to any place on the disk.
"""

import math
from typing import Any

from cim_core.errors import InvalidInput, TooLarge
from cim_core.hostile import check_growth, file_limits

BESIDE = (".ovr", ".msk", ".aux.xml")
"""Endings of the files beside a GeoTIFF that GDAL reads of its own accord."""

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ELSEWHERE = "overview_file"
"""The item by which an overview lies in another file."""


def check_beside(name: str, data: bytes) -> None:
    """Raise `InvalidInput` for a file beside a GeoTIFF that is not its own part, by its content."""
    if name.lower().endswith(".aux.xml"):
        foreign = _ELSEWHERE.encode() in data.lower() or b"<!doctype" in data.lower()
    else:
        foreign = not data.startswith(_TIFF)
    if foreign:
        raise InvalidInput(
            f"{name} refers to other files, or is no TIFF; take it out, it can be made again with `gdaladdo`"
        )


def check_sheet(name: str, dataset: Any, stored: int) -> None:
    """Raise `TooLarge` or `InvalidInput` for an open dataset that no honest file of its size is.

    `stored` is how many bytes its file has at the most.
    """
    limits = file_limits()
    pixels = dataset.width * dataset.height * dataset.count
    sizes = [_bytes_of(kind) for kind in dataset.dtypes]
    if pixels > limits.raster_pixels:
        raise TooLarge(
            f"{name} has {dataset.width} × {dataset.height} pixels, more than are taken at once; cut it "
            "into parts with `gdal_translate -srcwin`"
        )
    check_growth(name, dataset.width * dataset.height * sum(sizes), stored)
    together = sum(sizes) if dataset.interleaving is not None and dataset.interleaving.name == "pixel" else max(sizes)  # fmt: skip
    if max(math.prod(shape) for shape in dataset.block_shapes) * together > limits.raster_piece:
        raise TooLarge(
            f"{name} is stored in pieces that are too large to be read; store it in tiles with "
            "`gdal_translate -co TILED=YES -co COMPRESS=DEFLATE`"
        )
    for space in ("OVERVIEWS", "ProxyOverviewRequest"):
        if any(key.lower() == _ELSEWHERE for key in dataset.tags(ns=space)):
            raise InvalidInput(
                f"{name} names another file in its tags; write it anew with `gdal_translate`"
            )


def _bytes_of(kind: str) -> int:
    """Bytes of a number of a type, by its name: 4 of float32, 1 of bool."""
    bits = "".join(letter for letter in kind if letter.isdigit())
    return int(bits) // 8 if bits else 1
