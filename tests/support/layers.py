"""Layers whose every area is known, made without a file."""

from collections.abc import Sequence

import numpy as np

from cim_core.city import City
from cim_core.feature import Feature, Instance
from cim_core.frame import Frame
from cim_core.layer import ClassStyle, Features, Georeference, Layer
from cim_core.mesh import PLAIN, Material, Mesh
from cim_core.progress import Progress
from cim_core.receipt import write_receipt

GUANGZHOU = Frame(113.46, 23.10, 16.0)
RED = Material("red paint", (0.6, 0.1, 0.05, 1.0))
GLASS = Material("玻璃 glass", (0.2, 0.5, 0.9, 0.25))


def box(
    size: Sequence[float] = (1, 1, 1), at: Sequence[float] = (0, 0, 0), material: Material = PLAIN
) -> Mesh:
    """A closed box with its lower corner at `at`, its triangles counter-clockwise from outside."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float64)
    squares = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [t for a, b, c, d in squares for t in ((a, b, c), (a, c, d))]
    return Mesh(corners * size + at, np.array(triangles, np.uint32), material)


def inside_out(mesh: Mesh) -> Mesh:
    """The same surface seen from within."""
    return Mesh(mesh.positions, mesh.triangles[:, ::-1], mesh.material)


def joined(*meshes: Mesh) -> Mesh:
    """Several surfaces as one mesh."""
    starts = np.cumsum([0, *(len(mesh.positions) for mesh in meshes)])
    return Mesh(
        np.vstack([mesh.positions for mesh in meshes]),
        np.vstack([m.triangles + s for m, s in zip(meshes, starts, strict=False)]).astype(
            np.uint32
        ),
        meshes[0].material,
    )


def moved(by: Sequence[float] = (0, 0, 0), mirrored: bool = False) -> np.ndarray:
    """A transform that moves, and turns left and right around first if asked."""
    matrix = np.eye(4)
    matrix[:3, 3] = by
    if mirrored:
        matrix[0, 0] = -1
    return matrix


def layer_of(
    things: dict[str, Sequence[Mesh | tuple[Mesh, np.ndarray]]],
    classes: dict[str, str] | None = None,
    frame: Frame = GUANGZHOU,
    layer_id: str = "boxes",
    hidden: Sequence[str] = (),
    storeys: dict[str, str] | None = None,
) -> Layer:
    """A layer of features by id, each of meshes at their place or with a transform.

    `storeys` names the storey of a feature; the storeys are features without geometry.
    """
    classes = classes or {}
    meshes: dict[str, Mesh] = {}
    features = []
    for feature_id, parts in things.items():
        instances = []
        for part in parts:
            mesh, transform = part if isinstance(part, tuple) else (part, np.eye(4))
            meshes[mesh.key()] = mesh
            instances.append(Instance(mesh.key(), transform))
        storey = (storeys or {}).get(feature_id)
        features.append(
            Feature(
                feature_id, classes.get(feature_id, "IfcWall"), f"名称 {feature_id}", storey,
                {"storey": storey} if storey else {}, instances=tuple(instances),
            )
        )  # fmt: skip
    features += [
        Feature(storey, "IfcBuildingStorey", f"层 {storey}", attributes={"elevation": 0.0})
        for storey in sorted(set((storeys or {}).values()))
    ]
    styles = {
        feature.feature_class: ClassStyle(
            {"en": "x", "zh": "某"}, "#888888", feature.feature_class not in hidden
        )
        for feature in features
    }
    return Layer(
        layer_id, "方盒 Boxes", frame, Features(tuple(features), meshes),
        Georeference("anchor", None, {"en": "", "zh": ""}), class_styles=styles,
    )  # fmt: skip


def publish(city: City, layer: Layer) -> None:
    """Make a layer a new version of a city's, without tiles."""
    with city.draft(layer.id, layer.title, Progress()) as draft:
        draft.save(layer, city.settings.geoid_separation, Progress())
        receipt = write_receipt("import", (), {"layer": layer.id}, {"version": draft.version})
        draft.publish(layer, {"bytes": 0, "tiles": 0, "triangles": 0}, receipt)
