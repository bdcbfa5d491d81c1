"""Tessellating products in worker processes, so that no element can fail a file."""

import logging
from collections.abc import Iterable, Iterator, Sequence
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
from cim_core.work import Crew, Failure

_geom: Any = ifcopenshell.geom  # its annotations do not say what its code does

KERNELS = ("hybrid-cgal-simple-opencascade", "opencascade")
"""The kernel for all, and the one for what it cannot do (1.7 to 5.5 times its CPU)."""

NO_AREA = "its geometry has no area"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KernelShape:
    """A product's geometry as the kernel makes it: meshes, one per material, and where they stand.

    matrix
        (4, 4) float64, from the meshes' coordinates to the model's, metres.
    """

    matrix: Floats
    meshes: tuple[Mesh, ...]


class Refusal(Failure):
    """That the kernel makes nothing of an element, today as tomorrow, and why."""


KernelAnswers = dict[int, KernelShape | Failure]
"""What the kernel made of products, by STEP id."""


@dataclass(frozen=True, slots=True)
class _Answer:
    geometry: str
    matrix: Floats
    meshes: tuple[Mesh, ...] | None
    """None when the same geometry was sent before in this batch."""


def tessellate(
    path: Path, products: Iterable[int], progress: Progress, crew: Crew
) -> Iterator[tuple[int, KernelShape | Failure]]:
    """The shape of every product, or why it has none, by STEP id, in no particular order."""
    # Batches do not depend on who works, and each keeps the meshes it made.
    batches = _batches(sorted(products))
    batch_of = {item: number for number, batch in enumerate(batches) for item in batch}
    known: dict[tuple[int, str], tuple[Mesh, ...]] = {}
    answers = work.stream(make_task, (str(path.resolve()),), batches, crew=crew, progress=progress)
    total = sum(len(batch) for batch in batches)
    progress(0, total, "geometry")
    for done, (item, answer) in enumerate(answers, start=1):
        progress(done, total, "geometry")
        if isinstance(answer, Failure):
            yield int(item), answer
            continue
        key = (batch_of[item], answer.geometry)
        if answer.meshes is not None:
            known.setdefault(key, answer.meshes)
        yield int(item), KernelShape(answer.matrix, known[key])


def _batches(products: Sequence[int]) -> list[list[str]]:
    size = min(2000, max(32, len(products) // 64))
    names = [str(product) for product in products]
    return [names[i : i + size] for i in range(0, len(names), size)]


def make_task(path: str) -> work.Task:
    """Open the file in this process and return what tessellates a batch of its STEP ids."""
    model = ifcopenshell.open(path)
    assert isinstance(model, ifcopenshell.file)
    settings = _geom.settings()

    def answer(shape: Any, sent: set[str]) -> _Answer | Failure:
        geometry = shape.geometry
        meshes = None
        if geometry.id not in sent:
            meshes = _meshes(geometry)
            if not meshes:
                return Refusal(NO_AREA)
            sent.add(geometry.id)
        matrix = np.array(shape.transformation.matrix, np.float64).reshape(4, 4).T
        return _Answer(geometry.id, matrix, meshes)

    def task(batch: Sequence[str]) -> Iterator[tuple[str, _Answer | Failure]]:
        elements: list[Any] = [model.by_id(int(item)) for item in batch]
        answered: set[str] = set()
        sent: set[str] = set()
        iterator = _geom.iterator(settings, model, 1, include=elements, geometry_library=KERNELS[0])
        more = iterator.initialize()
        while more:
            shape = iterator.get()
            if len(shape.geometry.faces) and str(shape.id) not in answered:
                answered.add(str(shape.id))
                yield str(shape.id), answer(shape, sent)
            more = iterator.next()
        for element in elements:
            item = str(element.id())
            if item not in answered:
                shape = _alone(settings, element)
                yield item, shape if isinstance(shape, Failure) else answer(shape, sent)

    return task


def _alone(settings: Any, element: entity_instance) -> Any:
    """Try an element by itself, with each kernel in turn."""
    kinds = {str(r.RepresentationType) for r in element.Representation.Representations or ()}
    if kinds and all(
        kind.startswith(("Annotation", "Curve", "GeometricCurve", "Point")) for kind in kinds
    ):
        return Refusal(f"it has no 3D body, only {', '.join(sorted(kinds))}")
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
    return Refusal(reason)


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
    # The kernel's name for a style is a STEP id, which the next export changes.
    return Material("", (red, green, blue, round(max(0.05, opacity), 4)))


def _linear(channel: float) -> float:
    """IFC colours are display values (sRGB); glTF wants linear ones."""
    value = channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
    return round(value, 5)
