"""Files that show something of renewal: kept as they came, under the hash of their bytes."""

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from cim_core.archives import names_in
from cim_core.errors import InvalidInput, NotFound, TooLarge, UnsupportedFormat
from cim_core.files import make_durable
from cim_core.hostile import check_picture

_HEAD = 1 << 16
"""Bytes of a file's beginning by which it is known; a picture says its size in them."""

_LEFT_SECONDS = 86_400.0

SHOWN = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "application/pdf"})
"""What browsers may show in place; all else is only handed out."""

_MAGIC: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/jpeg", lambda head: head.startswith(b"\xff\xd8\xff")),
    ("image/png", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    ("image/gif", lambda head: head[:6] in (b"GIF87a", b"GIF89a")),
    ("image/webp", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
    ("image/tiff", lambda head: head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ("image/heic", lambda head: head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1")),
    ("video/quicktime", lambda head: head[4:12] == b"ftypqt  "),
    ("video/mp4", lambda head: head[4:8] == b"ftyp"),
    ("application/pdf", lambda head: head.startswith(b"%PDF-")),
)
_ARCHIVES = (
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "word/document.xml",
    ),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xl/workbook.xml"),
    ("application/ofd", "OFD.xml"),
)
"""Documents that are archives, by a file each of them holds (ECMA-376; GB/T 33190)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a file by its bytes."""

    media_type: str
    size: int
    sha256: str


class EvidenceFiles:
    """The bytes of evidence, below a folder that its owner alone may read.

    Equal bytes are kept once. Nothing is altered or removed: events name it by its hash.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where the file of a hash lies; raises `NotFound`."""
        path = self._folder / sha256[:2] / sha256
        if not path.is_file():
            raise NotFound(
                f"the evidence {sha256} is not among this city's files; restore the folder "
                f"{self._folder.name} from a backup"
            )
        return path

    def taking(self, name: str, most: int) -> "Taking":
        """Take a file piece by piece; `name` is what the person called it, `most` bytes are taken."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for left in self._folder.glob(".*.partial"):  # by who died half-way
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                    left.unlink()
        return Taking(self._folder, name, most)


class Taking:
    """A file on its way in: `write` its pieces, then `keep` it. Left without, nothing stays."""

    def __init__(self, folder: Path, name: str, most: int) -> None:
        self._folder, self._name, self._most = folder, name, most
        self._path = folder / f".{secrets.token_hex(8)}.partial"
        descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        self._file: BinaryIO = os.fdopen(descriptor, "wb")
        self._hash = hashlib.sha256()
        self._size = 0
        self._head = b""

    def __enter__(self) -> "Taking":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """Take a piece; raises `TooLarge`."""
        self._size += len(piece)
        if self._size > self._most:
            raise TooLarge(
                f"{self._name} is larger than the {self._most / 2**20:.0f} MiB that are taken of "
                "evidence; make it smaller, or have CIM_EVIDENCE_BYTES raised"
            )
        self._hash.update(piece)
        if len(self._head) < _HEAD:
            self._head += piece[: _HEAD - len(self._head)]
        self._file.write(piece)

    def keep(self) -> Kept:
        """Put the file where it stays, durably; raises `UnsupportedFormat`, `InvalidInput`.

        What it is follows from its bytes, whatever its name says.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        if self._size == 0:
            raise InvalidInput(f"{self._name} is empty; send the file itself as the body")
        media_type = self._media_type()
        check_picture(self._head, self._name, self._name)
        sha256 = self._hash.hexdigest()
        place = self._folder / sha256[:2]
        place.mkdir(mode=0o700, exist_ok=True)
        self._path.replace(place / sha256)
        make_durable(place)
        make_durable(self._folder)
        return Kept(media_type, self._size, sha256)

    def _media_type(self) -> str:
        for media_type, fits in _MAGIC:
            if fits(self._head):
                return media_type
        if self._head.startswith(b"PK\x03\x04"):
            inside = set(names_in(self._path, self._name))
            for media_type, member in _ARCHIVES:
                if member in inside:
                    return media_type
        raise UnsupportedFormat(
            f"{self._name} is no evidence that is taken; send a picture (JPEG, PNG, WebP, GIF, HEIC, "
            "TIFF), a video (MP4, MOV), a PDF, OFD, .docx or .xlsx"
        )
