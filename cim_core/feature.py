"""A feature: one thing of the city that has an identity of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import shapely

from cim_core.mesh import Floats

Scalar = str | int | float | bool | None
Value = Scalar | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True, slots=True)
class Property:
    """One value with its unit; the unit is a symbol ("mm", "W/(m2·K)"), None if it has none.

    The value stays as the source has it: it is the unit that says what it means.
    """

    name: str
    value: Value
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class PropertySet:
    """A named group of properties, as the source groups them."""

    name: str
    kind: Literal["property", "quantity"]
    properties: tuple[Property, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """A mesh placed once: `transform` (4, 4) float64 takes the mesh into the layer's frame."""

    mesh_key: str
    transform: Floats


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing of the city.

    id
        The identifier the source gives it and people quote: an IFC GlobalId, a survey number.
    feature_class
        Its class in the source's own vocabulary: "IfcWall".
    parent
        The id of the feature that holds it, or None.
    attributes
        What it can be filtered and styled by; the keys are the layer's own ("storey", "type").
    instances
        Its geometry as placed meshes; empty for what only groups others (a storey).
    shape
        Its exact outline, line or point: longitude, latitude and, where it has heights, metres in
        the city's vertical datum. Without it the outline of the meshes serves.
    """

    id: str
    feature_class: str
    name: str
    parent: str | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)
    property_sets: tuple[PropertySet, ...] = ()
    instances: tuple[Instance, ...] = ()
    shape: shapely.Geometry | None = None
