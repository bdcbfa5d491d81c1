"""The directory of a zip archive, held against the archive before anybody believes it.

An archive says at its end where its directory lies and how many files are in it. Readers of archives
differ in which of these words they trust, and some make an object for each entry before they count.
Here the words are read first, in little memory, and must agree with each other, so that one that is
huge is refused for it, and every reader after sees the same files.

Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
"""

import struct
from typing import IO

_BLOCK = 1 << 20
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LONGEST_COMMENT = 1 << 16
_FULL = (0xFFFF, 0xFFFFFFFF)
"""What stands where only the directory's newer end has room for the number."""


class Untrue(ValueError):
    """An archive whose words about itself do not agree; the message says which."""


class TooMany(ValueError):
    """An archive that announces more files than are taken."""


def check_directory(file: IO[bytes], entries: int) -> None:
    """Go through the directory of an archive of at most so many entries, in bounded memory.

    Raises `Untrue` or `TooMany`.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise Untrue("it has no directory at its end")
    end = size - len(tail) + at
    _, disk, first_disk, here, count, length, offset, comment = _END.unpack_from(tail, at)
    if end + _END.size + comment != size:
        raise Untrue("something stands behind its directory")
    if disk or first_disk:
        raise Untrue("it is one of several parts")
    stop = end
    if any(number in _FULL for number in (here, count, length, offset)):
        stop, here, count, length, offset = _newer_end(file, end, (here, count, length, offset))
    if max(here, count) > entries:
        raise TooMany
    if here != count or offset + length != stop or count * _ENTRY.size > length:
        raise Untrue("its directory is not where or what it says")
    _count(file, offset, length, count)


def _newer_end(
    file: IO[bytes], end: int, said: tuple[int, int, int, int]
) -> tuple[int, int, int, int, int]:
    """Where the directory must stop, and what its newer end (zip64) says, if it has one."""
    file.seek(max(0, end - _LOCATOR.size))
    locator = file.read(_LOCATOR.size)
    if end < _LOCATOR.size or not locator.startswith(b"PK\x06\x07"):
        return end, *said
    _, _, at, _ = _LOCATOR.unpack(locator)
    if at + _END_64.size + _LOCATOR.size > end:
        raise Untrue("its directory is not where or what it says")
    file.seek(at)
    mark, _, _, _, disk, first_disk, here, count, length, offset = _END_64.unpack(
        file.read(_END_64.size)
    )
    if mark != b"PK\x06\x06" or disk or first_disk:
        raise Untrue("its directory is not where or what it says")
    return at, here, count, length, offset


def _count(file: IO[bytes], offset: int, length: int, count: int) -> None:
    """Whether the directory is as many entries as announced, one behind the other."""
    file.seek(offset)
    rest, left, found = b"", length, 0
    while left or rest:
        block = file.read(min(_BLOCK, left))
        left -= len(block)
        rest += block
        at = 0
        while len(rest) - at >= _ENTRY.size:
            entry = _ENTRY.unpack_from(rest, at)
            whole = _ENTRY.size + sum(entry[10:13])
            if entry[0] != b"PK\x01\x02" or found == count:
                raise Untrue(f"its directory announces {count} files and holds others")
            if len(rest) - at < whole:
                break
            at += whole
            found += 1
        rest = rest[at:]
        if not block and rest:
            raise Untrue("its directory ends within an entry")
    if found != count:
        raise Untrue(f"its directory announces {count} files and holds {found}")
