"""Check-ups are examined, submitted and removed; what they found wrong is handled."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from server.answers import json_answer
from server.checkup.ledger import change_problem, problems_of
from server.checkup.order import CHECKUP, Order
from server.checkup.reading import MOST_TOLD
from server.checkup.rights import AskingDep
from server.checkup.sets import found_set, require_final
from server.checkup.told import run_detail
from server.documented import documented, returns
from server.renewal.edits import IfMatch, version_of
from server.routes.checkup import LimitQuery, OffsetQuery, RunPath
from server.routes.jobs import described
from server.state import StateDep

router = APIRouter(tags=["check-up"])

_Name = Annotated[str, Field(max_length=200)]


class Examination(BaseModel):
    """What is to be examined: by which set, for which year, under which title."""

    model_config = ConfigDict(extra="forbid", strict=True)

    set: _Name
    year: Annotated[int, Field(ge=1990, le=2199)]
    title: _Name = ""


class Handling(BaseModel):
    """What is to change of a problem; what is not told stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    state: Literal["open", "assigned", "solved"] | None = None
    project: _Name | None = None
    note: Annotated[str, Field(max_length=4000)] | None = None


@router.post(
    "/checkup/runs",
    summary="Examine the city",
    **documented("manage", returns("Job", 202, ("Location",)), problems=(404,)),
)
def create_run(given: Examination, asking: AskingDep, state: StateDep) -> Response:
    """A job, whose report names the run once it has ended; a link to it is among its links."""
    asking.require("manage")
    found_set(asking.city, given.set)
    order = Order(given.set, given.year, given.title)
    job = asking.city.jobs.add(CHECKUP, None, None, order.as_parameters())
    asking.note.detail |= {"job": job.id, "set": given.set, "year": given.year}
    state.runner.wake()
    return json_answer(described(job), status=202, headers={"location": f"/jobs/{job.id}"})


@router.post(
    "/checkup/runs/{run}/submit",
    summary="Submit a check-up",
    **documented("manage", returns("CheckupRunDetail"), problems=(404, 409)),
)
def submit_run(run: RunPath, asking: AskingDep) -> Response:
    """From then on it never changes; 409 for one by a set that is still a draft."""
    asking.require("manage")
    require_final(asking.city, asking.run(run))
    return json_answer(run_detail(asking.city, asking.city.checkups.submit(run)))


@router.delete(
    "/checkup/runs/{run}",
    summary="Remove a check-up that was not submitted",
    **documented("manage", returns(status=204), problems=(404, 409)),
)
def remove_run(run: RunPath, asking: AskingDep) -> Response:
    """With its problems; 409 for one that was submitted."""
    asking.require("manage")
    asking.run(run)
    asking.city.checkups.remove(run)
    return Response(status_code=204)


@router.get(
    "/checkup/runs/{run}/problems",
    summary="What a check-up found wrong",
    **documented("read", returns("CheckupProblems"), problems=(404,)),
)
def list_problems(
    run: RunPath,
    asking: AskingDep,
    state: Literal["open", "assigned", "solved"] | None = None,
    code: Annotated[str | None, Query(description="of one indicator only")] = None,
    unit: Annotated[str | None, Query(description="of one unit only: its id")] = None,
    limit: LimitQuery = MOST_TOLD,
    offset: OffsetQuery = 0,
) -> Response:
    """Units that miss a target, with what was done about each; of renewal what is seen."""
    asking.run(run)
    wanted = {"state": state, "code": code, "unit": unit}
    found, total = problems_of(asking.city, run, wanted, slice(offset, offset + limit))
    return json_answer({"problems": found, "total": total})


@router.patch(
    "/checkup/problems/{problem}",
    summary="Handle a problem",
    **documented("order", returns("CheckupProblem", headers=("ETag",)), problems=(404, 412)),
)
def handle_problem(
    problem: Annotated[str, Path(description="a problem's id")],
    given: Handling,
    asking: AskingDep,
    if_match: IfMatch = "",
) -> Response:
    """Assign it to a renewal project that is there, say how it was solved, or open it again."""
    asking.require("order")
    asking.note.detail["problem"] = problem
    told_of = given.model_dump(exclude_unset=True)
    change = {name: one for name, one in told_of.items() if one is not None or name == "project"}
    version = version_of(if_match)
    told = change_problem(asking.city, problem, version, change, asking.access.doer)
    return json_answer(told, headers={"etag": f'"{told["version"]}"'})
