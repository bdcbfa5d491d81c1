"""Features as mesh files that CAD and modelling programs open: GLB, OBJ with MTL, PLY.

The door of trimesh, which packs the GLB. OBJ and PLY are written here, because trimesh splits an
element of two materials into two objects, rounds PLY to single precision and writes no comments.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cim_core import __version__
from cim_core.bodies import Body, bodies
from cim_core.errors import InvalidInput
from cim_core.feature import Feature, Instance, Value
from cim_core.frame import Frame, Projection
from cim_core.layer import Features, Layer
from cim_core.mesh import Floats, Material, Mesh

MeshFormat = Literal["glb", "obj", "ply"]

_Y_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""East, north, up to the axes of glTF."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a file is to hold.

    content
        Features and their meshes, in metres from `origin`.
    origin
        (3,) float64, added to every coordinate where a format has the digits for it.
    about
        What the file says of itself: layer, version, coordinates.
    """

    content: Features
    origin: Floats
    about: Mapping[str, Value]


def local_scene(layer: Layer, about: Mapping[str, Value], system: Projection | None) -> Scene:
    """A layer in its own frame: metres east, north and up of the frame's anchor.

    Where `system` is given, `about` tells also where that anchor lies in it.
    """
    frame = layer.frame
    said: dict[str, Value] = {
        **about,
        "axes": "x east, y north, z up, metres from the origin",
        "origin": {"lon": frame.lon, "lat": frame.lat, "ellipsoidal_height": frame.height},
    }
    if system is not None:
        said["origin_in_crs"] = _anchor_in(frame, system)
    return Scene(layer.placed, np.zeros(3), said)


def projected_scene(layer: Layer, about: Mapping[str, Value], system: Projection) -> Scene:
    """A layer in a projected system: easting, northing and height above the city's datum, metres.

    Raises `InvalidInput` where the system is not made for the layer's place, or is not in metres.
    """
    if system.unit != 1.0:
        raise InvalidInput(
            f"the reference system {system.name!r} does not count in metres; give one that does, "
            "such as EPSG:4547"
        )
    if not system.covers(layer.frame.lon, layer.frame.lat):
        raise InvalidInput(
            f"the layer {layer.id!r} lies outside the area of {system.name!r}; give the system "
            "of its place"
        )
    found = list(bodies(layer.placed))
    points = np.vstack([np.empty((0, 3)), *(body.positions for body in found)])
    points = system.from_geographic(layer.frame.to_geographic(points)) if len(points) else points
    origin = np.floor(points.min(axis=0)) if len(points) else np.zeros(3)
    ends = np.cumsum([len(body.positions) for body in found])[:-1]
    parts: list[Floats] = np.split(points - origin, ends)
    meshes = {
        str(number): Mesh(part, body.triangles, body.material)
        for number, (body, part) in enumerate(zip(found, parts, strict=False))
    }
    said: dict[str, Value] = {
        **about,
        "axes": "x easting, y northing, z height above the city's vertical datum, metres",
        "crs": system.name,
        "origin": [float(value) for value in origin],
    }
    return Scene(Features(_again(found), meshes), origin, said)


def _again(found: Iterable[Body]) -> tuple[Feature, ...]:
    """The features of bodies, each body a mesh of its own at its place."""
    placed: dict[str, tuple[Feature, tuple[Instance, ...]]] = {}
    for number, body in enumerate(found):
        feature, instances = placed.get(body.feature.id, (body.feature, ()))
        placed[feature.id] = feature, (*instances, Instance(str(number), np.eye(4)))
    return tuple(
        Feature(item.id, item.feature_class, item.name, instances=instances)
        for item, instances in placed.values()
    )


def _anchor_in(frame: Frame, system: Projection) -> Value:
    ends = frame.to_geographic(np.array([[0.0, 0.0, 0.0], [0.0, 100.0, 0.0]]))
    origin, north = system.from_geographic(ends)
    east, up = (north - origin)[:2]
    return {
        "crs": system.name,
        "easting": round(float(origin[0]), 4),
        "northing": round(float(origin[1]), 4),
        "height": round(float(origin[2]), 4),
        "bearing_of_y": round(math.degrees(math.atan2(east, up)), 6),
    }


def write_glb(scene: Scene) -> bytes:
    """The scene as GLB: a node for each placement, named by its element; meshes stand once.

    Vertices are single precision, from the scene's origin; nodes carry `id`, `class` and `name`.
    """
    import trimesh  # noqa: PLC0415 – takes half a second, and only this needs it

    materials = _materials(scene.content)
    number = {material: index for index, material in enumerate(materials)}
    packed = trimesh.Scene()
    owners: list[Feature] = []
    for feature in scene.content.features:
        for instance in feature.instances:
            mesh = scene.content.meshes[instance.mesh_key]
            if len(mesh.triangles) == 0:
                continue
            if instance.mesh_key not in packed.geometry:
                packed.geometry[instance.mesh_key] = trimesh.Trimesh(
                    mesh.positions @ _Y_UP.T, mesh.triangles, process=False,
                    metadata={"material": number[mesh.material]},
                )  # fmt: skip
            matrix = np.eye(4)
            matrix[:3, :3] = _Y_UP @ instance.transform[:3, :3] @ _Y_UP.T
            matrix[:3, 3] = _Y_UP @ instance.transform[:3, 3]
            packed.graph.update(
                frame_to=str(len(owners)), geometry=instance.mesh_key, matrix=matrix
            )
            owners.append(feature)

    def finish(tree: dict[str, Any]) -> None:
        # trimesh rounds colours to bytes and needs node names to be unique; glTF does neither.
        tree["asset"]["generator"] = _GENERATOR
        tree["asset"]["extras"] = dict(scene.about)
        tree["materials"] = [_gltf_material(material) for material in materials]
        for mesh in tree["meshes"]:
            mesh["primitives"][0]["material"] = mesh.pop("extras")["material"]
        for node, feature in zip(tree["nodes"], owners, strict=True):
            node["name"] = feature.id
            node["extras"] = {
                "id": feature.id, "class": feature.feature_class, "name": feature.name,
            }  # fmt: skip

    return bytes(packed.export(file_type="glb", tree_postprocessor=finish))


_GENERATOR = f"CIM Twin {__version__}"


def _materials(content: Features) -> list[Material]:
    return list(dict.fromkeys(body.material for body in bodies(content)))


def _gltf_material(material: Material) -> dict[str, Any]:
    return {
        "name": material.name,
        "doubleSided": True,
        "pbrMetallicRoughness": {
            "baseColorFactor": list(material.color), "metallicFactor": 0.0, "roughnessFactor": 0.9,
        },
        **({"alphaMode": "BLEND"} if material.color[3] < 1 else {}),
    }  # fmt: skip


def write_obj(scene: Scene, stem: str) -> dict[str, bytes]:
    """The scene as `<stem>.obj`, an object for each element, and `<stem>.mtl` with its materials.

    Coordinates have six decimals, z is up. Colours are those a screen shows.
    """
    names = _material_names(_materials(scene.content))
    lines = [*(f"# {line}" for line in _comments(scene)), f"mtllib {stem}.mtl"]
    owner, count = None, 1
    for body in bodies(scene.content):
        if body.feature is not owner:
            owner = body.feature
            lines.append(f"# {_line(f'{owner.feature_class} {owner.name}')}\no {_line(owner.id)}")
        lines.append(f"usemtl {names[body.material]}")
        positions = (body.positions + scene.origin).tolist()
        lines += ["v %.6f %.6f %.6f" % tuple(point) for point in positions]  # noqa: UP031 – thrice as fast
        triangles = (body.triangles.astype(np.int64) + count).tolist()
        lines += ["f %d %d %d" % tuple(triangle) for triangle in triangles]  # noqa: UP031
        count += len(positions)
    library = [f"# {_GENERATOR}", *(_mtl(name, item) for item, name in names.items())]
    return {f"{stem}.obj": _encoded(lines), f"{stem}.mtl": _encoded(library)}


def _material_names(materials: Iterable[Material]) -> dict[Material, str]:
    """A name without spaces for each material, none twice."""
    names: dict[Material, str] = {}
    for material in materials:
        name = wanted = "_".join(material.name.split()) or "material"
        number = 2
        while name in names.values():
            name, number = f"{wanted}_{number}", number + 1
        names[material] = name
    return names


def _mtl(name: str, material: Material) -> str:
    red, green, blue = (f"{channel / 255:.6f}" for channel in material.srgb())
    return f"\nnewmtl {name}\nKd {red} {green} {blue}\nd {material.color[3]:g}\nillum 1"


def write_ply(scene: Scene) -> bytes:
    """The scene as binary PLY: double precision, colours by vertex, the element's number by face.

    The comment `element N id class name` says what the number N of a face stands for.
    """
    found = list(bodies(scene.content))
    elements = {body.feature.id: body.feature for body in found}
    number = {feature_id: index for index, feature_id in enumerate(elements)}
    starts = np.cumsum([0, *(len(body.positions) for body in found)])
    vertices = np.empty(starts[-1], [("xyz", "<f8", 3), ("rgba", "u1", 4)])
    faces = np.empty(
        sum(len(body.triangles) for body in found),
        [("count", "u1"), ("corners", "<i4", 3), ("element", "<i4")],
    )
    faces["count"] = 3
    done = 0
    for body, start in zip(found, starts, strict=False):
        part = slice(start, start + len(body.positions))
        vertices["xyz"][part] = body.positions + scene.origin
        vertices["rgba"][part] = *body.material.srgb(), round(255 * body.material.color[3])
        part = slice(done, done := done + len(body.triangles))
        faces["corners"][part] = body.triangles + start
        faces["element"][part] = number[body.feature.id]
    head = [
        "ply", "format binary_little_endian 1.0",
        *(f"comment {line}" for line in _comments(scene)),
        *(
            f"comment element {index} {_line(f'{item.id} {item.feature_class} {item.name}')}"
            for index, item in enumerate(elements.values())
        ),
        f"element vertex {len(vertices)}",
        *(f"property double {axis}" for axis in "xyz"),
        *(f"property uchar {channel}" for channel in ("red", "green", "blue", "alpha")),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices", "property int element", "end_header",
    ]  # fmt: skip
    return _encoded(head) + vertices.tobytes() + faces.tobytes()


def _comments(scene: Scene) -> list[str]:
    said = (f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in scene.about.items())
    return [_GENERATOR, *said]


def _line(text: str) -> str:
    """Text that stays on its line."""
    return " ".join(text.split())


def _encoded(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
