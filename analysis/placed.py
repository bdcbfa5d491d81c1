"""Elements of a model where they stand in the city."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cim_core.bodies import bodies
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.feature import Feature
from cim_core.layer import Features, Layer
from cim_core.mesh import Floats, Indices
from cim_core.store.features import Query
from cim_core.store.layers import LayerVersion

_NOT_BUILT = frozenset({"IfcSite"})
"""Classes whose bodies are the ground itself."""


@dataclass(frozen=True, slots=True)
class PlacedBody:
    """An element with all its meshes as one.

    positions
        (n, 3) longitude, latitude and height in the city's vertical datum.
    local
        (n, 3) the same, metres in the layer's frame.
    triangles
        (m, 3) into them, counter-clockwise seen from outside.
    """

    feature: Feature
    positions: Floats
    local: Floats
    triangles: Indices


def chosen_elements(
    city: City, version: LayerVersion, classes: Sequence[str] = (), ids: Sequence[str] = ()
) -> Layer:
    """The elements of a model with bodies: of some classes, with some ids, or all that are shown.

    The site is none of the latter.

    Raises `NotFound` for an id that is not there, and `InvalidInput` where no element is left.
    """
    layer = city.select(version, Query(ids=tuple(ids) or None))
    missing = set(ids) - {feature.id for feature in layer.features}
    if missing:
        raise NotFound(
            f"{version.layer} has no element {min(missing)!r} with geometry; give the id of one"
        )
    hidden = _NOT_BUILT | {name for name, s in layer.class_styles.items() if not s.visible}
    kept = tuple(
        feature
        for feature in layer.features
        if feature.instances
        and (feature.feature_class in classes or not classes)
        and (classes or ids or feature.feature_class not in hidden)
    )
    if not kept:
        raise InvalidInput(
            f"{version.layer} has no such element with a body; name a model, and classes or ids of it"
        )
    return replace(layer, content=Features(kept, layer.meshes))


def placed_bodies(
    city: City, version: LayerVersion, classes: Sequence[str] = (), ids: Sequence[str] = ()
) -> Iterator[PlacedBody]:
    """Those elements one by one; raises as `chosen_elements` does."""
    layer = chosen_elements(city, version, classes, ids)
    separation = city.settings.geoid_separation
    for feature in layer.features:
        parts = [
            (body.positions, body.triangles) for body in bodies(Features((feature,), layer.meshes))
        ]
        if not parts:
            continue
        starts = np.cumsum([0, *(len(positions) for positions, _ in parts)])
        local = np.concatenate([positions for positions, _ in parts])
        triangles = np.concatenate(
            [t + np.uint32(start) for (_, t), start in zip(parts, starts, strict=False)]
        )
        positions = layer.frame.to_geographic(local)
        positions[:, 2] -= separation
        yield PlacedBody(feature, positions, local, triangles)
