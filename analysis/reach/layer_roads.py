"""The roads of a layer in the plane of the city, whoever named its columns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.checkup.loaded import load
from analysis.checkup.metric_plane import MetricPlane
from analysis.reach.rules import reach_table
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.sight import needs_whole
from cim_core.store.feature_columns import Columns
from cim_core.store.layers import LayerVersion


@dataclass(frozen=True, slots=True, eq=False)
class LayerRoads:
    """Centre lines of a layer, as `Roads` has them.

    shapes
        (k,) LineStrings or MultiLineStrings, metres in the plane.
    columns
        (k,) each.
    """

    version: LayerVersion
    shapes: NDArray[np.object_]
    columns: Columns


def layer_roads(city: City, layer: str, plane: MetricPlane) -> LayerRoads:
    """The lines of a layer that are roads; raises `NotFound`, and `InvalidInput` for one without.

    Where only some of the roads are seen ways are longer than they are: that raises `Forbidden`.
    """
    version = city.layers.get(layer)
    if version.part.area is not None:
        needs_whole(layer, version.part)
    loaded = load(city, version, plane)
    columns = road_columns(loaded.columns)
    lines = shapely.get_dimensions(loaded.shapes) == 1
    if "road_class" in columns:  # where roads have a class, other lines are none: rails, rivers
        lines &= _said(columns["road_class"])
    if not lines.any():
        raise InvalidInput(
            f"the layer {layer!r} has no road centre lines; name one with lines, such as roads"
        )
    chosen = {name: values[lines] for name, values in columns.items()}
    return LayerRoads(version, loaded.shapes[lines], chosen)


def road_columns(known: Columns) -> Columns:
    """What lines say of themselves, (k,) each, under the names of `Roads`, by `reach.toml`."""
    aliases: Mapping[str, list[str]] = reach_table()["columns"]
    found = {}
    for name, words in aliases.items():
        of_layer = [word for word in words if word in known and _said(known[word]).any()]
        if of_layer:
            found[name] = known[of_layer[0]]
    return found


def _said(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Where there is a value, (k,)."""
    if values.dtype == np.float64:
        known: NDArray[np.bool_] = ~np.isnan(values.astype(np.float64))
        return known
    return np.array([value is not None for value in values.tolist()], bool)
