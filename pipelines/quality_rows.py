"""The rows of survey tables of one kind, end to end, with what is written in their fields."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.network import Rows, Texts
from pipelines.survey import SurveyTable
from pipelines.survey_values import JoinedRows, numbers

Mask = NDArray[np.bool_]


class Stack:
    """The tables of one kind end to end, n rows in all.

    tables, rows
        (n,) the number of its table among all, and its row there from 0.
    """

    def __init__(self, tables: Sequence[SurveyTable], kind: str) -> None:
        self.kind = kind
        self.all = tables
        self.numbers = [at for at, table in enumerate(tables) if table.kind == kind]
        self.joined = JoinedRows.of(tables, kind)
        self.tables, self.rows = self.joined.tables, self.joined.rows
        self.bases: Rows = np.full(len(tables) + 1, -1)
        self.bases[self.numbers] = np.cumsum([0, *(len(tables[at]) for at in self.numbers)])[:-1]
        self._texts: dict[str, Texts] = {}
        self._numbers: dict[str, Floats] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def texts(self, field: str) -> Texts:
        """(n,) the texts of a field, "" where a table does not have it."""
        if field not in self._texts:
            self._texts[field] = self.joined.texts(field)
        return self._texts[field]

    def has(self, field: str) -> Mask:
        """(n,) whether the row's table has a field."""
        having = [at for at in self.numbers if field in self.all[at].columns]
        return np.isin(self.tables, having)

    def filled(self, field: str) -> Mask:
        """(n,) whether something is written in a field."""
        return np.asarray(self.texts(field) != "", bool)

    def values(self, field: str) -> Floats:
        """(n,) the numbers of a field, NaN where there is none."""
        if field not in self._numbers:
            self._numbers[field] = numbers(self.texts(field))
        return self._numbers[field]

    def at(self, tables: Rows, rows: Rows) -> Rows:
        """The places in this stack of rows of tables, -1 for those of tables of another kind."""
        bases = self.bases[tables]
        return np.where(bases < 0, -1, bases + rows)

    def table(self, row: int) -> SurveyTable:
        """The table a row is in."""
        return self.all[int(self.tables[row])]

    def where(self, row: int) -> tuple[str, int]:
        """The name of a row's table and its line there."""
        table = self.table(row)
        return table.name, int(table.rows[self.rows[row]])

    def place(self, row: int) -> str:
        """A row's table and line as they are written."""
        return "{}:{}".format(*self.where(row))
