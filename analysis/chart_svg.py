"""A chart as SVG: one unit is a millimetre of paper; parts name the features they show."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from analysis.drawing_svg import FONTS
from analysis.marks import Ellipse, Line, Mark, Owner, Words
from analysis.plain_text import allowed
from cim_core.feature import Value

_BASELINE = 0.35
"""How far below its middle a text stands, in its size."""


def chart_svg(
    title: str, size: tuple[float, float], marks: Sequence[Mark], about: Mapping[str, Value]
) -> bytes:
    """A chart as an SVG document, true to its scale when it is printed.

    One unit is one millimetre, y runs down. A group holds the marks of each kind that follow one
    another (`data-group`); what shows a feature has `data-layer`, `data-id` and `data-class`.
    """
    wide, high = size
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_number(wide)}mm"'
        f' height="{_number(high)}mm" viewBox="0 0 {_number(wide)} {_number(high)}"'
        # No style sheet: inside a page it would be one for all of the page.
        f' font-family="{FONTS}" stroke-linejoin="round">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(json.dumps(about, ensure_ascii=False))}</desc>",
        f'<rect width="{_number(wide)}" height="{_number(high)}" fill="#ffffff"/>',
    ]
    for group, some in groupby(marks, key=lambda mark: mark.group):
        lines.append(f"<g data-group={quoteattr(group)}>")
        lines += [part for mark in some for part in _mark(mark, high)]
        lines.append("</g>")
    lines += ["</svg>", ""]
    return allowed("\n".join(lines)).encode()


def _mark(mark: Mark, high: float) -> Iterator[str]:
    told = _told(mark.owner)
    match mark:
        case Line():
            ends = "L".join(f"{_number(x)} {_number(high - y)}" for x, y in mark.points.tolist())
            dashes = ' stroke-dasharray="2 1.2"' if mark.dashed else ""
            yield (
                f'<path{told} d="M{ends}{"Z" if mark.closed else ""}" fill="{mark.fill or "none"}"'
                f' stroke="{mark.color}" stroke-width="{_number(mark.width)}"{dashes}/>'
            )
        case Ellipse():
            (x, y), (across, up) = mark.middle, mark.radii
            yield (
                f'<ellipse{told} cx="{_number(x)}" cy="{_number(high - y)}" rx="{_number(across)}"'
                f' ry="{_number(up)}" fill="{mark.fill or "none"}" stroke="{mark.color}"'
                f' stroke-width="{_number(mark.width)}"/>'
            )
        case Words():
            place = f"{_number(mark.place[0])} {_number(high - mark.place[1])}"
            turn = " rotate(-90)" if mark.turned else ""
            weight = ' font-weight="bold"' if mark.bold else ""
            yield (
                f'<text{told} transform="translate({place}){turn}"'
                f' y="{_number(_BASELINE * mark.size)}" font-size="{_number(mark.size)}"'
                f' text-anchor="{mark.anchor}" fill="{mark.color}"{weight}>{escape(mark.text)}</text>'
            )


def _told(owner: Owner | None) -> str:
    if owner is None:
        return ""
    return (
        f" data-layer={quoteattr(owner.layer)} data-id={quoteattr(owner.id)}"
        f" data-class={quoteattr(owner.feature_class)}"
    )


def _number(value: float) -> str:
    """Millimetres of paper to a hundredth, without zeros that say nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".").removesuffix("-0") or "0"
