"""How every change of renewal is asked for, and to whom it is granted; more of `every_route`."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cim_core.renewal.documents import Kind
from cim_core.renewal.events import Change
from cim_core.store.renewal_hooks import Hooks
from tests.support.every_route import (
    Ask,
    Judge,
    Part,
    Plain,
    Scene,
    at,
    keeps_people,
    looks_at_any,
    sees_renewal,
)
from tests.support.renewal import BEGIN, evidence_of

VILLAGE = {
    "name": "village", "type": "old-village", "mode": "micro", "town": "here",
    "template": "micro-renewal",
}  # fmt: skip
RECORD = {"metric": "land-cleared", "period": "week", "actual": 1.0}
ORDERED = {"title": "x", "issue": "x", "unit": "here"}
NOTE = {"change": {"note": "x"}}


def edits(part: Part, _: str) -> bool:
    return "inner" in part.says


def manages(part: Part, _: str) -> bool:
    return "inner" in part.changes


def has(*rights: str) -> Judge:
    """For who has all of these rights of renewal."""
    return lambda part, _: part.renewal.issuperset(rights)


def of(kind: Kind, path: str, body: Any = None, **document: Any) -> Plain:
    """The address of something of renewal, `{}` in it the id of what is begun for that alone."""

    def ask(scene: Scene, _: str) -> Ask:
        belongs = {} if kind == "project" else {"project": "e1"}
        change = Change(kind, None, {**belongs, **document}, BEGIN)
        return path.format(scene.city.renewal.apply([change], None)[0].id), body

    return ask


def free_record(scene: Scene) -> dict[str, Any]:
    """A record of a day of which nothing was reported yet."""
    scene.number += 1
    day = (BEGIN - timedelta(days=scene.number)).isoformat()
    return {**RECORD, "start": day, "end": day}


def reported(scene: Scene, _: str) -> Ask:
    return "/renewal/projects/e1/progress", {"records": [free_record(scene)]}


def of_record(path: str, body: Any = None) -> Plain:
    """The same as `of`, for a record of progress."""
    return lambda scene, layer: of("progress", path, body, **free_record(scene))(scene, layer)


def new(what: str, **document: Any) -> Callable[[Scene, str], Ask]:
    """Something more of the project e1."""
    return at(f"/renewal/projects/e1/{what}", {"document": document})


def evidence(scene: Scene, _: str) -> Ask:
    """A file that shows something of the project e1."""
    return f"/renewal/evidence/{evidence_of(scene.city)}", None


def hook(ending: str = "") -> Plain:
    """The address of a hook that nobody minds losing."""

    def ask(scene: Scene, _: str) -> Ask:
        made = Hooks(scene.city.renewal.file).add("https://example.org/", ["overdue"], None)
        return f"/renewal/hooks/{made.id}{ending}", None

    return ask


OF_RENEWAL: dict[str, tuple[Judge, Plain]] = {
    "GET /renewal/projects/{project}/evidence": (sees_renewal, at("/renewal/projects/e1/evidence")),
    "POST /renewal/projects/{project}/evidence": (
        has("report"), at("/renewal/projects/e1/evidence?name=a.pdf", b"%PDF-1.4"),
    ),
    "GET /renewal/evidence/{evidence}": (sees_renewal, evidence),
    "GET /renewal/progress-sheet": (has("report"), at("/renewal/progress-sheet?end=2025-04-06")),
    "POST /renewal/progress-sheet": (has("report"), at("/renewal/progress-sheet")),
    "POST /renewal/bring-in": (manages, at("/renewal/bring-in?name=p.xlsx")),
    "GET /renewal/hooks": (keeps_people, at("/renewal/hooks")),
    "POST /renewal/hooks": (
        keeps_people, at("/renewal/hooks", {"url": "https://example.org/", "events": ["overdue"]}),
    ),
    "DELETE /renewal/hooks/{hook}": (keeps_people, hook()),
    "GET /renewal/hooks/{hook}/deliveries": (keeps_people, hook("/deliveries")),
    "POST /renewal/projects": (manages, at("/renewal/projects", {"document": VILLAGE})),
    "PATCH /renewal/projects/{project}": (edits, at("/renewal/projects/e2", NOTE)),
    "DELETE /renewal/projects/{project}": (
        manages, of("project", "/renewal/projects/{}", **VILLAGE),
    ),
    "GET /renewal/projects/{project}/history": (sees_renewal, at("/renewal/projects/e1/history")),
    "POST /renewal/projects/{project}/tasks": (edits, new("tasks", title="x")),
    "PATCH /renewal/tasks/{task}": (edits, of("task", "/renewal/tasks/{}", NOTE, title="x")),
    "DELETE /renewal/tasks/{task}": (edits, of("task", "/renewal/tasks/{}", title="x")),
    "GET /renewal/projects/{project}/progress": (sees_renewal, at("/renewal/projects/e1/progress")),
    "POST /renewal/projects/{project}/progress": (has("report"), reported),
    "PATCH /renewal/progress/{record}": (
        has("report"), of_record("/renewal/progress/{}", NOTE),
    ),
    "DELETE /renewal/progress/{record}": (
        has("order"), of_record("/renewal/progress/{}"),
    ),
    "POST /renewal/progress/{record}/verification": (
        has("order"), of_record("/renewal/progress/{}/verification"),
    ),
    "GET /renewal/projects/{project}/buildings": (
        sees_renewal, at("/renewal/projects/e1/buildings"),
    ),
    "POST /renewal/projects/{project}/buildings": (manages, new("buildings", name="x")),
    "PATCH /renewal/buildings/{building}": (
        lambda part, layer: has("report")(part, layer) or edits(part, layer),
        of("building", "/renewal/buildings/{}", {"change": {"state": "signed"}}),
    ),
    "DELETE /renewal/buildings/{building}": (manages, of("building", "/renewal/buildings/{}")),
    "GET /renewal/projects/{project}/households": (
        has("households"), at("/renewal/projects/e1/households"),
    ),
    "GET /renewal/projects/{project}/households as a file": (
        lambda part, layer: has("households")(part, layer) and "inner" in part.takes,
        at("/renewal/projects/e1/households?f=csv"),
    ),
    "POST /renewal/projects/{project}/households": (
        has("households", "report"), new("households", number="x"),
    ),
    "GET /renewal/households/{household}": (has("households"), at("/renewal/households/e1-h1")),
    "PATCH /renewal/households/{household}": (
        has("households", "report"), of("household", "/renewal/households/{}", NOTE, number="x"),
    ),
    "DELETE /renewal/households/{household}": (
        has("households", "report"), of("household", "/renewal/households/{}", number="x"),
    ),
    "GET /renewal/orders": (looks_at_any, at("/renewal/orders")),
    "GET /renewal/orders/{order}": (sees_renewal, at("/renewal/orders/e1-o1")),
    "POST /renewal/orders": (
        has("order"), at("/renewal/orders", {"document": {"project": "e1", **ORDERED}}),
    ),
    "PATCH /renewal/orders/{order}": (
        has("order"), of("order", "/renewal/orders/{}", {"change": {"days": 3}}, **ORDERED),
    ),
    "POST /renewal/orders/{order}/{step}": (
        has("order"), of("order", "/renewal/orders/{}/issue", {}, **ORDERED),
    ),
    "POST /renewal/orders/{order}/{step} as who was ordered": (
        has("report"), of("order", "/renewal/orders/{}/receive", {}, **ORDERED, state="issued"),
    ),
}  # fmt: skip
