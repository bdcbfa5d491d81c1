"""From the products of a file to their shapes: known ones are taken over, others tessellated."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ifcopenshell
import ifcopenshell.util.unit
import numpy as np
from ifcopenshell import entity_instance

from bim_import.ifc_geometry import NO_AREA, KernelAnswers, Refusal, tessellate
from bim_import.ifc_mapped import unbaked
from bim_import.ifc_plan import Plan, maker
from cim_core.canonical import canonical
from cim_core.layer import Source
from cim_core.mesh import Floats, Mesh
from cim_core.progress import Progress
from cim_core.tessellations import Effort, Shape, Tessellations
from cim_core.work import Failure

_log = logging.getLogger(__name__)

_SAME_PLACE = 1e-6
"""Metres, or so much of the largest coordinate: the kernel's placements differ from ours by less."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """The shapes of a file's products by STEP id, and why others have none.

    placed
        Shapes with (4, 4) matrices from their meshes to the model, metres.
    meshes
        Their meshes by key.
    tessellations
        What the next version may take over.
    effort
        A product counts as tessellated when the kernel was asked for it or one of its content.
    """

    placed: dict[int, Shape]
    failures: dict[int, str]
    meshes: Mapping[str, Mesh]
    tessellations: Tessellations
    effort: Effort


@dataclass(frozen=True, slots=True)
class _Made:
    """A shape in the coordinates of the product it was made for, and where that stands (4, 4)."""

    shape: Shape
    place: Floats


_Answers = dict[int, _Made | Failure]


def find_shapes(
    plan: Plan,
    leaders: KernelAnswers,
    source: Source,
    model: ifcopenshell.file,
    products: Sequence[entity_instance],
    progress: Progress,
) -> Shapes:
    """The shape of every product, from those of the plan's leaders where the plan is right.

    Products of one content share their meshes.
    """
    unit = ifcopenshell.util.unit.calculate_unit_scale(model)

    def made(answers: KernelAnswers) -> tuple[_Answers, dict[str, Mesh]]:
        solid = {step: a for step, a in answers.items() if not isinstance(a, Failure)}
        bodies = [unbaked(model.by_id(step), unit, a.meshes) for step, a in solid.items()]
        found: _Answers = {step: a for step, a in answers.items() if isinstance(a, Failure)}
        meshes: dict[str, Mesh] = {}
        parts = canonical([body for _, body in bodies])
        for (step, answer), (target, _), (corner, body) in zip(
            solid.items(), bodies, parts, strict=True
        ):
            keys = tuple(mesh.key() for mesh in body)
            meshes.update(zip(keys, body, strict=True))
            shape = Shape(keys, target @ _moved_by(corner))
            found[step] = _Made(shape, answer.matrix) if keys else Refusal(NO_AREA)
        return found, meshes

    if plan.contents and plan.agrees_with(model, products):
        answers, meshes = made(leaders)
        bases = {step: _in_metres(place, unit) for step, place in plan.placements.items()}
        if all(_stands_at(answers[step], bases[step]) for step in plan.leaders.values()):
            return _by_content(plan, bases, answers, {**plan.known.meshes, **meshes})
    if plan.contents:
        _log.info("%s is tessellated whole: its text is not what it seems", source.filename)
    every = (product.id() for product in products)
    answers, meshes = made(dict(tessellate(source.path, every, progress, source.crew)))
    placed = {
        step: Shape(a.shape.keys, a.place @ a.shape.matrix)
        for step, a in answers.items()
        if isinstance(a, _Made)
    }
    failures = {step: a.reason for step, a in answers.items() if isinstance(a, Failure)}
    return Shapes(placed, failures, meshes, Tessellations(), Effort(0, len(products)))


def _by_content(
    plan: Plan, bases: Mapping[int, Floats | None], answers: _Answers, meshes: Mapping[str, Mesh]
) -> Shapes:
    """The shapes of all products from those of their contents, new and known."""
    shapes, refusals = {**plan.known.shapes}, {**plan.known.refusals}
    accidents: dict[str, str] = {}
    for content, step in plan.leaders.items():
        answer = answers[step]
        if isinstance(answer, _Made):
            # Where only the kernel knows the placement, it is part of the content.
            outer = np.eye(4) if bases[step] is not None else answer.place
            shapes[content] = Shape(answer.shape.keys, outer @ answer.shape.matrix)
        elif isinstance(answer, Refusal):
            refusals[content] = answer.reason
        else:
            accidents[content] = answer.reason
    placed: dict[int, Shape] = {}
    failures: dict[int, str] = {}
    for step, content in plan.contents.items():
        if content in shapes:
            shape, base = shapes[content], bases[step]
            matrix = shape.matrix if base is None else base @ shape.matrix
            placed[step] = Shape(shape.keys, matrix)
        else:
            failures[step] = refusals.get(content) or accidents[content]
    now = set(plan.contents.values())
    kept = {content: shape for content, shape in shapes.items() if content in now}
    keys = {key for shape in kept.values() for key in shape.keys}
    meshes = {key: mesh for key, mesh in meshes.items() if key in keys}
    tessellations = Tessellations(
        maker(), kept, {c: reason for c, reason in refusals.items() if c in now}, meshes
    )
    asked = sum(content in plan.leaders for content in plan.contents.values())
    effort = Effort(len(plan.contents) - asked, asked)
    return Shapes(placed, failures, meshes, tessellations, effort)


def _moved_by(offset: Floats) -> Floats:
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    return matrix


def _in_metres(place: Floats | None, unit: float) -> Floats | None:
    if place is None:
        return None
    scaled = place.copy()
    scaled[:3, 3] *= unit
    return scaled


def _stands_at(answer: _Made | Failure, base: Floats | None) -> bool:
    """Whether the kernel puts a product where its placement does, as far as either says."""
    if base is None or isinstance(answer, Failure):
        return True
    return bool(np.abs(answer.place - base).max() <= _SAME_PLACE * max(1.0, np.abs(base).max()))
