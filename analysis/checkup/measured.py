"""What an operator finds, unit by unit, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.mesh import Floats

Status = Literal["ready", "partial", "unavailable"]
Reason = Literal["", "no-layer", "no-column", "no-features", "nothing-to-divide-by", "not-surveyed", "in-part", "other-values", "no-network", "sites-off-roads"]  # fmt: skip
"""Why a value is not ready; its words stand in `words.toml`."""
By = Literal["district", "town", "community", "estate", "building", "cell"]
Method = Literal["euclidean", "network", "count", "measured", "reported"]


@dataclass(frozen=True, slots=True)
class Units:
    """The places that values are told of: all of one kind.

    ids, names
        (n,) each; a name is {"en": …, "zh": …}. Cells are called by their H3 names.
    layer
        Where they come from; empty for cells and for the district as a whole.
    shapes
        (n,) polygons, metres in the projected plane of the scene.
    in_part
        Whether they are made of features of which only some are shown to who asks, as the district is.
    """

    by: By
    ids: tuple[str, ...]
    names: tuple[Mapping[str, str], ...]
    layer: str
    shapes: NDArray[np.object_]
    in_part: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """The features that speak against a value, as an estate that lacks what it needs.

    role, ids, layer
        The input they are of, and their ids, (k,).
    values
        What each lacks or has, (k,).
    units
        The row of the unit each is in, (k,); -1 for none.
    """

    role: str
    layer: str
    ids: tuple[str, ...]
    values: Floats
    units: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Measured:
    """Values of one indicator for all units of one kind.

    numerator, denominator
        (n,), as the operator adds them up; a total has a denominator of 1.
    value
        (n,), NaN where there is none.
    surveyed
        (n,), the share of the denominator that is known, 0 to 1.
    status, reason
        (n,) words each.
    unserved
        (n,) shapes of the demand that is not served, in the plane of the scene; None without.
    """

    by: By
    numerator: Floats
    denominator: Floats
    value: Floats
    surveyed: Floats
    status: tuple[Status, ...]
    reason: tuple[Reason, ...]
    unserved: NDArray[np.object_] | None = None
    evidence: tuple[Evidence, ...] = field(default=())


NO_SHAPE = shapely.Polygon()
