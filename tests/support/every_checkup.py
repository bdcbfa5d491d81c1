"""How everything of the check-up is asked for, and to whom it is granted; more of `every_route`."""

from collections.abc import Callable
from typing import Any

from cim_core.city import City
from tests.support.checkups import SET, examine_city, mini_set, put_set
from tests.support.every_renewal import edits, has, manages
from tests.support.every_route import (
    Ask,
    Judge,
    Plain,
    Scene,
    at,
    looks_at_any,
    sees_renewal,
    takes_renewal,
)

RUN = "2025-1"
"""The run of `checkup_of`, by no layer at all: all who see what is internal see it."""
_WRONG = {
    "code": "33", "by": "district", "unit": "district", "name": {"en": "x", "zh": "x"}, "value": 1.0,
    "target": 0.0, "numerator": 1.0, "denominator": 1.0, "department": {"en": "x", "zh": "x"},
    "place": [113.4, 23.1], "features": [], "projects": [],
}  # fmt: skip


def checkup_of(city: City) -> None:
    """Examine a city that has none of the layers that are asked for; the run's id is `RUN`."""
    put_set(city)
    assert examine_city(city) == RUN


def another(city: City) -> str:
    """A run that nobody minds losing, with a problem."""
    run = city.checkups.run(RUN).document
    digests = {one["digest"] for one in (*run["indicators"], *run["units"].values())}
    packed = [(digest, city.checkups.packed(digest) or b"") for digest in sorted(digests)]
    return city.checkups.add(run, packed, [_WRONG], None, "")


def of_run(path: str, body: Any = None) -> Plain:
    """The address of something of a run that is made for that alone, `{}` in it the run's id."""

    def ask(scene: Scene, _: str) -> Ask:
        return path.format(another(scene.city)), body

    return ask


def of_set(path: str, body: Any = None) -> Plain:
    """The same of a draft of a set."""

    def ask(scene: Scene, _: str) -> Ask:
        key = scene.fresh()
        put_set(scene.city, key)
        return path.format(key), None if body is None else {**body, "id": key}

    return ask


def of_indicator(what: str) -> Callable[[Scene, str], Ask]:
    return at(f"/checkup/runs/{RUN}/indicators/33/{what}?by=district")


OF_CHECKUP: dict[str, tuple[Judge, Plain]] = {
    "GET /checkup": (looks_at_any, at("/checkup")),
    "GET /checkup/roles": (looks_at_any, at("/checkup/roles")),
    "GET /checkup/compare": (sees_renewal, at(f"/checkup/compare?from={RUN}&to={RUN}")),
    "GET /checkup/sets/{set}": (looks_at_any, at("/checkup/sets/mohurd-2025")),
    "GET /checkup/sets/{set} of the city's own": (sees_renewal, at(f"/checkup/sets/{SET}")),
    "PUT /checkup/sets/{set}": (edits, of_set("/checkup/sets/{}", mini_set())),
    "POST /checkup/sets/{set}/freeze": (manages, of_set("/checkup/sets/{}/freeze")),
    "DELETE /checkup/sets/{set}": (edits, of_set("/checkup/sets/{}")),
    "POST /checkup/try": (edits, at("/checkup/try", {"indicator": mini_set()["indicators"][1]})),
    "POST /checkup/runs": (manages, at("/checkup/runs", {"set": SET, "year": 2025})),
    "GET /checkup/runs/{run}": (sees_renewal, at(f"/checkup/runs/{RUN}")),
    "POST /checkup/runs/{run}/submit": (manages, of_run("/checkup/runs/{}/submit")),
    "DELETE /checkup/runs/{run}": (manages, of_run("/checkup/runs/{}")),
    "GET /checkup/runs/{run}/problems": (sees_renewal, at(f"/checkup/runs/{RUN}/problems")),
    "PATCH /checkup/problems/{problem}": (
        has("order"), of_run("/checkup/problems/{}.1", {"note": "x"}),
    ),
    "GET /checkup/runs/{run}/indicators/{code}/units": (sees_renewal, of_indicator("units")),
    "GET /checkup/runs/{run}/indicators/{code}/map": (sees_renewal, of_indicator("map")),
    "GET /checkup/runs/{run}/indicators/{code}/evidence": (sees_renewal, of_indicator("evidence")),
    "GET /checkup/runs/{run}/report": (takes_renewal, at(f"/checkup/runs/{RUN}/report?form=xlsx")),
    "GET /checkup/runs/{run}/values.parquet": (
        takes_renewal, at(f"/checkup/runs/{RUN}/values.parquet"),
    ),
    "GET /vital-signs": (looks_at_any, at("/vital-signs")),
}  # fmt: skip
