"""Figures of a check-up as people read them."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import Literal

Language = Literal["zh", "en"]
Form = Literal["docx", "xlsx", "pdf"]
UNKNOWN = "—"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with the decimals that people see, and what it is measured in; a share is shown in percent."""

    value: float | None
    decimals: int
    share: bool = False
    unit: str = ""

    def text(self) -> str:
        """As people read it; a dash where it is not known.

        >>> Figure(0.5, 0, share=True).text(), Figure(12.345, 2).text(), Figure(None, 2).text()
        ('50%', '12.35', '—')
        >>> Figure(7.0, 0, unit="m²").text(), Figure(None, 0, unit="m²").text()
        ('7 m²', '—')
        """
        text = figure_text(self.value, self.decimals, share=self.share)
        return f"{text} {self.unit}" if self.unit and text != UNKNOWN else text


def figure_text(value: float | None, decimals: int, *, share: bool = False) -> str:
    """A figure as people read it, rounded half away from zero as spreadsheets round.

    >>> figure_text(56.105, 2), figure_text(-0.001, 1), figure_text(1234.5, 0)
    ('56.11', '0.0', '1235')
    """
    if value is None or not isfinite(value):
        return UNKNOWN
    exact = Decimal(repr(value)) * (100 if share else 1)
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0
    return f"{rounded:f}{'%' if share else ''}"
