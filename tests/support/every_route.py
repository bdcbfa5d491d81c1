"""How every operation of the API is asked, and to what part of a city it belongs.

The city has five layers of buildings, public to sensitive, here and elsewhere; whoever asks is of the
town and the department that are here.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cim_core.alarms.rules import default_rules
from cim_core.city import City
from cim_core.progress import Progress
from cim_core.sight import Doer
from cim_core.store.jobs import keep_result
from cim_core.store.live_conditions import Found, raised
from server.access.passwords import hashed
from server.access.policy import default_policy
from server.processes import execute
from tests.support.alarming import add_thing

HERE, THERE = (113.40, 23.10), (113.50, 23.10)
OWN, OTHER = "roads", "water"
"""Everybody with a role is of the town around HERE and of the department of the roads."""

LAYERS = {
    "open": ("public", HERE, OWN),
    "inner": ("internal", HERE, OWN),
    "inner-elsewhere": ("internal", THERE, OTHER),
    "secret": ("sensitive", HERE, OWN),
    "secret-elsewhere": ("sensitive", THERE, OTHER),
}
EVERY = frozenset(LAYERS)
PUBLIC = frozenset({"open"})
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Part:
    """What somebody is to be granted, layer by layer.

    looks, whole
        At the layers; and at those of them of which nothing is hidden.
    takes, says, changes
        As files; about layers; with them.
    answers
        The alarms of things in them.
    any_look
        Whether they may ask at all what there is.
    renewal
        With which of the rights "report", "order" and "households" of the renewal of their town.
    people, log
        Whether they look after people; whether they read what was done.
    known
        Whether they are somebody.
    machine
        Whether they are anybody on the city's own machine.
    """

    looks: frozenset[str] = NONE
    whole: frozenset[str] = NONE
    takes: frozenset[str] = NONE
    says: frozenset[str] = NONE
    changes: frozenset[str] = NONE
    answers: frozenset[str] = NONE
    renewal: frozenset[str] = NONE
    people: bool = False
    log: bool = False
    known: bool = True
    machine: bool = False


@dataclass
class Scene:
    """A city, its application, and who asks."""

    city: City
    app: Any
    people: dict[str, str]
    sessions: dict[str, str]
    number: int = 0
    receipt: str = ""
    datastreams: dict[str, int] = field(default_factory=dict)

    def account(self, who: str) -> str:
        """The account of somebody; that of somebody else for strangers, who have none."""
        return self.people.get(who) or self.somebody()

    def fresh(self) -> str:
        """A name nobody has."""
        self.number += 1
        return f"fresh-{self.number}"

    def somebody(self) -> str:
        """The id of an account nobody minds losing."""
        return self.city.office.people.add(self.fresh(), password_hash=hashed("x" * 12, 1024)).id

    def content(self, layer: str) -> str:
        """The path of a 3D tile."""
        folder = self.city.layers_folder / layer / "content"
        return next(path.name for path in sorted(folder.glob("*.glb")))

    def job(self, who: str | None) -> str:
        """The id of an analysis that somebody asked for."""
        doer = Doer(self.people[who], who) if who in self.people else None
        jobs = City(self.city.folder, self.city.database, doer=doer).jobs
        return jobs.add("process", None, None, {"process": "what-is-here", "inputs": {}}).id

    def finished(self, who: str) -> str:
        """The id of an analysis of theirs that has an answer, of the public layer."""
        job = self.job(who)
        if not self.receipt:
            inputs = {**PLACE["inputs"], "layers": ["open"]}
            self.receipt = execute(self.city, "what-is-here", inputs, Progress()).receipt.id
        body = json.dumps({"receipt": {"href": f"/receipts/{self.receipt}"}})
        with self.city.database.transaction() as connection:
            keep_result(connection, job, body)
        return job

    def alarm(self, layer: str) -> int:
        """The number of an alarm of a thing of a layer."""
        live, now = self.city.live, round(time.time() * 1000)
        [stream] = add_thing(live, self.fresh(), layer=layer, at=LAYERS[layer][1])
        rule = default_rules()["ponding"]
        with live.transaction() as connection:
            found = Found(rule, live.streams().by_id[stream], now, 20.0, 15.0, rule.message)
            return raised(connection, found, now)[0]

    def datastream(self, layer: str = "open") -> int:
        """The number of a datastream of a thing of a layer, the same each time."""
        if layer not in self.datastreams:
            [number] = add_thing(self.city.live, self.fresh(), layer=layer, at=LAYERS[layer][1])
            self.datastreams[layer] = number
        return self.datastreams[layer]

    def thing(self, layer: str) -> int:
        """The number of its thing."""
        number = self.datastream(layer)
        return self.city.live.streams().by_id[number].thing

    def spare_thing(self) -> int:
        """The number of a thing nobody minds losing."""
        [number] = add_thing(self.city.live, self.fresh(), layer="open", at=HERE)
        return self.city.live.streams().by_id[number].thing

    def answer(self, what: str, **more: Any) -> "Ask":
        """How an alarm of a thing of the public layer is answered."""
        return f"/alarms/{self.alarm('open')}/{what}", {"version": 1, **more}


Ask = tuple[str, Any]
"""An address and a body."""
Plain = Callable[[Scene, str], Ask]
OfLayer = Callable[[Scene, str], Ask]
Judge = Callable[[Part, str], bool]


def looks(part: Part, layer: str) -> bool:
    return layer in part.looks


def whole(part: Part, layer: str) -> bool:
    return layer in part.whole


def takes(part: Part, layer: str) -> bool:
    return layer in part.takes & part.whole


def says(part: Part, layer: str) -> bool:
    return layer in part.says


def answers(part: Part, _: str) -> bool:
    return bool(part.answers)


def changes(part: Part, layer: str) -> bool:
    return layer in part.changes


def looks_at_any(part: Part, _: str) -> bool:
    return bool(part.looks)


def is_known(part: Part, _: str) -> bool:
    return part.known


def anybody(part: Part, _: str) -> bool:
    return True


def keeps_people(part: Part, _: str) -> bool:
    return part.people


def reads_log(part: Part, _: str) -> bool:
    return part.log


def manages(part: Part, _: str) -> bool:
    return bool(part.changes)


def named(part: Part, _: str) -> bool:
    """For what is given to people and asked for by looking."""
    return part.known and bool(part.looks)


def sees_own_jobs(part: Part, _: str) -> bool:
    """Jobs of their own, which strangers do not have; on the city's own machine all are seen."""
    return part.known or part.machine


def sees_all_jobs(part: Part, _: str) -> bool:
    """Jobs of others: for who may do what they do."""
    return part.changes == EVERY or part.machine


def sees_renewal(part: Part, _: str) -> bool:
    """Renewal is internal; this is of the town that is here."""
    return "inner" in part.looks


def sees_renewal_elsewhere(part: Part, _: str) -> bool:
    return "inner-elsewhere" in part.looks


def takes_renewal(part: Part, _: str) -> bool:
    return "inner" in part.takes


def at(path: str, body: Any = None) -> Callable[[Scene, str], Ask]:
    """The same address for everybody, `{layer}` in it the layer that is asked for."""
    return lambda scene, layer: (path.replace("{layer}", layer), body)


def tile(ending: str) -> OfLayer:
    def ask(scene: Scene, layer: str) -> Ask:
        lon, _ = LAYERS[layer][1]
        x = int((lon + 180) / 360 * 2**14)
        return f"/tiles/{layer}/1/14/{x}/7111.{ending}", None

    return ask


BOX = "/processes/what-is-here/execution"
PLACE = {"inputs": {"place": {"type": "Point", "coordinates": list(HERE)}, "radius": 5}}

OF_LAYERS: dict[str, tuple[Judge, OfLayer]] = {
    "GET /collections/{layer}": (looks, at("/collections/{layer}")),
    "GET /collections/{layer}/items": (looks, at("/collections/{layer}/items?limit=1")),
    "GET /collections/{layer}/items as a file": (
        lambda part, layer: layer in part.takes,
        at("/collections/{layer}/items?f=csv"),
    ),
    "GET /collections/{layer}/items/{item}": (looks, at("/collections/{layer}/items/b1")),
    "GET /collections/{layer}/thumbnail": (looks, at("/collections/{layer}/thumbnail")),
    "GET /collections/{layer}/nearest": (looks, at("/collections/{layer}/nearest?point=113.4,23.1")),
    "GET /collections/{layer}/attributes": (looks, at("/collections/{layer}/attributes")),
    "GET /collections/{layer}/attributes/{name}": (looks, at("/collections/{layer}/attributes/use")),
    "GET /collections/{layer}/versions": (looks, at("/collections/{layer}/versions")),
    "GET /collections/{layer}/versions/{version}/checkin": (
        whole, at("/collections/{layer}/versions/1/checkin"),
    ),
    "GET /collections/{layer}/comparison": (
        whole, at("/collections/{layer}/comparison?from=1&to=1"),
    ),
    "GET /collections/{layer}/comparison as a file": (
        takes, at("/collections/{layer}/comparison?from=1&to=1&f=csv"),
    ),
    "GET /collections/{layer}/comparison/ids": (
        whole, at("/collections/{layer}/comparison/ids?from=1&to=1"),
    ),
    "GET /collections/{layer}/geometry": (takes, at("/collections/{layer}/geometry?f=ply")),
    "GET /collections/{layer}/geometry/{item}": (takes, at("/collections/{layer}/geometry/b1?f=ply")),
    "GET /collections/{layer}/section": (
        whole, at("/collections/{layer}/section?height=2&f=json"),
    ),
    "GET /collections/{layer}/section as a file": (
        takes, at("/collections/{layer}/section?height=2&f=dxf"),
    ),
    "GET /receipts/{receipt_id}": (
        looks, lambda scene, layer: (f"/receipts/{scene.city.layers.get(layer).receipt}", None),
    ),
    "GET /tiles/{layer}/{version}/{z}/{x}/{y}.{ending}": (looks, tile("mvt")),
    "GET /t/{layer}/{version}/tileset.json": (whole, at("/t/{layer}/1/tileset.json")),
    "GET /t/{layer}/content/{hash}.glb": (
        whole, lambda scene, layer: (f"/t/{layer}/content/{scene.content(layer)}", None),
    ),
    "GET /t/{layer}/{version}/files/{path}": (whole, at("/t/{layer}/1/files/beside.json")),
    "GET /things/{thing}": (looks, lambda scene, layer: (f"/things/{scene.thing(layer)}", None)),
    "GET /alarms/{alarm}": (looks, lambda scene, layer: (f"/alarms/{scene.alarm(layer)}", None)),
    "GET /sta/v1.1/{path}": (
        looks, lambda scene, layer: (f"/sta/v1.1/Things({scene.thing(layer)})", None),
    ),
    "POST /traffic/messages/{layer}": (changes, at("/traffic/messages/{layer}-ways", [])),
    "POST /traffic/controller/{layer}": (
        changes,
        at("/traffic/controller/{layer}-ways", [{"timestamp": 5, "device": "x", "code": 1, "parameter": 2}]),
    ),
    "PATCH /collections/{layer}": (says, at("/collections/{layer}", {"source": "test"})),
    "PATCH /collections/{layer} who sees it": (
        changes, lambda scene, layer: (f"/collections/{layer}", {"department": LAYERS[layer][2]}),
    ),
    "POST /collections/{layer}/tiles": (changes, at("/collections/{layer}/tiles")),
    "PUT /collections/{layer}/versions/current": (
        changes, at("/collections/{layer}/versions/current", {"version": 1}),
    ),
    "DELETE /collections/{layer}": (changes, at("/collections/{layer}")),
}  # fmt: skip
"""For each operation of a layer: to whom it is granted, and how it is asked. Removing comes last."""

OF_CITY: dict[str, tuple[Judge, Plain]] = {
    "GET /": (anybody, at("/?f=json")),
    "GET /office": (anybody, at("/office")),
    "GET /conformance": (anybody, at("/conformance")),
    "GET /city": (anybody, at("/city")),
    "GET /openapi.json": (anybody, at("/openapi.json")),
    "GET /healthz": (anybody, at("/healthz")),
    "GET /readyz": (anybody, at("/readyz")),
    "GET /viewer/{path}": (anybody, at("/viewer/page.html")),
    "GET /session": (anybody, at("/session")),
    "POST /session": (anybody, at("/session", {})),
    "POST /session/link": (anybody, at("/session/link", {})),
    "DELETE /session": (anybody, at("/session")),
    "GET /session/oidc": (anybody, at("/session/oidc")),
    "GET /session/oidc/callback": (anybody, at("/session/oidc/callback")),
    "GET /collections": (looks_at_any, at("/collections")),
    "GET /catalogue": (looks_at_any, at("/catalogue")),
    "GET /processes": (looks_at_any, at("/processes")),
    "GET /processes/{name}": (looks_at_any, at("/processes/what-is-here")),
    "POST /processes/{name}/execution": (looks_at_any, at(BOX, PLACE)),
    "GET /point-classes": (looks_at_any, at("/point-classes")),
    "POST /cells/outlines": (looks_at_any, at("/cells/outlines", ["8a411d4902d7fff"])),
    "GET /sensor-classes": (looks_at_any, at("/sensor-classes")),
    "GET /things": (looks_at_any, at("/things")),
    "GET /observations/series": (
        looks_at_any, lambda scene, _: (f"/observations/series?datastreams={scene.datastream()}", None),
    ),
    "GET /observations/anomalies": (looks_at_any, at("/observations/anomalies")),
    "GET /observations/availability": (looks_at_any, at("/observations/availability")),
    "GET /heat/{property}": (looks_at_any, at("/heat/x")),
    "GET /heat/{property}/tiles/{z}/{x}/{y}.mvt": (
        looks_at_any, at("/heat/x/tiles/14/13353/7111.mvt"),
    ),
    "GET /alarms": (looks_at_any, at("/alarms")),
    "GET /alarm-rules": (looks_at_any, at("/alarm-rules")),
    "POST /alarms/{alarm}/acknowledgement": (answers, lambda s, _: s.answer("acknowledgement")),
    "POST /alarms/{alarm}/shelving": (
        answers,
        lambda s, _: s.answer("shelving", until=round(time.time() * 1000) + 10**6, reason="test"),
    ),
    "POST /alarms/{alarm}/closing": (answers, lambda s, _: s.answer("closing", reason="test")),
    "GET /sta/v1.1": (looks_at_any, at("/sta/v1.1")),
    "POST /sta/v1.1/{path}": (
        manages, lambda s, _: ("/sta/v1.1/Things", {"name": s.fresh(), "description": "x"}),
    ),
    "PATCH /sta/v1.1/{path}": (
        manages, lambda s, _: (f"/sta/v1.1/Things({s.thing('open')})", {"description": "x"}),
    ),
    "PUT /sta/v1.1/{path}": (
        manages,
        lambda s, _: (f"/sta/v1.1/Things({s.thing('open')})", {"name": "x", "description": "x"}),
    ),
    "DELETE /sta/v1.1/{path}": (manages, lambda s, _: (f"/sta/v1.1/Things({s.spare_thing()})", None)),
    "POST /sta/v1.1/{path} as an observation": (
        manages,
        lambda s, _: (
            "/sta/v1.1/Observations", {"result": 1, "Datastream": {"@iot.id": s.datastream()}},
        ),
    ),
    "POST /sta/v1.1/{path} as one of a datastream": (
        manages,
        lambda s, _: (f"/sta/v1.1/Datastreams({s.datastream()})/Observations", {"result": 1}),
    ),
    "POST /sta/v1.1/{path} as a data array": (manages, at("/sta/v1.1/CreateObservations", [])),
    "POST /sta/v1.1/{path} as a batch": (anybody, at("/sta/v1.1/$batch", {"requests": []})),
    "GET /checkin/rules": (looks_at_any, at("/checkin/rules")),
    "GET /search": (looks_at_any, at("/search?q=house")),
    "GET /wmts": (looks_at_any, at("/wmts")),
    "GET /events": (looks_at_any, at("/events")),
    "GET /jobs": (looks_at_any, at("/jobs")),
    "GET /jobs/{job_id} as somebody else": (
        sees_all_jobs, lambda scene, who: (f"/jobs/{scene.job(None)}", None),
    ),
    "DELETE /jobs/{job_id} as somebody else": (
        lambda part, _: part.changes == EVERY, lambda scene, who: (f"/jobs/{scene.job(None)}", None),
    ),
    "GET /tiles/{layer}/{version}/{style}/{z}/{x}/{y}.{ending}": (
        lambda part, _: "secret" in part.whole, at("/tiles/ground/1/slope/14/13353/7111.png"),
    ),
    "GET /jobs/{job_id}": (sees_own_jobs, lambda scene, who: (f"/jobs/{scene.job(who)}", None)),
    "GET /jobs/{job_id}/events": (sees_own_jobs, lambda s, who: (f"/jobs/{s.job(who)}/events", None)),
    "DELETE /jobs/{job_id}": (named, lambda scene, who: (f"/jobs/{scene.job(who)}", None)),
    "GET /jobs/{job_id}/results": (
        sees_own_jobs, lambda scene, who: (f"/jobs/{scene.finished(who)}/results", None),
    ),
    "POST /session/capability": (named, at("/session/capability")),
    "GET /refused/{name}": (manages, at("/refused/house-0123456789ab.json")),
    "POST /ingest": (manages, at("/ingest", [])),
    "GET /dead-letters": (manages, at("/dead-letters")),
    "GET /traffic/refused": (manages, at("/traffic/refused")),
    "GET /observation-sources": (manages, at("/observation-sources")),
    "POST /imports": (manages, at("/imports?filename=more.geojson", b"{}")),
    "PUT /session/password": (is_known, at("/session/password", {"old": "x", "new": "y"})),
    "POST /session/totp": (is_known, at("/session/totp")),
    "PUT /session/totp": (is_known, at("/session/totp", {})),
    "DELETE /session/totp": (is_known, at("/session/totp", {})),
    "GET /keys": (is_known, at("/keys")),
    "POST /keys": (is_known, at("/keys", {"title": "test", "scopes": ["read"], "days": 1})),
    "DELETE /keys/{key}": (
        is_known,
        lambda scene, who: (
            f"/keys/{scene.city.office.keys.add(scene.account(who), 'k', ['read'], 1)[0].id}", None,
        ),
    ),
    "GET /renewal": (looks_at_any, at("/renewal")),
    "GET /renewal/projects": (looks_at_any, at("/renewal/projects")),
    "GET /renewal/projects as a file": (takes_renewal, at("/renewal/projects?f=csv")),
    "GET /renewal/projects/{project}": (sees_renewal, at("/renewal/projects/e1")),
    "GET /renewal/projects/{project} elsewhere": (
        sees_renewal_elsewhere, at("/renewal/projects/w1"),
    ),
    "GET /renewal/towns": (looks_at_any, at("/renewal/towns")),
    "GET /renewal/replay": (looks_at_any, at("/renewal/replay?from=2025-01-06&to=2025-04-06")),
    "GET /renewal/reports/{report}": (
        looks_at_any, at("/renewal/reports/demolition?end=2025-04-06"),
    ),
    "GET /renewal/reports/{report} as a file": (
        takes_renewal, at("/renewal/reports/supervision?end=2025-04-06&f=xlsx"),
    ),
    "GET /renewal/buildings": (looks_at_any, at("/renewal/buildings")),
    "GET /renewal/buildings elsewhere": (
        sees_renewal_elsewhere, at("/renewal/buildings?project=w1"),
    ),
    "GET /renewal/checks": (looks_at_any, at("/renewal/checks?at=2025-04-06")),
    "GET /renewal/projects/{project}/comparison": (
        sees_renewal, at("/renewal/projects/e1/comparison"),
    ),
    "GET /renewal/ogc": (looks_at_any, at("/renewal/ogc")),
    "GET /renewal/ogc/conformance": (looks_at_any, at("/renewal/ogc/conformance")),
    "GET /renewal/ogc/collections": (looks_at_any, at("/renewal/ogc/collections")),
    "GET /renewal/ogc/collections/{collection}": (
        looks_at_any, at("/renewal/ogc/collections/parcels"),
    ),
    "GET /renewal/ogc/collections/{collection}/items": (
        looks_at_any, at("/renewal/ogc/collections/projects/items"),
    ),
    "GET /renewal/ogc/collections/{collection}/items as a file": (
        takes_renewal, at("/renewal/ogc/collections/projects/items?f=geojson"),
    ),
    "GET /renewal/ogc/collections/{collection}/items/{item}": (
        sees_renewal, at("/renewal/ogc/collections/parcels/items/e1:p1"),
    ),
    "GET /people": (keeps_people, at("/people")),
    "POST /people": (keeps_people, lambda scene, _: ("/people", {"name": scene.fresh()})),
    "GET /people/{person}": (keeps_people, lambda s, _: (f"/people/{s.somebody()}", None)),
    "PATCH /people/{person}": (
        keeps_people, lambda s, _: (f"/people/{s.somebody()}", {"title": "x"}),
    ),
    "POST /people/{person}/password": (
        keeps_people, lambda s, _: (f"/people/{s.somebody()}/password", None),
    ),
    "POST /people/{person}/unlock": (
        keeps_people, lambda s, _: (f"/people/{s.somebody()}/unlock", None),
    ),
    "DELETE /people/{person}/totp": (
        keeps_people, lambda s, _: (f"/people/{s.somebody()}/totp", None),
    ),
    "POST /people/{person}/link": (
        keeps_people, lambda s, _: (f"/people/{s.somebody()}/link", None),
    ),
    "GET /departments": (keeps_people, at("/departments")),
    "POST /departments": (
        keeps_people, lambda s, _: ("/departments", {"id": s.fresh(), "title": {"en": "x"}}),
    ),
    "DELETE /departments/{department}": (
        keeps_people,
        lambda s, _: (
            f"/departments/{s.city.office.people.add_department(s.fresh(), {'en': 'x'}).id}", None,
        ),
    ),
    "GET /towns": (keeps_people, at("/towns")),
    "POST /towns": (
        keeps_people,
        lambda s, _: ("/towns", {"id": s.fresh(), "title": {"en": "x"}, "boundary": None}),
    ),
    "PATCH /towns/{town}": (keeps_people, at("/towns/here", {"title": {"en": "Here"}})),
    "DELETE /towns/{town}": (
        keeps_people,
        lambda s, _: (
            f"/towns/{s.city.office.people.add_town(s.fresh(), {'en': 'x'}, None).id}", None,
        ),
    ),
    "GET /policy": (keeps_people, at("/policy")),
    "PUT /policy": (keeps_people, at("/policy", {"version": 99, "policy": {}})),
    "GET /policy/preview": (keeps_people, at("/policy/preview?role=viewer")),
    "POST /policy/preview": (
        keeps_people,
        at("/policy/preview", {"role": "viewer", "policy": default_policy().document()}),
    ),
    "GET /audit": (reads_log, at("/audit")),
    "GET /audit/export": (reads_log, at("/audit/export")),
    "GET /audit/verification": (reads_log, at("/audit/verification")),
}  # fmt: skip

NOT_THERE = {
    "GET /session/oidc",
    "GET /session/oidc/callback",
    "GET /readyz",
    "GET /viewer/{path}",
}
"""Open to all; what is behind it is not there in this test, and that is said to everybody."""
