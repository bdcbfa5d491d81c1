"""Files on their way in: piece by piece, within limits, and gone when they were read."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from cim_core.archives import SPARE, is_legible
from cim_core.errors import InvalidInput, StorageFailed, TooLarge
from server.access.quota import Quota
from server.state import State

LARGEST_TABLE = 64 << 20
"""Bytes a file with a table may have."""


def clean_name(name: str, instead: str) -> str:
    r"""The last part of a file's name as somebody told it, or what it is called where they told none.

    Raises `InvalidInput`.

    >>> clean_name("C:\\docs\\a.pdf", "file"), clean_name("", "file")
    ('a.pdf', 'file')
    """
    found = PurePath(name.replace("\\", "/")).name or instead
    if not is_legible(found):
        raise InvalidInput("the file name has letters that nobody can see; rename the file")
    return found


async def pieces(request: Request, state: State) -> AsyncIterator[bytes]:
    """The body of a request piece by piece, counted as uploaded by who sends it.

    Raises `InvalidInput` where it ends too early, `StorageFailed` where the disk has no room, and
    `TooMany` for more than a day's share.
    """
    city, person = state.whole_city, request.state.person
    if shutil.disk_usage(city.folder).free < SPARE:
        raise StorageFailed(
            "the disk of this server has no room for uploads; free space, then send the file again"
        )
    quota = Quota(city.office.uploads, person, state.settings.upload_bytes_per_day)
    declared = request.headers.get("content-length", "")
    await quota.begin(int(declared) if declared.isdigit() else 0)
    try:
        async for piece in request.stream():
            await quota.take(len(piece))
            yield piece
    except ClientDisconnect as error:
        raise InvalidInput("the file did not arrive whole; send it again") from error
    finally:
        await quota.end()


@asynccontextmanager
async def arrived(
    request: Request, state: State, name: str, ending: str | None = None
) -> AsyncIterator[Path]:
    """The body of a request as a file for as long as the block; raises as above.

    It ends as `name` does, or as is said.
    """
    uploads = state.whole_city.uploads_folder
    await anyio.to_thread.run_sync(lambda: uploads.mkdir(exist_ok=True))
    with TemporaryDirectory(dir=uploads, prefix="table-") as folder:
        path = Path(folder) / f"table{ending or PurePath(name).suffix.lower()}"
        size = 0
        async with await anyio.open_file(path, "wb") as file:
            async for piece in pieces(request, state):
                size += len(piece)
                if size > LARGEST_TABLE:
                    raise TooLarge(
                        f"{name} is larger than the {LARGEST_TABLE >> 20} MiB that are taken of a "
                        "table; divide it"
                    )
                await file.write(piece)
        if size == 0:
            raise InvalidInput(f"{name} is empty; send the file itself as the body")
        yield path
