"""Analyses of the city (OGC API – Processes)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header
from fastapi.responses import Response
from pydantic import BaseModel, Field

from analysis.analysis import asked
from analysis.registry import analyses, analysis_named
from cim_core.progress import Progress
from server.answers import json_answer
from server.describe import link
from server.documented import documented, returns
from server.json_body import JsonObject
from server.outputs import ENDINGS, KEPT, asked_formats
from server.processes import chosen, description, execute, plain_inputs, raw, summary
from server.routes.jobs import described
from server.state import AccessDep, CityDep, StateDep, TakingDep

router = APIRouter(tags=["analyses"])


_RESULTS = dict.fromkeys((*ENDINGS.values(), "multipart/related"))  # fmt: skip


class Execution(BaseModel):
    """What a process is to be run with, and how its outputs are to be answered."""

    inputs: JsonObject = Field(default_factory=dict)
    outputs: JsonObject | None = None
    response: Literal["raw", "document"] = "raw"


@router.get("/processes", summary="Every analysis", **documented("read", returns("Processes")))
def list_processes() -> Response:
    """Every analysis this server can be asked for."""
    listed = [summary(kind) for kind in analyses().values()]
    return json_answer({"processes": listed, "links": [link("/processes", "self")]})


@router.get(
    "/processes/{name}",
    summary="One analysis",
    **documented("read", returns("Process"), problems=(404,)),
)
def get_process(name: str) -> Response:
    """An analysis with its inputs, from which a form can be made, and its outputs."""
    return json_answer(description(analysis_named(name)))


@router.post(
    "/processes/{name}/execution",
    summary="Ask an analysis",
    **documented(
        "read",
        returns(_RESULTS),
        returns("Job", 201, ("Location", "Preference-Applied")),
        problems=(404, 409, 413, 503),
    ),
)
def execute_process(
    name: str,
    execution: Execution,
    city: CityDep,
    access: AccessDep,
    state: StateDep,
    taking: TakingDep,
    prefer: Annotated[str, Header()] = "",
) -> Response:
    """The outputs at once, or, with `Prefer: respond-async`, a job whose results they will be.

    `response` raw answers one output as it is and several as parts; document answers one JSON
    object. An output can be asked for in a format: `{"drawing": {"format": {"mediaType":
    "image/png"}}}`; a document has it as a value with its media type.
    """
    inputs, formats = plain_inputs(execution.inputs), asked_formats(execution.outputs)
    names = None if execution.outputs is None else list(execution.outputs)
    if "respond-async" in prefer:
        asked(analysis_named(name), inputs)  # what cannot be asked is refused before it is a job
        wanted: dict[str, Any] = {"process": name, "inputs": inputs}
        wanted |= {"formats": formats} if formats else {}
        access.require_known()
        job = city.jobs.add("process", None, None, wanted)
        state.runner.wake()
        headers = {"location": f"/jobs/{job.id}", "preference-applied": "respond-async"}
        return json_answer(described(job), status=201, headers=headers)
    executed = execute(city, name, inputs, Progress())
    versions = [(version.layer, version.version) for version in executed.versions]
    taking.answers(executed.document, versions, kept=bool(KEPT & set(formats.values())))
    if execution.response == "document":
        return json_answer(chosen(executed.formatted(formats), names))
    body, media_type = raw(executed, names, formats)
    return Response(body, media_type=media_type, headers={"cache-control": "no-cache"})
