"""Folders and archives of many files, brought in without the harm they can do."""

import os
import shutil
import stat
import tomllib
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path, PurePosixPath

from cim_core.errors import InvalidInput, TooLarge
from cim_core.progress import Progress

_BLOCK = 1 << 20
_LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db", "@3dtilesIndex1@"}
"""What programs leave in archives for themselves."""

_ENCRYPTED = 0x1
_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, ValueError)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a folder or archive may hold; see `archive_limits.toml`."""

    entries: int
    bytes: int
    ratio: int
    ratio_from: int
    data_uri: int


@lru_cache
def default_limits() -> Limits:
    """The limits of the table."""
    text = files("cim_core.importers").joinpath("archive_limits.toml").read_text(encoding="utf-8")
    return Limits(**tomllib.loads(text))


@dataclass(frozen=True, slots=True)
class _Member:
    """A file to be brought in: its name by parts, and its size when it is there."""

    name: str
    parts: tuple[str, ...]
    size: int
    zipped: zipfile.ZipInfo | None = None


def bring_in(path: Path, name: str, folder: Path, limits: Limits, progress: Progress) -> int:
    """Copy a folder, or unpack a zip archive, into the empty `folder`; returns the bytes written.

    All names are looked at before the first file is written. Raises `InvalidInput` or `TooLarge`
    with the hazard: names that leave the folder, links, devices, two names that are one on some
    disks, too many files, too much data, data packed as no honest data is, a damaged or encrypted
    archive.
    """
    if path.is_dir():
        members = list(_of_folder(path, name, limits))
        _check(members, name, limits)
        for number, member in enumerate(members):
            progress(number, len(members), "unpacking")
            target = _place_for(folder, member)
            shutil.copyfile(path.joinpath(*member.parts), target)
    else:
        with _archive(path, name) as archive:
            members = list(_of_archive(archive, name, limits))
            _check(members, name, limits)
            for number, member in enumerate(members):
                progress(number, len(members), "unpacking")
                assert member.zipped is not None
                with (
                    archive.open(member.zipped) as packed,
                    _place_for(folder, member).open("xb") as out,
                ):
                    while block := packed.read(_BLOCK):
                        progress.ask()
                        out.write(block)
    return sum(member.size for member in members)


def names_in(path: Path) -> list[str]:
    """The names in an archive; none where it is no archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except _UNREADABLE:
        return []


def _place_for(folder: Path, member: _Member) -> Path:
    target = folder.joinpath(*member.parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


@contextmanager
def _archive(path: Path, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except _UNREADABLE as error:
        raise InvalidInput(
            f"{name} cannot be unpacked ({error}); pack the folder again as a plain zip archive"
        ) from error


def _of_folder(path: Path, name: str, limits: Limits) -> Iterator[_Member]:
    found = 0
    for where, folders, here in os.walk(path):
        folders[:] = sorted(set(folders) - _LITTER)
        for entry in [*folders, *sorted(set(here) - _LITTER)]:
            full = Path(where) / entry
            about = full.lstat()
            parts = full.relative_to(path).parts
            if stat.S_ISLNK(about.st_mode):
                raise _hazard(name, "/".join(parts), "is a link; put the file itself there")
            if stat.S_ISDIR(about.st_mode):
                continue
            if not stat.S_ISREG(about.st_mode):
                raise _hazard(name, "/".join(parts), "is no file; take it out")
            found += 1
            if found > limits.entries:
                raise _too_many(name, limits)
            yield _Member("/".join(parts), parts, about.st_size)


def _of_archive(archive: zipfile.ZipFile, name: str, limits: Limits) -> Iterator[_Member]:
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise _too_many(name, limits)
    for entry in entries:
        inside = entry.filename
        parts = PurePosixPath(inside).parts
        # zipfile has turned backslashes into slashes where the system writes them so, not here.
        if (
            inside.startswith("/")
            or "\\" in inside
            or not parts
            or ".." in parts
            or ":" in parts[0]
            or any(ord(letter) < 32 for letter in inside)
        ):
            raise _hazard(name, inside, "leaves the folder it is unpacked to; pack it again")
        mode = entry.external_attr >> 16
        if stat.S_ISLNK(mode):
            raise _hazard(name, inside, "is a link; put the file itself there")
        if entry.is_dir() or _LITTER & set(parts):
            continue
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise _hazard(name, inside, "is no file; take it out")
        if entry.flag_bits & _ENCRYPTED:
            raise _hazard(name, inside, "is encrypted; pack it again without a password")
        packed = max(entry.compress_size, 1)
        if entry.file_size > limits.ratio_from and entry.file_size / packed > limits.ratio:
            raise _hazard(
                name, inside, "would grow beyond all measure when it is unpacked; take it out"
            )
        yield _Member(inside, parts, entry.file_size, entry)


def _check(members: list[_Member], name: str, limits: Limits) -> None:
    """Whether all of them together can be written, on any disk."""
    total = sum(member.size for member in members)
    if total > limits.bytes:
        raise TooLarge(
            f"{name} holds {total / 2**30:.1f} GiB when it is unpacked, more than the "
            f"{limits.bytes / 2**30:.0f} GiB that are taken at once; import it in parts"
        )
    seen: dict[tuple[str, ...], str] = {}
    for member in members:
        plain = tuple(unicodedata.normalize("NFC", part).casefold() for part in member.parts)
        if plain in seen:
            raise _hazard(
                name, member.name, "differs from another name in its letters' case only; rename it"
            )
        seen[plain] = member.name
    for plain, original in seen.items():
        if any(plain[:length] in seen for length in range(1, len(plain))):
            raise _hazard(name, original, "lies in a folder that is a file as well; rename it")


def _hazard(name: str, inside: str, reason: str) -> InvalidInput:
    return InvalidInput(f"{name} was not unpacked: {inside} in it {reason}")


def _too_many(name: str, limits: Limits) -> TooLarge:
    return TooLarge(
        f"{name} holds more than the {limits.entries} files that are taken at once; import it in parts"
    )
