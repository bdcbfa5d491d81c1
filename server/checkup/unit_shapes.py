"""The units of a check-up as they were: packed with their outlines, so that a run needs no layer."""

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.checkup.measured import By, Units
from analysis.checkup.metric_plane import MetricPlane

_HEAD = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class KnownUnits:
    """Units with their outlines in longitude and latitude, (n,)."""

    by: By
    ids: tuple[str, ...]
    names: tuple[Mapping[str, str], ...]
    layer: str
    shapes: NDArray[np.object_]


def pack_units(units: Units, plane: MetricPlane) -> tuple[str, bytes]:
    """Units as bytes, and the digest of their content."""
    shapes = [shapely.to_wkb(shape) for shape in plane.degrees(units.shapes)]
    head = json.dumps(
        {
            "by": units.by, "ids": units.ids, "names": [dict(name) for name in units.names],
            "layer": units.layer, "sizes": [len(shape) for shape in shapes],
        },
        ensure_ascii=False,
    ).encode()  # fmt: skip
    body = b"".join((_HEAD.pack(len(head)), head, *shapes))
    return f"units-{hashlib.sha256(body).hexdigest()}", zlib.compress(body, 6)


def unpack_units(packed: bytes) -> KnownUnits:
    """What `pack_units` made of units."""
    body = zlib.decompress(packed)
    [length] = _HEAD.unpack_from(body)
    begins = _HEAD.size + length
    head = json.loads(body[_HEAD.size : begins])
    ends = begins + np.cumsum([0, *head["sizes"]])
    shapes = np.empty(len(head["ids"]), object)
    shapes[:] = [shapely.from_wkb(body[start:end]) for start, end in pairwise(ends.tolist())]
    return KnownUnits(head["by"], tuple(head["ids"]), tuple(head["names"]), head["layer"], shapes)
