"""A drawing or a chart as PNG, painted by VTK: the door of pyvista.

VTK may end its process where there is no OpenGL, so it paints in a process of its own.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import shapely
from shapely.ops import substring

from analysis.chart import Chart
from analysis.drawing import FOOT, INK, MARGIN, Drawing, fill, fonts, scale_bar
from analysis.marks import Ellipse, Line, Words
from analysis.plain_text import allowed
from analysis.section import Cut
from cim_core.errors import MissingDependency

_PIXELS = 6
"""Pixels for a millimetre of paper: 150 to the inch."""
_WIDEST = 12_000
"""Pixels of a picture's longer side: what any OpenGL can paint."""
_FINEST = 0.2
"""Millimetres: a finer line would be less than a pixel or two."""
_SECONDS = 120.0
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def write_png(drawing: Drawing) -> bytes:
    """The drawing as PNG with its scale bar, 150 pixels to the inch of paper.

    Raises `MissingDependency` where this machine cannot paint.
    """
    unit = drawing.millimetre
    left, bottom, right, top = drawing.bounds
    corner = np.array([left - MARGIN * unit, bottom - (MARGIN + FOOT / 2) * unit])
    wide, high = ((np.array([right, top]) + MARGIN * unit - corner) / unit).tolist()
    length, _ = scale_bar(drawing)
    words = [
        Words(text, (x, 9.5), "scale", 3.0, "start")
        for text, x in (("0", MARGIN), (f"{length:g} m", MARGIN + length / unit))
    ]
    shapes = (
        (color, shapely.transform(shape, lambda points: (points - corner) / unit))
        for color, shape in _shapes(drawing)
    )
    return painted(shapes, words, (max(wide, 60.0), max(high, 60.0)))


def write_chart_png(chart: Chart) -> bytes:
    """The chart as PNG, 150 pixels to the inch of paper, fewer where that is too many for VTK.

    Chinese words need a font of this machine that has them; without one they are left out, and
    what stands beside them in English is there. Raises `MissingDependency` where this machine
    cannot paint.
    """
    words = [mark for mark in chart.marks if isinstance(mark, Words)]
    return painted(_chart_shapes(chart), words, chart.size)


def painted(
    shapes: Iterable[tuple[str, shapely.Geometry]],
    words: Sequence[Words],
    size: tuple[float, float],
) -> bytes:
    """Surfaces in their colours, the later over the earlier, and words over all, as PNG.

    Places and `size` (wide, high) in millimetres of paper, y upwards.
    """
    scene = io.BytesIO()
    np.savez(scene, allow_pickle=False, **_scene(shapes, words, size))
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


def _scene(
    shapes: Iterable[tuple[str, shapely.Geometry]],
    words: Sequence[Words],
    size: tuple[float, float],
) -> dict[str, np.ndarray]:
    """What the painter reads: triangles, each surface a little over the one before, and words."""
    points, triangles, colors = [np.empty((0, 3))], [np.empty((0, 3), np.int64)], []
    count = 0
    for height, (color, shape) in enumerate(shapes):
        parts = shapely.get_parts(shapely.constrained_delaunay_triangles(shape))
        corners = np.array([part.exterior.coords[:3] for part in parts]).reshape(-1, 2)
        points.append(np.column_stack([corners, np.full(len(corners), float(height))]))
        triangles.append(np.arange(count, count + len(corners)).reshape(-1, 3))
        colors += [tuple(bytes.fromhex(color[1:]))] * len(parts)
        count += len(corners)
    font = chinese_font()
    texts = [allowed(word.text if font else latin(word.text)) for word in words]
    return {
        "points": np.vstack(points), "triangles": np.vstack(triangles),
        "colors": np.array(colors, np.uint8).reshape(-1, 3), "size": np.array(size),
        "words": np.array(texts, str), "font": np.array(str(font or "")),
        "places": np.array([word.place for word in words]).reshape(-1, 2),
        "types": np.array([word.size for word in words]),
        "anchors": np.array([_ANCHORS[word.anchor] for word in words], str),
        "turns": np.array([90.0 if word.turned else 0.0 for word in words]),
    }  # fmt: skip


def chinese_font() -> Path | None:
    """A font of this machine that has Chinese letters."""
    known = (Path(place) for place in fonts())
    return next((path for path in known if path.is_file()), None)


def latin(text: str) -> str:
    """What of a text a font without Chinese letters has.

    >>> latin("管底高程 Invert (m)")
    'Invert (m)'
    """
    known = text.replace("φ", "Ø").replace("′", "'")
    return " ".join("".join(letter for letter in known if ord(letter) < 0x2E80).split())


def _chart_shapes(chart: Chart) -> Iterator[tuple[str, shapely.Geometry]]:
    for mark in chart.marks:
        match mark:
            case Line():
                outline = shapely.LineString(
                    np.vstack([mark.points, mark.points[:1]]) if mark.closed else mark.points
                )
                if mark.fill is not None:
                    yield mark.fill, shapely.make_valid(shapely.Polygon(mark.points))
                stroke = _dashes(outline) if mark.dashed else outline
            case Ellipse():
                circle = shapely.Point(0, 0).buffer(1.0, quad_segs=16)
                scaled = shapely.affinity.scale(circle, *mark.radii, origin=(0, 0))
                surface = shapely.affinity.translate(scaled, *mark.middle)
                if mark.fill is not None:
                    yield mark.fill, surface
                stroke = surface.exterior
            case Words():
                continue
        if mark.width > 0:
            half = max(mark.width, _FINEST) / 2
            yield mark.color, shapely.buffer(stroke, half, cap_style="flat", join_style="mitre")


def _dashes(line: shapely.LineString) -> shapely.Geometry:
    """A line as dashes of 2 mm with 1.2 mm between them."""
    begins = np.arange(0.0, line.length, 3.2)
    return shapely.MultiLineString(
        [substring(line, begin, min(begin + 2.0, line.length)) for begin in begins.tolist()]
    )


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
        dots = min(_PIXELS, _WIDEST / float(scene["size"].max()))
        wide, high = (int(np.ceil(side * dots)) for side in scene["size"])
        plotter = pyvista.Plotter(off_screen=True, window_size=[wide, high], lighting="none")
        plotter.add_mesh(mesh, scalars="color", rgb=True, lighting=False)
        for number, word in enumerate(scene["words"]):
            text = pyvista.Text(str(word), position=scene["places"][number] * dots)
            text.prop.font_size = max(round(float(scene["types"][number]) * dots), 1)
            text.prop.color = INK
            text.prop.justification_horizontal = str(scene["anchors"][number])
            text.prop.justification_vertical = "center"
            text.prop.orientation = float(scene["turns"][number])
            if scene["font"]:
                text.prop.set_font_file(str(scene["font"]))
            plotter.add_actor(text)
        over = float(scene["points"][:, 2].max()) + 2
        camera = plotter.camera
        camera.parallel_projection = True
        camera.parallel_scale = high / dots / 2
        camera.focal_point = (wide / dots / 2, high / dots / 2, 0.0)
        camera.position = (wide / dots / 2, high / dots / 2, over)
        camera.up = (0.0, 1.0, 0.0)
        camera.clipping_range = (0.5, over + 1)
        picture = io.BytesIO()
        plotter.screenshot(picture, return_img=False)
    with os.fdopen(answer, "wb") as out:
        out.write(picture.getvalue())
