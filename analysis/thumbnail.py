"""A small picture of a layer made of bodies or outlines, painted by VTK in a process of its own.

VTK may end its process where there is no OpenGL.
"""

import io
import os
import subprocess
import sys
from collections.abc import Mapping

import numpy as np
import shapely

from cim_core.city import City
from cim_core.errors import MissingDependency
from cim_core.layer import ClassStyle, Layer
from cim_core.mesh import transformed
from cim_core.store.features import Query
from cim_core.store.layers import LayerVersion
from cim_core.vicinity import laid_flat

WIDTH, HEIGHT = 320, 200
_SECONDS = 120.0
_TRIANGLES = 400_000
_OUTLINES = 20_000
"""What is drawn of a larger layer are its first elements."""

_UPRIGHT = [(0.0, 0.0, 1.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0)]
_ASLANT = [(-1.0, -1.4, 1.1), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)]
"""Where the camera stands, what it looks at, and where up is."""

Scene = dict[str, np.ndarray]


def thumbnail_png(city: City, version: LayerVersion) -> bytes:
    """The layer seen from the south-west above, or its outlines from above, 320 × 200 pixels.

    Raises `MissingDependency` where this machine cannot paint.
    """
    scene = io.BytesIO()
    np.savez(scene, allow_pickle=False, **_scene(city, version))
    done = subprocess.run(
        [sys.executable, "-c", "from analysis.thumbnail import main; main()"],
        input=scene.getvalue(), capture_output=True, timeout=_SECONDS, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip
    if done.returncode < 0:
        raise MissingDependency(
            "this machine cannot paint pictures of layers (VTK found no OpenGL); install libegl1 "
            "and libgl1-mesa-dri"
        )
    if done.returncode > 0:
        raise RuntimeError(f"the painter failed: {done.stderr.decode(errors='replace')}")
    return done.stdout


def _scene(city: City, version: LayerVersion) -> Scene:
    if version.summary.get("kind", "model") == "model":
        return _bodies(city.select(version, Query()))
    rows = city.features.find(version.layer, version.version, Query(), after=None, limit=_OUTLINES)
    colors = {name: style["color"] for name, style in version.summary["classes"].items()}
    kinds = [row.feature.feature_class for row in rows]
    shapes = np.array([row.footprint for row in rows], object)
    return _outlines(shapes, [_rgb(colors[kind]) for kind in kinds])


def _rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue


def _bodies(layer: Layer) -> Scene:
    """The visible bodies of a layer: points in metres, triangles and their colours."""
    points, triangles, colors = [np.empty((0, 3))], [np.empty((0, 3), np.int64)], []
    corners = drawn = 0
    for feature in layer.features:
        if not _shown(layer.class_styles, feature.feature_class):
            continue
        for instance in feature.instances:
            mesh = layer.meshes[instance.mesh_key]
            if drawn + len(mesh.triangles) > _TRIANGLES:
                continue
            points.append(transformed(mesh.positions, instance.transform))
            triangles.append(mesh.triangles.astype(np.int64) + corners)
            colors.append(
                np.tile(np.array(mesh.material.srgb(), np.uint8), (len(mesh.triangles), 1))
            )
            corners += len(mesh.positions)
            drawn += len(mesh.triangles)
    return {
        "points": np.vstack(points), "triangles": np.vstack(triangles),
        "colors": np.vstack([np.empty((0, 3), np.uint8), *colors]), "flat": np.array(False),
    }  # fmt: skip


def _shown(styles: Mapping[str, ClassStyle], feature_class: str) -> bool:
    return feature_class not in styles or styles[feature_class].visible


def _outlines(shapes: np.ndarray, colors: list[tuple[int, int, int]]) -> Scene:
    """Areas as triangles; lines and points with a width, as areas."""
    west, south, east, north = shapely.total_bounds(shapes) if len(shapes) else (0, 0, 1, 1)
    flat = laid_flat(shapes, (west + east) / 2, (south + north) / 2)
    span = np.ptp(shapely.total_bounds(flat).reshape(2, 2), axis=0).max() if len(flat) else 1.0
    thin = shapely.get_dimensions(flat) < 2
    flat[thin] = shapely.buffer(flat[thin], max(float(span), 1.0) / 200, quad_segs=3)
    points, tints = [np.empty((0, 3))], []
    for level, (shape, color) in enumerate(zip(flat, colors, strict=True)):
        parts = shapely.get_parts(shapely.constrained_delaunay_triangles(shape))
        corners = np.array([shapely.get_coordinates(part)[:3] for part in parts]).reshape(-1, 2)
        height = np.full(len(corners), level * 1e-6 * span)
        points.append(np.column_stack([corners, height]))
        tints += [color] * len(parts)
    count = sum(len(part) for part in points)
    return {
        "points": np.vstack(points), "triangles": np.arange(count).reshape(-1, 3),
        "colors": np.array(tints, np.uint8).reshape(-1, 3), "flat": np.array(True),
    }  # fmt: skip


def main() -> None:
    """Paint what stands on the standard input; the picture goes to the standard output."""
    import pyvista  # noqa: PLC0415 – takes seconds, and only the painter needs it

    answer = os.dup(1)
    os.dup2(2, 1)  # VTK speaks wherever it likes
    pyvista.global_theme.anti_aliasing = "ssaa"
    pyvista.global_theme.background = pyvista.Color("white")
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as scene:
        flat = bool(scene["flat"])
        plotter = pyvista.Plotter(off_screen=True, window_size=[WIDTH, HEIGHT])
        if len(scene["triangles"]):
            middle = scene["points"].mean(axis=0)
            mesh = pyvista.PolyData.from_regular_faces(scene["points"] - middle, scene["triangles"])
            mesh.cell_data["color"] = scene["colors"]
            plotter.add_mesh(mesh, scalars="color", rgb=True, lighting=not flat)
        plotter.camera_position = _UPRIGHT if flat else _ASLANT
        plotter.renderer.ResetCamera()
        plotter.camera.view_angle /= 1.25
        picture = io.BytesIO()
        plotter.screenshot(picture, return_img=False)
    with os.fdopen(answer, "wb") as out:
        out.write(picture.getvalue())
