"""What of a city somebody sees: which layers, and of each what part.

The stores of a city are asked by everything above them, routes and analyses alike, so what is left
out here is left out everywhere.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache

import shapely

from cim_core.errors import Forbidden
from cim_core.feature import Feature

WHOLE_KINDS = frozenset({"terrain", "imagery", "points", "tileset", "textured"})
"""The kinds of layers that cannot be seen row by row: they are seen as a whole or not at all."""


@dataclass(frozen=True)
class Part:
    """What somebody sees of a layer.

    hidden
        Patterns of the names of attributes and properties that are not shown, as `fnmatch` has
        them, in lower case.
    heights
        Whether heights are shown; without them a layer is a plan.
    area
        Only features that touch it are there, degrees; None for all.
    without
        What is hidden, as people call it.
    """

    hidden: tuple[str, ...] = ()
    heights: bool = True
    area: shapely.Geometry | None = None
    without: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return not self.hidden and self.heights and self.area is None

    @cached_property
    def key(self) -> str:
        """The same for equal parts and for no others; empty for the whole."""
        if self.whole:
            return ""
        area = shapely.to_wkb(self.area) if self.area is not None else b""
        text = "\0".join((*self.hidden, str(self.heights))).encode()
        return hashlib.sha256(text + area).hexdigest()[:16]

    def hides(self, name: str) -> bool:
        """Whether an attribute, or a property as "set.name", is not shown.

        >>> Part(("depth*",)).hides("Pset_Pipe.Depth_start"), Part(("depth*",)).hides("length")
        (True, False)
        >>> Part(("owner*",)).hides("Owner.Name")
        True
        """
        return bool(self.hidden) and _hides(self.hidden, name)

    def shown(self, feature: Feature) -> Feature:
        """A feature without what is not shown of it."""
        if not self.hidden and self.heights:
            return feature
        sets = (
            replace(one, properties=tuple(p for p in one.properties if not self.hides(p.name)))
            for one in feature.property_sets
        )
        return replace(
            feature,
            attributes={k: v for k, v in feature.attributes.items() if not self.hides(k)},
            property_sets=tuple(one for one in sets if one.properties),
            shape=self.outline(feature.shape),
        )

    def outline(self, shape: shapely.Geometry | None) -> shapely.Geometry | None:
        """A shape, flat where heights are not shown."""
        return shape if shape is None or self.heights else shapely.force_2d(shape)


@lru_cache(maxsize=10_000)
def _hides(patterns: tuple[str, ...], name: str) -> bool:
    parts = name.lower().split(".")
    ways = [".".join(parts[first:]) for first in range(len(parts))]  # whole, and after each dot
    return any(fnmatchcase(way, pattern) for way in ways for pattern in patterns)


WHOLE = Part()

Towns = frozenset[str] | None
"""Towns of the office by their ids; None for all."""


@dataclass(frozen=True)
class Sight:
    """What somebody sees of a city.

    parts
        Of each layer by its id, None for one they do not see; None where they see everything, also
        layers still to come.
    people
        Whether they are told who did what.
    towns
        The towns whose renewal they see.
    households
        The towns whose households they see.
    """

    parts: Mapping[str, Part] | None = None
    people: bool = True
    towns: Towns = frozenset()
    households: Towns = frozenset()

    def of(self, layer: str) -> Part | None:
        """What is seen of a layer; None if nobody may tell that it is there."""
        return WHOLE if self.parts is None else self.parts.get(layer)

    def part(self, layer: str) -> Part:
        """What is seen of a layer that is seen; nothing of one that is not."""
        return self.of(layer) or NOTHING

    def wholly(self, layers: Iterable[str]) -> bool:
        """Whether all of some layers are seen as a whole."""
        return all((part := self.of(layer)) is not None and part.whole for layer in layers)


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does what is done with a city: an account of its office and its name."""

    id: str
    name: str


NOTHING = Part(("*",), heights=False, area=shapely.Polygon())
EVERYTHING = Sight(towns=None, households=None)


def needs_whole(layer: str, part: Part) -> None:
    """Raise `Forbidden` for what can be told of a layer as a whole only."""
    if not part.whole:
        raise Forbidden(
            f"you see the layer {layer!r} only in part, and this is made of the whole of it; ask "
            "the city's security administrator for more"
        )
