"""Values of an indicator as bytes: what a run keeps, so that nothing is computed twice."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import shapely

from analysis.checkup.measured import By, Evidence, Measured
from cim_core.mesh import Floats

_NUMBERS = ("numerator", "denominator", "value", "surveyed")


def pack(values: Mapping[By, Measured]) -> bytes:
    """Values by kind of units: compressed JSON, numbers to the last bit, shapes as WKB.

    The same values are the same bytes.
    """
    plain = {by: _plain(measured) for by, measured in sorted(values.items())}
    return zlib.compress(orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY), 6)


def unpack(packed: bytes) -> dict[By, Measured]:
    """What was packed."""
    return {by: _measured(by, plain) for by, plain in orjson.loads(zlib.decompress(packed)).items()}


def _plain(measured: Measured) -> dict[str, Any]:
    words = sorted(set(zip(measured.status, measured.reason, strict=True)))
    place = {word: index for index, word in enumerate(words)}
    shapes = measured.unserved
    return {
        **{name: getattr(measured, name) for name in _NUMBERS},
        "words": words,
        "said": [place[one] for one in zip(measured.status, measured.reason, strict=True)],
        "unserved": None if shapes is None else shapely.to_wkb(shapes, hex=True).tolist(),
        "evidence": [
            {
                "role": one.role, "layer": one.layer, "ids": one.ids, "values": one.values,
                "units": one.units,
            }
            for one in measured.evidence
        ],
    }  # fmt: skip


def _measured(by: By, plain: Mapping[str, Any]) -> Measured:
    said = [plain["words"][index] for index in plain["said"]]
    shapes = plain["unserved"]
    return Measured(
        by, _numbers(plain["numerator"]), _numbers(plain["denominator"]), _numbers(plain["value"]),
        _numbers(plain["surveyed"]), tuple(status for status, _ in said),
        tuple(reason for _, reason in said),
        None if shapes is None else shapely.from_wkb(np.array(shapes, object)),
        tuple(
            Evidence(
                one["role"], one["layer"], tuple(one["ids"]), _numbers(one["values"]),
                np.array(one["units"], np.int64),
            )
            for one in plain["evidence"]
        ),
    )  # fmt: skip


def _numbers(values: list[float | None]) -> Floats:
    return np.array(values, np.float64)
