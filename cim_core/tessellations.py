"""What a geometry kernel made of each content, kept with a version for the versions after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cim_core.mesh import Floats, Mesh


@dataclass(frozen=True, slots=True)
class Shape:
    """Meshes that are placed together.

    keys
        Their keys, one for each material.
    matrix
        (4, 4) float64, from the meshes' coordinates to those of the element that has the shape,
        metres.
    """

    keys: tuple[str, ...]
    matrix: Floats


@dataclass(frozen=True, slots=True)
class Effort:
    """For how many elements an import took over what was known, and for how many it had to ask."""

    reused: int
    tessellated: int


@dataclass(frozen=True, slots=True)
class Tessellations:
    """Shapes by content: a hash, the importer's own, of all that a shape depends on.

    maker
        Names the programs that made them; another maker's shapes are made again.
    shapes, refusals
        What the kernel made of a content, or why it made nothing.
    meshes
        The meshes of the shapes by key.
    """

    maker: str = ""
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    meshes: Mapping[str, Mesh] = field(default_factory=dict)
