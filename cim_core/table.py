"""A table: typed columns with units, and rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cim_core.feature import Value

ColumnType = Literal["text", "integer", "number", "box", "sketch"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title by language, what its cells are, and their unit.

    A box is west, south, bottom, east, north, top: degrees and metres. A cell of the type sketch is a list
    of ids of shapes in the sketch of the same answer.
    """

    name: str
    title: Mapping[str, str]
    type: ColumnType
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; `next` is where the rows that follow begin, None after the last."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    next: str | None = None

    def as_dict(self) -> dict[str, Value]:
        """The table as it is served."""
        return {
            "columns": [
                {
                    "name": column.name, "title": column.title["en"], "title_zh": column.title["zh"],
                    "type": column.type, "unit": column.unit,
                }
                for column in self.columns
            ],
            "rows": [list(row) for row in self.rows],
            "next": self.next,
        }  # fmt: skip
