"""Reads a file that somebody brought, in a process of its own: `python -m server.renewal.reading`.

A file made to do harm does it there, within limits of memory and time, and without the server's secrets.
"""

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from cim_core import errors
from cim_core.errors import CimError, InvalidInput, TooLarge, UnsupportedFormat
from server.bounds import bound_process, without_secrets
from server.renewal.given import GivenSheet

_MEMORY = 2 << 30
_SECONDS = 60.0
_ANSWER = 64 << 20
"""Bytes that one file may come to: what the server holds of it at once."""
_AT_ONCE = asyncio.Semaphore(2)
"""So many files are read side by side: each process may take much memory."""

_BEGINS = {".xlsx": b"PK\x03\x04", ".zip": b"PK\x03\x04", ".gpkg": b"SQLite format 3\0"}


class _Read(msgspec.Struct):
    """What the process answers: sheets, or the name and the sentence of an error."""

    sheets: list[GivenSheet] = []
    error: str = ""
    sentence: str = ""


def read_given(path: Path, name: str) -> list[GivenSheet]:
    """The tables of a workbook, a GeoPackage or a zipped Shapefile; `path` ends as `name` does.

    Of a table with shapes the first line, number 0, has the names of its columns. Raises
    `InvalidInput`, `TooLarge` and `UnsupportedFormat`.
    """
    _check_begin(path, name)
    if path.suffix.lower() == ".xlsx":
        from server.renewal.workbook import read_workbook

        return read_workbook(path, name)
    from server.renewal.reading_shapes import read_shapes

    return read_shapes(path, name)


def _check_begin(path: Path, name: str) -> None:
    """Raise for what is no such file at the first look: nothing need be started to say so."""
    ending = path.suffix.lower()
    begin = _BEGINS.get(ending)
    if begin is None:
        raise UnsupportedFormat(
            f"{name} is no table that is taken here; bring an .xlsx workbook, a .gpkg, or a Shapefile "
            "as one .zip"
        )
    with path.open("rb") as file:
        if file.read(len(begin)) != begin:
            raise InvalidInput(
                f"{name} is no file of the kind that its ending says, {ending}; save it as one"
            )


async def read_aside(path: Path, name: str) -> list[GivenSheet]:
    """The same, read by a process of its own when it is its turn; raises what it raised."""
    _check_begin(path, name)
    async with _AT_ONCE:
        read = await _read_aside(path, name)
    if read.error:
        kind: type[CimError] = getattr(errors, read.error, InvalidInput)
        raise kind(read.sentence)
    return read.sheets


async def _read_aside(path: Path, name: str) -> _Read:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server.renewal.reading", str(path.resolve()), name,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        env={
            **without_secrets(os.environ),
            "PYTHONPATH": os.pathsep.join(place for place in sys.path if place),
        },
    )  # fmt: skip
    try:
        async with asyncio.timeout(_SECONDS):
            answer = await _answered(process, name)
    except TimeoutError:
        raise InvalidInput(
            f"{name} could not be read within {_SECONDS:.0f} s; divide it, or export its tables again"
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise InvalidInput(
            f"{name} could not be read: the process that read it ended with code {process.returncode}; "
            "export its tables again"
        )
    return await asyncio.to_thread(msgspec.json.decode, answer, type=_Read)


async def _answered(process: asyncio.subprocess.Process, name: str) -> bytes:
    """All that a process writes, until it has ended; raises `TooLarge`."""
    assert process.stdout is not None
    answer = bytearray()
    while piece := await process.stdout.read(1 << 20):
        answer += piece
        if len(answer) > _ANSWER:
            raise TooLarge(
                f"{name} holds more than the {_ANSWER >> 20} MiB of texts and shapes that are taken; "
                "divide it"
            )
    await process.wait()
    return bytes(answer)


def main() -> None:
    """Read the file of the command line and write what it has to stdout, as JSON."""
    bound_process(_MEMORY)
    path, name = Path(sys.argv[1]), sys.argv[2]
    try:
        read = _Read(read_given(path, name))
    except CimError as error:
        read = _Read(error=type(error).__name__, sentence=error.sentence.replace(str(path), name))
    sys.stdout.buffer.write(msgspec.json.encode(read))


if __name__ == "__main__":
    main()
