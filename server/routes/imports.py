"""Uploads: a file becomes a job."""

import os
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path, PurePath
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from cim_core.archives import SPARE, is_legible
from cim_core.errors import InvalidInput, StorageFailed, TooLarge, UnsupportedFormat
from cim_core.files import make_durable
from cim_core.layer import check_layer_id
from server.access.imports import require_import
from server.access.quota import Quota
from server.answers import json_answer
from server.documented import documented, returns
from server.folder_import import FOLDER, FolderUpload
from server.forms import take_form
from server.importers import importer_for
from server.ingest import Upload, layer_id_for, parse_anchor, parse_options
from server.routes.jobs import described
from server.state import AccessDep, CityDep, State, StateDep

router = APIRouter(tags=["imports"])

_PART = "part"
"""Where the file of a form goes while it arrives."""
_BETWEEN = 1 << 26
"""Bytes after which it is asked again whether the disk has room for more."""
_BODY = {
    "required": True,
    "content": {
        "application/octet-stream": {},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "kind": {"type": "string"},
                    "options": {"type": "array", "items": {"type": "string"}},
                },
            }
        },
    },
}


@router.post(
    "/imports",
    summary="Import a file",
    **documented(
        "manage", returns("Job", 202, ("Location",)), problems=(413, 415), requestBody=_BODY
    ),
)
async def create_import(
    request: Request,
    city: CityDep,
    access: AccessDep,
    state: StateDep,
    filename: Annotated[str | None, Query(max_length=255)] = None,
    layer: str | None = None,
    title: Annotated[str | None, Query(max_length=200)] = None,
    crs: Annotated[str | None, Query(max_length=2000)] = None,
    anchor: Annotated[str | None, Query(description="lon,lat,height")] = None,
    kind: Annotated[str | None, Query(description="what the file is: terrain, points, …")] = None,
    options: Annotated[
        list[str] | None, Query(description="name=value, what else is to be said; repeatable")
    ] = None,
) -> Response:
    """Take a file (as the body, or as the part `file` of a form) and answer with its job.

    A form may bring `kind` and `options` as parts, too. A .zip of the kind `folder` becomes a layer
    for each file in it.
    """
    place = parse_anchor(anchor)
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > state.settings.max_upload_bytes:
        raise _too_large(state)
    quota = Quota(city.office.uploads, access.person, state.settings.upload_bytes_per_day)
    await quota.begin(int(declared) if declared.isdigit() else 0)
    folder = city.uploads_folder / secrets.token_hex(8)
    await anyio.to_thread.run_sync(lambda: folder.mkdir(parents=True))
    try:
        chunks: AsyncIterator[bytes] = _limited(request, state, folder, quota)
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            form = await take_form(request.headers["content-type"], chunks, folder / _PART)
            filename = filename or form.filename
            kind = kind or next(iter(form.fields.get("kind", ())), None) or None
            options = [*(options or ()), *form.fields.get("options", ())]
        name = _clean_name(filename)
        said = parse_options(options or ())
        if kind != FOLDER:
            importer_for(name, kind=kind)
        elif not name.lower().endswith(".zip"):
            raise UnsupportedFormat(f"{name} is no .zip of a folder; pack the folder as one")
        path = folder / f"upload{PurePath(name).suffix.lower()}"
        layer_id = check_layer_id(layer) if layer else layer_id_for(name)
        require_import(access, None if kind == FOLDER else layer_id, said)
        if (folder / _PART).exists():
            (folder / _PART).rename(path)
        else:
            await _store(chunks, path)
        await anyio.to_thread.run_sync(make_durable, folder)
        upload = Upload(
            path.resolve(), name, layer_id, title or PurePath(name).stem, crs, place, kind, said
        )
        many = FolderUpload(path.resolve(), crs, said)
        job = await anyio.to_thread.run_sync(
            lambda: (
                city.jobs.add(FOLDER, None, name, many.as_parameters())
                if kind == FOLDER
                else city.jobs.add("import", layer_id, name, upload.as_parameters())
            )
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    state.runner.wake()
    return json_answer(described(job), status=202, headers={"location": f"/jobs/{job.id}"})


def _clean_name(filename: str | None) -> str:
    name = PurePath((filename or "").replace("\\", "/")).name
    if not name:
        raise InvalidInput("the upload has no file name; add ?filename=NAME.ifc to the address")
    if not is_legible(name):
        raise InvalidInput("the file name has letters that nobody can see; rename the file")
    return name


async def _limited(
    request: Request, state: State, folder: Path, quota: Quota
) -> AsyncIterator[bytes]:
    received = asked = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > state.settings.max_upload_bytes:
                raise _too_large(state)
            if received >= asked:
                _check_room(folder)
                asked = received + _BETWEEN
            await quota.take(len(chunk))
            yield chunk
    except ClientDisconnect as error:
        raise InvalidInput("the file did not arrive whole; send it again") from error
    finally:
        await quota.end()


def _check_room(folder: Path) -> None:
    if shutil.disk_usage(folder).free < SPARE:
        raise StorageFailed(
            "the disk of this server has no room for uploads; free space, then send the file again"
        )


def _too_large(state: State) -> TooLarge:
    limit = state.settings.max_upload_bytes
    return TooLarge(
        f"the file is larger than this server takes ({limit / 2**20:.0f} MiB); import it on the "
        "server with `cim import`, or raise CIM_MAX_UPLOAD_BYTES"
    )


async def _store(chunks: AsyncIterator[bytes], path: Path) -> None:
    """Write a stream to disk and make it durable: the job that follows is a promise."""
    async with await anyio.open_file(path, "wb") as file:
        async for chunk in chunks:
            await file.write(chunk)
        await file.flush()
        await anyio.to_thread.run_sync(os.fsync, file.wrapped.fileno())
