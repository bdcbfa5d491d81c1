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
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from cim_core.errors import InvalidInput, TooLarge, UnsupportedFormat
from cim_core.files import make_durable
from cim_core.layer import check_layer_id
from server.answers import json_answer
from server.folder_import import FOLDER, FolderUpload
from server.importers import importer_for
from server.ingest import Upload, layer_id_for, parse_anchor, parse_options
from server.routes.jobs import described
from server.state import State, StateDep

router = APIRouter(tags=["imports"])

_BLOCK = 1 << 20


@router.post("/imports", status_code=202, summary="Import a file")
async def create_import(
    request: Request,
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
    folder = state.city.uploads_folder / secrets.token_hex(8)
    await anyio.to_thread.run_sync(lambda: folder.mkdir(parents=True))
    try:
        chunks: AsyncIterator[bytes] = _limited(request, state)
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            part, form = await _form_file(request, chunks)
            filename = filename or part.filename
            kind = kind or _text(form, "kind")
            options = [*(options or ()), *(str(value) for value in form.getlist("options"))]
            chunks = _blocks(part)
        name = _clean_name(filename)
        said = parse_options(options or ())
        if kind != FOLDER:
            importer_for(name, kind=kind)
        elif not name.lower().endswith(".zip"):
            raise UnsupportedFormat(f"{name} is no .zip of a folder; pack the folder as one")
        path = folder / f"upload{PurePath(name).suffix.lower()}"
        layer_id = check_layer_id(layer) if layer else layer_id_for(name)
        await _store(chunks, path)
        upload = Upload(
            path.resolve(), name, layer_id, title or PurePath(name).stem, crs, place, kind, said
        )
        many = FolderUpload(path.resolve(), crs, said)
        job = await anyio.to_thread.run_sync(
            lambda: (
                state.city.jobs.add(FOLDER, None, name, many.as_parameters())
                if kind == FOLDER
                else state.city.jobs.add("import", layer_id, name, upload.as_parameters())
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
    return name


async def _limited(request: Request, state: State) -> AsyncIterator[bytes]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > state.settings.max_upload_bytes:
            raise _too_large(state)
        yield chunk


def _too_large(state: State) -> TooLarge:
    limit = state.settings.max_upload_bytes
    return TooLarge(
        f"the file is larger than this server takes ({limit / 2**20:.0f} MiB); import it on the "
        "server with `cim import`, or raise CIM_MAX_UPLOAD_BYTES"
    )


async def _form_file(request: Request, chunks: AsyncIterator[bytes]) -> tuple[UploadFile, FormData]:
    async def stream() -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield chunk

    try:
        form = await MultiPartParser(request.headers, stream(), max_files=1).parse()  # type: ignore[arg-type]
    except MultiPartException as error:
        raise InvalidInput(
            f"the form cannot be read ({error.message}); send one part named file"
        ) from error
    part = form.get("file")
    if not isinstance(part, UploadFile):
        raise InvalidInput("the form has no part named file; send the file under that name")
    return part, form


def _text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return value if isinstance(value, str) and value else None


async def _blocks(part: UploadFile) -> AsyncIterator[bytes]:
    while block := await part.read(_BLOCK):
        yield block


async def _store(chunks: AsyncIterator[bytes], path: Path) -> None:
    """Write a stream to disk and make it durable: the job that follows is a promise."""
    async with await anyio.open_file(path, "wb") as file:
        async for chunk in chunks:
            await file.write(chunk)
        await file.flush()
        await anyio.to_thread.run_sync(os.fsync, file.wrapped.fileno())
    await anyio.to_thread.run_sync(make_durable, path.parent)
