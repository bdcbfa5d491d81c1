"""Sets of indicators as folders: `set.toml`, and one file for each indicator beside it.

What ships with the program stands in `sets/`. A city's own stand in its folder under
`checkup/sets/<id>/`; one of them may build on another by `base`, say its own of some indicators and
leave others out by `without`. A set of a city has the first word over a shipped one of the same id.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from analysis.checkup.formulas import Formula, Input
from analysis.checkup.indicator import Indicator, IndicatorSet
from cim_core.errors import InvalidInput, NotFound

SET_FILE = "set.toml"
DERIVED = frozenset(("shape_area", "shape_length"))
"""The columns that features of every role have, made of their shapes."""
SUMMED = frozenset(("count", "area", "length", "largest-area", "longest"))
"""The measures that are no column."""

_Document = TypeVar("_Document", bound=BaseModel)


@cache
def shipped_sets() -> Mapping[str, IndicatorSet]:
    """The sets that come with the program, whole, by id."""
    folder = Path(str(files("analysis.checkup"))) / "sets"
    return {found.id: found for found in map(read_set, _folders(folder))}


def own_sets(city: Path) -> Mapping[str, IndicatorSet]:
    """The sets in the folder of a city, as they are written, by id; raises `InvalidInput`."""
    return {found.id: found for found in map(read_set, _folders(city / "checkup" / "sets"))}


def set_named(name: str, city: Path | None = None) -> IndicatorSet:
    """A set by its id with all of its base: one in the city's folder, else one that ships.

    Raises `NotFound` where there is none, `InvalidInput` where a file is wrong.
    """
    return _whole(_named(name, city), city, (name,))


def whole(which: IndicatorSet, city: Path | None = None) -> IndicatorSet:
    """A set with the indicators of its base, and of that one's; itself without a base."""
    return _whole(which, city, (which.id,))


def merged(own: IndicatorSet, base: IndicatorSet) -> IndicatorSet:
    """A set over its base: its own indicators, then those of the base it says nothing of.

    The order is that of the codes. Raises `InvalidInput` where `without` names one that the base
    has not.
    """
    named = {indicator.code: indicator for indicator in base.indicators}
    strange = [code for code in own.without if code not in named]
    if strange:
        raise InvalidInput(
            f"set {own.id}: `without` names {strange[0]}, which {base.id} does not have; leave it out"
        )
    kept = {code: one for code, one in named.items() if code not in own.without}
    kept |= {indicator.code: indicator for indicator in own.indicators}
    update = {
        "base": None, "without": (), "dimensions": {**base.dimensions, **own.dimensions},
        "indicators": tuple(kept[code] for code in sorted(kept)),
    }  # fmt: skip
    return own.model_copy(update=update)


def read_set(folder: Path) -> IndicatorSet:
    """The set in a folder, as it is written there: its base is not in it.

    Raises `InvalidInput` naming the file and the place for whatever is wrong in one.
    """
    head = _read(folder / SET_FILE)
    if head.get("id") != folder.name:
        raise InvalidInput(
            f"{folder / SET_FILE}: id is {head.get('id')!r}, but its folder is called {folder.name}; "
            "give both one name"
        )
    if "indicators" in head:
        raise InvalidInput(
            f"{folder / SET_FILE}: indicators are files beside it, not in it; write one for each"
        )
    found = _document(IndicatorSet, head, folder / SET_FILE)
    indicators = []
    for path in sorted(folder.glob("*.toml")):
        if path.name != SET_FILE:
            indicator = _document(Indicator, {"code": path.stem, **_read(path)}, path)
            if indicator.code != path.stem:
                raise InvalidInput(
                    f"{path}: code is {indicator.code!r}; the file is called by its code, "
                    f"so call it {indicator.code}.toml"
                )
            indicators.append(indicator)
    whole_set = found.model_copy(update={"indicators": tuple(indicators)})
    if found.base is None:
        check_dimensions(whole_set)
    return whole_set


def check_dimensions(which: IndicatorSet) -> None:
    """Raise `InvalidInput` where an indicator is of a dimension that the set does not name."""
    for indicator in which.indicators:
        if indicator.dimension not in which.dimensions:
            raise InvalidInput(
                f"set {which.id}, indicator {indicator.code}: dimension {indicator.dimension!r} is "
                f"not one of the set's; it names {', '.join(which.dimensions)}"
            )


def inputs_of(formula: Formula) -> Iterator[Input]:
    """All that a formula is made of, in the order in which it names them."""
    for name in type(formula).model_fields:
        value = getattr(formula, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Input):
                yield one


def columns_of(formula: Formula) -> Iterator[tuple[str, str]]:
    """The columns that a formula uses: role, name. Those made of shapes are not among them."""
    said = formula.model_dump(exclude_none=True)
    for place, name in (
        ("what", "measure"), ("part", "measure"), ("whole", "measure"), ("demand", "weight"),
        ("trips", "weight"), ("what", "required"), ("what", "of"), ("what", "existing"),
        ("what", "given"), ("what", "used"), ("what", "value"), ("what", "weight"),
    ):  # fmt: skip
        if place in said and name in said and said[name] not in SUMMED | DERIVED:
            yield said[place]["input"], said[name]
    if formula.operator == "per-capita":
        yield formula.population.input, "population"
    for one in inputs_of(formula):
        yield from ((one.input, column) for column in one.where if column not in DERIVED)


def _whole(which: IndicatorSet, city: Path | None, line: tuple[str, ...]) -> IndicatorSet:
    if which.base is None:
        return which
    if which.base in line[1:] or (which.base == which.id and not _ships(which.base)):
        raise InvalidInput(f"set {line[0]} is based on itself ({' → '.join((*line, which.base))})")
    # A city's set may have the name of the shipped one that it says its own of.
    base = shipped_sets()[which.base] if which.base == which.id else _named(which.base, city)
    result = merged(which, _whole(base, city, (*line, which.base)))
    check_dimensions(result)
    return result


def _ships(name: str) -> bool:
    return name in shipped_sets()


def _named(name: str, city: Path | None) -> IndicatorSet:
    folder = city / "checkup" / "sets" / name if city is not None else None
    if folder is not None and (folder / SET_FILE).is_file():
        return read_set(folder)
    if name not in shipped_sets():
        raise NotFound(
            f"there is no set of indicators {name!r}; there are {', '.join(shipped_sets())}, and "
            "those in the city's folder under checkup/sets"
        )
    return shipped_sets()[name]


def _folders(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"*/{SET_FILE}"))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise NotFound(f"there is no {path}; a set of indicators begins with it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read as TOML: {error}") from error


def _document(kind: type[_Document], table: dict[str, Any], path: Path) -> _Document:
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InvalidInput(f"{path}: {place}: {first['msg']}; correct that entry") from error
