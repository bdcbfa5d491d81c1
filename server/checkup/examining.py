"""A check-up as a job: a set of indicators examined over a city's layers, kept as one run."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from analysis.checkup.digests import way_of
from analysis.checkup.examine import Examined, examine
from analysis.checkup.problems import problems
from analysis.checkup.roles import city_roles
from analysis.checkup.scene import Picked, Scene
from cim_core.city import City
from cim_core.errors import Cancelled
from cim_core.feature import Value
from cim_core.progress import Progress
from cim_core.receipt import Receipt, operating_system_user, write_receipt
from cim_core.store.jobs import Job
from server.checkup.order import Order
from server.checkup.sets import FoundSet, found_set
from server.checkup.told import entry
from server.checkup.unit_shapes import pack_units
from server.processes import input_of

_DISTRICT = ("towns", "communities")
"""What the district is made of, whose values everybody is told first."""

End = Callable[[sqlite3.Connection, dict[str, Value]], None]


def examine_job(city: City, job: Job, progress: Progress, end: End) -> None:
    """Examine what a job orders and keep the run, which is seen whole or not at all.

    The run is kept first, then the job ends. A worker that takes the job over finds
    what was kept; what nobody wants any more is taken back.
    """
    order = Order.from_parameters(job.parameters)
    made = city.checkups.made_by(job.id)
    if made is None:
        made = examined(city, order, progress, job.id)
    run = city.checkups.run(made)
    report: dict[str, Value] = {
        "run": made, "set": order.set, "year": order.year, "receipt": run.document["receipt"],
        "indicators": len(run.codes),
    }  # fmt: skip
    try:
        with city.database.transaction() as connection:
            end(connection, report)
    except Cancelled:
        if city.jobs.get(job.id).cancel:
            city.checkups.take_back(job.id)
        raise


def examined(city: City, order: Order, progress: Progress, job: str | None = None) -> str:
    """Examine, and keep the run with its receipt; its id.

    What was computed for the same content before is not computed again.
    """
    found = found_set(city, order.set)
    scene = Scene(city, city_roles(city))
    result = examine(scene, found.whole, city.checkups.packed, _Looking(progress))
    packed = dict(_packed_values(result))
    units: dict[str, dict[str, Any]] = {}
    for by, one in result.units.items():
        digest, body = pack_units(one, scene.plane)
        packed[digest] = body
        units[by] = {"digest": digest, "layers": [one.layer] if one.layer else []}
    inputs = _inputs(scene, result)
    document = {
        "set": order.set, "set_version": found.version, "set_digest": found.digest,
        "set_name": found.whole.name.model_dump(),
        "system": found.whole.system, "source": found.whole.source, "year": order.year,
        "title": order.title,
        "dimensions": {key: text.model_dump() for key, text in found.whole.dimensions.items()},
        "plane": scene.plane.name, "units": units, "inputs": inputs,
        "indicators": _entries(scene, result, inputs),
    }  # fmt: skip
    receipt = _receipt(scene, found, order, document)
    document["receipt"] = receipt.id
    wrong = [one.document() for one in problems(result, scene)]
    progress.ask()
    city.receipts.add(receipt)
    return city.checkups.add(
        document, packed.items(), wrong, city.doer, city.who or operating_system_user(), job
    )


class _Looking(Progress):
    """The progress of an examination, which is one stage to who waits for the job."""

    def __init__(self, whole: Progress) -> None:
        super().__init__()
        self._whole = whole

    def __call__(self, done: int, total: int, note: str) -> None:
        """Say it to the whole, by the name of the stage."""
        self._whole(done, total, "looking")

    def ask(self) -> None:
        """Ask the whole."""
        self._whole.ask()


def _packed_values(result: Examined) -> Iterator[tuple[str, bytes]]:
    for code, digest in result.digests.items():
        yield digest, result.packed(code)


def _inputs(scene: Scene, result: Examined) -> list[dict[str, Any]]:
    """What the run was made of; `layers` are those that one must see whole to be told of it."""
    made_of = {one.role: _layers(one) for one in scene.used}
    return [
        {
            "role": used.role, "title": scene.roles[used.role].title.model_dump(), "layer": used.layer,
            "version": used.version, "date": used.date, "features": used.features,
            "digest": used.digest, "layers": made_of.get(used.role, []),
        }
        for used in result.inputs
    ]  # fmt: skip


def _layers(picked: Picked) -> list[str]:
    """The layers that an input is made of; none where there is nothing to pick from."""
    if picked.loaded is None:
        return []
    if picked.version is not None:
        return [picked.version.layer]
    return [str(layer) for layer in picked.loaded.ids]  # what the twin is made of


def _entries(scene: Scene, result: Examined, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    layers = {one["role"]: one["layers"] for one in inputs}
    found = []
    for indicator in result.set.indicators:
        values, code = result.values[indicator.code], indicator.code
        roles = {*_DISTRICT, *(one.role for one in result.inputs_of[code])}
        used = {layer for role in roles for layer in layers.get(role, ())}
        used |= {one.layer for measured in values.values() for one in measured.evidence}
        told = entry(indicator, values, result.digests[code], scene.roles)
        way = way_of(scene, indicator)
        found.append({**told, **way, "layers": sorted(used & _there(scene))})
    return found


def _there(scene: Scene) -> set[str]:
    return {version.layer for version in scene.city.layers.current()}


def _receipt(scene: Scene, found: FoundSet, order: Order, document: Mapping[str, Any]) -> Receipt:
    city = scene.city
    versions = {known.layer: known for known in city.layers.current()}
    versions |= {one.version.layer: one.version for one in scene.used if one.version is not None}
    used = {layer for one in document["inputs"] for layer in one["layers"]}
    used |= {layer for one in document["units"].values() for layer in one["layers"]}
    body = json.dumps(document["indicators"], ensure_ascii=False, sort_keys=True).encode()
    return write_receipt(
        "checkup",
        tuple(
            input_of(city, f"{layer} version {versions[layer].version}", versions[layer].receipt)
            for layer in sorted(used & set(versions))
        ),
        {
            "set": order.set,
            "set_version": found.version,
            "set_digest": found.digest,
            "year": order.year,
        },
        {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)},
        who=city.who,
    )
