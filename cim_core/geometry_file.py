"""The geometry of a version on disk, so that tiling again never reads the source again."""

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any
from zipfile import BadZipFile

import numpy as np

from cim_core.feature import Feature, Instance
from cim_core.files import write_whole
from cim_core.mesh import Floats, Indices, Material, Mesh
from cim_core.tessellations import Shape, Tessellations

Geometry = tuple[dict[str, tuple[Instance, ...]], dict[str, Mesh]]

UNREADABLE = (OSError, ValueError, KeyError, BadZipFile)
"""What loading a lost or damaged file raises."""

_NOTHING = Tessellations()

_READING = Lock()
"""numpy reads the heads of arrays by parsing Python, which Python 3.11 may not do in two threads at
once (CPython issue 106905)."""


def save_geometry(
    path: Path,
    features: tuple[Feature, ...],
    meshes: Mapping[str, Mesh],
    tessellations: Tessellations = _NOTHING,
) -> None:
    """Write meshes once, every placement of them, and what the next version may take over.

    `path` appears whole or not at all.
    """
    every = {**meshes, **tessellations.meshes}
    keys = sorted(every)
    number = {key: index for index, key in enumerate(keys)}
    placed = [(row, item) for row, f in enumerate(features) for item in f.instances]
    shapes = tessellations.shapes.values()
    materials = sorted({every[key].material for key in keys}, key=lambda m: (m.name, m.color))
    material_number = {material: index for index, material in enumerate(materials)}
    head = {
        "features": [feature.id for feature in features],
        "meshes": keys,
        "materials": [[material.name, list(material.color)] for material in materials],
        "maker": tessellations.maker,
        "contents": list(tessellations.shapes),
        "refusals": dict(tessellations.refusals),
    }
    positions = [every[key].positions for key in keys]
    triangles = [every[key].triangles for key in keys]
    write_whole(
        path,
        lambda file: np.savez(
            file,
            head=np.frombuffer(json.dumps(head, ensure_ascii=False).encode(), np.uint8),
            positions=np.vstack([np.empty((0, 3)), *positions]),
            position_ends=np.cumsum([len(p) for p in positions], dtype=np.int64),
            triangles=np.vstack([np.empty((0, 3), np.uint32), *triangles]),
            triangle_ends=np.cumsum([len(t) for t in triangles], dtype=np.int64),
            mesh_material=np.array([material_number[every[k].material] for k in keys], np.int64),
            placed_feature=np.array([row for row, _ in placed], np.int64),
            placed_mesh=np.array([number[item.mesh_key] for _, item in placed], np.int64),
            transforms=np.array([item.transform for _, item in placed]).reshape(-1, 4, 4),
            shape_ends=np.cumsum([len(shape.keys) for shape in shapes], dtype=np.int64),
            shape_meshes=np.array([number[k] for s in shapes for k in s.keys], np.int64),
            shape_matrices=np.array([shape.matrix for shape in shapes]).reshape(-1, 4, 4),
        ),
    )


def load_geometry(path: Path) -> Geometry:
    """Read what `save_geometry` wrote: instances by feature id, the meshes they place by key."""
    with _READING, path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        head = json.loads(data["head"].tobytes())
        meshes = _meshes(data, head)
        instances: dict[str, tuple[Instance, ...]] = {}
        rows = zip(data["placed_feature"], data["placed_mesh"], data["transforms"], strict=True)
        for feature, mesh, transform in rows:
            feature_id = head["features"][int(feature)]
            instance = Instance(head["meshes"][int(mesh)], transform)
            instances[feature_id] = (*instances.get(feature_id, ()), instance)
    used = {instance.mesh_key for placed in instances.values() for instance in placed}
    return instances, {key: mesh for key, mesh in meshes.items() if key in used}


def load_tessellations(path: Path) -> Tessellations:
    """Read the tessellations that `save_geometry` wrote; none where it wrote none."""
    with _READING, path.open("rb") as file, np.load(file, allow_pickle=False) as data:
        head = json.loads(data["head"].tobytes())
        if not head.get("maker"):  # by an importer that takes nothing over, or by version 0.1
            return Tessellations()
        meshes = _meshes(data, head)
        ends = data["shape_ends"]
        members = np.split(data["shape_meshes"], ends[:-1]) if len(ends) else []
        shapes = {
            content: Shape(tuple(head["meshes"][number] for number in numbers.tolist()), matrix)
            for content, numbers, matrix in zip(
                head["contents"], members, data["shape_matrices"], strict=True
            )
        }
    used = {key for shape in shapes.values() for key in shape.keys}
    return Tessellations(
        head["maker"], shapes, head["refusals"], {k: m for k, m in meshes.items() if k in used}
    )


def _meshes(data: Mapping[str, Any], head: Mapping[str, Any]) -> dict[str, Mesh]:
    if not head["meshes"]:
        return {}
    materials = [Material(name, tuple(color)) for name, color in head["materials"]]
    positions: list[Floats] = np.split(data["positions"], data["position_ends"][:-1])
    triangles: list[Indices] = np.split(data["triangles"], data["triangle_ends"][:-1])
    numbers = data["mesh_material"].tolist()
    return {
        key: Mesh(positions[i], triangles[i], materials[numbers[i]])
        for i, key in enumerate(head["meshes"])
    }
