"""Jobs: long work, its progress, its end."""

import asyncio
import json
from collections.abc import AsyncIterable
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from fastapi.sse import ServerSentEvent

from cim_core.store.jobs import Job, no_such_job
from server.answers import json_answer
from server.checkup.order import CHECKUP
from server.describe import link
from server.documented import NEWS, documented, returns
from server.outputs import KEPT
from server.processes import versions_of
from server.state import AccessDep, CityDep, StateDep, TakingDep

router = APIRouter(tags=["jobs"])

_LOOKED_AT = 1000
"""Of so many latest jobs those are told that the person may see."""


def described(job: Job) -> dict[str, object]:
    """A job with its links."""
    base = f"/jobs/{job.id}"
    links = [link(base, "self"), link(f"{base}/events", "monitor", "text/event-stream")]
    if job.type == "process" and job.status == "successful":
        links.append(link(f"{base}/results", "http://www.opengis.net/def/rel/ogc/1.0/results"))
    if job.type == CHECKUP and job.report is not None:
        links.append(link(f"/checkup/runs/{job.report['run']}", "result"))
    return {**job.as_dict(), "links": links}


def _job(job_id: str, city: CityDep, access: AccessDep) -> Job:
    """The job of the path: looked up before a stream begins, while 404 can still be said.

    One that the person may not see is not there.
    """
    job = city.jobs.get(job_id)
    if not access.sees_job(job):
        raise no_such_job(job_id)
    return job


JobDep = Annotated[Job, Depends(_job)]


@router.get("/jobs", summary="The latest jobs", **documented("read", returns("Jobs")))
def list_jobs(
    city: CityDep, access: AccessDep, limit: Annotated[int, Query(ge=1, le=1000)] = 20
) -> Response:
    """The latest jobs first."""
    seen = (job for job in city.jobs.newest(_LOOKED_AT) if access.sees_job(job))
    return json_answer({"jobs": [described(job) for job in islice(seen, limit)]})


@router.get(
    "/jobs/{job_id}", summary="One job", **documented("read", returns("Job"), problems=(404,))
)
def get_job(job: JobDep) -> Response:
    """A job's status, progress, and its report or problem once it has ended.

    `remaining_seconds` is an estimate, null while there is nothing to go by.
    """
    return json_answer(described(job))


@router.get(
    "/jobs/{job_id}/results",
    summary="What a job found",
    **documented("read", returns("Results"), problems=(404,)),
)
def get_results(job: JobDep, city: CityDep, state: StateDep, taking: TakingDep) -> Response:
    """The outputs of an analysis that ran as a job; of layers that the person still sees."""
    text = city.jobs.result(job.id)
    document = json.loads(text)
    seen = (job.report or {}).get("seen", {})
    assert isinstance(seen, dict)
    for layer, key in seen.items():
        part = city.sight.of(layer)
        if part is None or part.key != key:
            raise no_such_job(job.id)  # it was asked by somebody who saw more of it, or less
    receipt = state.whole_city.receipts.get(document["receipt"]["href"].rpartition("/")[2])
    kinds = {output.get("mediaType") for output in document.values()}
    taking.answers(document, versions_of(receipt), kept=bool(KEPT & kinds))
    return Response(
        text, media_type="application/json", headers={"cache-control": "no-cache"},
    )  # fmt: skip


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel a job",
    **documented("read", returns("Job"), problems=(404, 409)),
)
def cancel_job(job: JobDep, city: CityDep, access: AccessDep) -> Response:
    """Stop a job at its next step; the city stays as it was before."""
    access.require_known()
    return json_answer(described(city.jobs.cancel(job.id)))


@router.get(
    "/jobs/{job_id}/events",
    summary="A job as it runs",
    **documented("read", returns({NEWS: None}), problems=(404,)),
)
async def job_events(
    job: JobDep, request: Request, state: StateDep
) -> AsyncIterable[ServerSentEvent]:
    """Every change of a job until it has ended, or is not the person's to see any more."""
    async for body in state.hub.job_events(job.id):
        access = await asyncio.to_thread(state.gate.still, request.state.person)
        if access is None or not access.sees_job(job):
            return
        yield ServerSentEvent(event="job", data=body)
