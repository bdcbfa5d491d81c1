"""What values follow from, as digests: an indicator is computed again when one of these is another."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from analysis.checkup.formulas import (
    BothEnds,
    Coverage,
    Density,
    Equipped,
    Formula,
    Gap,
    Input,
    Loss,
    Mean,
    PerCapita,
    Share,
    Total,
)
from analysis.checkup.indicator import Indicator
from analysis.checkup.loaded import engine_table
from analysis.checkup.measured import By
from analysis.checkup.operators.reach import ROADS, on_roads
from analysis.checkup.operators.surveyed import found_by
from analysis.checkup.operators.uses import Use, column_of, use
from analysis.checkup.roles import Role, roles
from analysis.checkup.scene import DERIVED, Picked, Scene
from analysis.checkup.units import district_roles
from analysis.reach.rules import reach_table

_ENGINE = 3
"""Goes up whenever an operator begins to answer otherwise."""

Asked = tuple[Input, tuple[str | None, ...]]


@dataclass(frozen=True, slots=True)
class InputUsed:
    """A layer that values are made of.

    version, date
        None and empty where the city has no such layer.
    features
        How many were used.
    digest
        Of their ids, shapes, and the columns that were asked for.
    """

    role: str
    layer: str
    version: int | None
    date: str
    features: int
    digest: str


def inputs(formula: Formula) -> Iterator[Asked]:
    """What a formula picks, each with the columns that it asks of the features."""
    yield from _summed(formula)
    if isinstance(formula, Coverage | Density | Total) and formula.within is not None:
        yield formula.within, ()
    if isinstance(formula, Share) and formula.near is not None:
        yield formula.near, ()
    if isinstance(formula, Coverage | Equipped | BothEnds):
        yield from ((site, ()) for site in formula.sites)
        if on_roads(formula.sites):
            yield ROADS, tuple(roles()[ROADS.input].columns)


def _summed(formula: Formula) -> Iterator[Asked]:
    """What values are sums over."""
    match formula:
        case Coverage():
            yield formula.demand, (formula.weight,)
        case Density() | Total() | PerCapita():
            yield formula.what, (column_of(formula.measure),)
            if isinstance(formula, Total) and formula.about is not None:
                yield formula.about, ()
                yield Input(input=formula.what.input), tuple(found_by(formula.what))
            if isinstance(formula, PerCapita):
                yield formula.population, ("population",)
        case Share():
            yield formula.part, (column_of(formula.measure),)
            yield formula.whole, (column_of(formula.measure),)
        case Gap():
            yield formula.what, (formula.required, formula.of, formula.existing)
        case Equipped():
            yield formula.units, ()
        case Loss():
            yield formula.what, (formula.given, formula.used)
        case Mean():
            yield formula.what, (formula.value, formula.weight)
        case BothEnds():
            yield formula.trips, (formula.weight,)


def digest_of(scene: Scene, indicator: Indicator) -> str:
    """What the values of an indicator follow from: equal digests have equal values."""
    made = hashlib.sha256(f"{scene.plane.name} {indicator.by}".encode())
    uses = _uses(scene, indicator)
    made.update(_canonical(indicator.formula.model_dump(mode="json")))
    made.update(_canonical(_rules(uses)))
    for one in uses:
        made.update(str(scene.roles[one.picked.role].begins).encode())
        made.update(one.picked.digest(one.columns, one.reason))
    kinds: tuple[By, ...] = ("district", *indicator.by)
    for by in kinds:
        made.update(_units_digest(scene, by))
    return made.hexdigest()


def way_of(scene: Scene, indicator: Indicator) -> dict[str, Any]:
    """How the values of an indicator come about beside its formula, as JSON.

    Two years of which this is the same can be compared. "sources": what plays the role of each input,
    and of the district; "rules": a digest of those of the program; "plane": what is measured in.
    """
    uses = _uses(scene, indicator)
    asked: dict[str, set[str]] = {role: set() for role in district_roles(scene)}
    for one in uses:
        asked.setdefault(one.picked.role, set()).update((*one.columns, *one.input.where))
    sources = [_source(scene.roles[role], columns) for role, columns in sorted(asked.items())]
    rules = hashlib.sha256(_canonical(_rules(uses))).hexdigest()
    return {"sources": sources, "rules": rules, "plane": scene.plane.name}


def inputs_of(scene: Scene, indicator: Indicator) -> tuple[InputUsed, ...]:
    """What an indicator is made of, in the order of its formula."""
    return tuple(_used(one.picked, one.columns) for one in _uses(scene, indicator))


def whole_inputs(scene: Scene) -> tuple[InputUsed, ...]:
    """Every role that was looked at so far, with as many features as it has."""
    roles = dict.fromkeys(picked.role for picked in scene.used)
    return tuple(_used(scene.pick(Input(input=role)), ()) for role in roles)


def _rules(uses: Sequence[Use]) -> list[Any]:
    """What the program measures by."""
    tables = [{name: one for name, one in engine_table().items() if name != "comparison"}]
    if any(one.input == ROADS for one in uses):
        tables.append(dict(reach_table()))
    return [_ENGINE, *tables]


def _source(role: Role, asked: set[str]) -> dict[str, Any]:
    """Which layer plays a role, and under which names it has the columns that are asked for."""
    said = role.model_dump(mode="json", exclude_none=True)
    columns = {name: role.named.get(name, name) for name in sorted(asked - set(DERIVED))}
    return {"role": role.id, "layer": role.layer, "where": said["where"], "columns": columns}


def _canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, ensure_ascii=False).encode()


def _uses(scene: Scene, indicator: Indicator) -> list[Use]:
    return [use(scene, what, *columns) for what, columns in inputs(indicator.formula)]


def _used(picked: Picked, columns: tuple[str, ...]) -> InputUsed:
    version = picked.version.version if picked.version is not None else None
    digest = picked.digest(columns, "").hex()
    return InputUsed(picked.role, picked.layer, version, picked.date, len(picked.ids), digest)


def _units_digest(scene: Scene, by: By) -> bytes:
    def made() -> bytes:
        units = scene.units(by)
        names = "\0".join((str(units.in_part), *units.ids)).encode()
        return hashlib.sha256(names + b"".join(shapely.to_wkb(units.shapes).tolist())).digest()

    return scene.made(("units digest", by), made)
