"""Tessellating products in worker processes, so that no element can fail a file."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.geom
import numpy as np
from ifcopenshell import entity_instance

from cim_core import work
from cim_core.mesh import PLAIN, Floats, Material, Mesh
from cim_core.progress import Progress
from cim_core.work import Failure, Limits

_geom: Any = ifcopenshell.geom  # its annotations do not say what its code does

KERNELS = ("hybrid-cgal-simple-opencascade", "opencascade")
"""The kernel for all, and the one for what it cannot do (1.7 to 5.5 times its CPU)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shape:
    """A product's geometry: meshes, one per material, and where they stand.

    geometry
        The kernel's name for the meshes: products that share it share them.
    matrix
        (4, 4) float64, from the meshes' coordinates to the model's, metres.
    """

    geometry: str
    matrix: Floats
    meshes: tuple[Mesh, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    geometry: str
    matrix: Floats
    meshes: tuple[Mesh, ...] | None
    """None when this worker sent the same geometry before."""


def tessellate(
    path: Path,
    products: Sequence[entity_instance],
    progress: Progress,
    *,
    limits: Limits | None = None,
    workers: int | None = None,
) -> Iterator[tuple[int, Shape | Failure]]:
    """The shape of every product, or why it has none, by STEP id, in no particular order."""
    known: dict[str, tuple[Mesh, ...]] = {}
    batches = _batches(products, workers or work.available_cores())
    answers = work.stream(make_task, (str(path),), batches, workers=workers, limits=limits)
    progress(0, len(products), "geometry")
    for done, (item, answer) in enumerate(answers, start=1):
        progress(done, len(products), "geometry")
        if isinstance(answer, Failure):
            yield int(item), answer
            continue
        if answer.meshes is not None:
            known.setdefault(answer.geometry, answer.meshes)
        yield int(item), Shape(answer.geometry, answer.matrix, known[answer.geometry])


def _batches(products: Sequence[entity_instance], workers: int) -> list[list[str]]:
    """Products in batches, those of one mapped representation together: the kernel makes it once."""
    ordered = sorted(products, key=lambda p: (_mapping_source(p), p.id()))
    size = min(2000, max(32, len(ordered) // (workers * 8)))
    return [[str(p.id()) for p in ordered[i : i + size]] for i in range(0, len(ordered), size)]


def _mapping_source(product: entity_instance) -> int:
    for representation in product.Representation.Representations or ():
        for item in representation.Items or ():
            if item.is_a("IfcMappedItem"):
                return int(item.MappingSource.id())
    return 0


def make_task(path: str) -> work.Task:
    """Open the file in this process and return what tessellates a batch of its STEP ids."""
    model = ifcopenshell.open(path)
    assert isinstance(model, ifcopenshell.file)
    settings = _geom.settings()
    sent: set[str] = set()

    def answer(shape: Any) -> _Answer | Failure:
        geometry = shape.geometry
        meshes = None
        if geometry.id not in sent:
            meshes = _meshes(geometry)
            if not meshes:
                return Failure("its geometry has no area")
            sent.add(geometry.id)
        matrix = np.array(shape.transformation.matrix, np.float64).reshape(4, 4).T
        return _Answer(geometry.id, matrix, meshes)

    def task(batch: Sequence[str]) -> Iterator[tuple[str, _Answer | Failure]]:
        elements: list[Any] = [model.by_id(int(item)) for item in batch]
        answered: set[str] = set()
        iterator = _geom.iterator(settings, model, 1, include=elements, geometry_library=KERNELS[0])
        more = iterator.initialize()
        while more:
            shape = iterator.get()
            if len(shape.geometry.faces) and str(shape.id) not in answered:
                answered.add(str(shape.id))
                yield str(shape.id), answer(shape)
            more = iterator.next()
        for element in elements:
            item = str(element.id())
            if item not in answered:
                shape = _alone(settings, element)
                yield item, shape if isinstance(shape, Failure) else answer(shape)

    return task


def _alone(settings: Any, element: entity_instance) -> Any:
    """Try an element by itself, with each kernel in turn."""
    kinds = {str(r.RepresentationType) for r in element.Representation.Representations or ()}
    if kinds and all(
        kind.startswith(("Annotation", "Curve", "GeometricCurve", "Point")) for kind in kinds
    ):
        return Failure(f"it has no 3D body, only {', '.join(sorted(kinds))}")
    reason = "its representation is empty"
    for kernel in KERNELS:
        try:
            shape = _geom.create_shape(settings, element, geometry_library=kernel)
        except Exception as error:  # the library raises bare RuntimeError for every geometry fault
            _log.info("%s on #%s: %s", kernel, element.id(), error)
            reason = f"its geometry cannot be made ({str(error).strip() or 'no reason given'})"
        else:
            if len(shape.geometry.faces):
                return shape
    return Failure(reason)


def _meshes(geometry: Any) -> tuple[Mesh, ...]:
    """Split a triangulation by material; vertices nothing refers to are left out."""
    positions = np.frombuffer(geometry.verts_buffer, np.float64).reshape(-1, 3)
    triangles = np.frombuffer(geometry.faces_buffer, np.int32).reshape(-1, 3)
    numbers = np.frombuffer(geometry.material_ids_buffer, np.int32)
    materials = [_material(style) for style in geometry.materials]
    found = []
    for number in np.unique(numbers):
        used, index = np.unique(triangles[numbers == number], return_inverse=True)
        material = materials[number] if 0 <= number < len(materials) else PLAIN
        found.append(Mesh(positions[used], index.reshape(-1, 3).astype(np.uint32), material))
    return tuple(mesh for mesh in found if mesh.solid().any())


def _material(style: Any) -> Material:
    color = style.diffuse
    opacity = 1.0 - style.transparency if style.has_transparency() else 1.0
    red, green, blue = (
        _linear(min(1.0, max(0.0, float(channel)))) for channel in (color.r(), color.g(), color.b())
    )
    # Fully transparent elements would be there and never seen; IFC files have them by mistake.
    return Material(str(style.name), (red, green, blue, round(max(0.05, opacity), 4)))


def _linear(channel: float) -> float:
    """IFC colours are display values (sRGB); glTF wants linear ones."""
    value = channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
    return round(value, 5)
