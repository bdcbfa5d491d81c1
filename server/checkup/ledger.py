"""The ledger of problems: which there are, who answers for them, and what was done."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
import shapely.geometry

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.sight import Doer
from cim_core.store.checkup_problems import KeptProblem, ProblemEvent
from server.checkup.told import Document


def problems_of(
    city: City, run: str, wanted: Mapping[str, str | None], part: slice = slice(None)
) -> tuple[list[Document], int]:
    """A part of the problems of a run that are as wanted, and how many these are.

    wanted
        By "state", "code" and "unit".

    Raises `NotFound`.
    """
    history = city.checkups.problems.history(run)
    targets, seen = _targets(city, run), _Projects(city)
    found = [
        one
        for one in city.checkups.problems.of_run(run)
        if all(value is None or getattr(one, name) == value for name, value in wanted.items())
    ]
    told = [
        problem_entry(city, one, targets[one.code], history.get(one.id, ()), seen)
        for one in found[part]
    ]
    return told, len(found)


def change_problem(
    city: City, key: str, version: int, change: Mapping[str, Any], doer: Doer | None
) -> Document:
    """Assign a problem to a renewal project, say that it is solved, or take that back.

    A renewal project has to be there, as far as is seen; what is solved says how. Raises
    `InvalidInput`, `NotFound`, `OutOfDate`.
    """
    kept = city.checkups.problems.get(key)
    new = dict(change)
    if not new:
        raise InvalidInput("nothing is to be changed; give a state, a project or a note")
    project = new.get("project", kept.project)
    if new.get("project") is not None and new["project"] not in _Projects(city):
        raise InvalidInput(
            f"there is no renewal project {new['project']!r} here; GET /renewal/projects lists them"
        )
    if "state" not in new and new.get("project") is not None and kept.state == "open":
        new["state"] = "assigned"
    state = new.get("state", kept.state)
    if state == "assigned" and project is None:
        raise InvalidInput(
            "a problem is assigned to a renewal project; give the id of one as project"
        )
    if state == "solved" and not str(new.get("note", kept.note)).strip():
        raise InvalidInput("a problem that is solved says how; write that as note")
    city.checkups.problems.change(key, version, new, doer)
    return one_problem(city, key)


def one_problem(city: City, key: str) -> Document:
    """One problem as it stands; raises `NotFound`."""
    kept = city.checkups.problems.get(key)
    history = city.checkups.problems.history(kept.run).get(key, ())
    target = _targets(city, kept.run)[kept.code]
    return problem_entry(city, kept, target, history, _Projects(city))


def problem_entry(
    city: City,
    kept: KeptProblem,
    target: Mapping[str, Any],
    history: Sequence[ProblemEvent],
    seen: "_Projects",
) -> Document:
    """A problem as it is told, with where its target is from; of renewal projects those seen alone.

    The features that speak for it are the evidence of its unit.
    """
    document = kept.document
    return {
        "id": kept.id, "run": kept.run, "version": kept.version, "code": kept.code, "by": kept.by,
        **{name: document[name] for name in (
            "unit", "name", "value", "target", "numerator", "denominator", "department", "place",
        )},
        "source": target["source"], "confidence": target["confidence"],
        "state": kept.state, "project": kept.project if kept.project in seen else None,
        "projects": seen.on(document),
        "note": kept.note,
        "history": [_event(city, one, seen) for one in history],
    }  # fmt: skip


def _targets(city: City, run: str) -> Mapping[str, Mapping[str, Any]]:
    """What the indicators of a run are held against, by code."""
    entries = city.checkups.run(run).document["indicators"]
    return {one["code"]: one["target"] for one in entries if one["target"] is not None}


def _event(city: City, event: ProblemEvent, seen: "_Projects") -> Document:
    change = dict(event.change)
    if change.get("project") is not None and change["project"] not in seen:
        del change["project"]
    return {
        "recorded": event.recorded,
        "change": change,
        "name": event.name if city.sight.people else None,
    }


class _Projects:
    """The renewal projects of a city that are seen, with their ground."""

    def __init__(self, city: City) -> None:
        found = city.renewal.find("project")
        self._ids = [subject.id for subject in found]
        self._known = frozenset(self._ids)
        grounds = np.empty(len(found), object)
        for at, subject in enumerate(found):
            boundary = subject.document.get("boundary")
            grounds[at] = shapely.geometry.shape(boundary) if boundary else shapely.Polygon()
        self._tree = shapely.STRtree(grounds)

    def __contains__(self, project: object) -> bool:
        return project in self._known

    def on(self, problem: Mapping[str, Any]) -> list[str]:
        """Those that lay there when it was examined, and those in which it lies now."""
        place = shapely.Point(problem["place"])
        now = {self._ids[at] for at in self._tree.query(place, predicate="intersects")}
        return sorted(now | (set(problem["projects"]) & self._known))
