"""A file that comes as a part of a form, written to disk as it arrives; the rest stays small.

The parts are told apart in a thread: bytes made to look like the border between parts again and
again take long to tell apart, and others wait for answers meanwhile.
"""

import logging
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from cim_core.errors import InvalidInput

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

# What is wrong with a form is answered to who sent it; the log is not for strangers to fill.
logging.getLogger("python_multipart").setLevel(logging.ERROR)

_FILE = "file"
_MOST_PARTS = 64
_LONGEST_FIELD = 1 << 16
"""Bytes of a part that is no file."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a form said: the name of its file, and the texts of its other parts."""

    filename: str | None
    fields: dict[str, list[str]]


async def take_form(content_type: str, chunks: AsyncIterator[bytes], path: Path) -> Form:
    """Read a form whose part `file` goes to `path`, which is durable after.

    Raises `InvalidInput` for what is no such form, or has more parts than an import has.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise _unreadable("it names no boundary")
    with path.open("wb") as out:
        parts = _Parts(out)
        try:
            parser = MultipartParser(boundary, parts.callbacks())
            async for chunk in chunks:
                await anyio.to_thread.run_sync(parser.write, chunk)
            parser.finalize()
        except FormParserError as error:
            raise _unreadable(str(error)) from error
        if not parts.has_file:
            raise InvalidInput("the form has no part named file; send the file under that name")
        await anyio.to_thread.run_sync(_flush, out)
    return Form(parts.filename, dict(parts.fields))


def _flush(out: IO[bytes]) -> None:
    out.flush()
    os.fsync(out.fileno())


def _unreadable(reason: str) -> InvalidInput:
    return InvalidInput(f"the form cannot be read ({reason}); send one part named file")


@dataclass(slots=True)
class _Parts:
    """The parts of a form as they arrive."""

    out: IO[bytes]
    filename: str | None = None
    fields: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    has_file: bool = False
    _count: int = 0
    _name: str = ""
    _is_file: bool = False
    _header: bytes = b""
    _value: bytes = b""
    _text: bytearray = field(default_factory=bytearray)

    def callbacks(self) -> "MultipartCallbacks":
        """What the parser calls."""
        return {
            "on_part_begin": self._begin, "on_header_field": self._of_header,
            "on_header_value": self._of_value, "on_header_end": self._after_header,
            "on_headers_finished": self._after_headers, "on_part_data": self._of_part,
            "on_part_end": self._end,
        }  # fmt: skip

    def _begin(self) -> None:
        self._count += 1
        if self._count > _MOST_PARTS:
            raise _unreadable(f"it has more than {_MOST_PARTS} parts")
        self._name, self._is_file, self._header, self._value = "", False, b"", b""
        self._text.clear()

    def _of_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _of_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _after_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, said = parse_options_header(self._value)
            self._name = said.get(b"name", b"").decode("utf-8", "replace")
            if b"filename" in said and self._name == _FILE:
                self._is_file = True
                self.filename = said[b"filename"].decode("utf-8", "replace")
        self._header = self._value = b""

    def _after_headers(self) -> None:
        if self._is_file and self.has_file:
            raise _unreadable("it has more than one file")
        self.has_file = self.has_file or self._is_file

    def _of_part(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.out.write(memoryview(data)[start:end])
        elif len(self._text) + end - start > _LONGEST_FIELD:
            raise _unreadable(f"its part {self._name[:40]} is longer than {_LONGEST_FIELD} bytes")
        else:
            self._text += data[start:end]

    def _end(self) -> None:
        if not self._is_file:
            self.fields[self._name].append(self._text.decode("utf-8", "replace"))
