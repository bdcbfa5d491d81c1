"""A drawing as SVG: metres in the view box, millimetres of paper outside."""

import json
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from analysis.drawing import (
    FOOT,
    INK,
    MARGIN,
    Drawing,
    fill,
    height_marks,
    outlines,
    scale_bar,
)
from analysis.plain_text import allowed
from analysis.section import Cut
from cim_core.mesh import Floats

FONTS = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',SimHei,sans-serif"
_RULER = 14.0
"""Millimetres of paper left of an upright section for its heights."""


def write_svg(drawing: Drawing) -> bytes:
    """The drawing as an SVG document, true to its scale when it is printed.

    One unit is one metre, y runs down. A group holds each class (`data-class`), a path each cut of
    an element (`data-id`, `data-name`).
    """
    unit = drawing.millimetre
    left, bottom, right, top = drawing.bounds
    ruler = _RULER if drawing.upright else 0.0
    x, y = left - (MARGIN + ruler) * unit, -top - MARGIN * unit
    # Wide enough for the title, however small what is drawn.
    wide = max((right - left) / unit + ruler, 110.0) + 2 * MARGIN
    high = (top - bottom) / unit + 2 * MARGIN + FOOT
    box = f"{_number(x)} {_number(y)} {_number(wide * unit)} {_number(high * unit)}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.1f}mm" height="{high:.1f}mm"'
        f' viewBox="{box}">',
        f"<title>{escape(f'{drawing.title} – {drawing.subtitle}')}</title>",
        f"<desc>{escape(json.dumps(drawing.about, ensure_ascii=False))}</desc>",
        "<style>"
        f"path{{stroke:{INK};stroke-linejoin:round;stroke-linecap:round;fill-rule:evenodd}}"
        f"text{{font-family:{FONTS};fill:{INK}}}"
        "</style>",
        f'<rect x="{_number(x)}" y="{_number(y)}" width="{_number(wide * unit)}"'
        f' height="{_number(high * unit)}" fill="#ffffff"/>',
        '<g id="section">',
    ]
    for name, width, cuts in drawing.groups():
        lines.append(f'<g data-class={quoteattr(name)} stroke-width="{_number(width * unit)}">')
        lines += [path for item in cuts for path in _paths(item)]
        lines.append("</g>")
    lines.append("</g>")
    if drawing.upright:
        lines += _heights(drawing, left)
    # Below the drawing millimetres of paper are easier: text and lines of a fixed size.
    foot = f"translate({_number(left)} {_number(-bottom + MARGIN * unit)}) scale({_number(unit)})"
    lines.append(f'<g id="foot" transform="{foot}">')
    lines += _foot(drawing)
    lines += ["</g>", "</svg>", ""]
    return allowed("\n".join(lines)).encode()


def _paths(item: Cut) -> Iterator[str]:
    told = f"data-id={quoteattr(item.feature.id)} data-name={quoteattr(item.feature.name)}"
    rings = [_path(line) + "Z" for line, closed in outlines(item) if closed]
    if rings:
        yield f'<path {told} fill="{fill(item)}" d="{"".join(rings)}"/>'
    trails = [_path(line) for line, closed in outlines(item) if not closed]
    if trails:
        yield f'<path {told} fill="none" d="{"".join(trails)}"/>'


def _path(line: Floats) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(-y)}" for x, y in line.tolist())


def _heights(drawing: Drawing, left: float) -> Iterator[str]:
    """Heights above the city's datum, left of the drawing."""
    unit = drawing.millimetre
    marks = height_marks(drawing)
    x = left - 4 * unit
    yield f'<g id="heights" stroke-width="{_number(0.13 * unit)}">'
    if marks:
        yield f'<path d="M{_number(x)} {_number(-marks[0])}V{_number(-marks[-1])}"/>'
    for height in marks:
        place = f"translate({_number(x)} {_number(-height)}) scale({_number(unit)})"
        yield f'<path d="M{_number(x)} {_number(-height)}h{_number(-1.5 * unit)}"/>'
        yield (
            f'<text transform="{place}" x="-2.2" y="0.9" font-size="2.5" text-anchor="end">'
            f"{height:+.{1 if height % 1 else 0}f}</text>"
        )
    yield "</g>"


def _foot(drawing: Drawing) -> Iterator[str]:
    length, parts = scale_bar(drawing)
    wide = length / drawing.millimetre
    for number in range(parts):
        color = INK if number % 2 == 0 else "#ffffff"
        yield (
            f'<rect x="{number * wide / parts:.3f}" y="2" width="{wide / parts:.3f}" height="1.6"'
            f' fill="{color}" stroke="{INK}" stroke-width="0.18"/>'
        )
    yield '<text x="0" y="7" font-size="2.8" text-anchor="middle">0</text>'
    yield f'<text x="{wide:.3f}" y="7" font-size="2.8" text-anchor="middle">{length:g} m</text>'
    yield f'<text x="0" y="15" font-size="5" font-weight="bold">{escape(drawing.title)}</text>'
    yield f'<text x="0" y="20.5" font-size="3.2">{escape(drawing.subtitle)}</text>'
    if drawing.level is not None:
        yield (
            f'<g transform="translate({wide + 18:.3f} 4.5)"><circle r="4" fill="none"'
            f' stroke="{INK}" stroke-width="0.18"/><path stroke="none" fill="{INK}"'
            ' d="M0 -4L1 2.8L0 2.2L-1 2.8Z"/>'
            '<text y="-5" font-size="2.8" text-anchor="middle">北 N</text></g>'
        )


def _number(value: float) -> str:
    """A coordinate to a tenth of a millimetre, without zeros that say nothing."""
    return f"{value:.4f}".rstrip("0").rstrip(".").removesuffix("-0") or "0"
