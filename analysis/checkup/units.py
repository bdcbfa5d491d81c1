"""The places that values are told of: the district, its towns, communities, estates, buildings, cells."""

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.checkup.formulas import Input
from analysis.checkup.loaded import engine_table
from analysis.checkup.measured import NO_SHAPE, By, Units
from cim_core.cells import cell_names, cell_polygons, touched

if TYPE_CHECKING:
    from analysis.checkup.scene import Picked, Scene

ROLES: Mapping[By, str] = {
    "town": "towns", "community": "communities", "estate": "estates", "building": "buildings",
}  # fmt: skip
"""Which role's features the units of a kind are."""

_WHOLE = ("towns", "communities")
"""What the district is the union of: the first of these that the city has."""


def units_of(scene: "Scene", by: By) -> Units:
    """The units of a kind, in the order of their ids; none where nothing says where they are."""
    if by == "district":
        return _district(scene)
    if by == "cell":
        return _cells(scene)
    picked = scene.pick(Input(input=ROLES[by]))
    return Units(by, picked.ids, _names(picked), picked.layer, picked.shapes)


def district_roles(scene: "Scene") -> tuple[str, ...]:
    """The role whose features the district is the union of, if the city has any."""
    there = (role for role in _WHOLE if scene.pick(Input(input=role)).ids)
    return tuple(islice(there, 1))


def _district(scene: "Scene") -> Units:
    spoken = scene.city.settings.name
    name = {"en": spoken, "zh": spoken}
    for role in district_roles(scene):
        picked = scene.pick(Input(input=role))
        shapes: NDArray[np.object_] = np.empty(1, object)
        shapes[0] = shapely.union_all(picked.shapes)
        return Units("district", ("district",), (name,), "", shapes, picked.in_part)
    return Units("district", ("district",), (name,), "", np.array([NO_SHAPE], object))


def _cells(scene: "Scene") -> Units:
    """The H3 cells that the district touches, as far as they are in it."""
    district = scene.units("district")
    whole = district.shapes
    if whole[0].is_empty:
        return Units("cell", (), (), "", np.empty(0, object))
    cells = touched(scene.lon_lat(whole).tolist(), int(engine_table()["cells"]["resolution"]))
    shapes = shapely.intersection(scene.plane.laid_out(cell_polygons(cells)), whole[0])
    inside = shapely.area(shapes) > 0
    names = tuple(np.array(cell_names(cells), object)[inside].tolist())
    spoken = tuple({"en": name, "zh": name} for name in names)
    return Units("cell", names, spoken, "", shapes[inside], district.in_part)


def _names(picked: "Picked") -> tuple[Mapping[str, str], ...]:
    """What features are called; by their ids where they have no name."""
    columns = picked.loaded.columns if picked.loaded is not None else {}
    spoken = {
        language: columns[f"name_{language}"][picked.rows].tolist()
        if f"name_{language}" in columns
        else [None] * len(picked.ids)
        for language in ("en", "zh")
    }
    return tuple(
        {"en": str(en or name or key), "zh": str(zh or name or key)}
        for key, name, en, zh in zip(
            picked.ids, picked.names, spoken["en"], spoken["zh"], strict=True
        )
    )
