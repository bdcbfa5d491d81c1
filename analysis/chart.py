"""A chart: a drawing that is laid out on paper, such as a section of pipes with its table."""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.chart_svg import chart_svg
from analysis.marks import Mark, Scales
from cim_core.feature import Value

SVG, PNG, DXF = "image/svg+xml", "image/png", "image/vnd.dxf"


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing on paper of `size` (wide, high), millimetres; later marks lie over earlier ones.

    about
        Where it comes from: layers, versions, line; kept in the file.
    """

    title: str
    size: tuple[float, float]
    marks: tuple[Mark, ...]
    scales: Scales
    about: Mapping[str, Value]

    def svg(self) -> bytes:
        """The chart as an SVG document, true to its scale when it is printed."""
        return chart_svg(self.title, self.size, self.marks, self.about)

    def as_dict(self) -> dict[str, Value]:
        """The chart as it is served: as SVG, with what else it can be had as."""
        return {"mediaType": SVG, "svg": self.svg().decode(), "formats": [SVG, PNG, DXF]}
