"""A drawing or a chart as DXF, in metres: the door of ezdxf."""

import io
import json
import logging
import math
import re
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from ezdxf import colors, const, units
from ezdxf.document import Drawing as Document
from ezdxf.entities.dxfentity import DXFEntity
from ezdxf.enums import TextEntityAlignment
from ezdxf.filemanagement import new
from ezdxf.layouts.layout import Modelspace

from analysis.chart import Chart
from analysis.drawing import MARGIN, Drawing, fill, outlines
from analysis.marks import PIPES, Ellipse, Line, Mark, Words
from analysis.plain_text import allowed
from analysis.section import Cut
from cim_core.feature import Value
from cim_core.mesh import Floats

APP = "CIM_TWIN"
"""Under this name each entity carries the id, the class and the name of its element (XDATA)."""
logging.getLogger("ezdxf").setLevel(logging.WARNING)  # it tells of every table it begins

_STYLE = "CIM_TEXT"
_FONT = "simsun.ttc"
"""CAD programs put a font of their own where this one is missing; the text itself is UTF-8."""
_CAPITALS = 0.72
"""The height of a capital letter, which CAD counts by, in the size of its type."""
_ALIGNED = {
    "start": TextEntityAlignment.MIDDLE_LEFT,
    "middle": TextEntityAlignment.MIDDLE_CENTER,
    "end": TextEntityAlignment.MIDDLE_RIGHT,
}


def write_dxf(drawing: Drawing) -> bytes:
    """The drawing as DXF R2010: one layer for each class, filled faces on layers of their own.

    Model space is in metres, true to the plane's coordinates; lines have the widths they are
    printed with.
    """
    document = _document(drawing.about)
    space = document.modelspace()
    for name, width, cuts in drawing.groups():
        _class(document, space, name, width, cuts)
    _title(document, space, drawing)
    return _written(document, drawing.bounds)


def write_chart_dxf(chart: Chart) -> bytes:
    """The chart as DXF R2010, in metres: across true, up as many times too high as it is drawn.

    The left end of the drawing has x = 0; y is the elevation times the exaggeration. Each group of
    marks is a layer, that of the pipes one for each class; XDATA names its layer and id.
    """
    document = _document(chart.about)
    space = document.modelspace()
    scales = chart.scales
    unit = scales.across / 1000
    lower = np.array([-scales.left, -scales.bottom]) * unit
    lower[1] += scales.base * scales.exaggeration
    for mark in chart.marks:
        _mark(document, space, mark, lambda points: np.asarray(points) * unit + lower, unit)
    left, bottom = lower.tolist()
    right, top = (np.array(chart.size) * unit + lower).tolist()
    return _written(document, (left, bottom, right, top))


def _mark(
    document: Document,
    space: Modelspace,
    mark: Mark,
    placed: Callable[[object], Floats],
    unit: float,
) -> None:
    owner = mark.owner
    by_class = f"-{owner.feature_class}" if owner is not None and mark.group == PIPES else ""
    layer = _layer_name(mark.group + by_class)
    if layer not in document.layers:
        document.layers.add(layer)
    look: dict[str, object] = {"layer": layer, "true_color": _color(mark.color)}
    made: list[DXFEntity] = []
    match mark:
        case Words():
            style = {**look, "style": _STYLE, "rotation": 90.0 if mark.turned else 0.0}
            text = space.add_text(
                " ".join(mark.text.split()), height=mark.size * unit * _CAPITALS, dxfattribs=style
            )
            text.set_placement(placed(mark.place).tolist(), align=_ALIGNED[mark.anchor])
            made.append(text)
        case Line():
            points = placed(mark.points).tolist()
            if mark.fill is not None:
                hatch = space.add_hatch(dxfattribs={**look, "true_color": _color(mark.fill)})
                hatch.paths.add_polyline_path(points)
                made.append(hatch)
            if mark.width > 0:
                look |= {"lineweight": _line_weight(mark.width)}
                look |= {"linetype": "DASHED", "ltscale": unit * 2} if mark.dashed else {}
                made.append(space.add_lwpolyline(points, close=mark.closed, dxfattribs=look))
        case Ellipse():
            middle = placed(mark.middle).tolist()
            across, up = (radius * unit for radius in mark.radii)
            long, short = max(across, up), min(across, up)
            axis = (long, 0.0, 0.0) if across >= up else (0.0, long, 0.0)
            if mark.fill is not None:
                hatch = space.add_hatch(dxfattribs={**look, "true_color": _color(mark.fill)})
                hatch.paths.add_edge_path().add_ellipse(middle, axis[:2], short / long)
                made.append(hatch)
            look |= {"lineweight": _line_weight(mark.width)}
            if math.isclose(long, short, rel_tol=1e-9):
                made.append(space.add_circle(middle, long, dxfattribs=look))
            else:
                made.append(space.add_ellipse(middle, axis, short / long, dxfattribs=look))
    if owner is not None:
        told = [(1000, _short(text)) for text in (owner.layer, owner.id, owner.feature_class)]
        for entity in made:
            entity.set_xdata(APP, told)


def _document(about: Mapping[str, Value]) -> Document:
    document = new("R2010", setup=["linetypes"], units=units.M)
    document.appids.add(APP)
    document.styles.add(_STYLE, font=_FONT)
    for key, value in about.items():
        document.header.custom_vars.append(key, json.dumps(value, ensure_ascii=False))
    return document


def _written(document: Document, reach: tuple[float, float, float, float]) -> bytes:
    """The document, opened at left, bottom, right and top of what it shows."""
    left, bottom, right, top = reach
    document.header["$EXTMIN"], document.header["$EXTMAX"] = (left, bottom, 0), (right, top, 0)
    height = max(top - bottom, (right - left) / 1.5) * 1.2
    document.set_modelspace_vport(height, ((left + right) / 2, (bottom + top) / 2))
    text = io.StringIO()
    document.write(text)
    return document.encode(allowed(text.getvalue()))


def _color(fill: str) -> int:
    return colors.rgb2int(colors.RGB.from_hex(fill))


def _class(
    document: Document, space: Modelspace, name: str, width: float, cuts: Iterable[Cut]
) -> None:
    layer = _layer_name(name)
    if layer not in document.layers:  # two classes may differ in forbidden characters only
        document.layers.add(layer, lineweight=_line_weight(width))
        document.layers.add(f"{layer}_FILL", lineweight=0)
    for item in cuts:
        color = _color(fill(item))
        for polygon in item.face.geoms:
            hatch = space.add_hatch(dxfattribs={"layer": f"{layer}_FILL", "true_color": color})
            hatch.paths.add_polyline_path(
                polygon.exterior.coords[:-1], flags=const.BOUNDARY_PATH_EXTERNAL
            )
            for ring in polygon.interiors:
                hatch.paths.add_polyline_path(ring.coords[:-1], flags=const.BOUNDARY_PATH_OUTERMOST)
            _tell(hatch, item)
    for item in cuts:
        for line, closed in outlines(item):
            points = line[:-1] if closed else line
            _tell(
                space.add_lwpolyline(points.tolist(), close=closed, dxfattribs={"layer": layer}),
                item,
            )


def _tell(entity: DXFEntity, item: Cut) -> None:
    feature = item.feature
    told = (feature.id, feature.feature_class, feature.name)
    entity.set_xdata(APP, [(1000, _short(text)) for text in told])


def _short(text: str) -> str:
    """As much of a text as XDATA takes: 255 bytes on one line."""
    return " ".join(allowed(text).split()).encode()[:255].decode(errors="ignore")


def _title(document: Document, space: Modelspace, drawing: Drawing) -> None:
    unit = drawing.millimetre
    document.layers.add(_STYLE)
    left, bottom, _, _ = drawing.bounds
    for text, size, below in ((drawing.title, 5.0, 8.0), (drawing.subtitle, 3.2, 13.5)):
        space.add_text(
            " ".join(text.split()),
            height=size * unit,
            dxfattribs={"layer": _STYLE, "style": _STYLE},
        ).set_placement((left, bottom - (MARGIN + below) * unit))


def _layer_name(feature_class: str) -> str:
    """A class as the name of a layer, without the characters that DXF forbids."""
    return re.sub(r'[<>/\\":;?*|=`,\s]', "_", allowed(feature_class)) or "0"


def _line_weight(width: float) -> int:
    """The line weight, hundredths of a millimetre, that DXF knows and is nearest."""
    known = (13, 15, 18, 20, 25, 30, 35, 40, 50, 53, 60, 70, 80, 90, 100)
    return min(known, key=lambda weight: abs(weight - 100 * width))
