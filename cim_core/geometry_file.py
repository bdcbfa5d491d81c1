"""The geometry of a version on disk, so that tiling again never reads the source again."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cim_core.feature import Feature, Instance
from cim_core.files import write_whole
from cim_core.mesh import Floats, Indices, Material, Mesh

Geometry = tuple[dict[str, tuple[Instance, ...]], dict[str, Mesh]]


def save_geometry(path: Path, features: tuple[Feature, ...], meshes: Mapping[str, Mesh]) -> None:
    """Write meshes once and every placement of them; `path` appears whole or not at all."""
    keys = sorted(meshes)
    number = {key: index for index, key in enumerate(keys)}
    placed = [(row, item) for row, f in enumerate(features) for item in f.instances]
    materials = sorted({meshes[key].material for key in keys}, key=lambda m: (m.name, m.color))
    material_number = {material: index for index, material in enumerate(materials)}
    head = {
        "features": [feature.id for feature in features],
        "meshes": keys,
        "materials": [[material.name, list(material.color)] for material in materials],
    }
    positions = [meshes[key].positions for key in keys]
    triangles = [meshes[key].triangles for key in keys]
    write_whole(
        path,
        lambda file: np.savez(
            file,
            head=np.frombuffer(json.dumps(head, ensure_ascii=False).encode(), np.uint8),
            positions=np.vstack([np.empty((0, 3)), *positions]),
            position_ends=np.cumsum([len(p) for p in positions], dtype=np.int64),
            triangles=np.vstack([np.empty((0, 3), np.uint32), *triangles]),
            triangle_ends=np.cumsum([len(t) for t in triangles], dtype=np.int64),
            mesh_material=np.array([material_number[meshes[k].material] for k in keys], np.int64),
            placed_feature=np.array([row for row, _ in placed], np.int64),
            placed_mesh=np.array([number[item.mesh_key] for _, item in placed], np.int64),
            transforms=np.array([item.transform for _, item in placed]).reshape(-1, 4, 4),
        ),
    )


def load_geometry(path: Path) -> Geometry:
    """Read what `save_geometry` wrote: instances by feature id, meshes by key."""
    with np.load(path, allow_pickle=False) as data:
        head = json.loads(data["head"].tobytes())
        materials = [Material(name, tuple(color)) for name, color in head["materials"]]
        positions: list[Floats] = np.split(data["positions"], data["position_ends"][:-1])
        triangles: list[Indices] = np.split(data["triangles"], data["triangle_ends"][:-1])
        meshes = {
            key: Mesh(positions[i], triangles[i], materials[int(data["mesh_material"][i])])
            for i, key in enumerate(head["meshes"])
        } if head["meshes"] else {}  # fmt: skip
        instances: dict[str, tuple[Instance, ...]] = {}
        rows = zip(data["placed_feature"], data["placed_mesh"], data["transforms"], strict=True)
        for feature, mesh, transform in rows:
            feature_id = head["features"][int(feature)]
            instance = Instance(head["meshes"][int(mesh)], transform)
            instances[feature_id] = (*instances.get(feature_id, ()), instance)
    return instances, meshes
