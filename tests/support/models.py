"""Layers made of simple things, for the tiler."""

from math import cos, sin

import numpy as np
import shapely
import trimesh

from cim_core.feature import Feature, Instance
from cim_core.frame import Frame
from cim_core.importers.extrusion import extruded
from cim_core.layer import Features, Georeference, Layer
from cim_core.mesh import Material, Mesh
from cim_core.progress import Progress

GREY = (0.5, 0.5, 0.5, 1.0)


def mesh_of(shape: trimesh.Trimesh, color: tuple[float, ...] = GREY) -> Mesh:
    """A trimesh body as a mesh."""
    return Mesh(
        np.array(shape.vertices, np.float64), np.array(shape.faces, np.uint32), Material("", color)
    )


def moved(x: float, y: float, z: float, heading: float = 0.0) -> np.ndarray:
    """A matrix that turns about the vertical, then moves."""
    matrix = np.eye(4)
    matrix[:2, :2] = [[cos(heading), -sin(heading)], [sin(heading), cos(heading)]]
    matrix[:3, 3] = x, y, z
    return matrix


def layer_of(features: list[Feature], meshes: dict[str, Mesh]) -> Layer:
    """A layer near Huangpu."""
    return Layer(
        "model", "Model", Frame(113.46, 23.1, 0.0), Features(tuple(features), meshes),
        Georeference("user", None, {}), ("storey", "type"),
    )  # fmt: skip


def railway(sleepers: int) -> Layer:
    """A curved track: one sleeper of 256 triangles, many times."""
    meshes = {"sleeper": mesh_of(trimesh.creation.cylinder(0.12, 2.6, sections=64))}
    features = []
    for i in range(sleepers):
        angle = i * 0.6 / 3000
        place = moved(3000 * sin(angle), 3000 * (1 - cos(angle)), 0.0, angle)
        features.append(
            Feature(
                f"2O2Fr$t4X7Zf8NOew{i:05d}", "IfcBuildingElementProxy", f"Sleeper {i}", None,
                {"storey": "track"}, (), (Instance("sleeper", place),),
            )
        )  # fmt: skip
    return layer_of(features, meshes)


def town(elements: int, blocks: int = 50, kinds: int = 3000) -> Layer:
    """Buildings of panels, windows and columns, of many slightly different sizes; seeded."""
    rng = np.random.default_rng(2026)
    bodies = [
        trimesh.creation.box((3, 0.2, 3)), trimesh.creation.box((1.2, 0.1, 1.5)),
        trimesh.creation.cylinder(0.15, 3, sections=16), trimesh.creation.box((0.3, 0.3, 3)),
    ]  # fmt: skip
    meshes = {}
    for kind in range(kinds):
        body = bodies[kind % 4].copy()
        body.vertices *= 1 + rng.random(3) * 0.3
        meshes[f"m{kind}"] = mesh_of(body, (*np.round(rng.random(3), 2).tolist(), 1.0))
    features = []
    per_block = elements // blocks
    for i in range(elements):
        block, number = divmod(i, per_block)
        floor, along = divmod(number, 100)
        t = along / 60 * 100
        if along >= 60:
            x, y = rng.random(2) * [28, 18] + 1
        else:
            x, y = (t, 0) if t < 30 else (30, t - 30) if t < 50 else (80 - t, 20) if t < 80 else (0, 100 - t)  # fmt: skip
        turned = along < 60 and (30 <= t < 50 or t >= 80)
        place = moved(
            block % 10 * 60 + x, block // 10 * 80 + y, floor * 3, np.pi / 2 if turned else 0
        )
        identity = "".join(rng.choice(list("0123456789ABCDEFGHabcdefgh_$"), 20))
        features.append(
            Feature(
                f"{i:06d}{identity}", "IfcWall", f"Wall {i}", None,
                {"storey": f"s{floor}", "type": "t"}, (),
                (Instance(f"m{rng.integers(kinds)}", place),),
            )
        )  # fmt: skip
    return layer_of(features, meshes)


def buildings(count: int, spacing: float = 45.0) -> Layer:
    """Blocks over footprints of four or six corners, each of its own size and turn; seeded."""
    rng = np.random.default_rng(2026)
    side = int(np.ceil(np.sqrt(count)))
    sizes = rng.uniform(8, 30, (count, 2))
    shapes = shapely.box(*(-sizes / 2).T, *(sizes / 2).T)
    notch = shapely.box(0.0, sizes[:, 1] * 0.1, 99.0, 99.0)
    shapes[1::2] = shapely.difference(shapes[1::2], notch[1::2])
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    turn = rng.uniform(0, np.pi, count)[owner]
    x, y = points.T
    places = (np.column_stack([np.arange(count) % side, np.arange(count) // side]) - side / 2) * spacing  # fmt: skip
    turned = np.column_stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)])  # fmt: skip
    shapes = shapely.set_coordinates(shapes, turned + places[owner])
    heights = rng.uniform(3, 60, count).round(1)
    wall, roof = Material("wall", (0.7, 0.65, 0.6, 1.0)), Material("roof", (0.45, 0.15, 0.1, 1.0))
    found = extruded(shapes, np.zeros(count), heights, lambda p: p, wall, roof, Progress())
    meshes, features = {}, []
    for number, block in enumerate(found):
        keys = [f"{number}-{part}" for part in range(2)]
        meshes |= dict(zip(keys, block.meshes, strict=True))
        features.append(
            Feature(
                f"b{number:06d}", "Building", f"Building {number}", None,
                {"storey": None, "type": f"u{number % 7}"}, (),
                tuple(Instance(key, moved(*block.origin)) for key in keys),
            )
        )  # fmt: skip
    return layer_of(features, meshes)
