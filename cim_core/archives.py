"""Folders and archives of many files, brought in without the harm they can do.

Every zip archive that somebody brings is opened here, workbooks included: `opened` has looked at its
directory and at each name in it before anything is unpacked.
"""

import os
import re
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

from cim_core.archive_directory import TooMany, Untrue, check_directory
from cim_core.errors import InvalidInput, StorageFailed, TooLarge
from cim_core.progress import Progress

_BLOCK = 1 << 20
_LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db", "@3dtilesIndex1@"}
"""What programs leave in archives for themselves."""

_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How files may be packed: of other methods a block may grow in memory to any size."""

_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, ValueError)

_LONGEST_NAME, _LONGEST_PART = 1024, 240
"""Bytes of a name and of one folder's in it: what most disks take."""

_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)", re.IGNORECASE)
"""Names that are devices on some systems, in whatever folder and with whatever ending."""

_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_LOCAL = 30
"""Bytes that stand before each packed file, at the least."""

SPARE = 1 << 30
"""Bytes of the disk that are left free: the city's registry must be able to grow."""


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
    text = files("cim_core").joinpath("archive_limits.toml").read_text(encoding="utf-8")
    return Limits(**tomllib.loads(text))


@dataclass(frozen=True, slots=True)
class _Member:
    """A file to be brought in: its name by parts, and its size when it is there."""

    name: str
    parts: tuple[str, ...]
    size: int
    zipped: zipfile.ZipInfo | None = None


@contextmanager
def opened(path: Path, name: str, limits: Limits) -> Iterator[zipfile.ZipFile]:
    """A zip archive that holds no hazard; `name` is what the person called it.

    Raises `InvalidInput` or `TooLarge` with the hazard: names that leave the folder, links, devices,
    two names that are one on some disks, too many files, too much data, data packed as no honest
    data is, files packed into one another's place, a damaged or encrypted archive, a directory that
    does not agree with itself.
    """
    with _archive(path, name, limits) as archive:
        _check(list(_of_archive(archive, name, limits)), name, limits)
        yield archive


def names_in(path: Path, name: str | None = None) -> list[str]:
    """The names in an archive; none where it is no archive. Raises as `opened` does."""
    if not zipfile.is_zipfile(path):
        return []
    with opened(path, name or path.name, default_limits()) as archive:
        return archive.namelist()


def size_unpacked(path: Path, limits: Limits) -> int:
    """Bytes that an archive holds; 0 where it is none. Raises as `opened` does."""
    if not zipfile.is_zipfile(path):
        return 0
    with opened(path, path.name, limits) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def bring_in(path: Path, name: str, folder: Path, limits: Limits, progress: Progress) -> int:
    """Copy a folder, or unpack a zip archive, into the empty `folder`; returns the bytes written.

    All names are looked at before the first file is written. Raises as `opened` does, and
    `StorageFailed` where the disk has too little room.
    """
    if path.is_dir():
        members = list(_of_folder(path, name, limits))
        _check(members, name, limits)
        _check_room(members, name, folder)
        for number, member in enumerate(members):
            progress(number, len(members), "unpacking")
            target = _place_for(folder, member)
            shutil.copyfile(path.joinpath(*member.parts), target)
    else:
        with _archive(path, name, limits) as archive:
            members = list(_of_archive(archive, name, limits))
            _check(members, name, limits)
            _check_room(members, name, folder)
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


def _check_room(members: list[_Member], name: str, folder: Path) -> None:
    total, room = sum(member.size for member in members), shutil.disk_usage(folder).free - SPARE
    if total > room:
        raise StorageFailed(
            f"{name} holds {total / 2**30:.1f} GiB when it is unpacked, and the disk has room for "
            f"{max(room, 0) / 2**30:.1f} GiB; free space, then try again"
        )


def _place_for(folder: Path, member: _Member) -> Path:
    target = folder.joinpath(*member.parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


@contextmanager
def _archive(path: Path, name: str, limits: Limits) -> Iterator[zipfile.ZipFile]:
    try:
        with path.open("rb") as file:
            check_directory(file, limits.entries)
            with zipfile.ZipFile(file) as archive:
                yield archive
    except TooMany as error:
        raise _too_many(name, limits) from error
    except Untrue as error:
        reason = str(error)
        raise InvalidInput(
            f"{name} is no sound archive: {reason}; pack the folder again as a plain zip archive"
        ) from error
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
    _check_places(archive, entries, name)
    for entry in entries:
        inside, plain = entry.filename, unicodedata.normalize("NFKC", entry.orig_filename)
        parts = PurePosixPath(inside).parts
        # zipfile has turned backslashes into slashes where the system writes them so, not here.
        if (
            plain.startswith("/")
            or "\\" in plain
            or not parts
            or ".." in plain.split("/")
            or plain.count("/") != inside.count("/")
            or ":" in parts[0]
            or not is_legible(plain)
        ):
            raise _hazard(name, inside, "leaves the folder it is unpacked to; pack it again")
        sizes = [len(os.fsencode(part)) for part in parts]
        if max(sizes) > _LONGEST_PART or sum(sizes) + len(sizes) > _LONGEST_NAME:
            raise _hazard(name, inside, "has too long a name; rename it")
        if any(_DEVICES.match(part) for part in parts):
            raise _hazard(name, inside, "has a name that is a device on some systems; rename it")
        mode = entry.external_attr >> 16
        if stat.S_ISLNK(mode):
            raise _hazard(name, inside, "is a link; put the file itself there")
        if entry.is_dir() or _LITTER & set(parts):
            continue
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise _hazard(name, inside, "is no file; take it out")
        if entry.flag_bits & _ENCRYPTED:
            raise _hazard(name, inside, "is encrypted; pack it again without a password")
        if entry.compress_type not in _METHODS:
            raise InvalidInput(
                f"{name} cannot be unpacked (it is packed by method {entry.compress_type}); pack the "
                "folder again as a plain zip archive"
            )
        packed = max(entry.compress_size, 1)
        if entry.file_size > limits.ratio_from and entry.file_size / packed > limits.ratio:
            raise _hazard(
                name, inside, "would grow beyond all measure when it is unpacked; take it out"
            )
        yield _Member(inside, parts, entry.file_size, entry)


def is_legible(text: str) -> bool:
    """Whether a name has no letter that controls a machine, or turns the reading direction."""
    return not any(
        unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(letter) in _TURNS
        for letter in text
    )


def _check_places(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], name: str) -> None:
    """Whether each file has a place of its own in the archive, before the directory."""
    until = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < until:
            raise _hazard(name, entry.filename, "lies where another file lies; pack it again")
        until = entry.header_offset + _LOCAL + len(entry.orig_filename) + entry.compress_size
    if until > archive.start_dir:
        raise _hazard(name, entries[-1].filename, "lies where another file lies; pack it again")


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
