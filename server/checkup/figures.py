"""Figures of a check-up as people read them."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import Literal

Language = Literal["zh", "en"]
Form = Literal["docx", "xlsx", "pdf"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a table, with the decimals that people see; a share is shown in percent."""

    value: float | None
    decimals: int
    share: bool = False

    def text(self) -> str:
        """As people read it; a dash where it is not known.

        >>> Figure(0.5, 0, share=True).text(), Figure(12.345, 2).text(), Figure(None, 2).text()
        ('50%', '12.35', '—')
        """
        return figure_text(self.value, self.decimals, share=self.share)


def figure_text(value: float | None, decimals: int, *, share: bool = False) -> str:
    """A figure as people read it, rounded half away from zero as spreadsheets round.

    >>> figure_text(56.105, 2), figure_text(-0.001, 1), figure_text(1234.5, 0)
    ('56.11', '0.0', '1235')
    """
    if value is None or not isfinite(value):
        return "—"
    exact = Decimal(repr(value)) * (100 if share else 1)
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0
    return f"{rounded:f}{'%' if share else ''}"
