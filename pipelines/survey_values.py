"""The texts of survey tables as numbers, years and words; rows of several tables as one."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from cim_core.layer import Dropped
from cim_core.mesh import Floats
from cim_core.network import Labels, Rows, Texts
from pipelines.dictionary import Dictionary, standard_word
from pipelines.survey import SurveyTable

_NUMBER = re.compile(r"([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:m|mm|米|毫米|°|度)?")
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)")


@dataclass(slots=True)
class Notes:
    """What could not be used, and what else is worth telling whoever imports it."""

    dropped: list[Dropped] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class JoinedRows:
    """The rows of several tables, end to end.

    tables, rows
        (n,) the number of each row's table and its row in it.
    """

    all_tables: Sequence[SurveyTable]
    tables: Rows
    rows: Rows

    @classmethod
    def of(cls, tables: Sequence[SurveyTable], *kinds: str) -> "JoinedRows":
        """The rows of all tables of some kinds."""
        chosen = [number for number, table in enumerate(tables) if table.kind in kinds]
        counts = [len(tables[number]) for number in chosen]
        none = np.empty(0, np.int64)
        return cls(
            tables,
            np.repeat(np.array(chosen, np.int64), counts),
            np.concatenate([none, *(np.arange(count) for count in counts)]),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, chosen: Rows) -> "JoinedRows":
        return JoinedRows(self.all_tables, self.tables[chosen], self.rows[chosen])

    def texts(self, *fields: str) -> Texts:
        """The first of some fields that is not empty in each row, (n,)."""
        found = np.full(len(self), "", object)
        for number, rows in self._by_table():
            table = self.all_tables[number]
            for name in fields:
                column = table.columns.get(name)
                if column is not None:
                    empty = rows[found[rows] == ""]
                    found[empty] = column[self.rows[empty]]
        return found

    def has(self, *fields: str) -> bool:
        """Whether any of the tables has any of some fields."""
        used = (self.all_tables[number] for number, _ in self._by_table())
        return any(name in table.columns for table in used for name in fields)

    def numbers(self, name: str, notes: Notes) -> Floats:
        """A field as numbers, (n,), NaN where it is empty or none; the latter is noted."""
        found = np.full(len(self), np.nan)
        for number, rows in self._by_table():
            table = self.all_tables[number]
            if (column := table.columns.get(name)) is not None:
                found[rows] = _noted(column[self.rows[rows]], table, self.rows[rows], name, notes)
        return found

    def names(self) -> Labels:
        """The letters of the class that the name of each row's table tells."""
        return Labels.of([table.system for table in self.all_tables])[self.tables]

    def line(self, row: int) -> str:
        """Where a row stands: the table and the line in its file."""
        table = self.all_tables[self.tables[row]]
        return f"{table.name}:{table.rows[self.rows[row]]}"

    def _by_table(self) -> list[tuple[int, Rows]]:
        if not len(self):
            return []
        order = np.argsort(self.tables, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(self.tables[order])) + 1)
        return [(int(self.tables[part[0]]), part) for part in parts]


def numbers(texts: Texts) -> Floats:
    """Texts as numbers, (n,), NaN for those that are none.

    >>> numbers(np.array(["1.5", "", "1.5m", "deep"], object)).tolist()
    [1.5, nan, 1.5, nan]
    """
    try:
        found = np.array([float(text) if text else np.nan for text in texts.tolist()])
    except ValueError:
        found = np.array([_number(text) for text in texts.tolist()])
    found[~np.isfinite(found)] = np.nan
    return found


def _number(text: str) -> float:
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return float(found[1]) if found else np.nan


def _noted(texts: Texts, table: SurveyTable, rows: Rows, name: str, notes: Notes) -> Floats:
    found = numbers(texts)
    bad = np.flatnonzero(np.isnan(found) & (texts != ""))
    if len(bad):
        notes.warnings.append(
            f"{len(bad)} values of {name} in {table.name} are no numbers and were left out; the "
            f"first is {texts[bad[0]]!r} in line {table.rows[rows[bad[0]]]}"
        )
    return found


def words(texts: Texts, standard: Callable[[str], str]) -> Labels:
    """Texts as labels of the words a dictionary has for them.

    >>> words(np.array(["a", "", "A"], object), str.upper).names
    ('A',)
    """
    raw = Labels.of(texts.tolist())
    known = Labels.of([standard(name) for name in raw.names])
    return Labels(known.names, np.append(known.codes, np.int32(-1))[raw.codes])


def standard_words(kind: Dictionary, texts: Texts) -> Labels:
    """Texts as labels of the dictionary's own words for materials, burials and so on."""
    return words(texts, lambda text: standard_word(kind, text))


def years(texts: Texts) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """The years in texts such as "2008", "2008-05" or "2008年5月", (n,), 0 where there is none."""
    raw = Labels.of(texts.tolist())
    found = (_YEAR.search(name) for name in raw.names)
    known = [int(year[1]) if year else 0 for year in found]
    return np.array([*known, 0], np.int16)[raw.codes]
