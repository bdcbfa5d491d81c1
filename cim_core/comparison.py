"""Two versions of a layer compared by feature id: what came, went, moved, changed."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from cim_core.city import City
from cim_core.geometry_changes import Motion, geometry_changes
from cim_core.property_changes import PropertyChange, property_changes
from cim_core.store.feature_pairs import Listed

Kind = Literal["added", "removed", "moved", "geometry", "properties"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """A feature that is not what it was; listed as it is now, as it was for "removed"."""

    id: str
    listed: Listed
    kinds: tuple[Kind, ...]
    motion: Motion | None = None
    properties: tuple[PropertyChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that differs between two versions, in the order of ids; `unchanged` by class."""

    layer: str
    before: int
    after: int
    changes: tuple[FeatureChange, ...]
    unchanged: Mapping[str, int]

    def counts(self) -> dict[str, int]:
        """How many features are of each kind, and "unchanged"; one may be of several kinds."""
        counted = Counter(kind for change in self.changes for kind in change.kinds)
        return {
            **{kind: counted[kind] for kind in KINDS},
            "unchanged": sum(self.unchanged.values()),
        }

    def classes(self) -> dict[str, dict[str, int]]:
        """`counts` for each class, in the order of names."""
        counted: dict[str, Counter[str]] = {}
        for change in self.changes:
            counted.setdefault(change.listed.feature_class, Counter()).update(change.kinds)
        return {
            name: {
                **{kind: counted.get(name, Counter())[kind] for kind in KINDS},
                "unchanged": self.unchanged.get(name, 0),
            }
            for name in sorted({*counted, *self.unchanged})
        }


def compare_versions(city: City, layer: str, before: int, after: int) -> Comparison:
    """Compare two kept versions of a layer, in either order; raises `NotFound`.

    A feature whose shape is the same within a millimetre, however it is triangulated and whatever
    frame it stands in, has not changed; if that shape stands elsewhere or is turned, it has moved.
    A change of surface colours is a change of properties.
    """
    shapes = [city.placed_meshes(city.layers.version(layer, number)) for number in (before, after)]
    old, new = (city.feature_pairs.listed(layer, number) for number in (before, after))
    said = {
        feature: property_changes(a, b, _names(old), _names(new))
        for feature, a, b in city.feature_pairs.differing(layer, before, after)
    }
    drawn = geometry_changes(shapes[0], shapes[1], sorted(old.keys() & new.keys()))
    changes: list[FeatureChange] = []
    unchanged: Counter[str] = Counter()
    for feature in sorted(old.keys() | new.keys()):
        listed = new.get(feature) or old[feature]
        surface = drawn.surfaces.get(feature)
        properties = (*said.get(feature, ()), *((surface,) if surface else ()))
        holds: dict[Kind, bool] = {
            "added": feature not in old,
            "removed": feature not in new,
            "moved": feature in drawn.motions,
            "geometry": feature in drawn.reshaped,
            "properties": bool(properties),
        }
        kinds = tuple(kind for kind in KINDS if holds[kind])
        if kinds:
            motion = drawn.motions.get(feature)
            changes.append(FeatureChange(feature, listed, kinds, motion, properties))
        else:
            unchanged[listed.feature_class] += 1
    for number in (before, after):
        city.layers.version(layer, number)  # swept meanwhile, it was read in part
    return Comparison(layer, before, after, tuple(changes), unchanged)


def _names(listed: Mapping[str, Listed]) -> Callable[[str], str]:
    def name_of(feature: str) -> str:
        known = listed.get(feature)
        return known.name if known else ""

    return name_of
