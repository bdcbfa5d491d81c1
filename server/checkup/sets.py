"""The sets of indicators of a city: those that ship, those in its folder, and its own drafts."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from analysis.checkup.checked import check_formula
from analysis.checkup.indicator import Indicator, IndicatorSet
from analysis.checkup.roles import city_roles
from analysis.checkup.sets import (
    SET_FILE,
    check_dimensions,
    inputs_of,
    merged,
    read_set,
    set_named,
    shipped_sets,
)
from cim_core.city import City
from cim_core.errors import Conflict, InvalidInput, NotFound
from cim_core.sight import Doer
from cim_core.store.checkup import Run
from cim_core.store.checkup_sets import OwnSet
from server.zh import in_chinese

_DIGITS = 16
"""Of a digest that people compare."""

_DEEPEST = 8
"""So many sets may each build on the next."""

State = Literal["shipped", "draft", "frozen"]
_Given = Mapping[str, IndicatorSet | None]
"""Sets as they are to be, in place of those that are kept; None for one that is to go."""


@dataclass(frozen=True, slots=True)
class FoundSet:
    """A set as it stands: "shipped" as files, with the program or in the city's folder; else an own one.

    own, whole
        As it is written; and with all of its base.
    """

    version: int
    state: State
    own: IndicatorSet
    whole: IndicatorSet

    @property
    def digest(self) -> str:
        """Of all that the set says with its base: files may change and keep their version."""
        said = self.whole.model_dump_json(exclude_none=True)
        return hashlib.sha256(said.encode()).hexdigest()[:_DIGITS]

    def summary(self) -> dict[str, Any]:
        """A set in the list of sets."""
        whole = self.whole
        return {
            "id": whole.id, "version": self.version, "digest": self.digest, "system": whole.system,
            "year": whole.year,
            "name": whole.name.model_dump(), "state": self.state, "indicators": len(whole.indicators),
            "dimensions": {key: text.model_dump() for key, text in whole.dimensions.items()},
            "problem": None,
        }  # fmt: skip

    def document(self) -> dict[str, Any]:
        """A set as it can be changed, and with all of its base."""
        return {
            **self.summary(),
            "document": self.own.model_dump(mode="json", exclude_none=True),
            "whole": [
                one.model_dump(mode="json", exclude_none=True) for one in self.whole.indicators
            ],
        }


@dataclass(frozen=True, slots=True)
class BrokenSet:
    """A set that cannot be used as it stands, and why not."""

    id: str
    version: int
    state: State
    problem: str

    def summary(self) -> dict[str, Any]:
        """The same as of any set, of which no more is known."""
        return {
            "id": self.id, "version": self.version, "digest": None, "system": "", "year": None,
            "name": {"en": self.id, "zh": self.id}, "state": self.state, "indicators": 0,
            "dimensions": {},
            "problem": {"en": self.problem, "zh": in_chinese(self.problem) or self.problem},
        }  # fmt: skip


def all_sets(city: City) -> list[FoundSet | BrokenSet]:
    """Every set of a city; one that is wrong keeps nobody from the others."""
    found: list[FoundSet | BrokenSet] = []
    for key in dict.fromkeys((*shipped_sets(), *_in_folder(city))):
        if _kept(city, key) is not None:
            twice = f"there is a set of the city's own with the id {key!r}, which counts; give the files another id"
            found.append(BrokenSet(key, 1, "shipped", twice))
            continue
        try:
            found.append(_of_files(city, key))
        except (InvalidInput, NotFound) as error:
            found.append(BrokenSet(key, 1, "shipped", str(error)))
    for kept in city.checkups.sets.all():
        try:
            found.append(_of_own(city, kept))
        except (InvalidInput, NotFound) as error:
            found.append(BrokenSet(kept.id, kept.version, kept.state, str(error)))
    return found


def found_set(city: City, key: str) -> FoundSet:
    """One set, of two with one id that of the city's own; raises `NotFound`, `InvalidInput`."""
    if _is_files(city, key):
        return _of_files(city, key)
    return _of_own(city, city.checkups.sets.get(key))


def put_set(
    city: City, key: str, given: Mapping[str, Any], version: int | None, doer: Doer | None
) -> FoundSet:
    """Begin or change a draft; raises `InvalidInput`, `Conflict`, `OutOfDate`, `NotFound`.

    `Conflict` also where another draft builds on it, which would not be whole any more.
    """
    own = read_draft(city, key, given)

    def check() -> None:
        _whole(city, own, {key: own})
        _require_others_whole(city, key, own)

    document = own.model_dump(mode="json", exclude_none=True)
    return _of_own(city, city.checkups.sets.put(key, document, version, doer, check=check))


def remove_set(city: City, key: str, version: int, doer: Doer | None) -> None:
    """Remove a draft that no other one needs; raises as `put_set`."""
    city.checkups.sets.remove(
        key, version, doer, check=lambda: _require_others_whole(city, key, None)
    )


def freeze_set(city: City, key: str, version: int, doer: Doer | None) -> FoundSet:
    """Let a draft never change again, with all of its base as that is now; raises as `put_set`."""
    kept = city.checkups.sets.get(key)
    document = _of_own(city, kept).whole.model_dump(mode="json", exclude_none=True)
    return _of_own(city, city.checkups.sets.put(key, document, version, doer, state="frozen"))


def require_final(city: City, run: Run) -> None:
    """Raise `Conflict` for a run by a set that may still change, or has changed since."""
    key = run.document["set"]
    used = found_set(city, key)
    if used.state == "draft" or run.document["set_version"] != used.version:
        raise Conflict(
            f"the set of indicators {key!r} was a draft when this was examined; freeze it, examine again and "
            "submit that"
        )
    if run.document.get("set_digest") != used.digest:
        raise Conflict(
            f"the set of indicators {key!r} is not the one any more by which this was examined; examine again "
            "and submit that"
        )


def read_draft(city: City, key: str, given: Mapping[str, Any]) -> IndicatorSet:
    """A set as somebody gives it, but for its base; raises `InvalidInput`, `Conflict`."""
    if _is_files(city, key):
        raise Conflict(f"the set of indicators {key!r} comes as files, and stays; take another id")
    own = _validated(key, {**given, "id": key})
    codes = [one.code for one in own.indicators]
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice is not None:
        raise InvalidInput(
            f"set {key}: the code {twice} is given twice; give each indicator its own"
        )
    for indicator in own.indicators:
        check_indicator(city, indicator)
    return own


def read_indicator(city: City, given: Mapping[str, Any]) -> Indicator:
    """An indicator as somebody gives it to be tried; raises `InvalidInput`."""
    try:
        indicator = Indicator.model_validate(given)
    except ValidationError as error:
        raise InvalidInput(f"indicator: {_first(error)}") from error
    check_indicator(city, indicator)
    return indicator


def check_indicator(city: City, indicator: Indicator) -> None:
    """Raise `InvalidInput` for a formula of what nothing can be, or a kind of units named twice."""
    twice = next((by for by in indicator.by if indicator.by.count(by) > 1), None)
    if twice is not None:
        raise InvalidInput(f"indicator {indicator.code}: by names {twice} twice; name it once")
    known = city_roles(city)
    for one in inputs_of(indicator.formula):
        if one.input not in known:
            raise InvalidInput(
                f"indicator {indicator.code}: there is no input {one.input!r}; GET /checkup/roles lists them"
            )
    check_formula(indicator.formula, known)


def _in_folder(city: City) -> list[str]:
    """The ids of the sets in a city's folder, which are internal as its own ones are."""
    if not city.checkups.visible:
        return []
    return sorted(path.parent.name for path in _sets_of(city).glob(f"*/{SET_FILE}"))


def _is_files(city: City, key: str) -> bool:
    """Whether a set comes as files, and the city has no own one of its id, which was there first."""
    return (key in shipped_sets() or key in _in_folder(city)) and _kept(city, key) is None


def _kept(city: City, key: str) -> OwnSet | None:
    try:
        return city.checkups.sets.get(key)
    except NotFound:
        return None


def _sets_of(city: City) -> Path:
    return city.folder / "checkup" / "sets"


def _of_files(city: City, key: str) -> FoundSet:
    if key in _in_folder(city):
        own, whole = read_set(_sets_of(city) / key), set_named(key, city.folder)
    else:
        own = whole = shipped_sets()[key]
    return FoundSet(1, "shipped", own, whole)


def _of_own(city: City, kept: OwnSet) -> FoundSet:
    own = _validated(kept.id, kept.document)
    return FoundSet(kept.version, kept.state, own, _whole(city, own, {}))


def _validated(key: str, document: Mapping[str, Any]) -> IndicatorSet:
    try:
        return IndicatorSet.model_validate(document)
    except ValidationError as error:
        raise InvalidInput(f"set {key}: {_first(error)}") from error


def _whole(
    city: City, own: IndicatorSet, given: _Given, line: tuple[str, ...] = ()
) -> IndicatorSet:
    """A set with all of its base, which may be any of the city's; `line` are those that build on it."""
    if own.base is None:
        check_dimensions(own)
        return own
    line = (*line, own.id)
    if own.base in line or len(line) > _DEEPEST:
        raise InvalidInput(
            f"set {line[0]}: its base is based on it, or on too many others; give another base"
        )
    if own.base not in given and _is_files(city, own.base):
        base = _of_files(city, own.base).whole
    else:
        base = _whole(city, _as_it_is_to_be(city, own.base, given), given, line)
    result = merged(own, base)
    check_dimensions(result)
    return result


def _as_it_is_to_be(city: City, key: str, given: _Given) -> IndicatorSet:
    if key not in given:
        return _validated(key, city.checkups.sets.get(key).document)
    found = given[key]
    if found is None:
        raise NotFound(f"there is no set of indicators {key!r} here; GET /checkup lists them")
    return found


def _require_others_whole(city: City, key: str, new: IndicatorSet | None) -> None:
    """Raise `Conflict` where a draft that builds on a set is whole now and would not be any more."""
    for kept in city.checkups.sets.all():
        if kept.id == key or kept.document.get("base") is None:
            continue
        try:
            own = _of_own(city, kept).own
        except (InvalidInput, NotFound):  # it is broken already, and listed as that
            continue
        try:
            _whole(city, own, {key: new})
        except (InvalidInput, NotFound) as error:
            raise Conflict(
                f"the set of indicators {kept.id!r} builds on {key!r}, and would not be whole any more: {error}"
            ) from error


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the document"
    return f"{place}: {first['msg']}"
