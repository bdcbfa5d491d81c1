"""The text of a STEP file: its statements and what they refer to, without reading their values.

A parser makes an object of every value. To tell whether two statements say the same, and to copy
some of them to another file, the text itself is enough, and many times faster.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.integer[Any]]

_COMMENT = re.compile(rb"('[^']*')|/\*.*?\*/", re.DOTALL)
_SPECIAL = np.isin(np.arange(256), list(b"'#=;"))
_PREFIX = 8
"""So many letters of a keyword are compared for all statements at once."""

_BLOCK = 4 << 20
"""Bytes looked at together; all at once would take many times the file's size in memory."""

_DENSE = 16
"""Numbers up to so many times that of the statements are looked up in a table."""

_DIGITS = 10
"""A longer number is no STEP id that the geometry kernel could hold."""


_END = b"END-ISO-10303-21;"
"""Longer than a number or a prefix, so that none is looked for beyond the end."""


class OddText(Exception):
    """The text is not what a STEP file looks like; its words end a sentence for the log."""


class StepText:
    """The statements of a file, each a row, in the order of the file.

    ids
        (n,) int64, the number before the "=" of each statement.
    starts
        (n + 1,) int32: the references of row i are refs[starts[i]:starts[i + 1]].
    refs
        (m,) int32, the row each reference is to, in the order of the text; -1 where it is to
        nothing.
    owners
        (m,) int32, the row each reference stands in.
    rows_of
        Gives the rows of statements by their numbers.
    """

    def __init__(self, data: bytes) -> None:
        """Find the statements; raises `OddText`."""
        if b"/*" in data:
            data = _COMMENT.sub(rb"\1", data)
        if not data[-64:].rstrip().upper().endswith(_END):
            raise OddText("it does not end as STEP files do")
        self._data = data
        letters = np.frombuffer(data, np.uint8)
        self._from, begin, self._to, references, starts = _statements(letters)
        self.ids, _ = _numbers(letters, self._from)
        self.rows_of = _Index(self.ids)
        targets, widths = _numbers(letters, references)
        self.refs: Rows = self.rows_of(targets)
        self.starts: Rows = starts.astype(np.int32)
        self.owners: Rows = np.repeat(np.arange(len(self.ids), dtype=np.int32), np.diff(starts))
        self._prefixes = _prefixes(data, begin)
        self._shorten(letters, begin, references, widths)

    def rows_by_keyword(self, keywords: Iterable[str]) -> dict[str, list[int]]:
        """The rows, ascending, of statements with these keywords of eight letters or more."""
        wanted = {keyword.upper().encode(): keyword for keyword in keywords}
        prefixes = b"".join(sorted({word[:_PREFIX] for word in wanted}))
        likely = np.flatnonzero(np.isin(self._prefixes, np.frombuffer(prefixes, "<u8")))
        found: dict[str, list[int]] = {keyword: [] for keyword in wanted.values()}
        for row in likely.tolist():
            keyword = wanted.get(self.keyword(row))
            if keyword is not None:
                found[keyword].append(row)
        return found

    def keyword(self, row: int) -> bytes:
        """The keyword of a statement: b"IFCWALL"."""
        bare = self.bare(row)
        return bare[: bare.find(b"(")].rstrip()

    def bare(self, row: int) -> bytes:
        """What a statement says without the numbers it refers to: b"IFCPOLYLOOP((#,#,#))"."""
        return self._bare[self._bare_begin[row] : self._bare_end[row]]

    def bares(self, rows: Rows) -> list[bytes]:
        """`bare` of many rows."""
        bare, begin, end = self._bare, self._bare_begin[rows], self._bare_end[rows]
        return [bare[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)]

    def arguments(self, row: int) -> bytes:
        """What stands between a statement's outer parentheses, but for the numbers."""
        bare = self.bare(row)
        return bare[bare.find(b"(") + 1 : bare.rfind(b")")].strip()

    def refs_of(self, row: int) -> list[int]:
        """The rows a statement refers to, in its order."""
        found: list[int] = self.refs[self.starts[row] : self.starts[row + 1]].tolist()
        return found

    def copied(self, rows: Rows) -> bytes:
        """The statements of these ascending rows as they stand in the file."""
        breaks = np.flatnonzero(np.diff(rows) != 1)
        first = self._from[rows[np.append(0, breaks + 1)]].tolist()
        last = self._to[rows[np.append(breaks, len(rows) - 1)]].tolist()
        return b"\n".join([self._data[a : b + 1] for a, b in zip(first, last, strict=True)])

    def _shorten(
        self, letters: NDArray[np.uint8], begin: Rows, references: Rows, widths: Rows
    ) -> None:
        """Keep a text in which references have lost their numbers."""
        pieces: list[bytes] = []
        for first in range(0, len(letters), _BLOCK):
            kept = np.ones(min(_BLOCK, len(letters) - first), np.bool_)
            near = slice(*np.searchsorted(references, [first - _DIGITS, first + _BLOCK]))
            for place in range(1, _DIGITS + 1):
                lost = references[near][widths[near] >= place] + (place - first)
                kept[lost[(lost >= 0) & (lost < len(kept))]] = False
            pieces.append(letters[first : first + _BLOCK][kept].tobytes())
        self._bare = b"".join(pieces)
        shift = np.append(0, np.cumsum(widths))
        self._bare_begin = begin - shift[self.starts[:-1]]
        self._bare_end = self._to - shift[self.starts[1:]]


class _Index:
    """Finds rows by STEP ids: (n,) in, (n,) int32 out, -1 where there is none."""

    def __init__(self, ids: Rows) -> None:
        rows = np.arange(len(ids), dtype=np.int32)
        if ids.max() < _DENSE * len(ids):
            self._values: Rows = np.arange(0)
            self._rows: Rows = np.full(int(ids.max()) + 1, -1, np.int32)
            self._rows[ids] = rows
        else:
            order = np.argsort(ids, kind="stable")
            self._values, self._rows = ids[order], rows[order]
        if (self(ids) != rows).any():
            raise OddText("a number stands for two statements")

    def __call__(self, ids: Rows) -> Rows:
        if len(self._values) == 0:
            return np.where(ids < len(self._rows), self._rows.take(ids, mode="clip"), -1)
        place = np.minimum(np.searchsorted(self._values, ids), len(self._values) - 1)
        return np.where(self._values[place] == ids, self._rows[place], -1)


def _statements(letters: NDArray[np.uint8]) -> tuple[Rows, Rows, Rows, Rows, Rows]:
    """Where statements are: their "#", what follows their "=" and their ";", (n,) each.

    Then the "#" of every reference, (m,), and the first reference of each statement, (n + 1,).
    """
    at, kind = _outside_strings(letters)
    number_sign, equals = kind == ord("#"), kind == ord("=")
    defines = np.zeros(len(at), np.bool_)
    defines[:-1] = number_sign[:-1] & equals[1:]
    defined, referring = np.flatnonzero(defines), np.flatnonzero(number_sign & ~defines)
    closing = np.flatnonzero(kind == ord(";"))
    last = np.searchsorted(closing, defined)
    if len(defined) == 0 or last[-1] == len(closing) or equals.sum() != len(defined):
        raise OddText("its statements do not end")
    if (np.diff(last) == 0).any():
        raise OddText("a statement stands inside another")
    begin = _past_blanks(letters, at[defined + 1] + 1, 1)
    if (letters[_past_blanks(letters, at[closing[last]] - 1, -1)] != ord(")")).any():
        raise OddText("a statement does not end with a parenthesis")
    starts = np.searchsorted(referring, np.append(defined, len(at)))
    return at[defined], begin, at[closing[last]], at[referring], starts


def _outside_strings(letters: NDArray[np.uint8]) -> tuple[Rows, NDArray[np.uint8]]:
    """Where #, = and ; stand outside strings, and which of them it is.

    An apostrophe inside a string is written twice, so that counting them is enough.
    """
    found: list[tuple[Rows, NDArray[np.uint8]]] = []
    within = np.False_
    for first in range(0, len(letters), _BLOCK):
        block = letters[first : first + _BLOCK]
        at = np.flatnonzero(_SPECIAL[block])
        kind = block[at]
        quotes = kind == ord("'")
        inside = np.logical_xor.accumulate(quotes) ^ within
        within = inside[-1] if len(inside) else within
        outside = ~(inside | quotes)
        found.append((at[outside] + first, kind[outside]))
    if within:
        raise OddText("a string does not end")
    return np.concatenate([at for at, _ in found]), np.concatenate([kind for _, kind in found])


def _past_blanks(letters: NDArray[np.uint8], at: Rows, step: int) -> Rows:
    while (blank := letters[at] <= ord(" ")).any():
        at = at + step * blank
    return at


def _numbers(letters: NDArray[np.uint8], signs: Rows) -> tuple[Rows, Rows]:
    """The number after each "#" and how many digits it has."""
    values = np.zeros(len(signs), np.int64)
    widths = np.zeros(len(signs), np.int8)
    going = np.ones(len(signs), np.bool_)
    for place in range(1, _DIGITS + 2):
        digit = letters[signs + place] - np.uint8(ord("0"))
        going &= digit < 10
        if not going.any():
            break
        values = np.where(going, values * 10 + digit, values)
        widths += going
    if (widths == 0).any() or (widths > _DIGITS).any():
        raise OddText("a number is missing or too long")
    return values, widths


def _prefixes(data: bytes, begin: Rows) -> NDArray[np.uint64]:
    """The first letters of every statement as one number each."""
    words = np.ndarray((len(data) - _PREFIX + 1,), "<u8", data, strides=(1,))
    return words[begin]
