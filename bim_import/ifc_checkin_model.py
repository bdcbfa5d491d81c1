"""A model as the check sees it: what was imported, in columns, beside the file it came from."""

from collections.abc import Iterator
from functools import cached_property

import ifcopenshell
import ifcopenshell.util.element
import numpy as np
from ifcopenshell import entity_instance

from bim_import.ifc_georeference import Georeferencing
from cim_core.checkin import Finding, Rule, Rules
from cim_core.feature import Feature
from cim_core.layer import Dropped, Layer, Placement
from cim_core.mesh import Floats

_CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float64)


class CheckedModel:
    """An imported model and its file; columns are made when the first rule asks for them.

    elements
        The features people build: walls and doors, not storeys, openings or annotations.
    """

    def __init__(
        self,
        model: ifcopenshell.file,
        layer: Layer,
        place: Georeferencing,
        placement: Placement,
        rules: Rules,
    ) -> None:
        self.model = model
        self.layer = layer
        self.place = place
        self.placement = placement
        self.rules = rules
        self.features = layer.features
        self.by_id = {feature.id: feature for feature in self.features}
        self._schema = ifcopenshell.schema_by_name(model.schema_identifier)
        self._kinds: dict[tuple[str, str], bool] = {}
        self.elements = tuple(f for f in self.features if self.is_element(f.feature_class))

    def is_a(self, name: str, base: str) -> bool:
        """Whether a class is another or one of its kinds; asked of the schema once for each."""
        key = (name, base)
        if key not in self._kinds:
            self._kinds[key] = bool(self._schema.declaration_by_name(name)._is(base))
        return self._kinds[key]

    def is_element(self, name: str) -> bool:
        """Whether things of a class are built; openings and virtual elements are not."""
        return self.is_a(name, "IfcElement") and not (
            self.is_a(name, "IfcFeatureElement") or self.is_a(name, "IfcVirtualElement")
        )

    @cached_property
    def products(self) -> dict[str, list[entity_instance]]:
        """The products of the file by GlobalId, several where it is used twice."""
        found: dict[str, list[entity_instance]] = {}
        for product in self.model.by_type("IfcProduct"):
            found.setdefault(str(product.GlobalId or f"#{product.id()}"), []).append(product)
        return found

    def product(self, feature_id: str) -> entity_instance | None:
        """The product a feature was made of; its id may carry a number behind ~."""
        global_id, _, number = feature_id.partition("~")
        found = self.products.get(global_id, [])
        index = int(number) - 1 if number.isdigit() else 0
        return found[index] if index < len(found) else None

    @cached_property
    def boxes(self) -> dict[str, Floats]:
        """The box of each feature with geometry, (2, 3) metres in the layer's frame, by id."""
        placed = [f for f in self.features if f.instances]
        instances = [instance for feature in placed for instance in feature.instances]
        if not instances:
            return {}
        bounds = {key: mesh.bounds() for key, mesh in self.layer.meshes.items()}
        low, high = np.moveaxis(np.array([bounds[i.mesh_key] for i in instances]), 1, 0)
        corners = low[:, None] + _CORNERS * (high - low)[:, None]
        matrices = np.array([instance.transform for instance in instances])
        points = corners @ np.swapaxes(matrices[:, :3, :3], 1, 2) + matrices[:, None, :3, 3]
        starts = np.cumsum([0, *(len(feature.instances) for feature in placed[:-1])])
        lows = np.minimum.reduceat(points.min(axis=1), starts)
        highs = np.maximum.reduceat(points.max(axis=1), starts)
        return dict(zip((f.id for f in placed), np.stack([lows, highs], axis=1), strict=True))

    @cached_property
    def drawn(self) -> tuple[Feature, ...]:
        """The elements that have geometry."""
        return tuple(feature for feature in self.elements if feature.instances)

    @cached_property
    def middles(self) -> Floats:
        """The middle of each drawn element, (n, 3) metres in the layer's frame."""
        return np.array([self.boxes[f.id].mean(axis=0) for f in self.drawn]).reshape(-1, 3)

    @cached_property
    def sizes(self) -> Floats:
        """The largest extent of each drawn element, (n,) metres."""
        boxes = np.array([self.boxes[f.id] for f in self.drawn]).reshape(-1, 2, 3)
        return np.asarray((boxes[:, 1] - boxes[:, 0]).max(axis=1), np.float64)

    @cached_property
    def _places(self) -> dict[str, Floats]:
        points = np.array([box.mean(axis=0) for box in self.boxes.values()]).reshape(-1, 3)
        return dict(zip(self.boxes, self.geographic(points), strict=True))

    def geographic(self, points: Floats) -> Floats:
        """(n, 3) metres in the layer's frame → longitude, latitude, height in the city's datum."""
        if not len(points):
            return points
        places = self.layer.frame.to_geographic(points)
        places[:, 2] -= self.placement.geoid_separation
        return places

    def spatial_holder(self, feature: Feature) -> Feature | None:
        """The storey, building, site or other part of the spatial structure that holds a feature."""
        seen = {feature.id}
        step = self.by_id.get(feature.parent or "")
        while step is not None and step.id not in seen:
            if self.is_a(step.feature_class, "IfcSpatialStructureElement") and not self.is_a(
                step.feature_class, "IfcSpace"
            ):
                return step
            seen.add(step.id)
            step = self.by_id.get(step.parent or "")
        return None

    def found(
        self, rule: Rule, feature: Feature, value: float | str | None = None,
        limit: str | None = None, **words: str,
    ) -> Finding:  # fmt: skip
        """A finding on a feature, with its storey and place."""
        place = self._places.get(feature.id)
        storey = self.by_id.get(str(feature.attributes.get("storey")))
        return Finding(
            rule.id, value, limit, feature.id, feature.feature_class, feature.name,
            storey.name or storey.id if storey is not None else None,
            None if place is None else (float(place[0]), float(place[1]), float(place[2])),
            words,
        )  # fmt: skip

    def found_on_dropped(self, rule: Rule, item: Dropped, **words: str) -> Finding:
        """A finding on what is in the file and not in the layer."""
        product = self.product(item.id)
        storey = name = None
        if product is not None:
            name = product.Name
            storey = ifcopenshell.util.element.get_container(product, ifc_class="IfcBuildingStorey")
        return Finding(
            rule.id, None, None, item.id, item.feature_class, str(name or ""),
            str(storey.Name or storey.GlobalId) if storey is not None else None, None, words,
        )  # fmt: skip


def label(feature: Feature) -> str:
    """A feature in a sentence of any language: "IfcWall W-12"."""
    return f"{feature.feature_class} {feature.name or feature.id}"


Findings = Iterator[Finding]
