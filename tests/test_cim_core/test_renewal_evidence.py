"""Files of evidence: known by their bytes, kept once, and nothing left of what is refused."""

import io
import os
import time
import zipfile
from pathlib import Path

import pytest

from cim_core.errors import CimError, InvalidInput, NotFound, TooLarge, UnsupportedFormat
from cim_core.store.renewal_evidence import EvidenceFiles, Kept

MOST = 1 << 20


def packed(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


def kept(files: EvidenceFiles, data: bytes, pieces: int = 3) -> Kept:
    with files.taking("file.bin", MOST) as taking:
        size = len(data) // pieces + 1
        for at in range(0, len(data), size):
            taking.write(data[at : at + size])
        return taking.keep()


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"\xff\xd8\xff\xe0 a picture", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\0\0\0\0WEBPVP8X" + bytes(14), "image/webp"),
        (b"II*\0 a drone's picture", "image/tiff"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x18ftypisom", "video/mp4"),
        (b"%PDF-1.7", "application/pdf"),
        (packed("[Content_Types].xml", "word/document.xml"), "wordprocessingml.document"),
        (packed("OFD.xml"), "application/ofd"),
    ],
    ids=["jpeg", "png", "webp", "tiff", "heic", "mov", "mp4", "pdf", "docx", "ofd"],
)
def test_a_file_is_what_its_bytes_say(tmp_path: Path, data: bytes, media_type: str) -> None:
    files = EvidenceFiles(tmp_path / "evidence")
    found = kept(files, data)
    assert found.media_type.endswith(media_type)
    assert files.path(found.sha256).read_bytes() == data
    assert kept(files, data, pieces=1) == found
    assert [path.name for path in (tmp_path / "evidence").rglob("*") if path.is_file()] == [
        found.sha256
    ]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", InvalidInput),
        (b"<html>", UnsupportedFormat),
        (b"#!/bin/sh", UnsupportedFormat),
        (packed("a.txt"), UnsupportedFormat),
        (packed("../word/document.xml"), InvalidInput),
        (b"%PDF-" + bytes(MOST), TooLarge),
    ],
    ids=["empty", "page", "script", "archive", "way out", "large"],
)
def test_what_is_refused_leaves_nothing(tmp_path: Path, data: bytes, kind: type[CimError]) -> None:
    files = EvidenceFiles(tmp_path / "evidence")
    with pytest.raises(kind):
        kept(files, data)
    assert list((tmp_path / "evidence").rglob("*")) == []


def test_what_was_left_half_way_goes_after_a_day(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    old, new = folder / ".old.partial", folder / ".new.partial"
    old.touch()
    new.touch()
    os.utime(old, (0, time.time() - 90_000))
    kept(EvidenceFiles(folder), b"%PDF-1.7")
    assert (old.exists(), new.exists()) == (False, True)


def test_a_file_that_is_lost_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="restore the folder evidence"):
        EvidenceFiles(tmp_path / "evidence").path("0" * 64)
