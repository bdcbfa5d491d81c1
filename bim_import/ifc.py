"""IFC: a building or structure as its designers know it, element by element."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ifcopenshell
import numpy as np
from ifcopenshell import entity_instance

from bim_import.ifc_checkin import findings
from bim_import.ifc_classes import class_styles
from bim_import.ifc_file import check_ifc, open_ifc, products_with_shape
from bim_import.ifc_geometry import tessellate
from bim_import.ifc_georeference import georeference
from bim_import.ifc_layout import instances, laid_out
from bim_import.ifc_plan import planned
from bim_import.ifc_properties import TILE_ATTRIBUTES, ElementReader
from bim_import.ifc_shapes import find_shapes
from cim_core.errors import InvalidInput
from cim_core.feature import Feature, Instance
from cim_core.frame import Frame
from cim_core.layer import Dropped, Features, Layer, Placement, Source
from cim_core.memory import without_collection
from cim_core.mesh import Floats
from cim_core.progress import Progress

_log = logging.getLogger(__name__)

_KEEP_FRAME_METRES = 5_000.0
"""A new version whose middle moved less keeps the layer's frame, and so its unchanged tiles."""


@dataclass(frozen=True, slots=True)
class IfcImporter:
    """Reads IFC2X3, IFC4 and IFC4X3 files."""

    def recognises(self, path: Path) -> bool:
        """Whether it is a STEP file."""
        with path.open("rb") as file:
            return file.read(64).lstrip().startswith(b"ISO-10303-21")

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file; elements that fail are reported in the layer, not raised.

        Raises `InvalidInput` or `UnsupportedFormat` when the file as a whole cannot be imported.
        """
        progress(0, 0, "reading")
        schema = check_ifc(source.path, source.filename)
        # The model takes several times the file's size in memory; these have their turn before it.
        with planned(source, schema, progress) as plan:
            leaders = dict(tessellate(plan.path, plan.leaders.values(), progress, source.crew))
        model = open_ifc(source.path, source.filename)
        products = products_with_shape(model, source.filename)
        shapes = find_shapes(plan, leaders, source, model, products, progress)
        del leaders
        layout, aside = laid_out(shapes.placed, shapes.meshes)
        failures = shapes.failures | aside
        if not layout.steps:
            raise InvalidInput(
                f"no element of {source.filename} has usable geometry ({next(iter(failures.values()))} "
                "is the first reason); export it again with geometry"
            )
        middle = np.median(layout.middles, axis=0)
        place = georeference(model, source.filename, middle, placement)
        frame = _layer_frame(place.to_geographic(middle[None, :])[0], placement)

        def to_frame(points: Floats) -> Floats:
            return frame.from_geographic(place.to_geographic(points))

        placed, meshes = instances(layout, shapes.placed, shapes.meshes, to_frame)
        with without_collection():
            features, dropped, warnings = _features(model, products, placed, failures, progress)
        layer = Layer(
            id=source.layer_id,
            title=source.title,
            frame=frame,
            content=Features(features, meshes),
            georeference=place.reference,
            tile_attributes=TILE_ATTRIBUTES,
            class_styles=class_styles({feature.feature_class for feature in features}),
            dropped=dropped,
            warnings=(*place.warnings, *warnings),
            tessellations=shapes.tessellations,
            effort=shapes.effort,
        )
        return replace(layer, findings=findings(model, layer, place, placement, source.rules))


def _layer_frame(middle: Floats, placement: Placement) -> Frame:
    old = placement.layer_frame
    if (
        old is not None
        and np.linalg.norm(old.from_geographic(middle[None, :])) < _KEEP_FRAME_METRES
    ):
        return old
    return Frame(round(float(middle[0]), 6), round(float(middle[1]), 6), round(float(middle[2])))


def _features(
    model: ifcopenshell.file,
    products: Sequence[entity_instance],
    instances: dict[int, tuple[Instance, ...]],
    failures: dict[int, str],
    progress: Progress,
) -> tuple[tuple[Feature, ...], tuple[Dropped, ...], tuple[str, ...]]:
    """Features for what has geometry and for the structure that holds it; the rest is reported."""
    reader = ElementReader(model)
    structure = [
        *model.by_type("IfcProject"),
        *(
            product
            for product in model.by_type("IfcProduct")
            if product.id() not in instances
            and (product.Representation is None or reader.structure.holds(product))
        ),
    ]
    wanted = [p for p in products if p.id() in instances] + structure
    taken: dict[str, int] = {}
    doubles = unread = 0
    features: list[Feature] = []
    for number, element in enumerate(wanted):
        if number % 20 == 0:
            progress(number, len(wanted), "properties")
        feature_id = str(element.GlobalId or f"#{element.id()}")
        taken[feature_id] = taken.get(feature_id, 0) + 1
        if taken[feature_id] > 1:
            doubles += 1
            feature_id = f"{feature_id}~{taken[feature_id]}"
        placed = instances.get(element.id(), ())
        try:
            features.append(reader.feature(element, feature_id, placed))
        except Exception as error:  # whatever one element's data does, the others go on
            _log.warning("properties of #%s cannot be read", element.id(), exc_info=error)
            features.append(
                Feature(feature_id, element.is_a(), str(element.Name or ""), None, {}, (), placed)
            )
            unread += 1
    progress(len(wanted), len(wanted), "properties")
    warnings: list[str] = []
    if doubles:
        warnings.append(
            f"{doubles} elements share the GlobalId of another; they were numbered with ~2, ~3, …"
        )
    if unread:
        warnings.append(
            f"the properties of {unread} elements cannot be read; they are kept without"
        )
    dropped = tuple(
        Dropped(str(product.GlobalId), product.is_a(), failures[product.id()])
        for product in products
        if product.id() in failures
    )
    return tuple(sorted(features, key=lambda feature: feature.id)), dropped, tuple(warnings)
