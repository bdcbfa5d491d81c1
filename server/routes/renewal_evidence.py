"""Evidence of renewal: files that show something, and what is said of each."""

import re
from pathlib import Path
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from cim_core.renewal.documents import Day
from cim_core.renewal.events import Change, Subject
from cim_core.store.renewal_evidence import SHOWN, EvidenceFiles, Kept
from server.answers import json_answer
from server.documented import documented, returns
from server.renewal.arriving import clean_name, pieces
from server.renewal.asked import today
from server.renewal.edits import EditingDep, subject_answer, subject_document
from server.routes.renewal_edits import ProjectPath
from server.state import CityDep, StateDep

router = APIRouter(tags=["renewal"])

EvidencePath = Annotated[str, InPath(description="the id of a piece of evidence")]

_RANGE = re.compile(rb"bytes=(\d{1,18})-(\d{1,18})?")
_BODY = {"required": True, "content": {"application/octet-stream": {}}}
_FILE = {"*/*": None}
_HEADERS = ("Content-Disposition", "ETag")


@router.post(
    "/renewal/projects/{project}/evidence",
    summary="A file that shows something of a project",
    **documented(
        "report",
        returns("RenewalSubject", 201, ("ETag",)),
        returns("RenewalSubject", 200, ("ETag",)),
        problems=(400, 404, 408, 413, 415),
        requestBody=_BODY,
    ),
)
async def add_evidence(
    project: ProjectPath,
    request: Request,
    editing: EditingDep,
    state: StateDep,
    name: Annotated[str, Query(max_length=200, description="what the file is called")] = "",
    note: Annotated[str, Query(max_length=4000)] = "",
    taken: Annotated[Day | None, Query(description="the day it was made")] = None,
    lon: Annotated[float | None, Query(ge=-180, le=180)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90)] = None,
) -> Response:
    """The body is the file, kept as it is; 200 and what is there for one that the project has already."""
    await anyio.to_thread.run_sync(lambda: editing.project(project, "report"))
    called = clean_name(name, "evidence")
    files = EvidenceFiles(editing.city.renewal.evidence_folder)
    with files.taking(called, state.settings.evidence_bytes) as arriving:
        async for piece in pieces(request, state):
            await anyio.to_thread.run_sync(arriving.write, piece)
        kept = await anyio.to_thread.run_sync(arriving.keep)
    said = {
        "note": note or None,
        "taken": taken.isoformat() if taken else None,
        "lon": lon,
        "lat": lat,
    }
    document: dict[str, object] = {
        "project": project, "name": called, "media_type": kept.media_type, "size": kept.size,
        "sha256": kept.sha256, **{key: value for key, value in said.items() if value is not None},
    }  # fmt: skip
    return await anyio.to_thread.run_sync(_recorded, editing, project, kept, document)


def _recorded(
    editing: EditingDep, project: str, kept: Kept, document: dict[str, object]
) -> Response:
    renewal, day = editing.city.renewal, today(editing.city)
    with renewal.transaction() as connection:
        same = [
            one
            for one in renewal.find("evidence", project)
            if one.document["sha256"] == kept.sha256
        ]
        made = same or renewal.apply_within(
            connection, [Change("evidence", None, document, day)], editing.access.doer
        )
    editing.recorded(made[:1])
    return subject_answer(editing.city, made[0], 200 if same else 201)


@router.get(
    "/renewal/projects/{project}/evidence",
    summary="The evidence of a project",
    **documented("read", returns("RenewalEvidence"), problems=(404,)),
)
def list_evidence(project: ProjectPath, city: CityDep) -> Response:
    """What is said of each file, the one added last first."""
    city.renewal.get("project", project)
    found = city.renewal.find("evidence", project)
    found.sort(key=lambda one: (one.changed, one.id), reverse=True)
    return json_answer({"evidence": [subject_document(city, one) for one in found]})


@router.get(
    "/renewal/evidence/{evidence}",
    summary="The file of a piece of evidence",
    **documented(
        "read",
        returns(_FILE, headers=_HEADERS),
        returns(_FILE, 206, (*_HEADERS, "Content-Range")),
        returns(None, 304, ("ETag",)),
        problems=(404,),
    ),
)
def get_evidence(evidence: EvidencePath, request: Request, city: CityDep) -> Response:
    """Its bytes as they came. Pictures and PDF may be shown in place, all else is handed out as a file."""
    found = city.renewal.get("evidence", evidence)
    etag = f'"{found.document["sha256"]}"'
    headers = {
        "etag": etag,
        "cache-control": "private, no-cache",
        "content-security-policy": "sandbox",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return _file(city, found, headers)


class _Whole(FileResponse):
    """A file, or the one range of it that is asked for; what is no such range is as if not asked."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; RFC 9110, 14.2 lets a server pass over a Range."""
        asked = _RANGE.fullmatch(dict(scope["headers"]).get(b"range", b""))
        size = Path(self.path).stat().st_size
        if asked is None or not int(asked[1]) <= int(asked[2] or size) or int(asked[1]) >= size:
            headers = [header for header in scope["headers"] if header[0] != b"range"]
            scope = {**scope, "headers": headers}
        await super().__call__(scope, receive, send)


def _file(city: CityDep, found: Subject, headers: dict[str, str]) -> Response:
    document = found.document
    path = EvidenceFiles(city.renewal.evidence_folder).path(document["sha256"])
    shown = document["media_type"] in SHOWN
    return _Whole(
        path, headers=headers, media_type=document["media_type"], filename=document["name"],
        content_disposition_type="inline" if shown else "attachment",
    )  # fmt: skip
