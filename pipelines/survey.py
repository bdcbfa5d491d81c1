"""Survey tables of pipes as they were written: texts by field, before anything is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cim_core.network import Rows, Texts


@dataclass(frozen=True, slots=True)
class SurveyTable:
    """A point table, a line table, or a table that says more of either.

    name
        Of the file and, where it has several, of the sheet or table: "JSPoint.csv".
    kind
        "point" and "line" as CJJ 61 has them; "valve" and "user" name nodes by their point number.
    system
        The letters of the class of pipes its name tells ("JS"), empty where it tells none.
    headers
        The headers as they are written, in their order.
    columns
        (n,) texts by field of `headers.toml`, without spaces around them, "" where a cell is empty.
    others
        (n,) texts by header, of columns whose header is not known.
    rows
        (n,) the line of each row in its file, counted from 1, the header included.
    """

    name: str
    kind: Literal["point", "line", "valve", "user"]
    system: str
    headers: tuple[str, ...]
    columns: Mapping[str, Texts]
    others: Mapping[str, Texts]
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)
