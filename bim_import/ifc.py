"""IFC: a building or structure as its designers know it, element by element."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ifcopenshell
import numpy as np
from ifcopenshell import entity_instance

from bim_import.ifc_classes import class_styles
from bim_import.ifc_file import open_ifc, products_with_shape
from bim_import.ifc_geometry import Shape, tessellate
from bim_import.ifc_georeference import georeference
from bim_import.ifc_mapped import shared
from bim_import.ifc_properties import TILE_ATTRIBUTES, ElementReader
from cim_core.errors import InvalidInput
from cim_core.feature import Feature, Instance
from cim_core.frame import Frame, linearised
from cim_core.layer import Dropped, Features, Layer, Placement, Source
from cim_core.mesh import Floats, Mesh, transformed
from cim_core.progress import Progress
from cim_core.work import Failure

_log = logging.getLogger(__name__)

_BENT_METRES = 200.0
"""Larger elements follow the earth's curvature vertex by vertex instead of as one rigid piece."""

_ONE_PLACE_METRES = 200_000.0
"""What is larger, or farther from the middle of the others, is a mistake in the file."""

_KEEP_FRAME_METRES = 5_000.0
"""A new version whose middle moved less keeps the layer's frame, and so its unchanged tiles."""


@dataclass(frozen=True, slots=True)
class IfcImporter:
    """Reads IFC2X3, IFC4 and IFC4X3 files."""

    extensions: tuple[str, ...] = (".ifc",)

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file; elements that fail are reported in the layer, not raised.

        Raises `InvalidInput` or `UnsupportedFormat` when the file as a whole cannot be imported.
        """
        progress(0, 0, "reading")
        model = open_ifc(source.path, source.filename)
        products = products_with_shape(model, source.filename)
        shapes: dict[int, Shape] = {}
        failures: dict[int, str] = {}
        for step, result in tessellate(source.path, products, progress, limits=source.item_limits):
            if isinstance(result, Failure):
                failures[step] = result.reason
            else:
                shapes[step] = result
        shapes = shared(model, shapes)
        _set_aside_far(shapes, failures)
        if not shapes:
            raise InvalidInput(
                f"no element of {source.filename} has usable geometry ({next(iter(failures.values()))} "
                "is the first reason); export it again with geometry"
            )
        order = sorted(shapes)
        middles = np.array([_middle(shapes[step]) for step in order])
        place = georeference(model, source.filename, np.median(middles, axis=0), placement)
        frame = _layer_frame(place.to_geographic(np.median(middles, axis=0)[None, :])[0], placement)

        def to_frame(points: Floats) -> Floats:
            return frame.from_geographic(place.to_geographic(points))

        matrices = linearised(to_frame, middles)
        meshes: dict[str, Mesh] = {}
        keys: dict[str, tuple[str, ...]] = {}
        instances: dict[int, tuple[Instance, ...]] = {}
        for step, matrix in zip(order, matrices, strict=True):
            shape = shapes[step]
            if _extent(shape) > _BENT_METRES:
                bent = _bent(shape, to_frame)
                instances[step] = _placed(_keep(bent, meshes), np.eye(4))
                continue
            if shape.geometry not in keys:
                keys[shape.geometry] = _keep(shape.meshes, meshes)
            instances[step] = _placed(keys[shape.geometry], matrix @ shape.matrix)
        features, dropped, warnings = _features(model, products, instances, failures, progress)
        return Layer(
            id=source.layer_id,
            title=source.title,
            frame=frame,
            content=Features(features, meshes),
            georeference=place.reference,
            tile_attributes=TILE_ATTRIBUTES,
            class_styles=class_styles({feature.feature_class for feature in features}),
            dropped=dropped,
            warnings=(*place.warnings, *warnings),
        )


def _set_aside_far(shapes: dict[int, Shape], failures: dict[int, str]) -> None:
    """Move what cannot stand on the same piece of earth as the rest from shapes to failures.

    One stray vertex or placement would otherwise spoil the place and the tiles of all.
    """
    for step in [s for s in shapes if not _extent(shapes[s]) < _ONE_PLACE_METRES]:
        del shapes[step]
        failures[step] = f"its geometry reaches over more than {_ONE_PLACE_METRES / 1000:g} km"
    if not shapes:
        return
    middles = {step: _middle(shape) for step, shape in shapes.items()}
    center = np.median(np.array(list(middles.values())), axis=0)
    for step, middle in middles.items():
        if not np.linalg.norm(middle - center) < _ONE_PLACE_METRES:
            del shapes[step]
            failures[step] = f"it lies more than {_ONE_PLACE_METRES / 1000:g} km from the rest"


def _middle(shape: Shape) -> Floats:
    bounds = np.array([mesh.bounds() for mesh in shape.meshes])
    center = (bounds[:, 0].min(axis=0) + bounds[:, 1].max(axis=0)) / 2
    return np.asarray(transformed(center[None, :], shape.matrix)[0], np.float64)


def _extent(shape: Shape) -> float:
    bounds = np.array([mesh.bounds() for mesh in shape.meshes])
    return float((bounds[:, 1].max(axis=0) - bounds[:, 0].min(axis=0)).max())


def _bent(shape: Shape, to_frame: Callable[[Floats], Floats]) -> tuple[Mesh, ...]:
    return tuple(
        Mesh(to_frame(transformed(mesh.positions, shape.matrix)), mesh.triangles, mesh.material)
        for mesh in shape.meshes
    )


def _keep(shape_meshes: Sequence[Mesh], meshes: dict[str, Mesh]) -> tuple[str, ...]:
    """Put meshes where equal ones stand once, and return their keys."""
    keys = tuple(mesh.key() for mesh in shape_meshes)
    for key, mesh in zip(keys, shape_meshes, strict=True):
        meshes.setdefault(key, mesh)
    return keys


def _placed(keys: tuple[str, ...], transform: Floats) -> tuple[Instance, ...]:
    return tuple(Instance(key, transform) for key in keys)


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
