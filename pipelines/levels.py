"""The highest and the lowest points of pipes along their middle lines."""

import numpy as np

from cim_core.mesh import Floats
from cim_core.network import Reference, Rows, Segments


def tops_and_inverts(segments: Segments, rows: Rows, axes: Floats) -> tuple[Floats, Floats]:
    """The highest point outside and the lowest one inside, where middle lines have some elevations.

    `rows` (c,) of the segments; `axes` (c,) or (c, k) elevations of theirs in metres, as `Segments.axes`
    has them; both answers are like it. Of a segment whose size is not known only what was surveyed,
    its top or its invert, is known; the other is NaN.
    """
    outer = segments.outer[rows, 1]
    columns = (len(rows),) + (1,) * (axes.ndim - 1)
    tops = axes + np.nan_to_num(outer).reshape(columns) / 2
    inverts = axes - np.nan_to_num(segments.heights[rows]).reshape(columns) / 2
    unsized, references = np.isnan(outer), segments.references[rows]
    tops[unsized & (references != Reference.TOP)] = np.nan
    inverts[unsized & (references != Reference.INVERT)] = np.nan
    return tops, inverts
