"""Jobs: long work, its progress, its end."""

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from cim_core.store.jobs import Job
from server.answers import json_answer
from server.describe import link
from server.state import CityDep, StateDep

router = APIRouter(tags=["jobs"])


def described(job: Job) -> dict[str, object]:
    """A job with its links."""
    base = f"/jobs/{job.id}"
    links = [link(base, "self"), link(f"{base}/events", "monitor", "text/event-stream")]
    if job.type == "process" and job.status == "successful":
        links.append(link(f"{base}/results", "http://www.opengis.net/def/rel/ogc/1.0/results"))
    return {**job.as_dict(), "links": links}


def _job(job_id: str, city: CityDep) -> Job:
    """The job of the path: looked up before a stream begins, while 404 can still be said."""
    return city.jobs.get(job_id)


JobDep = Annotated[Job, Depends(_job)]


@router.get("/jobs", summary="The latest jobs")
def list_jobs(city: CityDep, limit: Annotated[int, Query(ge=1, le=1000)] = 20) -> Response:
    """The latest jobs first."""
    return json_answer({"jobs": [described(job) for job in city.jobs.newest(limit)]})


@router.get("/jobs/{job_id}", summary="One job")
def get_job(job: JobDep) -> Response:
    """A job's status, progress, and its report or problem once it has ended.

    `remaining_seconds` is an estimate, null while there is nothing to go by.
    """
    return json_answer(described(job))


@router.get("/jobs/{job_id}/results", summary="What a job found")
def get_results(job_id: str, city: CityDep) -> Response:
    """The outputs of an analysis that ran as a job."""
    return Response(
        city.jobs.result(job_id), media_type="application/json",
        headers={"cache-control": "no-cache"},
    )  # fmt: skip


@router.delete("/jobs/{job_id}", summary="Cancel a job")
def cancel_job(job_id: str, city: CityDep) -> Response:
    """Stop a job at its next step; the city stays as it was before."""
    return json_answer(described(city.jobs.cancel(job_id)))


@router.get("/jobs/{job_id}/events", response_class=EventSourceResponse, summary="A job as it runs")
async def job_events(job: JobDep, state: StateDep) -> AsyncIterable[ServerSentEvent]:
    """Every change of a job until it has ended."""
    async for body in state.hub.job_events(job.id):
        yield ServerSentEvent(event="job", data=body)
