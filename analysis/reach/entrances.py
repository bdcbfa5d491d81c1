"""By which places sites are entered: parks and school grounds are so from all around, not from their middle."""

import numpy as np
import shapely

from analysis.reach.noding import Rows, Shapes
from analysis.reach.rules import reach_table


def entrances(sites: Shapes) -> tuple[Shapes, Rows]:
    """Points, (p,), by which some sites are entered, and the row of the site that each belongs to.

    A point is entered where it is; an area, or a line, anywhere along its edge: at places no farther
    apart than the `spacing` of `reach.toml`.
    """
    areas = shapely.get_dimensions(sites) == 2
    edges = sites.copy()
    edges[areas] = shapely.boundary(sites[areas])
    parts, of = shapely.get_parts(edges, return_index=True)
    lines = shapely.get_dimensions(parts) == 1
    spacing = float(reach_table()["areas"]["spacing"])
    lengths = shapely.length(parts[lines])
    steps = np.maximum(1, np.ceil(lengths / spacing)).astype(np.int64)
    counts = steps + ~shapely.is_closed(parts[lines])  # a ring ends where it began
    first = np.cumsum(counts) - counts
    number = np.arange(counts.sum()) - np.repeat(first, counts)
    along = number * np.repeat(lengths / steps, counts)
    places = shapely.line_interpolate_point(np.repeat(parts[lines], counts), along)
    points = ~lines & ~shapely.is_empty(parts)
    return (
        np.concatenate([parts[points], places]),
        np.concatenate([of[points], np.repeat(of[lines], counts)]).astype(np.int64),
    )
