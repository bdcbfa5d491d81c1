"""A drawing as DXF, in metres: the door of ezdxf."""

import io
import json
import logging
import re
from collections.abc import Iterable

from ezdxf import colors, const, units
from ezdxf.document import Drawing as Document
from ezdxf.entities.dxfentity import DXFEntity
from ezdxf.filemanagement import new
from ezdxf.layouts.layout import Modelspace

from analysis.drawing import MARGIN, Drawing, fill, outlines
from analysis.section import Cut

APP = "CIM_TWIN"
"""Under this name each entity carries the id, the class and the name of its element (XDATA)."""
logging.getLogger("ezdxf").setLevel(logging.WARNING)  # it tells of every table it begins

_STYLE = "CIM_TEXT"
_FONT = "simsun.ttc"
"""CAD programs put a font of their own where this one is missing; the text itself is UTF-8."""


def write_dxf(drawing: Drawing) -> bytes:
    """The drawing as DXF R2010: one layer for each class, filled faces on layers of their own.

    Model space is in metres, true to the plane's coordinates; lines have the widths they are
    printed with.
    """
    document = new("R2010", units=units.M)
    document.appids.add(APP)
    document.styles.add(_STYLE, font=_FONT)
    for key, value in drawing.about.items():
        document.header.custom_vars.append(key, json.dumps(value, ensure_ascii=False))
    space = document.modelspace()
    for name, width, cuts in drawing.groups():
        _class(document, space, name, width, cuts)
    _title(document, space, drawing)
    left, bottom, right, top = drawing.bounds
    document.header["$EXTMIN"], document.header["$EXTMAX"] = (left, bottom, 0), (right, top, 0)
    height = max(top - bottom, (right - left) / 1.5) * 1.2
    document.set_modelspace_vport(height, ((left + right) / 2, (bottom + top) / 2))
    text = io.StringIO()
    document.write(text)
    return document.encode(text.getvalue())


def _class(
    document: Document, space: Modelspace, name: str, width: float, cuts: Iterable[Cut]
) -> None:
    layer = _layer_name(name)
    if layer not in document.layers:  # two classes may differ in forbidden characters only
        document.layers.add(layer, lineweight=_line_weight(width))
        document.layers.add(f"{layer}_FILL", lineweight=0)
    for item in cuts:
        color = colors.rgb2int(colors.RGB.from_hex(fill(item)))
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
    return " ".join(text.split()).encode()[:255].decode(errors="ignore")


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
    return re.sub(r'[<>/\\":;?*|=`,\s]', "_", feature_class) or "0"


def _line_weight(width: float) -> int:
    """The line weight, hundredths of a millimetre, that DXF knows and is nearest."""
    known = (13, 15, 18, 20, 25, 30, 35, 40, 50, 53, 60, 70, 80, 90, 100)
    return min(known, key=lambda weight: abs(weight - 100 * width))
