"""The sizes of pipes, conduits and blocks of ducts as surveyors write them."""

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from cim_core.network import Profile

_NUMBER = r"(\d+(?:\.\d+)?)"
_ROUND = r"(?:DN|DE|D|φ|Φ|Ø|ø|∅|Ф|ф)"
_COUNT = r"(?:孔|根|条)?"

_CIRCLE = re.compile(rf"({_ROUND})?{_NUMBER}(MM|M)?")
_WALLED = re.compile(rf"{_ROUND}{_NUMBER}×{_NUMBER}(?:MM)?")
_BLOCK = re.compile(rf"{_NUMBER}×{_NUMBER}{_COUNT}[-×/]?{_ROUND}{_NUMBER}(?:MM)?")
_SOME = re.compile(rf"{_NUMBER}{_COUNT}[-×/]?{_ROUND}{_NUMBER}(?:MM)?")
_HOLES = re.compile(rf"{_NUMBER}(?:×{_NUMBER})?孔")
_BOX = re.compile(rf"{_NUMBER}(MM|M)?×{_NUMBER}(MM|M)?")

_MOST_DUCTS = 24
"""No conduit is so narrow, in millimetres, and no block of ducts so wide, in ducts."""
_METRES_BELOW = 10.0
_NARROWEST = 0.005
"""Metres: no pipe is narrower inside."""
_MOST_IN_BLOCK = 10_000
_LARGEST = 50.0
"""Metres: what is larger is a mistake of writing."""


@dataclass(frozen=True, slots=True)
class Size:
    """A size in metres; NaN for what the text does not say.

    width, height
        Of the clear cross-section; the diameter of a circle in both.
    columns, rows, duct
        Of a block of ducts, and the clear diameter of one; 0 where there are none.
    wall
        How thick the wall is where the text says it.
    """

    profile: Profile
    width: float
    height: float
    columns: int = 0
    rows: int = 0
    duct: float = math.nan
    wall: float = math.nan


def parse_size(text: str) -> Size | None:
    """The size a text says, None for none.

    Numbers are millimetres unless an "m" follows, or they are decimals below 10: both sides of a
    rectangle, or a diameter without its sign. No pipe is narrower than 5 mm. Of a block of ducts the outside is not said. Two whole numbers of at most 24 are so many
    ducts across and down; a number of ducts alone is laid out as near to a square as it can be,
    wider than high.

    >>> parse_size("DN300")
    Size(profile=<Profile.CIRCLE: 0>, width=0.3, height=0.3, columns=0, rows=0, duct=nan, wall=nan)
    >>> [parse_size(text).width for text in ("D300", "φ300", "300", "300mm", "0.3m", "dn 300")]
    [0.3, 0.3, 0.3, 0.3, 0.3, 0.3]
    >>> parse_size("0.3").width, parse_size("φ0.3") is None
    (0.3, True)
    >>> [(s.width, s.height) for s in map(parse_size, ("400×600", "400X600", "400*600", "0.4x0.6"))]
    [(0.4, 0.6), (0.4, 0.6), (0.4, 0.6), (0.4, 0.6)]
    >>> [(s.columns, s.rows, s.duct) for s in map(parse_size, ("3×4φ110", "2*3孔φ110", "12孔φ110", "3×2"))]
    [(3, 4, 0.11), (2, 3, 0.11), (4, 3, 0.11), (3, 2, nan)]
    >>> parse_size("φ219×6").wall
    0.006
    >>> parse_size("unknown") is None and parse_size("0") is None
    True
    """
    written = _written(text)
    for pattern, made in _FORMS:
        if found := pattern.fullmatch(written):
            return made(found)
    return None


def _written(text: str) -> str:
    """Without spaces, in capitals, with one sign for "by"."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).upper()
    return re.sub(r"(?<=[\dM孔根条])[X*×✕╳Х](?=[\dDΦ∅Ø])", "×", plain.replace("×", "*"))


def _circle(found: re.Match[str]) -> Size | None:
    sign, number, unit = found.groups()
    bare = sign is None and unit is None and "." in number
    metres = unit == "M" or (bare and float(number) < _METRES_BELOW)
    width = float(number) / (1 if metres else 1000)
    return Size(Profile.CIRCLE, width, width) if _NARROWEST <= width <= _LARGEST else None


def _walled(found: re.Match[str]) -> Size | None:
    """A tube by its outside and its wall, as steel ones are written."""
    outside, wall = float(found[1]), float(found[2])
    clear = (outside - 2 * wall) / 1000
    if not _NARROWEST <= clear <= _LARGEST or wall == 0:
        return None
    return Size(Profile.CIRCLE, clear, clear, wall=wall / 1000)


def _block(found: re.Match[str]) -> Size | None:
    return _ducts(float(found[1]), float(found[2]), float(found[3]))


def _some(found: re.Match[str]) -> Size | None:
    columns, rows = laid_out(float(found[1]))
    return _ducts(columns, rows, float(found[2]))


def _holes(found: re.Match[str]) -> Size | None:
    if found[2] is not None:
        return _ducts(float(found[1]), float(found[2]), math.nan)
    columns, rows = laid_out(float(found[1]))
    return _ducts(columns, rows, math.nan)


def _box(found: re.Match[str]) -> Size | None:
    a, b = float(found[1]), float(found[3])
    unit = found[4] or found[2]
    whole = a.is_integer() and b.is_integer()
    if unit is None and whole and 0 < max(a, b) <= _MOST_DUCTS:
        return _ducts(a, b, math.nan)
    metres = unit == "M" or (unit is None and max(a, b) < _METRES_BELOW)
    width, height = (a, b) if metres else (a / 1000, b / 1000)
    if min(width, height) <= _MOST_DUCTS / 1000 or max(width, height) > _LARGEST:
        return None
    return Size(Profile.BOX, width, height)


def _ducts(columns: float, rows: float, duct: float) -> Size | None:
    most = 100
    counted = columns % 1 == rows % 1 == 0 and 1 <= columns <= most and 1 <= rows <= most
    if not counted or duct == 0 or duct / 1000 > _LARGEST:
        return None
    return Size(Profile.DUCTS, math.nan, math.nan, int(columns), int(rows), duct / 1000)


def laid_out(count: float) -> tuple[int, int]:
    """So many ducts, across and down: none left over if that can be, as near to a square as it can be.

    >>> [laid_out(count) for count in (1, 2, 4, 6, 7, 9, 12)]
    [(1, 1), (2, 1), (2, 2), (3, 2), (4, 2), (3, 3), (4, 3)]
    """
    if not 1 <= count <= _MOST_IN_BLOCK or count % 1:
        return 0, 0
    rows = math.isqrt(int(count))
    while count % rows:
        rows -= 1
    if rows == 1 and count > 3:  # a prime: one place stays empty
        return laid_out(count + 1)
    return int(count // rows), rows


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Size | None]], ...] = (
    (_BLOCK, _block),
    (_WALLED, _walled),
    (_SOME, _some),
    (_HOLES, _holes),
    (_BOX, _box),
    (_CIRCLE, _circle),
)
"""The ways to write a size, those that say more first."""
