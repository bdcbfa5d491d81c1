"""Analyses as processes: their description, their execution and its receipt."""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.analysis import Analysis, Output, asked
from analysis.registry import analysis_named
from cim_core import __version__
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.progress import Progress
from cim_core.receipt import Input, Receipt, write_receipt
from cim_core.store.jobs import Job, keep_result
from cim_core.store.layers import LayerVersion
from cim_core.store.receipts import insert_receipt
from server.describe import link
from server.outputs import JSON, qualified, written

Document = dict[str, Any]
Raw = tuple[bytes, str]
"""Bytes and their media type."""
_RECEIPT = "receipt"


def summary(kind: type[Analysis]) -> Document:
    """A process in the list of processes."""
    base = f"/processes/{kind.name}"
    return {
        "id": kind.name,
        "version": __version__,
        "title": kind.title["en"],
        "title_zh": kind.title["zh"],
        "description": kind.description["en"],
        "description_zh": kind.description["zh"],
        "jobControlOptions": ["sync-execute", "async-execute"],
        "outputTransmission": ["value"],
        "links": [
            link(base, "self"),
            link(f"{base}/execution", "http://www.opengis.net/def/rel/ogc/1.0/execute"),
        ],
    }


def description(kind: type[Analysis]) -> Document:
    """A process with its inputs, in the order of its form, and its outputs."""
    outputs = {
        name: {"title": title["en"], "title_zh": title["zh"], "schema": {"type": "object"}}
        for name, title in {**kind.outputs, _RECEIPT: {"en": "Receipt", "zh": "凭据"}}.items()
    }
    properties = kind.model_json_schema()["properties"]
    required = kind.model_json_schema().get("required", ())
    inputs = {name: _input(schema, name in required) for name, schema in properties.items()}
    return {**summary(kind), "inputs": inputs, "outputs": outputs}


def _input(schema: Mapping[str, Any], required: bool) -> Document:
    """A parameter as OGC describes it: words beside its schema, and no null for what is left out."""
    described = dict(schema)
    words: Document = {
        word: described.pop(word)
        for word in ("title", "title_zh", "description", "description_zh", "unit")
        if word in described
    }
    for choice in described.pop("anyOf", ()):
        if choice.get("type") != "null":
            described |= {
                key: value for key, value in choice.items() if key != "additionalProperties"
            }
    if described.get("type") == "array" and "format" in described:
        described["items"] = {**described["items"], "format": described.pop("format")}
    if described.get("default", "") is None:
        del described["default"]
    return {**words, "minOccurs": int(required), "maxOccurs": 1, "schema": described}


@dataclass(frozen=True, slots=True)
class Executed:
    """What an analysis answered.

    outputs
        By name.
    document
        Each of them as JSON, and a link to the receipt.
    versions
        Of the layers that were looked at.
    """

    outputs: Mapping[str, Output]
    document: Document
    receipt: Receipt
    versions: tuple[LayerVersion, ...]

    def formatted(self, formats: Mapping[str, str]) -> Document:
        """The document, with some outputs in media types of their own; raises `InvalidInput`."""
        own = {
            name: qualified(name, self.outputs[name], media_type)
            for name, media_type in formats.items()
            if name in self.outputs and media_type != JSON
        }
        return {**self.document, **own}


def execute(city: City, name: str, inputs: Mapping[str, Any], progress: Progress) -> Executed:
    """Ask an analysis and keep the receipt."""
    executed = _executed(city, name, inputs, progress)
    city.receipts.add(executed.receipt)
    return executed


def execute_job(
    city: City, job: Job, progress: Progress,
    end: Callable[[sqlite3.Connection, dict[str, Value]], None],
) -> None:  # fmt: skip
    """Ask the analysis of a job; answer, receipt and the end of the job are kept together."""
    name, inputs = str(job.parameters["process"]), job.parameters["inputs"]
    formats = job.parameters.get("formats", {})
    assert isinstance(inputs, dict) and isinstance(formats, dict)
    executed = _executed(city, name, inputs, progress)
    document = executed.formatted({output: str(kind) for output, kind in formats.items()})
    receipt = executed.receipt
    with city.database.transaction() as connection:
        insert_receipt(connection, receipt)
        keep_result(connection, job.id, json.dumps(document, ensure_ascii=False))
        seen: dict[str, Value] = {known.layer: known.part.key for known in executed.versions}
        end(
            connection,
            {"receipt": receipt.id, "results": f"/jobs/{job.id}/results", "seen": seen},
        )


def _executed(city: City, name: str, inputs: Mapping[str, Any], progress: Progress) -> Executed:
    question = asked(analysis_named(name), inputs)
    answer = question(city, progress)
    document: Document = {key: output.as_dict() for key, output in answer.outputs.items()}
    body = json.dumps(document, ensure_ascii=False, sort_keys=True).encode()
    receipt = write_receipt(
        "analysis",
        tuple(
            input_of(city, f"{version.layer} version {version.version}", version.receipt)
            for version in answer.versions
        ),
        {"analysis": name, "inputs": question.model_dump(mode="json")},
        {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)},
        who=city.who,
    )
    linked = {**document, _RECEIPT: link(f"/receipts/{receipt.id}", "describedby")}
    return Executed(answer.outputs, linked, receipt, answer.versions)


def input_of(city: City, name: str, receipt_id: str) -> Input:
    """A version of a layer as an input: the hash of its receipt, which names all it was made from."""
    body = json.dumps(city.receipts.get(receipt_id), ensure_ascii=False, sort_keys=True).encode()
    return Input(name, hashlib.sha256(body).hexdigest(), len(body))


def versions_of(receipt: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The layers and versions that an analysis looked at, by its receipt.

    >>> versions_of({"inputs": [{"name": "pipes version 2"}]})
    [('pipes', 2)]
    """
    split = (item["name"].partition(" version ") for item in receipt["inputs"])
    return [(layer, int(number)) for layer, _, number in split]


def plain_inputs(inputs: Mapping[str, Any]) -> Document:
    """Inputs without what OGC wraps around objects.

    >>> plain_inputs({"radius": 5, "place": {"value": {"type": "Point", "coordinates": [1, 2]}}})
    {'radius': 5, 'place': {'type': 'Point', 'coordinates': [1, 2]}}
    """
    return {
        name: value["value"]
        if isinstance(value, dict) and "value" in value and "type" not in value
        else value
        for name, value in inputs.items()
    }


def chosen(document: Document, names: Sequence[str] | None) -> Document:
    """The outputs asked for; raises `InvalidInput` for one there is not."""
    for name in names or ():
        if name not in document:
            raise InvalidInput(f"there is no output {name!r}; give some of {', '.join(document)}")
    return {name: document[name] for name in (names or document)}


def raw(executed: Executed, names: Sequence[str] | None, formats: Mapping[str, str]) -> Raw:
    """One output as it is, or several as the parts of one answer, each in the format asked for."""
    written_out = [
        (name, *_raw(executed, name, formats.get(name, JSON)))
        for name in chosen(executed.document, names)
    ]
    if len(written_out) == 1:
        [(_, body, media_type)] = written_out
        return body, media_type
    boundary = secrets.token_hex(16)
    heads = (
        f"--{boundary}\r\nContent-Type: {media_type}\r\nContent-ID: {name}\r\n\r\n".encode()
        for name, _, media_type in written_out
    )
    parts = (head + body + b"\r\n" for head, (_, body, _) in zip(heads, written_out, strict=True))
    return b"".join(
        [*parts, f"--{boundary}--\r\n".encode()]
    ), f"multipart/related; boundary={boundary}"


def _raw(executed: Executed, name: str, media_type: str) -> Raw:
    if name in executed.outputs and media_type != JSON:
        return written(name, executed.outputs[name], media_type), media_type
    return json.dumps(executed.document[name], ensure_ascii=False).encode(), JSON
