"""Surveys with errors in them, and the answer key: what a check of surveys should find.

The tables are edited as text; nothing here knows how the product checks them. Of each error the key
says the rule that should find it, by the rule's id, and which other rules cannot help noticing it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sample_data.district.plan import random

FOLDER = "survey-with-errors"
KEY = "answer-key.csv"
BROKEN = ("water", "storm", "sewage", "gas", "power")
"""The networks whose tables get errors."""


@dataclass(eq=False)
class Row:
    """A row of a table."""

    cells: list[str]


@dataclass
class Table:
    """A table as it is written: its file, its headers and its rows."""

    file: str
    encoding: str
    headers: list[str]
    rows: list[Row]

    @classmethod
    def read(cls, file: str, content: bytes, encoding: str) -> Table:
        """Read a CSV file."""
        headers, *rows = csv.reader(io.StringIO(content.decode(encoding), newline=""))
        return cls(file, encoding, headers, [Row(cells) for cells in rows])

    def get(self, row: Row, header: str) -> str:
        """What stands in a cell."""
        return row.cells[self.headers.index(header)]

    def set(self, row: Row, header: str, text: str) -> None:
        """Write something else into a cell."""
        row.cells[self.headers.index(header)] = text

    def number(self, row: Row, header: str) -> float:
        """The number in a cell."""
        return float(self.get(row, header))

    def copy(self, row: Row, **changes: str) -> Row:
        """Append a copy of a row with some cells changed."""
        new = Row(list(row.cells))
        for header, text in changes.items():
            self.set(new, header, text)
        self.rows.append(new)
        return new

    def line(self, row: Row | None) -> int:
        """The line of the file a row stands in, the headers' for None."""
        if row is None:
            return 1
        return 2 + next(i for i, other in enumerate(self.rows) if other is row)

    def written(self) -> bytes:
        """The file."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(self.headers)
        writer.writerows(row.cells for row in self.rows)
        return text.getvalue().encode(self.encoding)


@dataclass(frozen=True)
class Mistake:
    """One error: where it stands, of what, and which rule should find it.

    `row` is None for headers; `also` are rules that find more because of it.
    """

    table: Table
    row: Row | None
    name: str
    rule: str
    zh: str
    en: str
    spot: tuple[str, str] | None
    also: tuple[str, ...] = ()


@dataclass
class Survey:
    """The tables of one network, and who meets whom in them."""

    name: str
    points: Table
    lines: Table
    others: Mapping[str, Table]
    rng: np.random.Generator
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.at = {self.points.get(row, "物探点号"): row for row in self.points.rows}
        self.meet: dict[str, list[Row]] = {number: [] for number in self.at}
        for row in self.lines.rows:
            for number in self.ends(row):
                self.meet[number].append(row)

    def ends(self, row: Row) -> tuple[str, str]:
        """The points a line runs between."""
        return self.lines.get(row, "起始点号"), self.lines.get(row, "终止点号")

    def word(self, number: str) -> str:
        """What stands at a point: its appurtenance, else its feature."""
        row = self.at[number]
        return self.points.get(row, "附属物") or self.points.get(row, "特征")

    def spot(self, number: str) -> tuple[str, str]:
        """The coordinates of a point as they are written."""
        row = self.at[number]
        return self.points.get(row, "X"), self.points.get(row, "Y")

    def length(self, row: Row) -> float:
        """How long a line is (m)."""
        (x0, y0), (x1, y1) = (map(float, self.spot(number)) for number in self.ends(row))
        return float(np.hypot(x1 - x0, y1 - y0))

    def new_number(self) -> str:
        """A point number nobody has."""
        return (
            f"{self.points.get(self.points.rows[0], '物探点号')[:2]}{900 + len(self.points.rows)}"
        )

    def line(self, good: Callable[[Row], bool]) -> Row:
        """Choose a line that nothing was done to, nor to its neighbours."""
        found = [r for r in self.lines.rows if self.used.isdisjoint(self.ends(r)) and good(r)]
        chosen = found[int(self.rng.integers(len(found)))]
        self._keep_clear(self.ends(chosen))
        return chosen

    def point(self, good: Callable[[str], bool]) -> str:
        """Choose a point that nothing was done to, nor to its neighbours."""
        found = [number for number in self.at if number not in self.used and good(number)]
        chosen = found[int(self.rng.integers(len(found)))]
        self._keep_clear((chosen,))
        return chosen

    def _keep_clear(self, numbers: Sequence[str]) -> None:
        """Leave alone whatever is up to two lines away, so that errors do not meet."""
        ring = set(numbers)
        for _ in range(2):
            ring |= {n for number in ring for row in self.meet[number] for n in self.ends(row)}
        self.used |= ring

    def deepen(self, row: Row, end: str, by: float) -> None:
        """Move one end of a line down, "起点" or "终点", so that depth and elevation agree."""
        depth = self.lines.number(row, f"{end}埋深") + by
        elevation = self.lines.number(row, f"{end}高程") - by
        self.lines.set(row, f"{end}埋深", f"{depth:.2f}")
        self.lines.set(row, f"{end}高程", f"{elevation:.3f}")

    def on_line(self, row: Row, rule: str, zh: str, en: str, *also: str) -> Mistake:
        """An error of a line."""
        first, last = self.ends(row)
        spot = next((self.spot(n) for n in (first, last) if n in self.at), None)
        return Mistake(self.lines, row, f"{first}–{last}", rule, zh, en, spot, also)

    def on_point(self, number: str, rule: str, zh: str, en: str, *also: str) -> Mistake:
        """An error of a point."""
        return Mistake(self.points, self.at[number], number, rule, zh, en, self.spot(number), also)


def with_errors(
    surveys: Mapping[str, bytes], seed: int, kinds: Callable[[Mapping[str, Survey]], Iterator[Mistake]]
) -> dict[str, bytes]:  # fmt: skip
    """The files of the second set: every table of the first, some with errors, and the answer key.

    `surveys` are the files of the first set by path: `survey-<network>/<table>`.
    """
    opened = {name: _opened(name, surveys, seed) for name in BROKEN}
    mistakes = list(kinds(opened))
    files = {}
    for path, content in surveys.items():
        folder, file = path.split("/")
        name = folder.removeprefix("survey-")
        files[f"{FOLDER}/{name}/{file}"] = content
    for name, survey in opened.items():
        for table in (survey.points, survey.lines, *survey.others.values()):
            files[f"{FOLDER}/{name}/{table.file}"] = table.written()
    of = {id(t): n for n, s in opened.items() for t in (s.points, s.lines, *s.others.values())}
    files[f"{FOLDER}/{KEY}"] = _key(mistakes, of)
    return files


def _opened(name: str, surveys: Mapping[str, bytes], seed: int) -> Survey:
    encoding = {"storm": "gb18030", "water": "utf-8-sig"}.get(name, "utf-8")
    tables = {
        path.split("/")[1]: Table.read(path.split("/")[1], content, encoding)
        for path, content in surveys.items() if path.startswith(f"survey-{name}/")
    }  # fmt: skip
    (points,) = (tables.pop(file) for file in list(tables) if file.endswith("Point.csv"))
    (lines,) = (tables.pop(file) for file in list(tables) if file.endswith("Line.csv"))
    return Survey(name, points, lines, tables, random(seed, f"errors {name}"))


def _key(mistakes: Sequence[Mistake], of: Mapping[int, str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["number", "file", "line", "object", "rule", "also", "error_zh", "error_en", "northing", "easting"])  # fmt: skip
    for number, mistake in enumerate(mistakes, 1):
        table = mistake.table
        writer.writerow(
            [number, f"{of[id(table)]}/{table.file}", table.line(mistake.row), mistake.name,
             mistake.rule, " ".join(mistake.also), mistake.zh, mistake.en, *(mistake.spot or ("", ""))]
        )  # fmt: skip
    return text.getvalue().encode("utf-8-sig")
