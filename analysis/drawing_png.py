"""A drawing as PNG, painted by VTK: the door of pyvista.

VTK may end its process where there is no OpenGL, so it paints in a process of its own.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import shapely

from analysis.drawing import FOOT, INK, MARGIN, Drawing, fill, scale_bar
from analysis.section import Cut
from cim_core.errors import MissingDependency

_PIXELS = 6
"""Pixels for a millimetre of paper: 150 to the inch."""
_SECONDS = 120.0


def write_png(drawing: Drawing) -> bytes:
    """The drawing as PNG with its scale bar, 150 pixels to the inch of paper.

    Raises `MissingDependency` where this machine cannot paint.
    """
    scene = io.BytesIO()
    np.savez(scene, allow_pickle=False, **_scene(drawing))
    done = subprocess.run(
        [sys.executable, "-c", "from analysis.drawing_png import main; main()"],
        input=scene.getvalue(), capture_output=True, timeout=_SECONDS, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip
    if done.returncode < 0:
        raise MissingDependency(
            "this machine cannot paint the section (VTK found no OpenGL); install libegl1 and "
            "libgl1-mesa-dri, or ask for svg"
        )
    if done.returncode > 0:
        raise RuntimeError(f"the painter failed: {done.stderr.decode(errors='replace')}")
    return done.stdout


def _scene(drawing: Drawing) -> dict[str, np.ndarray]:
    """Triangles in millimetres of paper, the later over the earlier, and words."""
    unit = drawing.millimetre
    left, bottom, right, top = drawing.bounds
    corner = np.array([left - MARGIN * unit, bottom - (MARGIN + FOOT / 2) * unit])
    size = (np.array([right + MARGIN * unit, top + MARGIN * unit]) - corner) / unit
    points, triangles, colors = [np.empty((0, 3))], [np.empty((0, 3), np.int64)], []
    count = 0
    for height, (color, shape) in enumerate(_shapes(drawing)):
        parts = shapely.get_parts(shapely.constrained_delaunay_triangles(shape))
        corners = np.array([part.exterior.coords[:3] for part in parts]).reshape(-1, 2)
        points.append(
            np.column_stack([(corners - corner) / unit, np.full(len(corners), float(height))])
        )
        triangles.append(np.arange(count, count + len(corners)).reshape(-1, 3))
        colors += [tuple(bytes.fromhex(color[1:]))] * len(parts)
        count += len(corners)
    length, _ = scale_bar(drawing)
    return {
        "points": np.vstack(points), "triangles": np.vstack(triangles),
        "colors": np.array(colors, np.uint8), "size": np.maximum(size, 60.0),
        "words": np.array(["0", f"{length:g} m"]),
        "places": np.array([[MARGIN, 8.0], [MARGIN + length / unit, 8.0]]),
    }  # fmt: skip


def _shapes(drawing: Drawing) -> Iterator[tuple[str, shapely.Geometry]]:
    """Faces, then their outlines as faces, class by class; last the scale bar."""
    unit = drawing.millimetre
    for _, width, cuts in drawing.groups():
        for item in cuts:
            yield fill(item), item.face
            yield INK, _outline(item, width * unit / 2)
    left, bottom, _, _ = drawing.bounds
    length, parts = scale_bar(drawing)
    y = bottom - MARGIN * unit
    yield INK, shapely.box(left, y, left + length, y + 1.6 * unit)
    for part in range(1, parts, 2):
        inner = shapely.box(
            left + part * length / parts, y, left + (part + 1) * length / parts, y + 1.6 * unit
        )
        yield "#ffffff", shapely.buffer(inner, -0.15 * unit)


def _outline(item: Cut, half: float) -> shapely.Geometry:
    """The line around a cut, `half` metres to both sides of it, as a face."""
    outer, inner = (
        shapely.buffer(item.face, distance, join_style="mitre") for distance in (half, -half)
    )
    along = shapely.buffer(item.lines, half, cap_style="flat", join_style="mitre")
    return shapely.union(shapely.difference(outer, inner), along)


def main() -> None:
    """Paint what stands on the standard input; the picture goes to the standard output."""
    import pyvista  # noqa: PLC0415 – takes seconds, and only the painter needs it

    answer = os.dup(1)
    os.dup2(2, 1)  # VTK speaks wherever it likes
    pyvista.global_theme.anti_aliasing = "ssaa"
    pyvista.global_theme.background = pyvista.Color("white")
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as scene:
        mesh = pyvista.PolyData.from_regular_faces(scene["points"], scene["triangles"])
        mesh.cell_data["color"] = scene["colors"]
        wide, high = (int(np.ceil(side * _PIXELS)) for side in scene["size"])
        plotter = pyvista.Plotter(off_screen=True, window_size=[wide, high], lighting="none")
        plotter.add_mesh(mesh, scalars="color", rgb=True, lighting=False)
        for word, place in zip(scene["words"], scene["places"], strict=True):
            plotter.add_text(str(word), tuple(place * _PIXELS), font_size=9, color=INK)
        over = float(scene["points"][:, 2].max()) + 2
        camera = plotter.camera
        camera.parallel_projection = True
        camera.parallel_scale = high / _PIXELS / 2
        camera.focal_point = (wide / _PIXELS / 2, high / _PIXELS / 2, 0.0)
        camera.position = (wide / _PIXELS / 2, high / _PIXELS / 2, over)
        camera.up = (0.0, 1.0, 0.0)
        camera.clipping_range = (0.5, over + 1)
        picture = io.BytesIO()
        plotter.screenshot(picture, return_img=False)
    with os.fdopen(answer, "wb") as out:
        out.write(picture.getvalue())
