"""The log: who did what, for the auditor."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse

from cim_core.errors import InvalidInput
from cim_core.store.office_audit import AuditQuery
from cim_core.store.office_file import moment
from server.access.notes import note_of
from server.answers import json_answer
from server.audit_files import as_csv, as_jsonl
from server.documented import LARGEST, documented, returns
from server.state import StateDep
from server.zh import in_chinese

router = APIRouter(tags=["audit"])

_Text = Annotated[str | None, Query(max_length=500)]


def _query(
    since: Annotated[str | None, Query(description="from this time on, RFC 3339")] = None,
    until: Annotated[str | None, Query(description="before this time")] = None,
    person: Annotated[str | None, Query(max_length=200, description="an id or a name")] = None,
    verb: _Text = None,
    result: Literal["ok", "denied", "failed"] | None = None,
    layer: _Text = None,
    q: Annotated[str | None, Query(max_length=500, description="a text anywhere in it")] = None,
) -> AuditQuery:
    return AuditQuery(_time(since), _time(until), person, verb, result, layer, q)


_QueryDep = Annotated[AuditQuery, Depends(_query)]


@router.get("/audit", summary="What was done", **documented("audit", returns("Log")))
def list_entries(
    state: StateDep,
    query: _QueryDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[int | None, Query(ge=1, le=LARGEST, description="from `next`")] = None,
) -> Response:
    """The entries of the log that match, newest first."""
    entries, further, total = state.whole_city.office.audit.find(query, limit, after)
    told = [entry.as_dict() for entry in entries]
    return json_answer({"entries": told, "next": further, "total": total})


@router.get(
    "/audit/export",
    summary="The log as a file",
    **documented(
        "audit",
        returns({"text/csv": None, "application/jsonl": None}, headers=("Content-Disposition",)),
    ),
)
def export_log(
    state: StateDep, query: _QueryDep, request: Request, f: Literal["csv", "jsonl"] = "csv"
) -> Response:
    """The entries that match, oldest first; that it was taken out is an entry, too."""
    note_of(request.scope).exported()
    entries = state.whole_city.office.audit.entries(query)
    lines = as_csv(entries) if f == "csv" else as_jsonl(entries)
    media_type = "text/csv; charset=utf-8" if f == "csv" else "application/jsonl"
    headers = {
        "content-disposition": f'attachment; filename="audit.{f}"',
        "cache-control": "no-store",
    }
    return StreamingResponse(lines, headers=headers, media_type=media_type)


@router.get(
    "/audit/verification",
    summary="Whether the log is as it was written",
    **documented("audit", returns("Verification")),
)
def verify_log(state: StateDep) -> Response:
    """Go through the whole log and find the first row that was altered, put in or removed."""
    found = state.whole_city.office.audit.verify()
    chinese = in_chinese(found.reason) if found.reason else None
    return json_answer(found.as_dict() | ({"reason_zh": chinese} if chinese else {}))


def _time(given: str | None) -> str | None:
    """A time as the log writes it."""
    if given is None:
        return None
    try:
        time = datetime.fromisoformat(given)
        return moment((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{given[:40]!r} is no time; give it as 2026-11-22 or 2026-11-22T08:00:00Z"
        ) from error
