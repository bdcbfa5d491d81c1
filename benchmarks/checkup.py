"""A check-up of a generated city of 100,000 buildings: all indicators of the shipped sets, at all levels.

Beside it the coverage of residential land by parks, as somebody writes it with shapely who does not
care for time: all circles as one, all land as one, cut by one unit after another.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from analysis.checkup.examine import examine
from analysis.checkup.formulas import Coverage, Input
from analysis.checkup.operators import OPERATORS
from analysis.checkup.operators.reach import around, radius_of
from analysis.checkup.roles import city_roles
from analysis.checkup.scene import Scene
from analysis.checkup.sets import shipped_sets
from benchmarks import FOLDER
from benchmarks.checkup_city import BUILDINGS, checkup_city
from cim_core.city import City
from cim_core.progress import Progress

_PARKS = "08"
"""Of the set of the ministry of housing: two radii, within the built-up area."""


_FACILITIES = (
    "facilities",
    "schools",
    "clinics",
    "bus-stops",
    "stations",
    "parks",
    "activity-sites",
)
_COUNTED = ("buildings", "communities", *_FACILITIES)


def measure(
    buildings: int = BUILDINGS, data: Path = FOLDER / ".data", which: Sequence[str] | None = None
) -> dict[str, Any]:
    """CPU seconds of each set, of a second time with everything known, and of the peer's coverage."""
    city = checkup_city(buildings, data)
    sets = [_of_set(city, name) for name in which or shipped_sets()]
    scene = Scene(city, city_roles(city))
    counts = {role: len(scene.pick(Input(input=role)).ids) for role in _COUNTED}
    facilities = sum(counts[role] for role in _FACILITIES)
    return {
        "buildings": counts["buildings"], "communities": counts["communities"],
        "facilities": facilities, "sets": sets, "peer": _peer(city),
    }  # fmt: skip


def _of_set(city: City, name: str) -> dict[str, Any]:
    which = shipped_sets()[name]
    store: dict[str, bytes] = {}
    begins: list[tuple[str, float]] = []

    def report(done: int, total: int, note: str) -> None:
        begins.append((note, time.process_time()))

    begun = time.process_time()
    found = examine(Scene(city, city_roles(city)), which, store.get, Progress(report))
    cpu = time.process_time() - begun
    ends = [*(at for _, at in begins[1:]), begun + cpu]
    seconds = {code: round(end - at, 2) for (code, at), end in zip(begins, ends, strict=True)}
    store.update({found.digests[code]: found.packed(code) for code in found.computed})
    begun = time.process_time()
    again = examine(Scene(city, city_roles(city)), which, store.get)
    assert again.computed == ()
    values = [by["district"] for by in found.values.values()]
    return {
        "set": name, "indicators": len(which.indicators), "cpu_seconds": round(cpu, 2),
        "known_seconds": round(time.process_time() - begun, 2),
        "available": sum(value.status[0] != "unavailable" for value in values),
        "bytes": sum(map(len, store.values())),
        "slowest": dict(sorted(seconds.items(), key=lambda item: -item[1])[:5]),
    }  # fmt: skip


def _peer(city: City) -> dict[str, Any]:
    """Coverage by parks in the district and all communities, theirs and ours, each from what is read."""
    which = next(i for i in shipped_sets()["mohurd-2025"].indicators if i.code == _PARKS)
    formula = which.formula
    assert isinstance(formula, Coverage)
    scene = Scene(city, city_roles(city))
    for one in (formula.demand, formula.within, *formula.sites):
        assert one is not None
        scene.pick(Input(input=one.input, where=one.where))
    units = [scene.units("district"), scene.units("community")]
    begun = time.process_time()
    theirs = np.concatenate([_naive(formula, scene, one.shapes) for one in units])
    naive = time.process_time() - begun
    begun = time.process_time()
    ours = np.concatenate([OPERATORS["coverage"](formula, scene, one).value for one in units])
    cpu = time.process_time() - begun
    return {
        "naive_seconds": round(naive, 2), "cpu_seconds": round(cpu, 2), "share": round(cpu / naive, 4),
        "differ": float(np.nanmax(np.abs(ours - theirs))), "units": len(ours),
    }  # fmt: skip


def _naive(formula: Coverage, scene: Scene, units: Any) -> Any:
    assert formula.within is not None
    circles = [
        circle
        for site in formula.sites
        for circle in around(scene.pick(Input(input=site.input, where=site.where)).shapes, radius_of(site))
    ]  # fmt: skip
    reach = shapely.union_all(circles)
    land = shapely.union_all(scene.pick(formula.demand).shapes)
    land = land.intersection(shapely.union_all(scene.pick(formula.within).shapes))
    found = []
    for unit in units:
        here = land.intersection(unit)
        found.append(100 * here.intersection(reach).area / here.area if here.area else np.nan)
    return np.array(found)
